"""Decoded pictures as the 8-bit RGB that a viewer sees.

Belongs here: which colour matrix and range a picture is read with, the conversion, transparency, and the proof that a
faster conversion gives the bytes of the plain one. Does not belong here: decoding (`reading`), what is measured.

A stream that says its matrix is read by it. Others are read as players do: BT.709 where they are large, else BT.601.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import av

TAGGED_MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
"""By matrix coefficients of ITU-T H.273: those that libswscale converts. A picture tagged with another one (YCgCo,
ICtCp, BT.2020 with constant luminance) is read as if it were untagged; libswscale alone would refuse it."""
MATRICES = (*dict.fromkeys(TAGGED_MATRICES.values()), "rgb", "grey")
LIMITED, FULL = 1, 2
"""Ranges as FFmpeg counts them; 0 is unspecified."""
LARGE_WIDTH_PX, LARGE_HEIGHT_PX = 1280, 577
"""From either on, an untagged picture as coded is read as BT.709: larger than any standard definition."""

BT709, UNSPECIFIED = 1, 2
"""As matrix, as primaries and as transfer."""
_CODES = {name: code for code, name in reversed(TAGGED_MATRICES.items())}
_TAKEN_TAGS = frozenset({0, UNSPECIFIED, *TAGGED_MATRICES})
"""Tags that libswscale takes: also GBR and unspecified, which it reads as BT.601 where a picture is not RGB."""
_OPAQUE, _HIDDEN_WHITE = 0xFF000000, 0x00FFFFFF
"""Pixels of BGRA as whole numbers: the least one that hides nothing, and white that nobody sees."""
_STRIP_ROWS = 32
_NOISE_PERIOD = 65_521
"""A prime: no two rows of a noise picture are equal."""


class ColourRule(NamedTuple):
    """How a picture is read. `matrix` is one of `MATRICES`; `is_tagged`: nothing about it had to be guessed."""

    matrix: str
    is_full_range: bool
    is_tagged: bool

    @property
    def is_limited_grey(self) -> bool:
        return self.matrix == "grey" and not self.is_full_range

    @property
    def code(self) -> int | None:
        """The matrix in H.273 and for libswscale, which agree on these; null where there is nothing to convert with."""
        return _CODES.get(self.matrix)

    @property
    def source(self) -> dict[str, int]:
        """Arguments of PyAV's `reformat` that say what is converted from."""
        if self.code is None:
            return {}
        return {"src_colorspace": self.code, "src_color_range": FULL if self.is_full_range else LIMITED}


def colour_rule(picture: "av.VideoFrame") -> ColourRule:
    """The rule for a decoded picture, by its own tags (which are its container's where the codec has none) and size."""
    matrix = _own_matrix(picture.format.name)
    if matrix == "rgb":
        return ColourRule(matrix, is_full_range=True, is_tagged=True)
    if matrix == "grey":
        # Black is 0 by FFmpeg's own custom, unless a codec that also holds colours says otherwise.
        return ColourRule(matrix, picture.color_range != LIMITED, is_tagged=True)
    is_full = picture.color_range == FULL or picture.format.name.startswith("yuvj")
    matrix, is_tagged = yuv_matrix(int(picture.colorspace), picture.width, picture.height)
    return ColourRule(matrix, is_full, is_tagged)


def yuv_matrix(colorspace: int, width: int, height: int) -> tuple[str, bool]:
    """The matrix of pictures with colour differences by tag (H.273) and coded size, and whether the tag says it."""
    tagged = TAGGED_MATRICES.get(colorspace)
    if tagged:
        return tagged, True
    return "bt709" if width >= LARGE_WIDTH_PX or height >= LARGE_HEIGHT_PX else "bt601", False


def tagged_source(picture: "av.VideoFrame") -> dict[str, int]:
    """Arguments of PyAV's `reformat` for reading by the tags alone, BT.601 where there are none: nothing, but for tags
    that libswscale would refuse. Whoever calls `to_ndarray` without a word reads so."""
    return {} if int(picture.colorspace) in _TAKEN_TAGS else {"src_colorspace": _CODES["bt601"]}


@cache
def _own_matrix(format_name: str) -> str | None:
    """`rgb` or `grey` where pictures of this pixel format need no matrix."""
    import av

    pixel_format = av.VideoFormat(format_name)
    if pixel_format.is_rgb or pixel_format.has_palette:
        return "rgb"
    colours = [component for component in pixel_format.components if not component.is_alpha]
    return "grey" if len(colours) == 1 else None


@cache
def has_alpha(format_name: str) -> bool:
    """Whether pictures of this pixel format may be transparent; palettes count, their entries may be."""
    import av

    pixel_format = av.VideoFormat(format_name)
    return pixel_format.has_palette or any(component.is_alpha for component in pixel_format.components)


class Shape(NamedTuple):
    """What decides by which of its ways libswscale converts a picture."""

    width: int
    height: int
    format_name: str
    colorspace: int
    color_range: int

    def strip(self) -> "Shape":
        """Fewer rows: each is converted alike, but for what the remainder of their number decides."""
        return self._replace(height=min(self.height, _STRIP_ROWS + self.height % _STRIP_ROWS))


def shape_of(picture: "av.VideoFrame") -> Shape:
    return Shape(picture.width, picture.height, picture.format.name, int(picture.colorspace), int(picture.color_range))


Conversion = Callable[["av.VideoFrame"], np.ndarray]


_known: dict[tuple[str, Shape], bool] = {}
"""What `is_faithful` found out in this process: the next file of the same shape is converted in the same way."""


def is_faithful(name: str, fast: Conversion, plain: Conversion, shape: Shape) -> bool:
    """Whether the conversion `name` gives the bytes of the plain one for every picture of a shape.

    For some widths libswscale leaves the last columns of a row unwritten, of planar RGB and of four bytes a pixel. What
    stands there then was in memory before: where a film is flat, or shows the same again, the right bytes by chance.
    So noise decides, and a second noise, which finds the bytes of the first in memory that is taken again.
    """
    if (name, shape) not in _known:
        _known[name, shape] = _gives_the_same(fast, plain, shape)
    return _known[name, shape]


def _gives_the_same(fast: Conversion, plain: Conversion, shape: Shape) -> bool:
    import av

    try:
        noises = [_noise(shape, seed) for seed in (1, 2)]
    except av.error.FFmpegError:
        # A pixel format that libswscale reads and does not write.
        return False
    return all(np.array_equal(fast(noise), plain(noise)) for noise in noises)


def _noise(shape: Shape, seed: int) -> "av.VideoFrame":
    import av

    levels = np.random.default_rng(seed).integers(0, 256, _NOISE_PERIOD, np.uint8)
    pixels = np.resize(levels, (shape.height, shape.width, 3))
    picture = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=shape.format_name, threads=1)
    picture.colorspace, picture.color_range = shape.colorspace, shape.color_range
    return picture


class RgbConverter:
    """Frames to 8-bit RGB with alpha composited over white, as coded (not rotated).

    One reformatter is kept, because a new one per frame costs 20 to 40 % of the conversion.
    """

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        self._split: list[np.ndarray] = []

    def rgb(self, picture: "av.VideoFrame", size: tuple[int, int] | None = None) -> np.ndarray:
        """uint8 array (height, width, 3); of `size` (width, height) where one is given, by areas."""
        rule = colour_rule(picture)
        source: dict[str, Any] = rule.source
        scaled: dict[str, Any] = {}
        if size is not None:
            scaled = {"width": size[0], "height": size[1], "interpolation": "AREA"}
        if has_alpha(picture.format.name):
            opaque = self._over_white(picture, source)
            if size is None or size == (picture.width, picture.height):
                return opaque
            # Composited at full size: a scaler would mix the colours of pixels that nobody sees.
            picture, source = type(picture).from_ndarray(opaque, format="rgb24"), {}
        pixels = self._packed(picture, "rgb24", **source, **scaled)
        return _stretched(pixels) if rule.is_limited_grey else pixels

    def compared(self, picture: "av.VideoFrame", size: tuple[int, int]) -> np.ndarray:
        """A picture for comparing it with others of its film: of `size` (width, height) by areas, uint8 (height, width,
        3 or 4), in whatever order of colours; a fourth channel is the same everywhere.

        At half the cost of `rgb`, where libswscale has a faster way; that one is also nearer to the areas of OpenCV.
        """
        is_scaled = size != (picture.width, picture.height)
        if not is_scaled or has_alpha(picture.format.name) or _own_matrix(picture.format.name):
            return self.rgb(picture, size)
        width, height = size
        return self._packed(
            picture, "bgra", **colour_rule(picture).source, width=width, height=height, interpolation="AREA"
        )

    def planes(self, picture: "av.VideoFrame") -> list[np.ndarray]:
        """Red, green and blue, each uint8 (height, width): the same values as `rgb`, at less cost. Valid until the next
        call."""
        rule = colour_rule(picture)
        if has_alpha(picture.format.name) or rule.is_limited_grey:
            return self._split_rgb(picture)
        shape = shape_of(picture).strip()
        source = rule.source
        if is_faithful(
            "gbrp",
            lambda some: np.dstack(self._planar(some, source)),
            lambda some: self._packed(some, "rgb24", **source),
            shape,
        ):
            return self._planar(picture, source)
        return self._split_rgb(picture)

    def as_tagged(self, picture: "av.VideoFrame") -> np.ndarray:
        """A picture that may be transparent, over white, read by its tags alone: blue, green, red and perhaps a fourth
        channel that means nothing, uint8 (height, width, 3 or 4); valid as long as the picture."""
        import cv2

        seen = white_below(picture)
        if seen is not None:
            return seen
        return cv2.cvtColor(self._over_white(picture, tagged_source(picture)), cv2.COLOR_RGB2BGR)

    def _planar(self, picture: "av.VideoFrame", source: dict[str, int]) -> list[np.ndarray]:
        planar = self._reformatter.reformat(picture, format="gbrp", threads=1, **source)
        green, blue, red = (plane_pixels(plane) for plane in planar.planes)
        return [red, green, blue]

    def _split_rgb(self, picture: "av.VideoFrame") -> list[np.ndarray]:
        import cv2

        rgb = self.rgb(picture)
        # Kept: fresh memory costs more than the conversion of a large picture.
        if not self._split or self._split[0].shape != rgb.shape[:2]:
            self._split = [np.empty(rgb.shape[:2], np.uint8) for _ in range(3)]
        cv2.split(rgb, self._split)
        return self._split

    def _over_white(self, picture: "av.VideoFrame", source: dict[str, int]) -> np.ndarray:
        import cv2

        seen = white_below(picture)
        if seen is not None:
            return cv2.cvtColor(seen, cv2.COLOR_BGRA2RGB)
        # The one format of which libswscale may leave columns of RGBA unwritten; its alpha needs no conversion.
        if picture.format.name == "yuva420p" and not is_faithful(
            "rgba",
            lambda some: self._packed(some, "rgba", **source)[..., :3],
            lambda some: self._packed(some, "rgb24", **source),
            shape_of(picture).strip(),
        ):
            return over_white(self._packed(picture, "rgb24", **source), plane_pixels(picture.planes[3]))
        rgba = self._packed(picture, "rgba", **source)
        return over_white(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), cv2.extractChannel(rgba, 3))

    def _packed(self, picture: "av.VideoFrame", pixel_format: str, **options: Any) -> np.ndarray:
        return self._reformatter.reformat(picture, format=pixel_format, threads=1, **options).to_ndarray()


def plane_pixels(plane: Any) -> np.ndarray:
    """uint8 (rows, width) on the memory of an 8-bit plane, without the padding at the end of its rows."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]


def white_below(picture: "av.VideoFrame") -> np.ndarray | None:
    """The memory of a picture as uint8 (height, width, 4), blue, green, red and alpha, where nobody can tell whether it
    lies over white: every pixel is opaque, or hidden and white. So FFmpeg decodes GIF. Null for any other picture."""
    if picture.format.name != "bgra":
        return None
    plane = picture.planes[0]
    pixels = np.frombuffer(plane, np.uint8).reshape(picture.height, plane.line_size)[:, : 4 * picture.width]
    lowest = pixels.view("<u4").min()
    if lowest < _OPAQUE:
        # With a sign, alpha of 128 and more comes before alpha of 0; opaque and hidden pixels are neighbours.
        signed = pixels.view("<i4")
        if lowest < _HIDDEN_WHITE or signed.max() > _HIDDEN_WHITE or signed.min() < _OPAQUE - (1 << 32):
            return None
    return pixels.reshape(picture.height, picture.width, 4)


def over_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3) and (h, w) to uint8 (h, w, 3): (c·a + 255·(255 - a)) / 255, rounded half up."""
    import cv2

    if alpha.min() == 255:
        return rgb
    # OpenCV multiplies in single precision: no quotient by 255 is near a half, so that each is rounded right.
    shares = cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    return cv2.add(cv2.multiply(rgb, shares, scale=1 / 255), cv2.bitwise_not(shares))


def upright(pixels: np.ndarray, rotation: int) -> np.ndarray:
    """The picture as displayed: turned counter-clockwise by `rotation` degrees (0, 90, 180, 270)."""
    return np.ascontiguousarray(np.rot90(pixels, k=rotation // 90)) if rotation else pixels


def _stretched(pixels: np.ndarray) -> np.ndarray:
    """Levels 16 to 235 to 0 to 255: libswscale takes every grey picture for one of full range."""
    import cv2

    levels = np.clip(np.floor((np.arange(256) - 16) * 255 / 219 + 0.5), 0, 255).astype(np.uint8)
    return cv2.LUT(pixels, levels)
