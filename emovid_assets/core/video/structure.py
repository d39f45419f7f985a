"""What the bytes of a file claim, read without a decoder: sizes, frames and delays, or why a film is unreadable.

Belongs here: walking the blocks, chunks and boxes of animations; naming what is wrong with a container. A decompression
bomb is a small file that makes a decoder reserve gigabytes, and FFmpeg decodes frames while it opens a file: so the
claims are read before it does.
Does not belong here: limits and what follows from them (`probe`), how long a delay is shown (`animations`), the walks
through films (`boxes`, `matroska`, `ogg`), files that are no media at all (`foreign`).

Formats: GIF89a (CompuServe), PNG 3rd edition (W3C, `acTL`), WebP (RFC 9649), AVIF 1.1 (AOMedia) in ISO 14496-12.
"""

import mmap
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from emovid_assets.core.video import boxes, matroska, ogg
from emovid_assets.core.video.foreign import is_flash

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


GIF_TICK = Fraction(1, 100)
GIF_EXTENSION, GIF_PICTURE, GIF_CONTROL = 0x21, 0x2C, b"\xf9\x04"
PNG_TICK = Fraction(1, 100_000)
"""Delays of PNG are fractions; these ticks are FFmpeg's."""
AVIF_BRANDS = (b"avis", b"avif", b"mif1", b"msf1")
SAMPLE_TABLE = (b"mdia", b"minf", b"stbl")
STILL_BRANDS = (b"heic", b"heix", b"mif1", b"avif")
NOTED_BOXES = (b"moov", b"moof", b"mdat", b"meta")
LEADING_ZEROS = 8
HEAD_BYTES = 256
"""Enough for the brands of an AVIF file."""


@dataclass
class Animation:
    """A GIF, PNG, WebP or AVIF as it describes itself.

    Sizes in pixels: the canvas, grown by frames that reach beyond it as lenient decoders do. `frame_count` counts
    what is there, `declared_count` what the header promises (null: nothing). `delays` are as written, in ticks of
    `time_base`. `picture_ends`: of a GIF, the byte behind each picture. `transfer`: AVIF's characteristics by ITU-T
    H.273.
    """

    container: str
    width: int = 0
    height: int = 0
    frame_count: int = 0
    declared_count: int | None = None
    is_cut_off: bool = False
    delays: list[int] = field(default_factory=list)
    time_base: Fraction = Fraction(1, 1000)
    picture_ends: list[int] = field(default_factory=list)
    transfer: int | None = None

    def grow(self, right: int, bottom: int) -> None:
        self.width, self.height = max(self.width, right), max(self.height, bottom)


def animation_kind(path: Path) -> str | None:
    """`gif`, `apng`, `webp` or `avif`, also for a still picture; null for any other file."""
    with path.open("rb") as file:
        return _kind_of(file.read(HEAD_BYTES))


def _kind_of(head: bytes) -> str | None:
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return "apng"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return "avif" if head[8:12] in AVIF_BRANDS and b"avis" in _brands(head) else None


def read_animation(path: Path) -> Animation | None:
    """Null where the file is none of the four formats."""
    with path.open("rb") as file:
        kind = _kind_of(file.read(HEAD_BYTES))
        if kind is None:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _WALKS[kind](data)
            except (struct.error, IndexError):
                return Animation("", is_cut_off=True)


def _gif(data: mmap.mmap) -> Animation:
    width, height = struct.unpack_from("<2H", data, 6)
    found = Animation("gif", width, height, time_base=GIF_TICK)
    if found.width == 0 or found.height == 0:
        return found
    delay = 0
    for kind, at, end, is_whole in _gif_blocks(data):
        if kind == GIF_PICTURE:
            found.picture_ends.append(end)
        if kind == GIF_PICTURE and at + 10 <= len(data):
            left, top, width, height = struct.unpack_from("<4H", data, at + 1)
            found.grow(left + width, top + height)
            found.frame_count += 1
            found.delays.append(delay)
            delay = 0
        elif data[at + 1 : at + 3] == GIF_CONTROL:
            (delay,) = struct.unpack_from("<H", data, at + 4)
        found.is_cut_off |= not is_whole
    return found


def _gif_blocks(data: mmap.mmap) -> Iterator[tuple[int, int, int, bool]]:
    """Kind, start and end of each block, and whether its end is there.

    Up to the trailer, or what every reader takes for the end: a GIF that is joined to another shows the first.
    """
    at = 13 + _palette_size(data[10])
    while at < len(data) and data[at] in (GIF_EXTENSION, GIF_PICTURE):
        # A picture's codes stand behind its place, its palette and a byte; an extension's behind its name.
        start = at + 2
        if data[at] == GIF_PICTURE:
            start = at + 11 + _palette_size(data[at + 9]) if at + 10 <= len(data) else len(data)
        end, is_whole = _skip_blocks(data, start)
        yield data[at], at, end, is_whole
        at = end


def gif_packets(path: Path, animation: Animation) -> Iterator[bytes]:
    """The pictures of a GIF, each with the blocks before it: FFmpeg splits elsewhere, and loses some of them."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for start, end in pairwise((0, *animation.picture_ends)):
            yield data[start:end]


def _palette_size(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(data: mmap.mmap, at: int) -> tuple[int, bool]:
    """Where the chain of sub-blocks ends, and whether its end is there."""
    end = len(data)
    while at < end:
        length = data[at]
        at += 1 + length
        if not length:
            return at, True
    return at, False


def _png(data: mmap.mmap) -> Animation:
    width, height = struct.unpack_from(">2I", data, 16)
    found = Animation("apng", width, height, frame_count=1, time_base=PNG_TICK)
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            break
        if kind == b"acTL":
            (found.declared_count,) = struct.unpack_from(">I", data, at + 8)
        elif kind == b"fcTL":
            width, height, left, top, numerator, denominator = struct.unpack_from(">4I2H", data, at + 12)
            found.grow(left + width, top + height)
            found.delays.append(round(Fraction(numerator, denominator or 100) / PNG_TICK))
        elif kind == b"IEND":
            break
        at += 12 + length
    else:
        found.is_cut_off = True
    found.is_cut_off |= data[at + 4 : at + 8] != b"IEND"
    if found.declared_count is not None:
        found.frame_count = len(found.delays)
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
            found.delays.append(_uint24(data, at + 20))
        at += 8 + length + length % 2
    # A still picture has no `ANMF`; its size is in the picture data, which Pillow reads.
    found.frame_count = len(found.delays) or 1
    return found


def _avif(data: mmap.mmap) -> Animation:
    found = Animation("avif")
    for box in boxes.boxes(data):
        found.is_cut_off |= box.end > len(data) and box.kind in (*boxes.TOP_LEVEL, b"meta")
        if box.kind == b"moov" and box.end <= len(data):
            for track in boxes.below(data, box, b"trak"):
                if _handler(data, track) == b"pict":
                    _avif_track(data, track, found)
    # Without its index it is the front of a file.
    found.is_cut_off |= not found.width
    return found


def _handler(data: mmap.mmap, track: boxes.Box) -> bytes:
    return next((data[box.body + 8 : box.body + 12] for box in boxes.below(data, track, b"mdia", b"hdlr")), b"")


def _avif_track(data: mmap.mmap, track: boxes.Box, found: Animation) -> None:
    for header in boxes.below(data, track, b"mdia", b"mdhd"):
        (scale,) = struct.unpack_from(">I", data, header.body + (20 if data[header.body] else 12))
        found.time_base = Fraction(1, scale or 1000)
    for table in boxes.below(data, track, *SAMPLE_TABLE, b"stsd"):
        for entry in boxes.boxes(data, table.body + 8, table.end):
            found.grow(*struct.unpack_from(">2H", data, entry.body + 24))
            for colour in boxes.boxes(data, entry.body + 78, min(entry.end, table.end)):
                if colour.kind == b"colr" and data[colour.body : colour.body + 4] == b"nclx":
                    (found.transfer,) = struct.unpack_from(">H", data, colour.body + 6)
    for table in boxes.below(data, track, *SAMPLE_TABLE, b"stts"):
        (entries,) = struct.unpack_from(">I", data, table.body + 4)
        for number in range(min(entries, (table.end - table.body - 8) // 8)):
            count, delay = struct.unpack_from(">2I", data, table.body + 8 + 8 * number)
            found.frame_count += count
            # Every sample takes a byte: a table may claim any number of them, a file cannot hold it.
            if found.frame_count > len(data):
                found.is_cut_off = True
                return
            found.delays += [delay] * count


def _uint24(data: mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


def _brands(head: bytes) -> set[bytes]:
    if head[4:8] != b"ftyp":
        return set()
    end = min(len(head), int.from_bytes(head[:4], "big"))
    return {head[at : at + 4] for at in (8, *range(16, end, 4))}


_WALKS = {"gif": _gif, "apng": _png, "webp": _webp, "avif": _avif}


def fault(path: Path) -> tuple[str, str] | None:
    """Code and detail of what is wrong with a film that FFmpeg opens without a word; null where nothing is known."""
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if head.startswith(matroska.SIGNATURE):
                return _matroska_fault(data)
            if head.startswith(b"OggS"):
                seen = ogg.cut(data)
                return ("truncated", seen) if seen else None
            if head[4:8] in boxes.TOP_LEVEL:
                seen = boxes.lost_fragments(data)
                return ("truncated", seen) if seen else None
    return None


def _matroska_fault(data: mmap.mmap) -> tuple[str, str] | None:
    if matroska.is_encrypted(data):
        return "encrypted", "The frames are encrypted (ContentEncryption)"
    hole = matroska.hole(data)
    if hole == len(data):
        return "truncated", f"The file ends at byte {hole}, within an element of its container"
    if hole is not None:
        return "corrupt_frames", f"The file is damaged from byte {hole} on: frames are missing"
    return None


def why_unreadable(path: Path) -> tuple[str, str]:
    """Code and detail for a file that FFmpeg opens as no film: what a person would see in its bytes."""
    if path.stat().st_size == 0:
        return "empty_file", "The file is empty"
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _is_protected(data):
            return "encrypted", "The file carries protection boxes"
        if data[:4] == matroska.SIGNATURE and matroska.is_encrypted(data):
            return "encrypted", "The frames are encrypted (ContentEncryption)"
        if data[:4] == matroska.CLUSTER:
            return "no_initialisation", "The file begins with a cluster of WebM"
        if data[:4].startswith(SIGNATURES):
            return "corrupt_container", "The file begins as media, but what follows cannot be read"
        if is_flash(data[:4]):
            return "not_a_video", "The file is a Flash animation (SWF) without a film"
        if data[4:8] in boxes.TOP_LEVEL:
            return _why_no_mp4(data)
        zeros = _leading_zeros(data)
        if zeros == len(data):
            return "corrupt_container", "The file holds nothing but zeros: its download was never filled in"
        if zeros >= LEADING_ZEROS:
            return "corrupt_container", f"The first {zeros} bytes of the file are zeros"
        return "not_a_video", "The file cannot be opened as media"


def _why_no_mp4(data: mmap.mmap) -> tuple[str, str]:
    beginning = data[: 1 << 20]
    # Every byte above 127 that is no valid UTF-8 becomes these three: what they were is lost.
    if beginning.count(REPLACEMENT) > len(beginning) / 100:
        return "corrupt_container", "The file went through a text conversion: its bytes are replaced by U+FFFD"
    sizes: Counter[bytes] = Counter()
    for box in boxes.boxes(data):
        if data[box.start : box.start + 16].count(0) == min(16, len(data) - box.start):
            return "truncated", f"From byte {box.start} on the file holds zeros: its download was not filled in"
        if box.kind in NOTED_BOXES:
            sizes[box.kind] += box.end - box.start
    nonsense = boxes.nonsense(data)
    if nonsense:
        return "corrupt_container", nonsense
    if b"moof" in sizes and b"moov" not in sizes:
        return "no_initialisation", "The file begins with a fragment of MP4"
    if box.end > len(data):
        return "truncated", f"The box `{box.name}` ends at byte {box.end}, the file at {len(data)}"
    if b"moov" not in sizes:
        if data[8:12] in STILL_BRANDS and b"meta" in sizes:
            return "single_image", "The file is a still picture (HEIF)"
        if sizes[b"mdat"] <= 8:
            return "not_a_video", "The file has a header, but neither an index nor media"
        return "truncated", "The file ends before its index (`moov`)"
    return "corrupt_container", "The index names no readable stream"


def _leading_zeros(data: mmap.mmap) -> int:
    """How many; whole mebibytes at a time, so that a large file is no burden."""
    at = 0
    while at < len(data):
        block = data[at : at + (1 << 20)]
        rest = block.lstrip(b"\0")
        if rest:
            return at + len(block) - len(rest)
        at += len(block)
    return at


def _is_protected(data: mmap.mmap) -> bool:
    """MP4 protection boxes (`pssh`, `encv`) in the first or last megabyte."""
    return any(name in part for part in (data[: 1 << 20], data[-(1 << 20) :]) for name in (b"pssh", b"encv"))
