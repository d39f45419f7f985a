"""What a look leaves in the home for the next one: the lineage, so that nobody who only looks loads all definitions,
and the data versions that files would have, so that they are not read again.

Belongs here: that file, and which code it is of. Does not belong here: what a lineage is (`staleness`), what a version
hangs on (`news`). Nothing in it is irreplaceable. A test holds that the lineage equals the graph.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields
from importlib.metadata import version
from typing import Any

from emovid_assets.core.placing import put_text
from emovid_assets.freshness.staleness import Lineage
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import package_digest


class Kept:
    """What was kept by this very code; empty where another one kept it."""

    def __init__(self, home: Home) -> None:
        self._path = home.kept
        self._is_built = home.state.exists()
        self.lineage: Lineage | None = None
        self._versions: dict[str, list[Any]] = {}
        self._code = f"{package_digest()} dagster {version('dagster')}"
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if found["code"] == self._code:
                self.lineage = Lineage(**{one.name: found["lineage"][one.name] for one in fields(Lineage)})
                self._versions = {name: list(entry) for name, entry in found["versions"].items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            # Not there, of another version, or torn: it is made anew.
            pass
        self._before = self._text()

    def version(self, name: str, depends_on: object, make: Callable[[], Any]) -> Any:
        """What `make` gives, or has given the last time, where it was asked under this name and depended on the same:
        plain values, whose `repr` says all of them."""
        key = hashlib.sha256(repr(depends_on).encode()).hexdigest()
        if self._versions.get(name, [None])[0] != key:
            self._versions[name] = [key, make()]
        return self._versions[name][1]

    def save(self) -> None:
        """For the next look. A home that cannot be written to is looked at the long way each time, and so is one in
        which nothing was built: it stays as it is."""
        if self._is_built and self.lineage is not None and self._text() != self._before:
            with suppress(OSError):
                put_text(self._path, self._text())

    def _text(self) -> str:
        lineage = asdict(self.lineage) if self.lineage else None
        return json.dumps({"code": self._code, "lineage": lineage, "versions": self._versions}, sort_keys=True)
