"""Packed streams and tables of contents of archives, read within bounds that no header can move.

Belongs here: unpacking gzip, bzip2 and xz a piece at a time, and how much of an archive is looked at before a file of
it. Does not belong here: files in archives (`archives`).

Python's readers believe what an archive says of itself: a tar header that claims to be 640 MB long is read whole, and
so is a member of a zip that is packed by bzip2. What 0.6 MB unpack to would fill the memory before it is judged.
"""

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

CHUNK_BYTES = 1 << 20
MAX_HEADER_BYTES = 1 << 20
"""Before one file of a tar; long names and attributes of honest ones take some thousand."""
MAX_XZ_MEMORY_BYTES = 128 << 20
"""`xz -9` needs 65 MB to unpack."""
MAX_DIRECTORY_BYTES = 32 << 20
"""Of a zip: 200,000 names of a hundred characters."""


class UnpackingError(ValueError):
    """More is asked for than an honest archive needs; the message says what."""


class _Gzip:
    """zlib with the interface of the other two."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._decoder.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        # What pads the end of a file is no further stream.
        return self._decoder.unused_data.lstrip(b"\0")

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)


_PACKERS: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", _Gzip),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(memlimit=MAX_XZ_MEMORY_BYTES)),
)
"""How a packed file begins, and what unpacks it."""


class Unpacked:
    """What is in a file, packed or not, from its begin to its end: as much of a file object as `tarfile` needs.

    Reading raises UnpackingError, and what the packers raise of damaged data.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        head = self._file.read(6)
        self._file.seek(0)
        self._start = next((start for begin, start in _PACKERS if head.startswith(begin)), None)
        self._decoder = self._start() if self._start else None
        self._position = 0
        self._left: int | None = None

    def __enter__(self) -> "Unpacked":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def limit(self, size: int | None) -> None:
        """From now on no more than so many bytes may be read; null: as many as one likes."""
        self._left = size

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        """Forwards, by reading. Offsets that lead back would let a reader run in circles."""
        if position < self._position:
            raise UnpackingError("its headers lead back to where they come from")
        if self._decoder is None:
            size = self._file.seek(0, io.SEEK_END)
            self._position = self._file.seek(min(position, size))
        while self._position < position and self._more(min(CHUNK_BYTES, position - self._position)):
            pass
        return self._position

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end only."""
        if self._left is not None:
            self._left -= size
        if size < 0 or (self._left is not None and self._left < 0):
            raise UnpackingError(f"one of its headers claims more than {MAX_HEADER_BYTES // 1000:,} kB")
        parts = []
        while size and (part := self._more(min(CHUNK_BYTES, size))):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _more(self, most: int) -> bytes:
        """At least one byte, unless the end is reached."""
        part: bytes = self._file.read(most) if self._decoder is None else self._unpacked(most)
        self._position += len(part)
        return part

    def _unpacked(self, most: int) -> bytes:
        assert self._decoder is not None
        assert self._start is not None
        data = b""
        while True:
            if self._decoder.eof:
                # Packed files may be put one behind the other.
                data = self._decoder.unused_data or self._file.read(CHUNK_BYTES)
                if not data.strip(b"\0"):
                    return b""
                self._decoder = self._start()
            elif self._decoder.needs_input:
                data = self._file.read(CHUNK_BYTES)
            try:
                part: bytes = self._decoder.decompress(data, most)
            except OSError as error:
                # bzip2's word for damaged data; an OSError of ours would be one of the disk.
                raise EOFError(str(error)) from error
            if part:
                return part
            if not data and self._decoder.needs_input and not self._decoder.eof:
                raise EOFError("it ends before its packing says so")
            data = b""


def require_short_directory(path: Path, max_members: int) -> None:
    """Raises UnpackingError where the table of contents of a zip has more than so many entries, or is too long.

    Its end says how many there are, but a reader believes the entries, and makes an object of each.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        start = max(0, size - 65_557)
        file.seek(start)
        tail = file.read()
        found = tail.rfind(b"PK\5\6")
        if found < 0 or len(tail) < found + 22:
            return
        length, end = struct.unpack_from("<I", tail, found + 12)[0], start + found
        if tail[found - 20 : found - 16] == b"PK\6\7" and found >= 76:
            length, end = struct.unpack_from("<Q", tail, found - 76 + 40)[0], end - 76
        if length > min(MAX_DIRECTORY_BYTES, end):
            raise UnpackingError(f"its table of contents claims {length / 1e6:,.0f} MB")
        file.seek(end - length)
        directory = file.read(length)
    at = count = 0
    while at + 46 <= length:
        at += 46 + sum(struct.unpack_from("<3H", directory, at + 28))
        count += 1
        if count > max_members:
            raise UnpackingError(f"more than {max_members:,} members")
