"""The edit list of an MP4 file, which says what part of a track players show, and which way up they show it.

Belongs here: finding and rewriting the few fields of the index (ISO/IEC 14496-12) that FFmpeg's muxer offers no option
for and PyAV does not give. Does not belong here: what they should say.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Shown:
    """The part of a track that is shown, in seconds.

    `media_start_s` counts from the decoding stamp of the track's first sample; null leaves it as the muxer wrote it.
    `at_s` lies on the time line of the file.
    """

    media_start_s: Fraction | None
    duration_s: Fraction
    at_s: Fraction = Fraction(0)


def set_edits(path: Path, shown: dict[str, Shown]) -> None:
    """Rewrites the edit list of each track by its handler (`vide`, `soun`) and the lengths of tracks and file.

    Every track needs an edit list of the size that is written: one entry, or two where `at_s` is above zero.
    Raises ValueError where it has another.
    """
    with path.open("r+b") as file:
        start, data = _index(file)
        (movie,) = _find(data, (0, len(data)), b"moov", b"mvhd")
        timescale = _number(data, movie[0] + (20 if data[movie[0]] else 12), 4)
        for track in _find(data, (0, len(data)), b"moov", b"trak"):
            (handler,) = _find(data, track, b"mdia", b"hdlr")
            wanted = shown[data[handler[0] + 8 : handler[0] + 12].decode("ascii")]
            (header,) = _find(data, track, b"mdia", b"mdhd")
            media_timescale = _number(data, header[0] + (20 if data[header[0]] else 12), 4)
            _set_edit(data, track, wanted, timescale, media_timescale)
        end = max(round((edit.at_s + edit.duration_s) * timescale) for edit in shown.values())
        _put(data, movie[0] + (24 if data[movie[0]] else 16), 8 if data[movie[0]] else 4, end)
        file.seek(start)
        file.write(data)


def is_shown_on_its_side(path: Path) -> bool:
    """Whether players turn the pictures by a quarter to the left or to the right.

    Raises ValueError where the file has no index or no pictures.
    """
    with path.open("rb") as file:
        _, data = _index(file)
    for track in _find(data, (0, len(data)), b"moov", b"trak"):
        (handler,) = _find(data, track, b"mdia", b"hdlr")
        if data[handler[0] + 8 : handler[0] + 12] == b"vide":
            (header,) = _find(data, track, b"tkhd")
            matrix = header[0] + (52 if data[header[0]] else 40)
            # Its first and fifth number scale; both are zero where the axes change places.
            return not _number(data, matrix, 4) and not _number(data, matrix + 16, 4)
    raise ValueError("The file has no pictures")


def _set_edit(data: bytearray, track: tuple[int, int], shown: Shown, timescale: int, media_timescale: int) -> None:
    lists = list(_find(data, track, b"edts", b"elst"))
    count = _number(data, lists[0][0] + 4, 4) if lists else 0
    if count != (2 if shown.at_s else 1):
        raise ValueError(f"The edit list has {count} entries")
    size = 8 if data[lists[0][0]] else 4
    entry = lists[0][0] + 8
    if shown.at_s:
        _put(data, entry, size, round(shown.at_s * timescale))
        entry += 2 * size + 4
    _put(data, entry, size, round(shown.duration_s * timescale))
    if shown.media_start_s is not None:
        _put(data, entry + size, size, round(shown.media_start_s * media_timescale))
    (header,) = _find(data, track, b"tkhd")
    wide = bool(data[header[0]])
    _put(data, header[0] + (28 if wide else 20), 8 if wide else 4, round((shown.at_s + shown.duration_s) * timescale))


def _index(file: BinaryIO) -> tuple[int, bytearray]:
    """Offset and bytes of the box `moov`."""
    offset = 0
    while True:
        file.seek(offset)
        head = file.read(16)
        if len(head) < 8:
            raise ValueError("The file has no index")
        size = _number(head, 0, 4)
        if size == 1:
            size = _number(head, 8, 8)
        if size < 8:
            raise ValueError("The file has no index")
        if head[4:8] == b"moov":
            file.seek(offset)
            return offset, bytearray(file.read(size))
        offset += size


def _find(data: bytearray, span: tuple[int, int], *path: bytes) -> Iterator[tuple[int, int]]:
    """Content spans of the boxes at `path` below `span`."""
    offset, end = span
    while offset + 8 <= end:
        size = _number(data, offset, 4)
        if size < 8 or offset + size > end:
            return
        if data[offset + 4 : offset + 8] == path[0]:
            inner = (offset + 8, offset + size)
            if len(path) == 1:
                yield inner
            else:
                yield from _find(data, inner, *path[1:])
        offset += size


def _number(data: bytes | bytearray, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "big")


def _put(data: bytearray, offset: int, size: int, value: int) -> None:
    struct.pack_into(">Q" if size == 8 else ">I", data, offset, value)
