"""The files of a release that is being made: written, or linked where the same bytes are there already.

Belongs here: that, and what was written, linked and copied. Does not belong here: what is in the files (`making`).

A release is made in a folder of its own, whose name says what it will hold. So whoever was killed goes on: a file that
stands under its name there is whole, and is not made again.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import make_durable, make_folder, put_bytes, put_into_place

_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EACCES})
"""What file systems say that have no hard links, or none to another disk, or no more of this file."""


class DamagedFileError(Exception):
    """A file of the home is not what its table says; the message says which and what to do."""


@dataclass
class Effort:
    """What it took: files that were written anew with their bytes, linked ones, and those that a killed release had
    left."""

    written_count: int = 0
    written_bytes: int = 0
    linked_count: int = 0
    kept_count: int = 0


class ReleaseFiles:
    """The files below a folder, of which `before` has some already: an earlier release with its sums, by path."""

    def __init__(self, folder: Path, before: Path | None = None, sums: Mapping[str, str] | None = None) -> None:
        self.folder, self.effort = folder, Effort()
        self._before, self._sums_before = before, dict(sums or {}) if before else {}
        self.sums: dict[str, str] = {}
        make_folder(folder)

    def put(self, path: str, data: bytes) -> None:
        """A file of these bytes."""
        digest = sha256(data).hexdigest()
        if not self._is_there(path, digest) and not self._from_before(path, digest):
            put_bytes(self.folder / path, data)
            self._note_written(len(data))
        self.sums[path] = digest

    def put_made(self, path: str, make: Callable[[Path], None]) -> None:
        """A file that `make` writes to the path that it is given. Equal content must give equal bytes."""
        target = self.folder / path
        with put_into_place(target) as temporary:
            make(temporary)
            digest, size = file_sha256(temporary), temporary.stat().st_size
            is_known = self._sums_before.get(path) == digest
            if not is_known:
                self._note_written(size)
        if is_known and self._before is not None and self._link_over(self._before / path, target):
            self.effort.linked_count += 1
        self.sums[path] = digest

    def take(self, path: str, digest: str) -> None:
        """A file that somebody has put below the folder already."""
        self.sums[path] = digest

    def link(self, wanted: Iterable[tuple[str, Path, str]], tell: Callable[[int], None] = lambda done: None) -> None:
        """Files of the home: (path in the release, file, its SHA-256). Each is read once, so that none is released that
        is not what its table says. Raises DamagedFileError, naming up to ten."""
        damaged: list[str] = []
        for done, (path, source, digest, found) in enumerate(_hashed(wanted), start=1):
            if found != digest:
                damaged.append(f"{source}: {'missing or unreadable' if found is None else 'other bytes than its row'}")
            elif not damaged:
                self._place(path, source, digest)
            tell(done)
        if damaged:
            more = f" (and {len(damaged) - 10:,} more)" if len(damaged) > 10 else ""
            raise DamagedFileError(
                f"files of clips are damaged, so nothing was released: {'; '.join(damaged[:10])}{more}. "
                "emovid verify --repair, then emovid build, makes them again"
            )

    def finish(self) -> None:
        """Waits until all names are on the disk; what is in the files is there already."""
        for directory, _, _ in os.walk(self.folder, topdown=False):
            make_durable(Path(directory))

    @property
    def size_bytes(self) -> int:
        return sum((self.folder / path).stat().st_size for path in self.sums)

    def _place(self, path: str, source: Path, digest: str) -> None:
        target = self.folder / path
        self.sums[path] = digest
        if target.exists() and (target.samefile(source) or file_sha256(target) == digest):
            # Of a killed run; what it had made of files that are others by now is made again.
            self.effort.kept_count += 1
            return
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if linked(source, target):
            self.effort.linked_count += 1
        elif not self._from_before(path, digest):
            with put_into_place(target) as temporary:
                shutil.copyfile(source, temporary)
            self._note_written(target.stat().st_size)

    def _is_there(self, path: str, digest: str) -> bool:
        target = self.folder / path
        if not target.is_file() or file_sha256(target) != digest:
            return False
        self.effort.kept_count += 1
        return True

    def _from_before(self, path: str, digest: str) -> bool:
        if self._before is None or self._sums_before.get(path) != digest:
            return False
        source, target = self._before / path, self.folder / path
        # A release that somebody has damaged hands nothing on.
        with suppress(OSError):
            if file_sha256(source) == digest:
                make_folder(target.parent)
                target.unlink(missing_ok=True)
                if linked(source, target):
                    self.effort.linked_count += 1
                    return True
        return False

    def _link_over(self, source: Path, target: Path) -> bool:
        """Makes a file another name of one that has the same bytes."""
        # A release of which somebody has removed a file hands it on no more.
        if _sha256_or_none(source) != file_sha256(target):
            return False
        with put_into_place(target) as temporary:
            if not linked(source, temporary):
                shutil.copyfile(source, temporary)
                return False
        return True

    def _note_written(self, size: int) -> None:
        self.effort.written_count += 1
        self.effort.written_bytes += size


def linked(source: Path, target: Path) -> bool:
    """Gives a file a second name; false where the file system cannot. Raises OSError for any other fault."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


def _hashed(wanted: Iterable[tuple[str, Path, str]]) -> Iterator[tuple[str, Path, str, str | None]]:
    files = list(wanted)
    # Hashing leaves Python's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(_sha256_or_none, [source for _, source, _ in files])
        for (path, source, digest), actual in zip(files, found, strict=True):
            yield path, source, digest, actual


def _sha256_or_none(path: Path) -> str | None:
    try:
        return file_sha256(path)
    except OSError:
        return None
