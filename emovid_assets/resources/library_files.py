"""Which files lie in the library: names, sizes and times of everything there that a table depends on.

Belongs here: walking folders, what is a side file of what. Nothing is opened but regular files that have the name of
artwork or sound, so that a pipe holds nobody up. Does not belong here: which names are those of side files
(`core.side_files`), and what files hold (`library`).
"""

import difflib
import hashlib
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from emovid_assets.core import side_files, transcripts
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.file_names import Names
from emovid_assets.core.plain_text import quoted
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore

MANIFEST = "manifest.csv"
METADATA_FOLDER = "metadata"
Stamp = tuple[int, int]
"""(size, mtime_ns)"""
LIBRARY_TAG = "emovid.library"
"""Of a materialisation of `source_videos`: `Listing.digest` of what it was made from."""
NO_FILE: Stamp = (0, 0)
"""Stands for what cannot be read as a file: what it is counts, not when somebody has last written to it."""


class LibraryEntry(NamedTuple):
    """`name`: its path below the home folder, with escapes where that is no UTF-8. `fault`: (code, detail) of what
    cannot be read as a file; null for files."""

    name: str
    path: str
    stamp: Stamp
    fault: tuple[str, str] | None = None


@dataclass(frozen=True)
class Listing:
    """What lies in the folder of a domain, by name: what may be media; manifests, those of folders above first and the
    one that counts last in each; the subtitles of each medium, by the medium's name; metadata of films.

    `side_files`: how many other files there are, by kind; subtitles are among them.
    """

    media: dict[str, LibraryEntry] = field(default_factory=dict)
    manifests: dict[str, LibraryEntry] = field(default_factory=dict)
    subtitles: dict[str, LibraryEntry] = field(default_factory=dict)
    metadata: dict[str, LibraryEntry] = field(default_factory=dict)
    side_files: Counter[str] = field(default_factory=Counter)

    @property
    def files(self) -> list[LibraryEntry]:
        """The media that can be read."""
        return [entry for entry in self.media.values() if entry.fault is None]

    @property
    def digest(self) -> str:
        """16 hex digits of the stamps."""
        return hashlib.sha256(repr(sorted(self.stamps.items())).encode()).hexdigest()[:16]

    @property
    def stamps(self) -> dict[str, Stamp]:
        """Of everything that is read: as long as they are the same, reading the library again gives the same."""
        parts = (self.media, self.manifests, self.metadata)
        found = {name: entry.stamp for part in parts for name, entry in part.items()}
        return found | {entry.name: entry.stamp for entry in self.subtitles.values()}


def known_stamps(store: ItemStore, domain: str) -> dict[str, Stamp]:
    """`Listing.stamps` as of the last time that the library was read."""
    prefix = f"library/{domain}/"
    return {name: known[:2] for name, known in (store.known_sidecars(prefix) | store.known_hashes(prefix)).items()}


def is_sidecar(name: str) -> bool:
    """Whether a file of this name, with or without its folders, is no medium."""
    return side_files.kind_of(name.rpartition("/")[2]) is not None


def listing(home: Home, domain: str) -> Listing:
    """What lies in the library of a domain at this moment."""
    folder = home.library / domain
    prefix = f"{home.relative(folder)}/"
    # Names of files below the folder are cut off its path: `Path.relative_to` for each would take most of the time.
    cut = len(str(folder)) + 1
    found = Listing()
    subtitles: dict[str, LibraryEntry] = {}
    beside: list[str] = []
    for entry, kind_of_folder in walk(str(folder)):
        name = prefix + entry.path[cut:].replace(os.sep, "/")
        kind = kind_of_folder or side_files.kind_of(entry.name)
        if kind is None:
            part = found.media
        elif entry.name.lower() == MANIFEST and kind_of_folder is None:
            part = found.manifests
        else:
            found.side_files[kind] += 1
            if kind == side_files.PARTIAL or entry.name.endswith(side_files.INFORMATION):
                beside.append(name)
            if kind != side_files.SUBTITLE or not transcripts.is_subtitle(entry.name):
                continue
            part = subtitles
        one = entry_of(name, entry)
        part[one.name] = one
    _find_subtitles(found, subtitles)
    _set_aside(found, beside)
    if domain == "movie":
        for entry in _scanned(str(folder / METADATA_FOLDER)):
            if entry.name.lower().endswith(".csv") and not entry.name.startswith("."):
                one = entry_of(f"{prefix}{METADATA_FOLDER}/{entry.name}", entry)
                found.metadata[one.name] = one
    return found


def _find_subtitles(found: Listing, subtitles: dict[str, LibraryEntry]) -> None:
    folders: dict[str, list[str]] = defaultdict(list)
    for name, entry in subtitles.items():
        if entry.fault is None:
            folders[name.rpartition("/")[0]].append(name.rpartition("/")[2])
    if not folders:
        return
    media: dict[str, list[str]] = {folder: [] for folder in folders}
    for name in found.media:
        folder, _, base = name.rpartition("/")
        if folder in media:
            media[folder].append(base)
    for folder, names in folders.items():
        for base, (best, *_) in transcripts.of_media(media[folder], names).items():
            found.subtitles[f"{folder}/{base}"] = subtitles[f"{folder}/{best}"]


def _set_aside(found: Listing, beside: Sequence[str]) -> None:
    """Counts what only its neighbours or its bytes show to be no medium. `beside`: side files that say so."""
    aside = {
        **dict.fromkeys(_artwork(found.media, beside), side_files.PICTURE),
        **dict.fromkeys(_sounds(found.media), side_files.SOUND),
        **dict.fromkeys(_being_fetched(found.media, beside), side_files.PARTIAL),
    }
    for name in aside:
        del found.media[name]
        found.subtitles.pop(name, None)
    found.side_files.update(aside.values())


def _being_fetched(media: Mapping[str, LibraryEntry], beside: Iterable[str]) -> set[str]:
    """Files that a download is written into."""
    waiting = filter(None, map(side_files.waits_for, beside))
    return {name for name, is_empty in waiting if name in media and not (is_empty and media[name].stamp[0])}


def _sounds(media: Mapping[str, LibraryEntry]) -> list[str]:
    return [
        name
        for name, entry in media.items()
        if name.lower().endswith(side_files.MAY_BE_SOUND)
        and _suffix(name) == side_files.MAY_BE_SOUND
        and not _moves(entry)
    ]


def _artwork(media: Mapping[str, LibraryEntry], beside: Sequence[str]) -> list[str]:
    """Still pictures of films in their folder, and those with the name of artwork where a film is there or below."""
    pictures = {name for name in media if _suffix(name) in side_files.MAY_BE_STILL}
    if not pictures or (len(pictures) == len(media) and not beside):
        return []
    stems: dict[str, set[str]] = defaultdict(set)
    for name in (*media, *beside):
        if name not in pictures:
            folder, _, base = name.rpartition("/")
            stems[folder] |= side_files.film_stems(base)
    films = {folder: Names(found) for folder, found in stems.items()}
    with_films = {above for folder in films for above in accumulate(folder.split("/"), "{}/{}".format)}

    def is_artwork(folder: str, stem: str) -> bool:
        is_named_so = folder in with_films and side_files.is_artwork(stem)
        return is_named_so or (folder in films and side_files.is_picture_of(stem, films[folder]))

    return [
        name
        for name in sorted(pictures)
        for folder, _, base in [name.rpartition("/")]
        if is_artwork(folder, os.path.splitext(base)[0]) and not _moves(media[name])
    ]


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _moves(entry: LibraryEntry) -> bool:
    """Also of what cannot be read: a build says what is the matter with it."""
    return entry.fault is not None or _says_that_it_moves(entry.path, entry.stamp)


@lru_cache(maxsize=100_000)
def _says_that_it_moves(path: str, stamp: Stamp) -> bool:
    try:
        return side_files.moves(Path(path))
    except OSError:
        return True


class Stray(NamedTuple):
    """A folder of the library that nothing reads, and the domain whose name is likely meant; null where none is."""

    name: str
    domain: str | None

    @property
    def sentence(self) -> str:
        meant = f"library/{self.domain}" if self.domain else f"one of {', '.join(DOMAINS)}"
        return f"library/{quoted(self.name)} is read by nothing, since no domain has that name: is {meant} meant?"


def strays(home: Home) -> list[Stray]:
    others = (home.annotations, home.imported_videos, home.characters)
    read = [path for path in (*map(home.library.joinpath, DOMAINS), *others) if path.exists()]
    return [
        Stray(entry.name, next(iter(difflib.get_close_matches(entry.name.lower(), DOMAINS, n=1)), None))
        for entry in _scanned(str(home.library))
        # Where a file system knows no case, `Movie` is `movie`.
        if _is_folder(entry) and entry.name[0] != "." and not any(path.samefile(entry.path) for path in read)
    ]


def entry_of(name: str, entry: "os.DirEntry[str]") -> LibraryEntry:
    """What is known of a file without reading it. `name`: its path below the home folder."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return LibraryEntry(os.fsencode(name).decode(errors="backslashreplace"), entry.path, NO_FILE, ("bad_name", ""))
    try:
        status = entry.stat()
    except FileNotFoundError:
        fault = ("vanished", "The file is gone, or its link points nowhere")
    except OSError as error:
        fault = ("unreadable", f"{error.strerror}")
    else:
        if stat.S_ISREG(status.st_mode):
            return LibraryEntry(name, entry.path, (status.st_size, status.st_mtime_ns))
        # Reading a pipe would wait for ever.
        fault = ("not_a_video", "This is no regular file")
    return LibraryEntry(name, entry.path, NO_FILE, fault)


def walk(folder: str) -> Iterator[tuple["os.DirEntry[str]", str | None]]:
    """Every file, those of a folder before those of its subfolders, and what it is by a folder above it; links are
    followed once, hidden folders are not entered.

    Thousands of files are walked in a fraction of a second: no `Path` is made, and types come with the listing.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[str, str | None]] = [(folder, None)]
    while waiting:
        directory, kind = waiting.pop()
        try:
            status = os.stat(directory)
        except OSError:
            continue
        # A link back to a folder above would never end.
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders = []
        for entry in _scanned(directory):
            if not _is_folder(entry):
                yield entry, kind
            elif entry.name[0] != "." and (directory != folder or entry.name != METADATA_FOLDER):
                subfolders.append((entry.path, kind or side_files.kind_of_folder(entry.name)))
        waiting += reversed(subfolders)


def _scanned(directory: str) -> list["os.DirEntry[str]"]:
    """What is in a folder, by name; nothing where the folder cannot be read."""
    try:
        with os.scandir(directory) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself.
        return False
