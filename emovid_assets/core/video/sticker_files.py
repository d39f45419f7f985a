"""Opaque GIF and WebP files of a short film, for programs that send stickers.

Belongs here: palettes, delays. Does not belong here: which films become stickers; stickers with a transparent ground,
which the demo draws.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from emovid_assets.core.placing import put_into_place

NEARLY_WHITE = 250
"""From here on in all channels a pixel is white: codecs and models leave grain in a white ground, which in a palette
would be specks."""
COLOURS = 255
"""Of a palette, beside white."""
_WHITE = 255
SHORTEST_MS = 20
"""Browsers show pictures of a shorter delay ten times as long."""


def write_gif(path: Path, pictures: Sequence[np.ndarray], fps: float) -> None:
    """An endless GIF of pictures, uint8 (height, width, 3): one palette for all, so that no colour flickers, in which a
    ground that is white stays white."""
    from PIL import Image

    some = pictures[:: max(1, len(pictures) // 4)]
    palette = Image.fromarray(np.concatenate(some)).quantize(
        colors=COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    colours = ((palette.getpalette() or []) + [0] * 768)[: 3 * COLOURS] + [_WHITE] * 3
    pages = []
    for rgb in pictures:
        indexed = Image.fromarray(rgb).quantize(palette=palette, dither=Image.Dither.NONE)
        numbers = np.asarray(indexed).copy()
        numbers[(rgb >= NEARLY_WHITE).all(axis=2)] = _WHITE
        page = Image.fromarray(numbers)
        page.putpalette(colours)
        pages.append(page)
    with put_into_place(path) as unfinished:
        pages[0].save(
            unfinished,
            format="GIF",
            save_all=True,
            append_images=pages[1:],
            duration=delays_ms(len(pages), fps, step_ms=10),
            loop=0,
            # Each picture is whole; nothing below it is to be seen.
            disposal=1,
            optimize=False,
        )


def write_webp(path: Path, pictures: Sequence[np.ndarray], fps: float) -> None:
    """An endless WebP of the same."""
    from PIL import Image

    pages = [Image.fromarray(rgb) for rgb in pictures]
    with put_into_place(path) as unfinished:
        pages[0].save(
            unfinished,
            format="WEBP",
            save_all=True,
            append_images=pages[1:],
            duration=delays_ms(len(pages), fps, step_ms=1),
            loop=0,
            quality=90,
            method=4,
        )


def delays_ms(count: int, fps: float, *, step_ms: int) -> list[int]:
    """Delays that a format can say (multiples of `step_ms`), so that no picture is off by more than half of that."""
    ends = [round(index * 1000 / fps / step_ms) * step_ms for index in range(count + 1)]
    return [max(SHORTEST_MS, end - start) for start, end in pairwise(ends)]
