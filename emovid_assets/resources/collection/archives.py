"""Sets of files in a folder, a zip or a tar: read one after another, without believing what they say of themselves.

Belongs here: opening a set, its limits, its files as streams. Does not belong here: what the files are.

Nothing is unpacked to the names that an archive holds: the caller gets a stream and chooses a name. Links, devices,
encrypted and nested members are passed over; sizes are counted while they are read, never taken from a header.
"""

import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from emovid_assets.core.collection.animation import safe_path
from emovid_assets.core.csv_text import decoded

MAX_MEMBERS = 200_000
MAX_MANIFEST_BYTES = 64 << 20
MAX_RATIO = 200
"""Bytes out of an archive per byte of it; videos do not shrink, bombs do a thousandfold and more."""
CHUNK_BYTES = 1 << 20
FAULTS = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error),
    *(EOFError, NotImplementedError, struct.error),
)
"""What a damaged archive makes Python's readers raise."""


TOO_MUCH = "more comes out of it than an honest archive of videos holds"


class ArchiveError(ValueError):
    """A set that cannot be read; the message says why."""


@dataclass
class Reading:
    """A file of a set while it is read."""

    name: str
    stream: IO[bytes]

    def copy(self, target: IO[bytes], max_bytes: int) -> int | None:
        """Copies it; how many bytes, or null where there are more than allowed."""
        size = 0
        while chunk := self.stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                return None
            target.write(chunk)
        return size


class FileSet:
    """A folder or an archive. `refused`: members that lead out of it, a sentence each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.refused: list[str] = []

    @contextmanager
    def open(self) -> Iterator["FileSet"]:
        """Raises ArchiveError."""
        if not self._path.exists():
            raise ArchiveError(f"{self._path}: there is no such file or folder")
        try:
            yield self
        except FAULTS as error:
            raise ArchiveError(f"{self._path}: the archive is damaged: {error}") from error

    def files(self, *, wanted: frozenset[str] | None = None) -> Iterator[Reading]:
        """Regular files in the order of the set; `wanted` passes over others without reading them."""
        count = 0
        for reading in self._walk(wanted):
            count += 1
            yield reading
        if not count and wanted is None:
            raise ArchiveError(f"{self._path}: it holds no file")

    def text(self, name: str) -> str | None:
        """A text file at the top of the set; null where there is none. Raises ArchiveError where it is no text."""
        for reading in self._walk(frozenset((name,))):
            data = reading.stream.read(MAX_MANIFEST_BYTES + 1)
            if len(data) > MAX_MANIFEST_BYTES:
                raise ArchiveError(f"{self._path}: {name} is too large")
            try:
                return decoded(data)
            except ValueError as error:
                raise ArchiveError(f"{self._path}: {name}, {error}") from error
        return None

    def max_bytes(self) -> int | None:
        """What may come out of an archive in all; no limit for a folder."""
        return None if self._path.is_dir() else self._path.stat().st_size * MAX_RATIO

    def _walk(self, wanted: frozenset[str] | None) -> Iterator[Reading]:
        if self._path.is_dir():
            yield from self._of_folder(wanted)
        elif zipfile.is_zipfile(self._path):
            yield from self._of_zip(wanted)
        elif tarfile.is_tarfile(self._path):
            yield from self._of_tar(wanted)
        else:
            raise ArchiveError(f"{self._path}: neither a folder nor a zip or tar archive")

    def _of_folder(self, wanted: frozenset[str] | None) -> Iterator[Reading]:
        for path in sorted(self._path.rglob("*")):
            name = self._safe(path.relative_to(self._path).as_posix(), wanted)
            # A link may lead anywhere; the set is what lies in its folder.
            if (
                name
                and path.is_file()
                and not path.is_symlink()
                and path.resolve().is_relative_to(self._path.resolve())
            ):
                with path.open("rb") as stream:
                    yield Reading(name, stream)

    def _of_zip(self, wanted: frozenset[str] | None) -> Iterator[Reading]:
        with zipfile.ZipFile(self._path) as archive:
            members = archive.infolist()
            self._require_few(len(members))
            for member in members:
                is_regular = not member.is_dir() and (member.external_attr >> 28) in (0, 8)
                name = self._safe(member.filename, wanted) if is_regular else None
                if name and not member.flag_bits & 1:
                    with archive.open(member) as stream:
                        yield Reading(name, stream)

    def _of_tar(self, wanted: frozenset[str] | None) -> Iterator[Reading]:
        with tarfile.open(self._path) as archive:
            rest = self._path.stat().st_size * MAX_RATIO
            for number, member in enumerate(archive):
                self._require_few(number)
                # What is passed over has to be unpacked as well.
                rest -= member.size
                if rest < 0:
                    raise ArchiveError(f"{self._path}: {TOO_MUCH}")
                name = self._safe(member.name, wanted) if member.isreg() else None
                stream = archive.extractfile(member) if name else None
                if name and stream is not None:
                    with stream:
                        yield Reading(name, stream)
            # A tar has no checksum of a file; that of its compression stands at the end.
            while archive.fileobj and archive.fileobj.read(CHUNK_BYTES):
                pass

    def _safe(self, member: str, wanted: frozenset[str] | None) -> str | None:
        name = safe_path(member)
        if name is None:
            if len(self.refused) < 20:
                self.refused.append(f"'{member[:80]!a}' is passed over: it is hidden or leads out of the set")
            return None
        return name if wanted is None or name in wanted else None

    def _require_few(self, count: int) -> None:
        if count > MAX_MEMBERS:
            raise ArchiveError(f"{self._path}: more than {MAX_MEMBERS:,} members")
