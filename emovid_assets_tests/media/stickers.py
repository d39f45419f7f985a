"""GIF and APNG written byte by byte, and what a viewer sees of them by the rules of their standards.

Belongs here: what Pillow's writers do not offer (pictures smaller than the canvas, each with a way to be cleared,
blocks behind the last one, 16 bits), and a judge that shares no code with what it judges.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

COMMENT = b"\x21\xfe\x05hello\x00"
PLAIN_TEXT = b"\x21\xf9\x04\x00\x0a\x00\x00\x00" + b"\x21\x01\x0c" + bytes(12) + b"\x02hi\x00"
APPLICATION = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
CONTROL = b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
TAILS = (COMMENT, APPLICATION, PLAIN_TEXT, CONTROL)
"""Blocks that show nothing."""

KEEP, CLEAR, GO_BACK = 0, 1, 2
"""What happens to a picture's place before the next one: as in APNG; GIF counts from one."""
REPLACE, OVER = 0, 1
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


@dataclass(frozen=True)
class Picture:
    """`pixels`: (height, width, channels) of uint8 or uint16; grey, grey and alpha, RGB or RGBA. GIF: indexes of
    (height, width). `delay`: in hundredths of a second in GIF; numerator and denominator in APNG."""

    pixels: np.ndarray
    left: int = 0
    top: int = 0
    delay: Any = 10
    disposal: int = KEEP
    blending: int = REPLACE

    @property
    def place(self) -> tuple[slice, slice]:
        height, width = self.pixels.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def gif(
    size: tuple[int, int],
    pictures: Sequence[Picture],
    palette: np.ndarray,
    *,
    transparent: int | None = None,
    tail: bytes = b"",
) -> bytes:
    """`palette`: uint8 (256, 3)."""
    parts = [b"GIF89a", struct.pack("<2H3B", *size, 0xF7, 0, 0), palette.tobytes()]
    for picture in pictures:
        flags = (picture.disposal + 1) << 2 | (transparent is not None)
        height, width = picture.pixels.shape
        parts.append(struct.pack("<4BHBB", 0x21, 0xF9, 4, flags, picture.delay, transparent or 0, 0))
        parts.append(struct.pack("<B4HB", 0x2C, picture.left, picture.top, width, height, 0))
        parts.append(b"\x08" + _blocks(_codes(picture.pixels.ravel())))
    return b"".join([*parts, tail, b";"])


def _codes(indexes: np.ndarray) -> bytes:
    """LZW of nine bits that compresses nothing: the table is cleared before codes grow longer."""
    codes: list[int] = []
    for at in range(0, len(indexes), 250):
        codes += [256, *map(int, indexes[at : at + 250])]
    bits = "".join(f"{code:09b}"[::-1] for code in [*codes, 257])
    padded = bits + "0" * (-len(bits) % 8)
    return bytes(int(padded[at : at + 8][::-1], 2) for at in range(0, len(padded), 8))


def _blocks(data: bytes) -> bytes:
    pieces = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def apng(size: tuple[int, int], pictures: Sequence[Picture], *, transparent: Sequence[int] | None = None) -> bytes:
    """Of the depth and the channels of the first picture. `transparent`: the colour of grey or RGB that is not seen."""
    depth = 8 * pictures[0].pixels.dtype.itemsize
    header = struct.pack(">2I5B", *size, depth, COLOUR_TYPES[pictures[0].pixels.shape[2]], 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), _chunk(b"acTL", struct.pack(">2I", len(pictures), 0))]
    if transparent is not None:
        parts.append(_chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent)))
    for number, picture in enumerate(pictures):
        height, width = picture.pixels.shape[:2]
        place = struct.pack(">5I", max(0, 2 * number - 1), width, height, picture.left, picture.top)
        parts.append(_chunk(b"fcTL", place + struct.pack(">2H2B", *picture.delay, picture.disposal, picture.blending)))
        lines = [b"\0" + line.astype(line.dtype.newbyteorder(">")).tobytes() for line in picture.pixels]
        data = zlib.compress(b"".join(lines))
        parts.append(_chunk(b"fdAT", struct.pack(">I", 2 * number) + data) if number else _chunk(b"IDAT", data))
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def seen_of_gif(
    size: tuple[int, int], pictures: Sequence[Picture], palette: np.ndarray, transparent: int | None
) -> list[np.ndarray]:
    """Each frame over white: float (height, width, 3) from 0 to 255."""
    coloured = [
        Picture(
            np.dstack([palette[picture.pixels], np.where(picture.pixels == transparent, 0, 255).astype(np.uint8)]),
            picture.left,
            picture.top,
            disposal=picture.disposal,
            blending=OVER,
        )
        for picture in pictures
    ]
    return seen_of_apng(size, coloured)


def seen_of_apng(
    size: tuple[int, int], pictures: Sequence[Picture], transparent: Sequence[int] | None = None
) -> list[np.ndarray]:
    """Each frame over white: float (height, width, 3) from 0 to 255."""
    canvas = np.zeros((size[1], size[0], 4))
    frames = []
    for number, picture in enumerate(pictures):
        before = canvas.copy()
        rgba = _unit_rgba(picture.pixels, transparent)
        below = canvas[picture.place]
        if picture.blending == OVER:
            alpha = rgba[..., 3:] + below[..., 3:] * (1 - rgba[..., 3:])
            mixed = rgba[..., :3] * rgba[..., 3:] + below[..., :3] * below[..., 3:] * (1 - rgba[..., 3:])
            rgba = np.dstack([np.divide(mixed, alpha, out=np.zeros_like(mixed), where=alpha > 0), alpha])
        canvas[picture.place] = rgba
        frames.append(255 * (canvas[..., :3] * canvas[..., 3:] + 1 - canvas[..., 3:]))
        if picture.disposal == CLEAR or (picture.disposal == GO_BACK and number == 0):
            canvas[picture.place] = 0
        elif picture.disposal == GO_BACK:
            canvas = before
    return frames


def _unit_rgba(pixels: np.ndarray, transparent: Sequence[int] | None) -> np.ndarray:
    channels = pixels.shape[2]
    unit = pixels / np.iinfo(pixels.dtype).max
    colour = np.repeat(unit[..., :1], 3, axis=2) if channels < 3 else unit[..., :3]
    if channels in (2, 4):
        return np.dstack([colour, unit[..., -1]])
    hidden = np.zeros(pixels.shape[:2], bool) if transparent is None else (pixels == np.array(transparent)).all(axis=2)
    return np.dstack([colour, np.where(hidden, 0.0, 1.0)])
