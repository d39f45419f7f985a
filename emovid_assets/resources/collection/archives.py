"""Sets of files in a folder, a zip or a tar: read one after another, without believing what they say of themselves.

Belongs here: opening a set, its limits, its files as streams. Does not belong here: what the files are.

Nothing is unpacked to the names that an archive holds: the caller gets a stream and chooses a name. Links, devices,
encrypted and nested members are passed over; sizes are counted while they are read, never taken from a header, and
what is read of an archive before its files has bounds of its own (`unpacking`).
"""

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, cast

from emovid_assets.core.collection.animation import safe_path
from emovid_assets.core.csv_text import decoded
from emovid_assets.resources.collection.unpacking import (
    CHUNK_BYTES,
    MAX_HEADER_BYTES,
    MAX_XZ_MEMORY_BYTES,
    Unpacked,
    UnpackingError,
    require_short_directory,
)

MAX_MEMBERS = 200_000
MAX_MANIFEST_BYTES = 64 << 20
MAX_RATIO = 200
"""Bytes out of an archive per byte of it; videos do not shrink, bombs do a thousandfold and more."""
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of members of a zip. The others are unpacked by Python without any bound."""
FAULTS = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error),
    *(EOFError, NotImplementedError, struct.error, RecursionError, UnpackingError),
)
"""What a damaged archive makes Python's readers raise; headers of headers of headers end at the depth of a stack."""


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
            raise ArchiveError(f"{self._path}: {_why(error)}") from error

    def files(self, *, wanted: frozenset[str] | None = None) -> Iterator[Reading]:
        """Regular files in the order of the set; `wanted` passes over others without reading them."""
        is_empty = True
        for reading in self._walk(wanted):
            is_empty = False
            yield reading
        if is_empty and wanted is None:
            raise ArchiveError(f"{self._path}: it holds no file")

    def text(self, name: str) -> str | None:
        """A text file at the top of the set; null where there is none. Raises ArchiveError where it is no text."""
        for reading in self._walk(frozenset((name,))):
            # A buffered reader makes room for as much as it is asked for, before it reads.
            data = io.BytesIO()
            if reading.copy(data, MAX_MANIFEST_BYTES) is None:
                raise ArchiveError(f"{self._path}: {name} is too large")
            try:
                return decoded(data.getvalue())
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
        else:
            yield from self._of_tar(wanted)

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
        require_short_directory(self._path, MAX_MEMBERS)
        with zipfile.ZipFile(self._path) as archive:
            for member in archive.infolist():
                is_regular = not member.is_dir() and (member.external_attr >> 28) in (0, 8)
                name = self._safe(member.filename, wanted) if is_regular else None
                if not name or member.flag_bits & 1:
                    continue
                if member.compress_type not in PACKINGS:
                    raise ArchiveError(
                        f"{self._path}: '{name}' is packed in a rare way; pack the files as usual (deflate)"
                    )
                with archive.open(member) as stream:
                    yield Reading(name, stream)

    def _of_tar(self, wanted: frozenset[str] | None) -> Iterator[Reading]:
        with Unpacked(self._path) as unpacked, self._opened(unpacked) as archive:
            most = self._path.stat().st_size * MAX_RATIO
            for number in count():
                unpacked.limit(MAX_HEADER_BYTES)
                member = archive.next()
                unpacked.limit(None)
                if member is None:
                    break
                self._require_few(number)
                # It remembers all that it has seen.
                archive.members = []  # type: ignore[attr-defined]
                archive.pax_headers = {}
                # What is passed over has to be unpacked as well.
                if member.size < 0 or unpacked.tell() + member.size > most:
                    raise ArchiveError(f"{self._path}: {TOO_MUCH}")
                # One with holes is as long as it says, whatever there is of it.
                is_plain = member.isreg() and not member.issparse()
                name = self._safe(member.name, wanted) if is_plain else None
                stream = archive.extractfile(member) if name else None
                if name and stream is not None:
                    with stream:
                        yield Reading(name, stream)
            # A tar has no checksum of a file; that of its compression stands at the end.
            while unpacked.read(CHUNK_BYTES):
                pass

    def _opened(self, unpacked: Unpacked) -> tarfile.TarFile:
        unpacked.limit(MAX_HEADER_BYTES)
        try:
            # It asks for nothing but `read`, `seek` and `tell`.
            return tarfile.open(fileobj=cast(IO[bytes], unpacked), mode="r:")
        except tarfile.ReadError as error:
            raise ArchiveError(f"{self._path}: neither a folder nor a zip or tar archive") from error

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


def _why(error: BaseException) -> str:
    if isinstance(error, UnpackingError):
        return f"{TOO_MUCH}: {error}"
    if isinstance(error, lzma.LZMAError) and "limit" in str(error).lower():
        return (
            f"unpacking it takes more than {MAX_XZ_MEMORY_BYTES >> 20} MB of memory; pack it again, with xz -9 at most"
        )
    return f"the archive is damaged: {error}"
