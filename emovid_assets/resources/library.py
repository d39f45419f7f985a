"""The library folder: what the manifests say of its files, what their bytes are.

Belongs here: hashing, manifests. Does not belong here: which files there are (`library_files`), what a media file
contains (`core.video`).

A manifest is a file `manifest.csv` in any folder of the library; its `path` column is relative to that folder, and is
compared with the names that are there as `core.file_names` does it. Without one, a folder that bears the name of an
emotion gives its files that intended emotion. A film whose name ends with an id of Condensed Movies has its facts from
their CSV files in `movie/metadata/`; a manifest overrides them.
"""

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from emovid_assets.core.cells import CellError, number, whole, word, yes_or_no
from emovid_assets.core.collection import condensed_movies
from emovid_assets.core.collection.condensed_movies import Metadata, read_metadata, video_id_of
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.file_names import Names
from emovid_assets.core.filled_tables import Columns, read_bytes
from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.resources.file_faults import FileFault, note_faults
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library_files import METADATA_FOLDER, LibraryEntry, Listing, Stamp, listing

MANIFEST_COLUMNS = (
    *("external_id", "title", "film_id", "film_position", "intended_emotion", "region", "character"),
    *("is_audio_expected", "trim_s", "origin", "origin_url", "attribution", "license", "terms_url"),
)
STEP = "library"
MOST_THREADS, AHEAD = 8, 4
"""Of hashing: more threads read no disk faster; how many files a thread may be ahead."""
MANIFEST_TABLE = Columns.of("path", *MANIFEST_COLUMNS, key="path", key_form=re.compile(r"\S.*\.[A-Za-z0-9]{2,5}"))


@dataclass
class LibraryFile:
    """A set of equal files: the first path by name, and the others. Paths are relative to the home folder.

    `subtitle_sha256`: of the subtitle file beside the first path. What the manifest leaves open for the first path is
    taken from the others.
    """

    path: str
    sha256: str
    size_bytes: int
    duplicate_paths: list[str] = field(default_factory=list)
    subtitle_sha256: str | None = None
    manifest: dict[str, str] = field(default_factory=dict)


def read_library(home: Home, domain: str, store: ItemStore) -> list[LibraryFile]:
    """Media files of a domain by content; unreadable files and manifest faults go to the quarantine.

    Files whose size and modification time are as last seen are not hashed again.
    """
    folder = home.library / domain
    prefix = f"{home.relative(folder)}/"
    found = listing(home, domain)
    faults = [FileFault(entry.name, *entry.fault) for entry in found.media.values() if entry.fault]
    manifest = _read_manifests(home, found, faults)
    metadata = _read_metadata(home, folder, faults) if domain == "movie" else Metadata()
    # What is neither read nor known as a medium is known as it lies there, so that it is no news the next time.
    sidecars = found.stamps
    spoken = _subtitle_hashes(found, store.known_sidecars(prefix), faults)
    known = store.known_hashes(prefix)
    gone = set(known)
    by_hash: dict[str, LibraryFile] = {}
    index = _Index(store)
    for entry, hashed in _hashed(found.files, known):
        name = entry.name
        try:
            stamp, sha256 = hashed()
            if known.get(name) != (*stamp, sha256):
                index.add(name, *stamp, sha256)
        except FileNotFoundError:
            faults.append(FileFault(name, "vanished", "The file is gone, or its link points nowhere"))
            continue
        except OSError as error:
            faults.append(FileFault(name, "unreadable", f"{error.strerror}"))
            continue
        gone.discard(name)
        del sidecars[name]
        below = name[len(prefix) :]
        facts = _facts_by_folder(below) | _facts_by_id(below, metadata) | manifest.pop(name, {})
        if sha256 in by_hash:
            by_hash[sha256].duplicate_paths.append(name)
            by_hash[sha256].manifest = facts | by_hash[sha256].manifest
        else:
            beside = found.subtitles.get(name)
            subtitle = spoken.get(beside.name) if beside else None
            by_hash[sha256] = LibraryFile(name, sha256, stamp[0], subtitle_sha256=subtitle, manifest=facts)
    index.flush()
    store.forget_hashes(gone)
    store.remember_sidecars(prefix, ((name, *stamp, spoken.get(name, "")) for name, stamp in sidecars.items()))
    faults += [
        FileFault(name, "manifest_missing_file", "The manifest names this file, but it is not in the library")
        for name in manifest
        if not os.path.exists(home.root / name)
    ]
    note_faults(store, STEP, domain, faults)
    return list(by_hash.values())


def _hashed(
    files: Iterable[LibraryEntry], known: Mapping[str, tuple[int, int, str]]
) -> Iterator[tuple[LibraryEntry, Callable[[], tuple[Stamp, str]]]]:
    """Each file in its order, and what gives its stamp and hash, or raises OSError. Files are hashed ahead, on all
    cores: SHA-256 lets other threads run."""
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    waiting: deque[tuple[LibraryEntry, Callable[[], tuple[Stamp, str]]]] = deque()
    pool = ThreadPoolExecutor(threads, "hashing")
    try:
        for entry in files:
            *stamp, sha256 = known.get(entry.name, (None, None, ""))
            if tuple(stamp) == entry.stamp:
                waiting.append((entry, partial(_as_known, entry.stamp, sha256)))
            else:
                waiting.append((entry, pool.submit(_stamped_hash, entry.path).result))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft()
        yield from waiting
    finally:
        # Whoever stops the build does not wait for films that nobody has begun to read.
        pool.shutdown(cancel_futures=True)


def _as_known(stamp: Stamp, sha256: str) -> tuple[Stamp, str]:
    return stamp, sha256


def _stamped_hash(path: str) -> tuple[Stamp, str]:
    return _stamp(path), file_sha256(Path(path))


def _stamp(path: str) -> Stamp:
    """Of the file as it is when it is read: walking a large library takes a while."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def _subtitle_hashes(
    found: Listing, known: Mapping[str, tuple[int, int, str]], faults: list[FileFault]
) -> dict[str, str]:
    """SHA-256 by name of each subtitle file."""
    hashes: dict[str, str] = {}
    for name, path, stamp, _ in {entry.name: entry for entry in found.subtitles.values()}.values():
        *known_stamp, sha256 = known.get(name, (None, None, ""))
        try:
            hashes[name] = sha256 if tuple(known_stamp) == stamp and sha256 else file_sha256(Path(path))
        except OSError as error:
            faults.append(FileFault(name, "unreadable", f"{error.strerror}"))
    return hashes


def known_and_new(home: Home, domain: str, store: ItemStore) -> tuple[list[LibraryFile], int]:
    """What `read_library` would give of files that it knows by size and time or by content, and how many are new.

    Nothing is written. A new file is hashed only where a file of its size is known, which it may be under a new name.
    """
    prefix = f"library/{domain}/"
    known = store.known_hashes(prefix)
    hashes: dict[str, str] = {}
    sizes = {size for size, _, _ in known.values()}
    by_content = {sha256 for _, _, sha256 in known.values()}
    new_count = 0
    for path, full_path, stamp, _ in listing(home, domain).files:
        if path in known and known[path][:2] == stamp:
            hashes[path] = known[path][2]
            continue
        try:
            sha256 = file_sha256(Path(full_path)) if stamp[0] in sizes else None
        except OSError:
            # A build will say what is the matter with it.
            sha256 = None
        if sha256 in by_content:
            hashes[path] = str(sha256)
        else:
            new_count += 1
    files: dict[str, LibraryFile] = {}
    for path, sha256 in hashes.items():
        files.setdefault(sha256, LibraryFile(path, sha256, 0))
    return list(files.values()), new_count


class _Index:
    """Remembers hashes a second's worth at a time: a commit a file would cost more than hashing a sticker."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store
        self._facts: list[tuple[str, int, int, str]] = []
        self._flushed = time.monotonic()

    def add(self, name: str, size_bytes: int, mtime_ns: int, sha256: str) -> None:
        self._facts.append((name, size_bytes, mtime_ns, sha256))
        if time.monotonic() - self._flushed > 1:
            self.flush()

    def flush(self) -> None:
        if self._facts:
            self._store.remember_hashes(self._facts)
            self._facts.clear()
        self._flushed = time.monotonic()


def _facts_by_folder(path: str) -> dict[str, str]:
    """From a path relative to the domain's folder: the nearest folder that bears an emotion's name."""
    emotion = next((name for name in reversed(path.lower().split("/")[:-1]) if name in EMOTION_NAMES), None)
    return {"intended_emotion": emotion} if emotion else {}


def _read_metadata(home: Home, folder: Path, faults: list[FileFault]) -> Metadata:
    metadata = read_metadata(folder / METADATA_FOLDER)
    prefix = home.relative(folder / METADATA_FOLDER)
    faults += [FileFault(f"{prefix}/{one.file}:{one.row}", "manifest_invalid", one.message) for one in metadata.faults]
    return metadata


def _facts_by_id(path: str, metadata: Metadata) -> dict[str, str]:
    if metadata.is_empty:
        return {}
    video_id = video_id_of(os.path.splitext(os.path.basename(path))[0], metadata.videos)
    return condensed_movies.facts(metadata.videos[video_id]) if video_id else {}


def _read_manifests(home: Home, found: Listing, faults: list[FileFault]) -> dict[str, dict[str, str]]:
    """Facts by path (relative to the home folder) from manifests; the nearest one decides.

    Manifests of folders above come before those of the folders in them.
    """
    facts: dict[str, dict[str, str]] = {}
    media = Names(found.media)
    faults += _second_manifests(found.manifests)
    for name, path_of_file, _, no_file in found.manifests.values():
        if no_file:
            faults.append(FileFault(name, "manifest_invalid", no_file[1] or "Its folder has a name that is no UTF-8"))
            continue
        file = Path(path_of_file)
        try:
            table = read_bytes(file.read_bytes(), MANIFEST_TABLE)
        except OSError as error:
            faults.append(FileFault(name, "manifest_invalid", f"The manifest cannot be read: {error}"))
            continue
        said = table.unreadable or table.lacking(["path"])
        if said:
            faults.append(FileFault(name, "manifest_invalid", f"The manifest cannot be read: {said}"))
            continue
        if table.remarks:
            faults.append(FileFault(name, "manifest_unknown_column", "; ".join(table.remarks)))
        for row in table.rows:
            if row.is_blank:
                continue
            values, said_of_row = row.read(MANIFEST_COLUMNS, _CELLS)
            path = row.cells.get("path", "")
            if not path and not row.fault:
                said_of_row.append("The row names no `path`")
            if said_of_row:
                faults.append(FileFault(f"{name}:{row.line}", "manifest_invalid", "; ".join(said_of_row)))
            if not path or row.is_shifted:
                continue
            target = Path(os.path.normpath(file.parent / path))
            named = home.relative(target) if target.is_relative_to(home.root) else target.as_posix()
            _, there = media.find(named) or (named, named)
            facts[there] = values
    return facts


def _second_manifests(manifests: Iterable[str]) -> list[FileFault]:
    """Of each folder with manifests whose names differ in case alone, which one counts."""
    folders: dict[str, list[str]] = {}
    for name in manifests:
        folders.setdefault(os.path.dirname(name), []).append(name)
    return [
        FileFault(
            name,
            "manifest_invalid",
            f"Beside it is {os.path.basename(last)}, whose rows count before those of this one",
        )
        for *others, last in folders.values()
        for name in others
    ]


def _length(text: str) -> str:
    try:
        length = number(text)
    except CellError as error:
        raise CellError("a number of seconds above 0") from error
    if length <= 0:
        raise CellError("a number of seconds above 0")
    return f"{length:g}"


_CELLS = {
    "intended_emotion": lambda text: word(text, EMOTION_NAMES),
    "film_position": lambda text: str(whole(text)),
    "trim_s": _length,
    "is_audio_expected": lambda text: "yes" if yes_or_no(text) else "no",
}
"""What a cell means, in the words of `LibraryFile.manifest`; each raises CellError. All other cells are text."""
