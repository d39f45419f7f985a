"""Frames of animated PNG, drawn by the rules of its standard (PNG 3rd edition, W3C, chapters 11 and 13).

Belongs here: cutting the file into still PNGs, and laying them over one another. OpenCV decodes each still, with all of
its 16 bits. FFmpeg blends no pictures of 16 bits, clears opaque ones to black, and takes a picture of full size that is
to be cleared for one that hides what is below; Pillow clears to black as well, and mixes transparency wrong.
Does not belong here: how long a frame is shown (`animations`).
"""

import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emovid_assets.core.video.errors import MediaError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CONTROL_BYTES = 26
TO_BACKGROUND, TO_PREVIOUS = 1, 2
OVER = 1


@dataclass(slots=True)
class _Frame:
    """`data`: its compressed pixels; the pieces of a picture are one stream."""

    width: int
    height: int
    left: int
    top: int
    disposal: int
    blending: int
    data: bytearray

    @property
    def place(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def drawn_pictures(path: Path) -> Iterator[np.ndarray]:
    """Every frame as uint8 RGBA (height, width, 4). Raises MediaError `corrupt_frames` where one cannot be decoded."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        width, height = struct.unpack_from(">2I", data, 16)
        form, common = data[24:29], _common(data)
        largest = 65535 if form[0] == 16 else 255
        canvas = np.zeros((height, width, 4), np.uint16 if form[0] == 16 else np.uint8)
        for number, frame in enumerate(_frames(data)):
            pixels, below = _decoded(frame, form, common, largest), canvas[frame.place]
            if below.shape != pixels.shape:
                raise MediaError("corrupt_frames", f"Frame {number} reaches beyond the picture")
            before = below.copy() if frame.disposal == TO_PREVIOUS else None
            canvas[frame.place] = _over(pixels, below, largest) if frame.blending == OVER else pixels
            yield canvas.copy() if largest == 255 else ((canvas.astype(np.uint32) + 128) // 257).astype(np.uint8)
            # Before the first frame there is nothing to go back to.
            if frame.disposal == TO_BACKGROUND or (before is not None and number == 0):
                canvas[frame.place] = 0
            elif before is not None:
                canvas[frame.place] = before


def _chunks(data: mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the content of each chunk."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, at + 8 + length
        at += 12 + length


def _common(data: mmap.mmap) -> list[tuple[bytes, bytes]]:
    """What every picture of the file is decoded with: the palette and the transparent colour."""
    return [(kind, data[start:end]) for kind, start, end in _chunks(data) if kind in (b"PLTE", b"tRNS")]


def _frames(data: mmap.mmap) -> Iterator[_Frame]:
    frame: _Frame | None = None
    for kind, start, end in _chunks(data):
        if kind == b"fcTL" and end - start == CONTROL_BYTES:
            if frame:
                yield frame
            width, height, left, top, disposal, blending = struct.unpack_from(">4I4x2B", data, start + 4)
            frame = _Frame(width, height, left, top, disposal, blending, bytearray())
        elif kind == b"IDAT" and frame:
            # Without a frame before it, it is what programs show that know no animations.
            frame.data += data[start:end]
        elif kind == b"fdAT" and frame:
            frame.data += data[start + 4 : end]
    if frame:
        yield frame


def _decoded(frame: _Frame, form: bytes, common: list[tuple[bytes, bytes]], largest: int) -> np.ndarray:
    """RGBA (height, width, 4) of as many bits as coded."""
    import cv2

    header = struct.pack(">2I", frame.width, frame.height) + form
    chunks = [(b"IHDR", header), *common, (b"IDAT", bytes(frame.data)), (b"IEND", b"")]
    still = SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)
    try:
        pixels = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise MediaError("corrupt_frames", f"OpenCV stopped: {error.err}") from error
    if pixels is None:
        raise MediaError("corrupt_frames", "A picture of the PNG cannot be decoded")
    if pixels.ndim == 3:
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGBA)
    rgba = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGBA)
    # OpenCV knows the transparent colour of RGB, not that of grey; fewer than 8 bits it stretches.
    for kind, content in common:
        if kind == b"tRNS":
            hidden = int.from_bytes(content[:2], "big") * largest // ((1 << form[0]) - 1)
            rgba[pixels == hidden, 3] = 0
    return rgba


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _over(pixels: np.ndarray, below: np.ndarray, largest: int) -> np.ndarray:
    """One picture over another, both with transparency that is not multiplied in."""
    if pixels[..., 3].min() == largest or not below[..., 3].any():
        return pixels
    top, bottom = pixels / np.float32(largest), below / np.float32(largest)
    share = bottom[..., 3:] * (1 - top[..., 3:])
    alpha = top[..., 3:] + share
    colour = (top[..., :3] * top[..., 3:] + bottom[..., :3] * share) / np.where(alpha, alpha, 1)
    return np.rint(np.concatenate([colour, alpha], axis=2) * largest).astype(pixels.dtype)
