"""The boxes of an MP4 file (ISO/IEC 14496-12): where they lie, and where their sizes cannot be true.

Belongs here: walking boxes of any file, whole or not, without a decoder. Does not belong here: rewriting them (`mp4`).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

TOP_LEVEL = frozenset(
    (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"free", b"skip", b"wide", b"pnot", b"emsg", b"prft")
)
"""What a file, or a segment of one, may begin with."""
PARENTS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"))
"""Boxes that hold nothing but boxes."""
ONLY_ON_TOP = frozenset((b"ftyp", b"moov", b"moof", b"mdat"))
LARGEST_FILE_BYTES = 1 << 50
"""No disk holds a file of a petabyte: a box that long is a broken size."""
LARGEST_HEADER_BYTES = 1 << 16
DEEPEST = 10
"""A sample table lies four boxes deep."""
COPYRIGHT = 0xA9
"""Notes of QuickTime begin with the sign in Mac Roman."""
HEADERS = frozenset((b"ftyp", b"styp", b"pdin"))
"""Lists of brands and rates: of some dozen bytes, so that a large size is a broken one, and not a cut file."""


@dataclass(frozen=True, slots=True)
class Box:
    kind: bytes
    start: int
    body: int
    end: int

    @property
    def name(self) -> str:
        return self.kind.decode("latin-1")


def boxes(data: mmap, at: int = 0, end: int | None = None) -> Iterator[Box]:
    """Boxes from `at` to `end`, as they claim to be: the last one may end before it begins, or far behind `end`."""
    end = len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            body = at + 16
        box = Box(kind, at, body, at + size if size else end)
        yield box
        if box.end < box.body:
            return
        at = box.end


def below(data: mmap, box: Box, *kinds: bytes) -> Iterator[Box]:
    """Boxes at the path `kinds` below a box."""
    for child in boxes(data, box.body, box.end):
        if child.kind == kinds[0] and child.body <= child.end <= box.end:
            if len(kinds) == 1:
                yield child
            else:
                yield from below(data, child, *kinds[1:])


def nonsense(data: mmap, parent: Box | None = None, depth: int = 0) -> str | None:
    """What no cut explains: a size that cannot be true. Null where every size can be, also of a box that is cut off."""
    end = parent.end if parent else len(data)
    for box in boxes(data, parent.body if parent else 0, end):
        size, where = box.end - box.start, f"The box `{box.name}` at byte {box.start}"
        if parent and box.kind == b"\0\0\0\0":
            # QuickTime ends some lists with four zeros.
            return None
        if not (box.kind.isascii() and box.name.isprintable()) and box.kind[0] != COPYRIGHT:
            return f"At byte {box.start} there is no box"
        if box.end < box.body:
            return f"{where} claims {size} bytes, which is less than its own header"
        if parent and box.end > end:
            return f"{where} is longer than the box `{parent.name}` that it lies in"
        if parent and parent.kind == b"moov" and box.kind in ONLY_ON_TOP:
            return f"{where} lies within the index, whose size is wrong"
        if size > LARGEST_FILE_BYTES or (box.kind in HEADERS and size > LARGEST_HEADER_BYTES):
            return f"{where} claims {size} bytes, more than such a box can have"
        if box.kind in PARENTS and box.end <= end:
            if depth == DEEPEST:
                return f"{where} lies too deep in others"
            if inner := nonsense(data, box, depth + 1):
                return inner
    return None


def lost_fragments(data: mmap) -> str | None:
    """What is missing of a file of fragments, as a sentence; null where all is there, and for a file without any.

    The boxes say where they end, and an index of segments (`sidx`) what follows it: fragments that are cut away have
    left no other trace.
    """
    kinds, last_end, indexed_end, is_start_of_fragments = set(), 0, 0, False
    for box in boxes(data):
        kinds |= {box.kind} & ONLY_ON_TOP
        if box.kind in TOP_LEVEL:
            # What a web server appended is no box.
            last_end = box.end
        if box.kind == b"sidx":
            indexed_end = max(indexed_end, _indexed_end(data, box))
        elif box.kind == b"moov" and box.end <= len(data):
            is_start_of_fragments = any(below(data, box, b"mvex"))
    if b"moof" not in kinds:
        if is_start_of_fragments and b"mdat" not in kinds:
            return "The file is an initialisation segment: the segments with its pictures are missing"
        return None
    if last_end > len(data):
        return f"The file ends at byte {len(data)}, within a fragment that ends at {last_end}"
    if indexed_end > len(data):
        return f"The file ends at byte {len(data)}, its index of segments names {indexed_end}"
    return None


def _indexed_end(data: mmap, box: Box) -> int:
    """Where the last segment that a `sidx` names ends, in bytes of the file."""
    try:
        if data[box.body] == 0:
            (offset,), at = struct.unpack_from(">I", data, box.body + 16), box.body + 20
        else:
            (offset,), at = struct.unpack_from(">Q", data, box.body + 20), box.body + 28
        (count,) = struct.unpack_from(">H", data, at + 2)
        sizes = [struct.unpack_from(">I", data, at + 4 + 12 * i)[0] & 0x7FFFFFFF for i in range(count)]
    except struct.error:
        return box.end
    return box.end + offset + sum(sizes)
