"""Pictures of flat patches in any matrix and range, computed in float64 from the matrix's own definition.

Belongs here: the patches, how they are coded, films of them, how they are read back. Does not belong here: what is
asked of them.
"""

from pathlib import Path
from typing import Any

import av
import numpy as np

PATCHES = ((200, 60, 40), (40, 200, 60), (60, 40, 200), (128, 128, 128), (250, 250, 250), (10, 10, 10), (30, 120, 130))
WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "bt601": (0.299, 0.114),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
    "bt2020": (0.2627, 0.0593),
}
"""How red and blue weigh in luma: ITU-T H.273."""
TAGS = {"bt709": 1, "fcc": 4, "bt470bg": 5, "bt601": 6, "smpte240m": 7, "bt2020": 9}
LIMITED, FULL = 1, 2


def levels(rgb: tuple[int, int, int], matrix: str, *, is_full: bool = False, bits: int = 8) -> tuple[int, int, int]:
    """Y, Cb and Cr of a colour, rounded."""
    red_weight, blue_weight = WEIGHTS[matrix]
    red, green, blue = (part / 255 for part in rgb)
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    chroma = (blue - luma) / (2 - 2 * blue_weight), (red - luma) / (2 - 2 * red_weight)
    if is_full:
        top = 2**bits - 1
        return round(top * luma), *(round(top * part + 2 ** (bits - 1)) for part in chroma)
    step = 2 ** (bits - 8)
    return round((219 * luma + 16) * step), *(round((224 * part + 128) * step) for part in chroma)


def picture_of(
    matrix: str,
    size: tuple[int, int] = (112, 64),
    *,
    is_full: bool = False,
    tag: int | None = None,
    pixel_format: str = "yuv420p",
    patches: tuple[tuple[int, int, int], ...] = PATCHES,
) -> av.VideoFrame:
    """Columns of one colour each. `tag`: the matrix and the range are said; a full range always is."""
    picture = av.VideoFrame(*size, pixel_format)
    bits = 10 if "10" in pixel_format else 8
    coded = [levels(patch, matrix, is_full=is_full, bits=bits) for patch in patches]
    for number, plane in enumerate(picture.planes):
        columns = [coded[column * len(patches) // plane.width] for column in range(plane.width)]
        row = np.zeros(plane.line_size // (bits // 8 if bits == 8 else 2), np.uint8 if bits == 8 else np.uint16)
        row[: plane.width] = [column[number] if number < 3 else 255 for column in columns]
        plane.update(np.tile(row, (plane.height, 1)).tobytes())
    if tag is not None:
        picture.colorspace = tag
    if tag is not None or is_full:
        picture.color_range = FULL if is_full else LIMITED
    return picture


def write_patches(
    path: Path, picture: av.VideoFrame, *, count: int = 10, codec: str = "libx264", primaries: int | None = None
) -> Path:
    """A film that shows the picture all the time, tagged like it."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, picture.format.name
        if codec == "libx264":
            stream.options = {"crf": "2", "preset": "ultrafast"}
        context: Any = stream.codec_context
        context.colorspace, context.color_range = picture.colorspace, picture.color_range
        if primaries is not None:
            context.color_primaries = context.color_trc = primaries
        for index in range(count):
            picture.pts = index
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path


def middles(rgb: np.ndarray, count: int = len(PATCHES)) -> np.ndarray:
    """int (patches, 3): the colour in the middle of each column."""
    height, width = rgb.shape[:2]
    return rgb[height // 2, [int((number + 0.5) * width / count) for number in range(count)]].astype(int)


def farthest(colours: Any, others: Any) -> int:
    """The largest difference of a channel, of 255."""
    return int(np.abs(np.asarray(colours, int) - np.asarray(others, int)).max())
