"""What the bytes of a file claim, read without a decoder: sizes and frame counts, or why a film is unreadable.

Belongs here: walking blocks, chunks and boxes. A decompression bomb is a small file that makes a decoder
reserve gigabytes, and FFmpeg decodes frames while it opens a file: so the claims are read before it does.
Does not belong here: limits and what follows from them (`probe`).

Formats: GIF89a (CompuServe), PNG 3rd edition (W3C, `acTL`), WebP (RFC 9649), Matroska (RFC 9559), MP4 boxes
(ISO 14496-12).
"""

import mmap
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
SIGNATURES = (
    b"\x1aE\xdf\xa3",
    b"OggS",
    b"RIFF",
    b"FLV",
    b"0&\xb2u",
    b"GIF8",
    b"\x89PNG",
    b"\x00\x00\x01\xba",
    b"\x00\x00\x01\xb3",
)
"""First bytes of Matroska, Ogg, AVI and WebP, Flash, ASF, GIF, PNG, MPEG program and elementary streams."""


@dataclass
class Animation:
    """A GIF, PNG or WebP as it describes itself.

    Sizes in pixels: the canvas, grown by frames that reach beyond it as lenient decoders do. `frame_count` counts
    what is there, `declared_count` what the header promises (null: nothing). `delays_ms`: WebP only.
    """

    container: str
    width: int = 0
    height: int = 0
    frame_count: int = 0
    declared_count: int | None = None
    is_cut_off: bool = False
    delays_ms: list[int] = field(default_factory=list)

    def grow(self, right: int, bottom: int) -> None:
        self.width, self.height = max(self.width, right), max(self.height, bottom)


def read_animation(path: Path) -> Animation | None:
    """Null where the file is none of the three formats."""
    with path.open("rb") as file:
        head = file.read(12)
        walk = next((walk for is_it, walk in _WALKS if is_it(head)), None)
        if walk is None:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return walk(data)
            except (struct.error, IndexError):
                return Animation("", is_cut_off=True)


def _gif(data: mmap.mmap) -> Animation:
    found = Animation("gif", *struct.unpack_from("<2H", data, 6))
    if found.width == 0 or found.height == 0:
        return found
    flags, at = data[10], 13
    at += _palette_size(flags)
    while at < len(data):
        kind = data[at]
        if kind == 0x21:
            at, is_whole = _skip_blocks(data, at + 2)
        elif kind == 0x2C:
            if at + 10 > len(data):
                found.is_cut_off = True
                break
            left, top, width, height, flags = struct.unpack_from("<4HB", data, at + 1)
            found.grow(left + width, top + height)
            found.frame_count += 1
            at, is_whole = _skip_blocks(data, at + 11 + _palette_size(flags))
        else:
            # The trailer, or something that every reader takes for the end.
            break
        if not is_whole:
            found.is_cut_off = True
            break
    return found


def _palette_size(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(data: mmap.mmap, at: int) -> tuple[int, bool]:
    """Where the chain of sub-blocks ends, and whether its end is there."""
    while at < len(data):
        if data[at] == 0:
            return at + 1, True
        at += 1 + data[at]
    return at, False


def _png(data: mmap.mmap) -> Animation:
    width, height = struct.unpack_from(">2I", data, 16)
    found = Animation("png", width, height, frame_count=1)
    controls, at = 0, 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            break
        if kind == b"acTL":
            (found.declared_count,) = struct.unpack_from(">I", data, at + 8)
        elif kind == b"fcTL":
            width, height, left, top = struct.unpack_from(">4I", data, at + 12)
            found.grow(left + width, top + height)
            controls += 1
        elif kind == b"IEND":
            break
        at += 12 + length
    else:
        found.is_cut_off = True
    found.is_cut_off |= data[at + 4 : at + 8] != b"IEND"
    if found.declared_count is not None:
        found.frame_count = controls
    return found


def _webp(data: mmap.mmap) -> Animation:
    (size,) = struct.unpack_from("<I", data, 4)
    found = Animation("webp", is_cut_off=size + 8 > len(data))
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"VP8X":
            found.grow(1 + _uint24(data, at + 12), 1 + _uint24(data, at + 15))
        elif kind == b"ANMF":
            left, top = 2 * _uint24(data, at + 8), 2 * _uint24(data, at + 11)
            found.grow(left + 1 + _uint24(data, at + 14), top + 1 + _uint24(data, at + 17))
            found.delays_ms.append(_uint24(data, at + 20))
        at += 8 + length + length % 2
    # A still picture has no `ANMF`; its size is in the picture data, which Pillow reads.
    found.frame_count = len(found.delays_ms) or 1
    return found


def _uint24(data: mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


_WALKS = (
    (lambda head: head[:6] in (b"GIF87a", b"GIF89a"), _gif),
    (lambda head: head[:8] == b"\x89PNG\r\n\x1a\n", _png),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _webp),
)


_MATROSKA_ANYWHERE = (b"\xec", b"\xbf")
_MATROSKA_FILE = frozenset({b"\x1aE\xdf\xa3", b"\x18S\x80g", *_MATROSKA_ANYWHERE})
_MATROSKA_SEGMENT = frozenset(
    {
        *map(bytes.fromhex, ("1f43b675", "1c53bb6b", "1254c367", "114d9b74", "1549a966", "1654ae6b", "1043a770")),
        *map(bytes.fromhex, ("1941a469", "1b538667")),
        *_MATROSKA_ANYWHERE,
    }
)
_MATROSKA_CLUSTER = frozenset({*map(bytes.fromhex, ("e7", "a3", "a0", "ab", "a7", "af", "5854")), *_MATROSKA_ANYWHERE})
_MATROSKA_PARENTS = {b"\x18S\x80g": _MATROSKA_SEGMENT, b"\x1f\x43\xb6\x75": _MATROSKA_CLUSTER}
"""Elements of RFC 9559 that may stand in a file, its segment and a cluster; `ec` is void, `bf` a checksum."""


def hole_in_matroska(path: Path) -> int | None:
    """Byte at which a Matroska or WebM file stops being one; null where it is whole or of another format.

    The size of the file where it was cut off.

    FFmpeg jumps to the next cluster without a word, and no index counts the frames that it jumped over.
    """
    with path.open("rb") as file:
        if file.read(4) != b"\x1aE\xdf\xa3":
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _hole(data)


def _hole(data: mmap.mmap) -> int | None:
    at, ends, allowed, has_segment = 0, [len(data)], [_MATROSKA_FILE], False
    while at < len(data):
        while len(ends) > 1 and at >= ends[-1]:
            ends.pop()
            allowed.pop()
        name = data[at : at + _vint_length(data[at])]
        # A cluster of unknown size, as live recorders write it, ends where an element of its parent begins.
        while len(allowed) > 1 and name not in allowed[-1] and ends[-1] == len(data):
            ends.pop()
            allowed.pop()
        if name not in allowed[-1]:
            # What is appended to a whole segment does no harm.
            return at if len(allowed) > 1 or not has_segment else None
        start = at + len(name)
        if start >= len(data):
            return len(data)
        width = _vint_length(data[start])
        size = int.from_bytes(data[start : start + width], "big") & ((1 << 7 * width) - 1)
        is_unknown = size == (1 << 7 * width) - 1
        at = start + width
        if not is_unknown and at + size > len(data):
            return len(data)
        if name in _MATROSKA_PARENTS:
            has_segment = True
            ends.append(len(data) if is_unknown else at + size)
            allowed.append(_MATROSKA_PARENTS[name])
        else:
            at += size
    return None


def _vint_length(first: int) -> int:
    """Bytes of a variable-length integer, by the zeros before the first bit of its first byte; at most 9."""
    return 9 - first.bit_length()


def why_unreadable(path: Path) -> tuple[str, str]:
    """Code and detail for a file that FFmpeg opens as no film: what a person would see in its bytes."""
    if path.stat().st_size == 0:
        return "empty_file", "The file is empty"
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _is_protected(data):
            return "encrypted", "The file carries protection boxes"
        if data[:4].startswith(SIGNATURES):
            return "corrupt_container", "The file begins as media, but what follows cannot be read"
        if data[4:8] != b"ftyp":
            return "not_a_video", "The file cannot be opened as media"
        beginning = data[: 1 << 20]
        # Every byte above 127 that is no valid UTF-8 becomes these three: what they were is lost.
        if beginning.count(REPLACEMENT) > len(beginning) / 100:
            return "corrupt_container", "The file went through a text conversion: its bytes are replaced by U+FFFD"
        sizes: Counter[bytes] = Counter()
        for kind, start, end in _boxes(data):
            sizes[kind] += end - start
            if end > len(data):
                return "truncated", f"The box `{kind.decode('latin-1')}` ends at byte {end}, the file at {len(data)}"
        if b"moov" not in sizes:
            if sizes[b"mdat"] <= 8:
                return "not_a_video", "The file has a header, but neither an index nor media"
            return "truncated", "The file ends before its index (`moov`)"
        return "corrupt_container", "The index names no readable stream"


def _boxes(data: mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of each top-level box."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size == 1 and at + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + 8)
        end = at + size if size else len(data)
        yield kind, at, end
        if end < at + 8:
            return
        at = end


def _is_protected(data: mmap.mmap) -> bool:
    """MP4 protection boxes (`pssh`, `encv`) in the first or last megabyte."""
    return any(name in part for part in (data[: 1 << 20], data[-(1 << 20) :]) for name in (b"pssh", b"encv"))
