"""What an export has written: the list that stands in its folder, and the notes of one that is under way.

Belongs here: which files are ours, with their hashes. Does not belong here: which files there should be (`export`).

The list is written when an export is complete. Until then each file is noted before it gets its name, so that an export
that was killed knows what it had made; a line that was cut off says nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import is_leftover, put_text

MANIFEST, NOTES, LOCK = "emovid-export.json", ".emovid-export.jsonl", ".emovid-export.lock"
FORMAT = 1


class NotOursError(Exception):
    """The folder is not to be written to; the message says why and what to do."""


@dataclass(frozen=True)
class File:
    """A file that was made. `path`: below the export. `key`: of all that a clip's content depends on; texts have none.
    `frame_count`: of a clip, as many as the family is to see."""

    path: str
    sha256: str
    key: str = ""
    frame_count: int = 0
    size_bytes: int = 0


@dataclass
class Known:
    """Files of earlier exports into the same folder, by path: as they were made last, and every content that was ever
    noted. An export that was killed may have noted a file that it then did not write."""

    files: dict[str, File] = field(default_factory=dict)
    _contents: dict[str, set[str]] = field(default_factory=dict)

    def add(self, file: File) -> None:
        self.files[file.path] = file
        self._contents.setdefault(file.path, set()).add(file.sha256)

    def has_made(self, folder: Path, path: str) -> bool:
        """Whether what lies at the path is what an export has made there."""
        return file_sha256(folder / path) in self._contents.get(path, ())

    def by_key(self) -> dict[str, File]:
        return {file.key: file for file in self.files.values() if file.key}


def known_files(folder: Path, purpose: Mapping[str, str]) -> Known:
    """What was made here for the same purpose (`trainer`, `family`).

    Raises NotOursError where the folder holds an export for another one, or anything else.
    """
    lines = [*_of_manifest(folder), *_of_notes(folder)]
    if not lines:
        names = (path.name for path in folder.iterdir() if not is_leftover(path.name))
        strange = sorted(name for name in names if name not in (LOCK, NOTES))
        if strange:
            raise NotOursError(
                f"{folder} holds files that no export has made, such as {strange[0]}: give a new folder with -o"
            )
        return Known()
    known = Known()
    for line in lines:
        if "path" in line:
            known.add(File(**line))
        elif any(line.get(name) != said for name, said in purpose.items()):
            made = f"{line.get('trainer')} and {line.get('family')}"
            raise NotOursError(f"{folder} is an export for {made}: give another folder with -o, or remove it")
    return known


def _of_manifest(folder: Path) -> Iterator[dict[str, Any]]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        yield {"trainer": found["trainer"], "family": found["family"]}
        yield from (_file(entry) for entry in (*found["clips"], *found["files"]))
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError) as error:
        raise NotOursError(
            f"{folder / MANIFEST} cannot be read ({error}): give a new folder with -o, or remove this one"
        ) from error


def _file(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("path", "sha256", "key", "frame_count", "size_bytes") if name in entry}


def _of_notes(folder: Path) -> Iterator[dict[str, Any]]:
    try:
        text = (folder / NOTES).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            # The last one, if the process ended while it was written.
            continue
        yield found


class Notes:
    """Takes down what is made, before it is seen under its name."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def add(self, files: Iterable[File]) -> None:
        self._file.writelines(json.dumps(asdict(one)) + "\n" for one in files)
        self._file.flush()


@contextmanager
def notes(folder: Path, purpose: Mapping[str, str]) -> Iterator[Notes]:
    """Goes on with the notes of a folder; they stay where the block ends by an error."""
    path = folder / NOTES
    with path.open("a", encoding="utf-8") as file:
        # A line that was cut off ends here.
        file.write("\n" + json.dumps(dict(purpose)) + "\n")
        file.flush()
        yield Notes(file)
    path.unlink()


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    put_text(folder / MANIFEST, json.dumps({"format": FORMAT, **content}, indent=1, ensure_ascii=False) + "\n")


def is_whole(folder: Path, file: File) -> bool:
    """Whether the file is there as it was made."""
    path = folder / file.path
    try:
        if file.size_bytes and path.stat().st_size != file.size_bytes:
            return False
        return file_sha256(path) == file.sha256
    except OSError:
        return False
