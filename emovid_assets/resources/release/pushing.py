"""Pushing a release to a hub or a store: only when somebody asks, again from where it stopped, and proved afterwards.

Belongs here: what is sent and in which order, whatever the place. Does not belong here: how a place is spoken to
(`hub`, `store`), and where releases lie.

Exactly the files of `SHA256SUMS` are sent, and that file. `README.md`, `release.json` and `SHA256SUMS` go last: where
they are missing, a push is not at its end. Afterwards everything that is there is compared with the release.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from emovid_assets.core.plain_text import quoted
from emovid_assets.core.release.layout import README, RELEASE, SHA256SUMS

LAST: Final = (README, RELEASE, SHA256SUMS)
BATCH_FILES: Final = 200
BATCH_BYTES: Final = 2 * 1024**3
"""Of a batch: what is sent again, at most, where a commit fails. Larger files are a batch by themselves."""
MOST_SHOWN: Final = 5
_READ_BYTES = 1 << 20
_HASHERS = 4


class PushError(Exception):
    """The release was not pushed, or not whole; the message says why and what to do."""


class ReleaseFile(NamedTuple):
    """A file of a release. `path`: below the release, with forward slashes. `git_oid`: as git names its bytes."""

    path: str
    local: Path
    size_bytes: int
    sha256: str
    git_oid: str


class Place(Protocol):
    """Where a release goes. All methods raise PushError."""

    @property
    def address(self) -> str:
        """As people write it."""

    def open(self, files: Sequence[ReleaseFile]) -> bool:
        """Makes ready what is needed; whether this release is there already, for good."""

    def look(self, files: Iterable[ReleaseFile]) -> dict[str, bool]:
        """Those that are there, by path: whether with the same bytes."""

    def others(self, files: Iterable[ReleaseFile]) -> list[str]:
        """What is there and is none of these files."""

    def send(self, files: Sequence[ReleaseFile]) -> None:
        """Puts a batch there."""

    def close(self) -> None:
        """What is done once everything was proved to be there."""


@dataclass(frozen=True)
class Pushed:
    """What a push has done. `others`: files at the place that are none of the release; nobody has touched them."""

    address: str
    sent_count: int
    sent_bytes: int
    kept_count: int
    others: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """A release and what is at a place. Paths below both."""

    missing: tuple[str, ...]
    different: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        return not (self.missing or self.different)


Tell = Callable[[str, int, int], None]
"""(step, done, total)."""


def _tell_nobody(step: str, done: int, total: int) -> None:
    pass


def push(
    folder: Path,
    place: Place,
    *,
    verify: Callable[[Path], Collection[str]] | None = None,
    tell: Tell = _tell_nobody,
) -> Pushed:
    """Pushes the release in a folder. `verify`: sentences about what is wrong with it, beside its sums.

    Raises PushError where the release does not hold what its sums say, where the place refuses, and where it does not
    hold the release afterwards. What was sent before stays, and is not sent again.
    """
    files = files_of(folder, tell)
    faults = list(verify(folder)) if verify else []
    if faults:
        raise PushError(f"{folder.name} is not pushed, since it does not hold: {_shown(faults)}")
    if place.open(files):
        return Pushed(place.address, 0, 0, len(files), ())
    there = place.look(files)
    missing = [file for file in files if not there.get(file.path)]
    sent = 0
    for batch in batches(missing):
        place.send(batch)
        sent += len(batch)
        tell("push", sent, len(missing))
    compared = _compared(files, place)
    if not compared.is_same:
        raise PushError(f"{place.address} does not hold the release: {told(compared)}; push it again")
    place.close()
    sent_bytes = sum(file.size_bytes for file in missing)
    return Pushed(place.address, len(missing), sent_bytes, len(files) - len(missing), compared.others)


def compare(folder: Path, place: Place, tell: Tell = _tell_nobody) -> Compared:
    """A release and what is at a place; nothing is changed there. Raises PushError."""
    return _compared(files_of(folder, tell), place)


def told(compared: Compared) -> str:
    """What is not the same, as a clause."""
    said = []
    if compared.missing:
        said.append(f"{len(compared.missing):,} files are missing ({_shown(compared.missing)})")
    if compared.different:
        said.append(f"{len(compared.different):,} files are others ({_shown(compared.different)})")
    return " and ".join(said) or "it is the same"


def _compared(files: Sequence[ReleaseFile], place: Place) -> Compared:
    there = place.look(files)
    return Compared(
        tuple(file.path for file in files if file.path not in there),
        tuple(file.path for file in files if there.get(file.path) is False),
        tuple(place.others(files)),
    )


def _shown(names: Collection[str]) -> str:
    shown = ", ".join(quoted(name, 200) for name in list(names)[:MOST_SHOWN])
    more = len(names) - MOST_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def files_of(folder: Path, tell: Tell = _tell_nobody) -> list[ReleaseFile]:
    """The files of a release, `LAST` at the end. Raises PushError unless the folder holds what its sums say.

    Links are refused, since what they lead to is none of the release; hidden files are no part of it.
    """
    sums = _sums(folder)
    there = {path.relative_to(folder).as_posix(): path for path in _visible(folder)}
    links = [name for name, path in there.items() if path.is_symlink()]
    said = [
        *(f"{name} is a link" for name in links),
        *(f"{name} is missing" for name in sums if name not in there),
        *(f"{name} is not in {SHA256SUMS}" for name in there if name not in sums and name != SHA256SUMS),
    ]
    names = sorted(name for name in there if name in sums or name == SHA256SUMS)
    files = [] if said else _hashed({name: there[name] for name in names}, tell)
    said += [f"{file.path} is damaged" for file in files if file.sha256 != sums.get(file.path, file.sha256)]
    if said:
        raise PushError(f"{folder.name} is not pushed, since it does not hold what {SHA256SUMS} says: {_shown(said)}")
    return sorted(files, key=lambda file: (LAST.index(file.path) if file.path in LAST else -1, file.path))


def _sums(folder: Path) -> dict[str, str]:
    try:
        text = (folder / SHA256SUMS).read_text(encoding="utf-8")
    except OSError as error:
        raise PushError(f"{folder} is no release: its {SHA256SUMS} cannot be read ({error.strerror})") from error
    return listed_in(text)


def listed_in(sums: str) -> dict[str, str]:
    """The hash of each file, by its path, in a text as `sha256sum` writes it."""
    lines = (line.partition("  ") for line in sums.splitlines() if line.strip())
    return {path.removeprefix("*"): digest for digest, _, path in lines}


def _visible(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _visible(path)
        else:
            yield path


def _hashed(paths: dict[str, Path], tell: Tell) -> list[ReleaseFile]:
    files: list[ReleaseFile] = []
    try:
        with ThreadPoolExecutor(_HASHERS) as pool:
            for file in pool.map(lambda one: _hash(*one), paths.items()):
                files.append(file)
                tell("check", len(files), len(paths))
    except OSError as error:
        raise PushError(f"{error.filename} cannot be read ({error.strerror})") from error
    return files


def _hash(name: str, path: Path) -> ReleaseFile:
    size = path.stat().st_size
    sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            sha256.update(block)
            git.update(block)
    return ReleaseFile(name, path, size, sha256.hexdigest(), git.hexdigest())


def batches(files: Iterable[ReleaseFile]) -> Iterator[list[ReleaseFile]]:
    """Files in their order, so many at a time; `LAST` come by themselves."""
    batch: list[ReleaseFile] = []
    size = 0
    for file in files:
        begins_last = file.path in LAST and batch and batch[-1].path not in LAST
        if batch and (begins_last or len(batch) == BATCH_FILES or size + file.size_bytes > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size_bytes
    if batch:
        yield batch
