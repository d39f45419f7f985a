"""The elements of a Matroska or WebM file (RFC 9559): where it stops being one, and whether it is locked.

Belongs here: walking EBML without a decoder.
"""

from collections.abc import Iterator
from mmap import mmap

SIGNATURE = b"\x1aE\xdf\xa3"
CLUSTER = b"\x1f\x43\xb6\x75"
SEGMENT = b"\x18S\x80g"

_ANYWHERE = (b"\xec", b"\xbf")
_FILE = frozenset({SIGNATURE, SEGMENT, *_ANYWHERE})
_IN_SEGMENT = frozenset(
    {
        *map(bytes.fromhex, ("1f43b675", "1c53bb6b", "1254c367", "114d9b74", "1549a966", "1654ae6b", "1043a770")),
        *map(bytes.fromhex, ("1941a469", "1b538667")),
        *_ANYWHERE,
    }
)
_IN_CLUSTER = frozenset({*map(bytes.fromhex, ("e7", "a3", "a0", "ab", "a7", "af", "5854")), *_ANYWHERE})
_PARENTS = {SEGMENT: _IN_SEGMENT, CLUSTER: _IN_CLUSTER}
"""Elements of RFC 9559 that may stand in a file, its segment and a cluster; `ec` is void, `bf` a checksum."""

_TRACKS, _TRACK, _TRACK_TYPE = bytes.fromhex("1654ae6b"), b"\xae", b"\x83"
_ENCRYPTION = tuple(map(bytes.fromhex, ("6d80", "6240", "5035")))
"""ContentEncodings, ContentEncoding, ContentEncryption: its siblings compress."""
_ALGORITHM = bytes.fromhex("47e1")
"""ContentEncAlgo; 0 says that the frames are signed and can be read."""


def hole(data: mmap) -> int | None:
    """Byte at which the file stops being Matroska; null where it is whole. The size of the file where it was cut off.

    FFmpeg jumps to the next cluster without a word, and no index counts the frames that it jumped over.
    """
    at, ends, allowed, has_segment = 0, [len(data)], [_FILE], False
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
        size, at = _size(data, start)
        if size is not None and at + size > len(data):
            return len(data)
        if name in _PARENTS:
            has_segment = True
            ends.append(len(data) if size is None else at + size)
            allowed.append(_PARENTS[name])
        elif size is None:
            # Only what holds other elements may have no size.
            return None
        else:
            at += size
    return None


def is_encrypted(data: mmap) -> bool:
    """Whether the frames of a video track are encrypted; a locked sound track leaves the film silent."""
    for segment in _children(data, 0, len(data), SEGMENT):
        for tracks in _children(data, *segment, _TRACKS):
            for track in _children(data, *tracks, _TRACK):
                kinds = [data[start:end] for start, end in _children(data, *track, _TRACK_TYPE)]
                if b"\1" in kinds and any(_is_locked(data, *span) for span in _below(data, track, _ENCRYPTION)):
                    return True
    return False


def _is_locked(data: mmap, start: int, end: int) -> bool:
    algorithms = [int.from_bytes(data[first:last], "big") for first, last in _children(data, start, end, _ALGORITHM)]
    return 0 not in algorithms


def _below(data: mmap, span: tuple[int, int], names: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
    for child in _children(data, *span, names[0]):
        if len(names) == 1:
            yield child
        else:
            yield from _below(data, child, names[1:])


def _children(data: mmap, at: int, end: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Content spans of the elements of one name between two places, up to a cluster of unknown size."""
    while at < end:
        name = data[at : at + _vint_length(data[at])]
        if at + len(name) >= end:
            return
        size, start = _size(data, at + len(name))
        last = end if size is None else min(start + size, end)
        if name == wanted:
            yield start, last
        at = last


def _size(data: mmap, at: int) -> tuple[int | None, int]:
    """The size of an element, null where it is unknown, and where its content begins."""
    width = _vint_length(data[at])
    size = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return (None if size == (1 << 7 * width) - 1 else size), at + width


def _vint_length(first: int) -> int:
    """Bytes of a variable-length integer, by the zeros before the first bit of its first byte; at most 9."""
    return 9 - first.bit_length()
