"""Families of generators as their trainers see them: rate, numbers of frames, sizes.

Belongs here: what clips of a family must be. Does not belong here: how many frames a pipeline makes
(`core.generation.frame_counts`), reading clips (`frames`), what a trainer is told (`trainers`).

Most trainers take a film frame by frame: what is not at the rate of the model plays too fast or too slow.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from emovid_assets.core.generation.frame_counts import largest_whole

SHAPES = (Fraction(4, 3), Fraction(1), Fraction(3, 4))
"""Width over height of the buckets between a family's own size and the same turned on its side."""


@dataclass(frozen=True, order=True)
class Size:
    width_px: int
    height_px: int

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}"


@dataclass(frozen=True)
class Family:
    """`rate`: frames per second. `frames` and `size`: what its published models are made for. `side_step`: a side is a
    multiple of so many pixels. `pipeline_class`: of diffusers, by which its numbers of frames are known."""

    name: str
    title: str
    pipeline_class: str
    rate: int
    frames: int
    size: Size
    side_step: int

    def largest_count(self, most: int) -> int:
        """The largest number of frames up to `most` that the family is trained on; 0 where there is none."""
        return largest_whole(self.pipeline_class, most) or 0

    def has_count(self, count: int) -> bool:
        """Whether it is trained on so many frames."""
        return count > 0 and self.largest_count(count) == count

    def has_size(self, size: Size) -> bool:
        return all(side > 0 and side % self.side_step == 0 for side in (size.width_px, size.height_px))

    def buckets(self) -> tuple[Size, ...]:
        """Its own size, squarer ones of hardly more or fewer pixels, and its own on its side; wide ones first."""
        area = self.size.width_px * self.size.height_px
        between = (
            Size(self._stepped(math.sqrt(area * shape)), self._stepped(math.sqrt(area / shape))) for shape in SHAPES
        )
        return self.size, *between, Size(self.size.height_px, self.size.width_px)

    def _stepped(self, side: float) -> int:
        return max(1, int(side / self.side_step)) * self.side_step


FAMILIES = {
    family.name: family
    for family in (
        Family("wan", "Wan 2.1, Wan 2.2 A14B", "WanPipeline", 16, 81, Size(832, 480), 16),
        Family("wan2.2-5b", "Wan 2.2 TI2V-5B", "WanPipeline", 24, 121, Size(1280, 704), 32),
        Family("hunyuanvideo", "HunyuanVideo", "HunyuanVideoPipeline", 24, 129, Size(960, 544), 16),
        Family("cogvideox", "CogVideoX", "CogVideoXPipeline", 8, 49, Size(720, 480), 16),
        Family("ltx-video", "LTX-Video", "LTXPipeline", 25, 121, Size(768, 512), 32),
        Family("ltx-2", "LTX-2", "LTX2Pipeline", 24, 121, Size(768, 512), 32),
    )
}
"""Rates are those that the published models were trained at, and that trainers take for granted."""


def nearest_bucket(buckets: tuple[Size, ...], width_px: int, height_px: int) -> Size:
    """The bucket that cuts least off a picture of that size as it is shown; of equals the first."""
    shape = math.log(width_px / height_px)
    return min(buckets, key=lambda size: abs(math.log(size.width_px / size.height_px) - shape))
