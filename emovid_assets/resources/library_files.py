"""Which files lie in the library: names, sizes and times of everything there that a table depends on.

Belongs here: walking folders, what is a sidecar of what. Nothing is opened, so that a pipe holds nobody up. Does not
belong here: what files hold (`library`).
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from emovid_assets.core import transcripts
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore

MANIFEST = "manifest.csv"
METADATA_FOLDER = "metadata"
SUBTITLES = frozenset(transcripts.SUFFIXES)
SIDECARS = SUBTITLES | {".csv", ".json", ".jsonl", ".txt", ".md", ".ass", ".nfo", ".xml", ".yaml", ".toml"}
"""Files that stand beside media and are not media; they are not ingested and not reported."""

Stamp = tuple[int, int]
"""(size, mtime_ns)"""
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
    """What lies in the folder of a domain, by name: what may be media; manifests, those of folders above first; the
    subtitles of each medium, by the medium's name; metadata of films."""

    media: dict[str, LibraryEntry] = field(default_factory=dict)
    manifests: dict[str, LibraryEntry] = field(default_factory=dict)
    subtitles: dict[str, LibraryEntry] = field(default_factory=dict)
    metadata: dict[str, LibraryEntry] = field(default_factory=dict)

    @property
    def files(self) -> list[LibraryEntry]:
        """The media that can be read."""
        return [entry for entry in self.media.values() if entry.fault is None]

    @property
    def stamps(self) -> dict[str, Stamp]:
        """Of everything: as long as they are the same, reading the library again gives the same."""
        parts = (self.media, self.manifests, self.metadata)
        found = {name: entry.stamp for part in parts for name, entry in part.items()}
        return found | {entry.name: entry.stamp for entry in self.subtitles.values()}


def known_stamps(store: ItemStore, domain: str) -> dict[str, Stamp]:
    """`Listing.stamps` as of the last time that the library was read."""
    prefix = f"library/{domain}/"
    return {name: known[:2] for name, known in (store.known_sidecars(prefix) | store.known_hashes(prefix)).items()}


def is_sidecar(name: str) -> bool:
    """Whether a file of this name is no medium."""
    return os.path.splitext(name)[1].lower() in SIDECARS


def listing(home: Home, domain: str) -> Listing:
    """What lies in the library of a domain at this moment."""
    folder = home.library / domain
    prefix = f"{home.relative(folder)}/"
    # Names of files below the folder are cut off its path: `Path.relative_to` for each would take most of the time.
    cut = len(str(folder)) + 1
    found = Listing()
    subtitles: dict[str, LibraryEntry] = {}
    for entry in _walk(str(folder)):
        if entry.name == MANIFEST:
            part = found.manifests
        elif os.path.splitext(entry.name)[1] in SUBTITLES:
            part = subtitles
        elif is_sidecar(entry.name):
            continue
        else:
            part = found.media
        one = _entry(prefix + entry.path[cut:].replace(os.sep, "/"), entry)
        part[one.name] = one
    for name in found.media:
        beside = (subtitles.get(candidate) for candidate in transcripts.names_beside(name))
        first = next((one for one in beside if one is not None and one.fault is None), None)
        if first is not None:
            found.subtitles[name] = first
    if domain == "movie":
        for entry in _scanned(str(folder / METADATA_FOLDER)):
            if entry.name.endswith(".csv"):
                one = _entry(f"{prefix}{METADATA_FOLDER}/{entry.name}", entry)
                found.metadata[one.name] = one
    return found


def _entry(name: str, entry: "os.DirEntry[str]") -> LibraryEntry:
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


def _walk(folder: str) -> Iterator["os.DirEntry[str]"]:
    """Every file that is not hidden, those of a folder before those of its subfolders; links are followed once.

    Thousands of files are walked in a fraction of a second: no `Path` is made, and types come with the listing.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        directory = waiting.pop()
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
                yield entry
            elif directory != folder or entry.name != METADATA_FOLDER:
                subfolders.append(entry.path)
        waiting += reversed(subfolders)


def _scanned(directory: str) -> list["os.DirEntry[str]"]:
    """What is not hidden in a folder, by name; nothing where the folder cannot be read."""
    try:
        with os.scandir(directory) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: entry.name)
    except OSError:
        return []


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself.
        return False
