"""Whether a joined clip shows the pictures of its source: what is decoded of the file, side by side with that.

Belongs here: what is kept of the source's pictures while they are encoded, and the comparison. Does not belong here:
stamps and counts, which the file's index says (`clip_mux`).

All encoded pictures are looked at, and `CHECKED` copied ones beside them: what a wrong join spoils, it spoils there.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import log10
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.clip_source import CannotCopyError
from emovid_assets.core.video.reading import open_container

CHECKED = 24
"""Copied pictures that are compared on their side of a join; H.264 refers to 16 pictures at most."""
LEAST_PSNR_DB = 30.0
"""Of an encoded picture's brightness. At the quality that is asked for, those of the real films that were tried reach
40 dB and more: ten below is a fault, or noise, and such a clip is encoded. Where nothing moves it cannot tell a picture
from its neighbour; stamps and counts do."""
GRID_SAMPLES = 1 << 14
"""About so many samples of its brightness are kept of a picture that is encoded, on a grid over all of it."""


class Expected:
    """The pictures of the source between two stamps that the file must show, in order, encoded and copied ones."""

    def __init__(self) -> None:
        self._pictures: list[tuple[int, np.ndarray | tuple[int, ...]]] = []

    def note_encoded(self, picture: Any) -> Any:
        """Notes a picture that is encoded, and gives it back."""
        self._pictures.append((picture.pts, _grid(picture)))
        return picture

    def note_copied(self, picture: Any) -> None:
        """Notes a picture whose packet is copied."""
        self._pictures.append((picture.pts, _digest(picture)))

    def stamps(self) -> list[int]:
        return [pts for pts, _ in self._pictures]

    def require(self, target: Path, start_pts: int, tick: Fraction) -> float:
        """Raises CannotCopyError `not_exact` where the file shows other pictures; gives the lowest PSNR in dB."""
        import av

        try:
            return self._lowest_psnr_db(target, start_pts, tick)
        except av.error.FFmpegError as error:
            raise CannotCopyError("not_exact") from error

    def _lowest_psnr_db(self, target: Path, start_pts: int, tick: Fraction) -> float:
        lowest = float("inf")
        first, last = self._pictures[0][0], self._pictures[-1][0]
        shown = _shown(target, start_pts, tick, first, last)
        for (pts, wanted), (at, picture) in zip(self._pictures, _each(shown, len(self._pictures)), strict=True):
            if at != pts:
                raise CannotCopyError("not_exact")
            if isinstance(wanted, tuple):
                if _digest(picture) != wanted:
                    raise CannotCopyError("not_exact")
            else:
                lowest = min(lowest, psnr_db(wanted, _grid(picture)))
                if lowest < LEAST_PSNR_DB:
                    raise CannotCopyError("not_exact")
        return lowest


def psnr_db(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal to noise of two pictures of 8 bits."""
    error = float(np.square(one.astype(np.int32) - other).mean()) if one.shape == other.shape else 255.0**2
    return 10 * log10(255.0**2 / error) if error else float("inf")


def _shown(target: Path, start_pts: int, tick: Fraction, first_pts: int, last_pts: int) -> Iterator[tuple[int, Any]]:
    """What a reader that is sent to a stamp gets from there on: stamps of the source, pictures."""
    with open_container(target) as container:
        video = container.streams.video[0]
        video.thread_type = "NONE"
        own_tick = Fraction(video.time_base)
        container.seek(round((first_pts - start_pts) * tick / own_tick), stream=video, backward=True)
        for picture in container.decode(video):
            pts = start_pts + round(picture.pts * own_tick / tick)
            if pts > last_pts:
                return
            if pts >= first_pts:
                yield pts, picture


def _each(shown: Iterator[tuple[int, Any]], count: int) -> Iterator[tuple[int, Any]]:
    found = 0
    for entry in shown:
        found += 1
        if found > count:
            break
        yield entry
    if found != count:
        raise CannotCopyError("not_exact")


def _grid(picture: Any) -> np.ndarray:
    step = max(1, round((picture.width * picture.height / GRID_SAMPLES) ** 0.5))
    return _rows(picture.planes[0])[::step, ::step].copy()


def _digest(picture: Any) -> tuple[int, ...]:
    """64 bits of each plane, of this process alone: Python's own hash takes a fifth of the time of MD5."""
    return tuple(hash(_rows(plane).tobytes()) for plane in picture.planes)


def _rows(plane: Any) -> np.ndarray:
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
