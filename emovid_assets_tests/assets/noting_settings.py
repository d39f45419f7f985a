"""`emovid` in a process of its own that notes which settings each asset reads: `python -m … NOTES arguments…`.

Belongs here: noting what is read under the guard. Does not belong here: what is declared, and what should be read.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from emovid_assets.cli import main
from emovid_assets.home.settings import Settings, _Section
from emovid_assets.home.settings_guard import view_of
from emovid_assets.resources import project


class Reads:
    """Keys that each asset has read."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}
        self._owners: dict[int, tuple[Any, str, str]] = {}

    def view_of(self, reader: str, groups: tuple[str, ...]) -> Callable[[Settings], Settings]:
        view = view_of(reader, groups)
        self.found.setdefault(reader, set())

        def noted(settings: Settings) -> Settings:
            shown = view(settings).model_copy(deep=True)
            for name, section in {"": shown, **dict(shown)}.items():
                # The section is kept, so that its number is not another's.
                self._owners[id(section)] = (section, reader, f"{name}." if name else "")
            return shown

        return noted

    def note(self, section: Any, name: str) -> None:
        if id(section) in self._owners:
            _, reader, prefix = self._owners[id(section)]
            self.found[reader].add(f"{prefix}{name}")


def run(notes: Path) -> None:
    reads = Reads()

    def noting_read(section: Any, name: str) -> Any:
        reads.note(section, name)
        return object.__getattribute__(section, name)

    with (
        mock.patch.object(project, "view_of", reads.view_of),
        mock.patch.object(_Section, "__getattribute__", noting_read),
    ):
        try:
            main()
        finally:
            notes.write_text(json.dumps({reader: sorted(keys) for reader, keys in reads.found.items()}))


if __name__ == "__main__":
    run(Path(sys.argv.pop(1)))
