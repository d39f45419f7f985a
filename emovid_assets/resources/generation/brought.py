"""What people bring for generated videos: pictures of characters, and videos of generators that ran elsewhere.

Belongs here: which files lie in `library/characters` and `library/generated`, what `videos.csv` says of them, whether
any of that is news. Does not belong here: which prompt a video stands for (`core.generation.imported_names`), and
reading videos (`imported`).
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emovid_assets.core import side_files
from emovid_assets.core.cells import CellError, whole, word
from emovid_assets.core.file_names import Names
from emovid_assets.core.filled_tables import Columns, FilledRow, read_bytes
from emovid_assets.core.generation.imported_names import TASKS, Named, named
from emovid_assets.core.generation.wanted import Character
from emovid_assets.core.plain_text import quoted
from emovid_assets.core.video.errors import MediaError
from emovid_assets.home.folders import Home
from emovid_assets.resources.file_faults import FileFault
from emovid_assets.resources.library_files import LibraryEntry, Stamp, entry_of, walk

BROUGHT_TAG = "emovid.generated"
"""Of a materialisation of `generated_videos`: `digest_of` of what it was made from."""
VIDEOS_TABLE = "videos.csv"
PICTURES, TEXT = (".png", ".webp", ".jpg", ".jpeg"), ".txt"
LONGEST_DESCRIPTION = 2000
"""Characters; text models cut off far less."""
_COLUMNS = Columns(
    dict.fromkeys(("file", "clip_id", "prompt", "task", "seed"), ()),
    "file",
    re.compile(r"\S.*\.[A-Za-z0-9]{2,5}"),
    frozenset({"file"}),
)


@dataclass(frozen=True)
class Brought:
    """Files by name, below the home folder: videos, tables of them, and what lies among the characters."""

    videos: dict[str, LibraryEntry] = field(default_factory=dict)
    tables: dict[str, LibraryEntry] = field(default_factory=dict)
    characters: dict[str, LibraryEntry] = field(default_factory=dict)

    @property
    def stamps(self) -> dict[str, Stamp]:
        """Of everything."""
        return {
            name: entry.stamp for part in (self.videos, self.tables, self.characters) for name, entry in part.items()
        }


def brought(home: Home) -> Brought:
    """What lies there at this moment."""
    found = Brought()
    for name, entry in _entries(home, home.imported_videos):
        base = name.rpartition("/")[2]
        if base.lower() == VIDEOS_TABLE:
            found.tables[name] = entry
        elif side_files.kind_of(base) is None:
            found.videos[name] = entry
    for name, entry in _entries(home, home.characters):
        base = name.rpartition("/")[2]
        if base[0] not in ".~" and side_files.kind_of(base) != side_files.SYSTEM:
            found.characters[name] = entry
    return found


def _entries(home: Home, folder: Path) -> Iterator[tuple[str, LibraryEntry]]:
    cut, prefix = len(str(folder)) + 1, home.relative(folder)
    for entry, _ in walk(str(folder)):
        one = entry_of(f"{prefix}/{entry.path[cut:].replace(os.sep, '/')}", entry)
        yield one.name, one


def digest_of(found: Brought, domain: str) -> str:
    """16 hex digits of everything that the videos of a domain may be made from: what names another domain is left
    out."""
    below = len("library/generated/")
    stamps: dict[str, Stamp] = {name: entry.stamp for name, entry in found.tables.items()}
    for name, entry in found.videos.items():
        said = named(name[below:])
        if said is None or said.domain in (None, domain) or found.tables:
            stamps[name] = entry.stamp
    if domain == "sticker":
        stamps |= {name: entry.stamp for name, entry in found.characters.items()}
    return hashlib.sha256(repr(sorted(stamps.items())).encode()).hexdigest()[:16]


def characters_of(
    home: Home, found: Brought, fault_of: Callable[[Path], MediaError | None]
) -> tuple[list[Character], list[FileFault]]:
    """Pictures, each with the text beside it, and texts without a picture; and what is neither. `fault_of` says of a
    picture why it cannot be read: then it is none, and the text beside it is a character of words."""
    faults: list[FileFault] = []
    texts: dict[str, str] = {}
    pictures: dict[str, str] = {}
    broken: set[str] = set()
    prefix = f"{home.relative(home.characters)}/"
    for name, entry in found.characters.items():
        below = name[len(prefix) :]
        stem, suffix = os.path.splitext(below)
        if entry.fault is not None:
            faults.append(FileFault(name, *entry.fault))
        elif "/" in below:
            faults.append(FileFault(name, "not_a_character", "The file lies in a folder of its own"))
        elif suffix.lower() in PICTURES:
            if fault := fault_of(home.root / name):
                faults.append(FileFault(name, fault.code, fault.detail))
                broken.add(below)
            elif twin := next((file for file, other in pictures.items() if other == stem and file not in broken), None):
                faults.append(FileFault(name, "character_twice", f"{quoted(twin)} has the same name"))
            pictures[below] = stem
        elif suffix.lower() == TEXT:
            try:
                texts[stem] = " ".join((home.root / name).read_text("utf-8-sig").split())[:LONGEST_DESCRIPTION]
            except (OSError, UnicodeDecodeError) as error:
                faults.append(FileFault(name, "unreadable", f"The description cannot be read: {error}"))
        else:
            faults.append(FileFault(name, "not_a_character", f"The file is no picture by its name: {suffix or below}"))
    characters = [
        Character(file, None if file in broken else f"{prefix}{file}", texts.get(stem) or None)
        for file, stem in pictures.items()
        if file not in broken or texts.get(stem)
    ]
    alone = texts.keys() - set(pictures.values())
    characters += [Character(f"{stem}{TEXT}", None, texts[stem]) for stem in alone if texts[stem]]
    return sorted(characters, key=lambda one: one.name), faults


def named_files(home: Home, found: Brought) -> tuple[list[Named], list[FileFault]]:
    """What names and tables say of each video, and what is wrong with tables and with files that they cannot name."""
    faults: list[FileFault] = []
    said = _said_in_tables(home, found, faults)
    prefix = f"{home.relative(home.imported_videos)}/"
    files = []
    for name, entry in found.videos.items():
        cells = said.get(name, {})
        one = named(name[len(prefix) :], cells)
        if entry.fault is not None:
            faults.append(FileFault(name, *entry.fault))
        elif one is None:
            faults.append(FileFault(name, "video_loose", "The file lies in no folder of a generator"))
        elif cells is None:
            # Its row in a table is told, and what its name alone says may be another video.
            continue
        else:
            files.append(one)
    return files, faults


@dataclass
class _Said:
    """What tables say of videos, by file below the home: cells, null where they cannot count; and by which row."""

    cells: dict[str, dict[str, str] | None] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)

    def add(self, file: str, cells: dict[str, str] | None, row: str) -> str | None:
        """What is wrong, where another row says otherwise: then neither counts."""
        other = self.rows.setdefault(file, row)
        if other != row and self.cells[file] != cells:
            self.cells[file] = None
            return f"`{quoted(file)}` stands in {other} too, with other cells: neither counts"
        self.cells[file] = cells
        return None


def _said_in_tables(home: Home, found: Brought, faults: list[FileFault]) -> dict[str, dict[str, str] | None]:
    said = _Said()
    there = Names(found.videos)
    for name, entry in found.tables.items():
        if entry.fault is not None:
            faults.append(FileFault(name, *entry.fault))
            continue
        try:
            table = read_bytes(Path(entry.path).read_bytes(), _COLUMNS)
        except OSError as error:
            faults.append(FileFault(name, "unreadable", str(error.strerror)))
            continue
        if wrong := table.unreadable or table.lacking(["file"]):
            faults.append(FileFault(name, "manifest_invalid", f"The table cannot be read: {wrong}"))
            continue
        if table.remarks:
            faults.append(FileFault(name, "manifest_unknown_column", "; ".join(table.remarks)))
        for row in table.rows:
            if not row.is_blank:
                faults += _row_faults(f"{name}:{row.line}", row, name.rpartition("/")[0], there, said)
    return said.cells


def _row_faults(place: str, row: FilledRow, folder: str, there: Names, said: _Said) -> Iterator[FileFault]:
    """Notes what a row says of its file; what is wrong with it comes out."""
    file = row.cells.get("file", "")
    values, wrongs = row.read(_SAID, _CELLS)
    if not file and not row.fault:
        wrongs.append("The row names no `file`")
    target = os.path.normpath(f"{folder}/{file}").replace(os.sep, "/")
    is_elsewhere = bool(file) and not target.startswith(f"{folder}/")
    if is_elsewhere:
        wrongs.append(f"`file` is '{quoted(file)}', and a table speaks for its own folder only")
    if file and not row.is_shifted and not is_elsewhere:
        _, exact = there.find(target) or (target, None)
        if exact is None:
            yield FileFault(target, "manifest_missing_file", f"{place} names it")
        else:
            other = said.add(exact, None if wrongs else values, place)
            wrongs += [other] if other else ["the video is not taken"] if wrongs else []
    if wrongs:
        yield FileFault(place, "manifest_invalid", "; ".join(wrongs))


def _seed(text: str) -> str:
    found = whole(text)
    if not 0 <= found < 2**63:
        raise CellError("a whole number from 0 to 2^63 - 1")
    return str(found)


_SAID = ("clip_id", "prompt", "task", "seed")
_CELLS = {"task": lambda text: word(text, TASKS), "seed": _seed}
