"""The folder of collected files in the library of a domain, with the manifest that says where each comes from.

Belongs here: bringing a complete file in, and the manifest. Does not belong here: where files come from.

A row of the manifest is there before its file is. A kill at any moment leaves no file without its facts; a row
without a file is one that the next run removes.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emovid_assets.core.filled_tables import FilledTable, read_bytes
from emovid_assets.core.placing import leftovers_below, make_durable, make_folder, move_into_place, put_bytes, remove
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import Home
from emovid_assets.resources.library import MANIFEST_COLUMNS, MANIFEST_TABLE
from emovid_assets.resources.library_files import MANIFEST

PARTIAL = ".partial"
"""Hidden: the library does not see what is not complete."""
COLUMNS = ("path", *MANIFEST_COLUMNS)
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,80}")


class BusyError(RuntimeError):
    """Another process collects for this home."""


class BrokenManifestError(RuntimeError):
    """The manifest of collected files cannot be read; the message says where and what to do."""


@contextmanager
def collecting(home: Home) -> Iterator[None]:
    """Only one process at a time collects for a home. Raises BusyError."""

    def busy() -> None:
        raise BusyError(f"another run is collecting for {home.root}; wait until it has ended")

    with locked(home.collection_lock, busy):
        yield


def file_name(prefix: str, external_id: str, suffix: str) -> str | None:
    """`<prefix>-<id><suffix>`: no id can make an option, a hidden file or another folder of it. Null for odd ids."""
    return f"{prefix}-{external_id}{suffix}" if _SAFE.fullmatch(external_id) else None


class Shelf:
    """Collected files of one domain."""

    def __init__(self, home: Home, domain: str) -> None:
        self.folder = home.collected(domain)
        self.partial = self.folder / PARTIAL
        self._home = home
        self._manifest = self.folder / MANIFEST

    def prepare(self, *, is_resuming: bool = False) -> None:
        """Makes the folders. What a killed run left half is removed, unless downloads go on from there.

        Raises BrokenManifestError.
        """
        self.partial.mkdir(parents=True, exist_ok=True)
        for path in leftovers_below(self.folder):
            remove(path)
        for path in () if is_resuming else self.partial.iterdir():
            path.unlink()
        ours = _lines([], has_header=True)
        if self._manifest.exists() and not self._manifest.read_bytes().startswith(ours):
            # Somebody's program has saved it in another way, and lines are appended to it.
            self.rewrite({})

    def discard(self, name: str) -> None:
        """Removes what there is of a file that will not be completed."""
        for path in self.partial.glob(f"{name}.*"):
            path.unlink(missing_ok=True)

    def admit(self, complete: Path, name: str, facts: Mapping[str, str]) -> str:
        """Moves a complete file in and notes its facts; its path below the home folder.

        A file of another item under that name stays: the new one gets its external id into the name.
        """
        target = self.folder / name
        owner = self.rows().get(name) if target.exists() else None
        if owner is not None and owner.get("external_id") != facts.get("external_id"):
            digest = hashlib.sha256(facts.get("external_id", "").encode()).hexdigest()[:8]
            target = target.with_name(f"{target.stem}-{digest}{target.suffix}")
            name = target.relative_to(self.folder).as_posix()
        make_folder(target.parent)
        is_new = not self._manifest.exists()
        with self._manifest.open("ab") as file:
            # One write: a kill leaves the line whole or away.
            file.write(_lines([{**facts, "path": name}], has_header=is_new))
        make_durable(self._manifest)
        move_into_place(complete, target)
        return self._home.relative(target)

    def rows(self) -> dict[str, dict[str, str]]:
        """Facts by file name, as the manifest says; the last row of a file counts. Raises BrokenManifestError."""
        if not self._manifest.exists():
            return {}
        table = self._read()
        faults = [row.fault for row in table.rows if row.fault]
        for fault in [table.unreadable] if table.unreadable else faults:
            # To write it anew would lose what it says of origins and licences.
            raise BrokenManifestError(f"{self._manifest}: {fault}. Mend or remove that line, then collect again")
        return {
            path: {name: cell for name in MANIFEST_COLUMNS if (cell := row.cells.get(name))}
            for row in table.rows
            if (path := row.cells.get("path"))
        }

    def _read(self) -> FilledTable:
        return read_bytes(self._manifest.read_bytes(), MANIFEST_TABLE)

    def rewrite(self, changed: Mapping[str, Mapping[str, str]]) -> None:
        """The manifest anew, in one step: of the files that are there, with changed facts. Nothing new: not touched."""
        known = self.rows()
        kept = {name: {**facts} for name, facts in known.items() if (self.folder / name).exists()}
        kept |= {name: dict(facts) for name, facts in changed.items() if (self.folder / name).exists()}
        wanted = _lines([{**facts, "path": name} for name, facts in sorted(kept.items())], has_header=True)
        if not self._manifest.exists() and not kept:
            return
        if self._manifest.exists() and self._manifest.read_bytes() == wanted:
            return
        put_bytes(self._manifest, wanted)


def _lines(rows: list[dict[str, str]], *, has_header: bool) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if has_header:
        writer.writeheader()
    # A title with a line break in it would make a row of two lines, of which a kill could leave one.
    writer.writerows({name: " ".join(value.split()) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8", "replace")
