"""The lineage in a file of the home, so that whoever only looks does not load all definitions.

Belongs here: that file, and which code it is of. Does not belong here: what a lineage is (`staleness`). A test holds
that it equals the graph.
"""

import json
from contextlib import suppress
from dataclasses import asdict, fields
from importlib.metadata import version

from emovid_assets.core.placing import put_text
from emovid_assets.freshness.staleness import Lineage
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import package_digest


def kept_lineage(home: Home) -> Lineage | None:
    """The lineage of this very code; null where it was not kept."""
    try:
        kept = json.loads(home.lineage.read_text(encoding="utf-8"))
        if kept["code"] == _code():
            return Lineage(**{one.name: kept["lineage"][one.name] for one in fields(Lineage)})
    except (OSError, ValueError, LookupError, TypeError):
        # Not there, of another version, or torn: it is made anew.
        pass
    return None


def keep_lineage(home: Home, lineage: Lineage) -> None:
    """For the next look. A home that cannot be written to is looked at the long way each time."""
    if kept_lineage(home) == lineage:
        return
    with suppress(OSError):
        put_text(home.lineage, json.dumps({"code": _code(), "lineage": asdict(lineage)}))


def _code() -> str:
    return f"{package_digest()} dagster {version('dagster')}"
