"""A dozen films, animations and stickers that are drawn at test time, where no real ones may be committed.

Belongs here: what they show, and in which containers and codecs. Does not belong here: what is asked of them.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emovid_assets_tests.media.making import beeps, write_animation, write_video

HEIGHT, WIDTH = 72, 96


class Film(NamedTuple):
    """How a file is written, and the frames at which a scene of it begins; whole files are never cut."""

    name: str
    write: Callable[[Path], Path]
    cuts: tuple[int, ...] = ()
    is_whole: bool = False


def drawn(seed: int, count: int, cuts: Sequence[int] = (), *, alpha: bool = False) -> list[np.ndarray]:
    """RGB(A) frames: in each scene a disc that walks over a textured ground of a colour of its own."""
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    frames = []
    for index in range(count):
        if index == 0 or index in cuts:
            ground = chance.integers(0, 256, 3) + chance.integers(-12, 13, (HEIGHT, WIDTH, 1))
            disc, speed, start = chance.integers(0, 256, 3), chance.integers(1, 3), index
        at = (12 + speed * (index - start)) % WIDTH
        is_disc = (rows - HEIGHT / 2) ** 2 + (columns - at) ** 2 < 160
        frame = np.clip(np.where(is_disc[..., None], disc, ground), 0, 255)
        if alpha:
            frame = np.dstack([frame, np.where(is_disc, 255, 0)])
        frames.append(frame.astype(np.uint8))
    return frames


def _film(name: str, seed: int, count: int, cuts: tuple[int, ...], **options: object) -> Film:
    return Film(name, lambda path: write_video(path, drawn(seed, count, cuts), **options), cuts)  # type: ignore[arg-type]


def _sticker(name: str, seed: int, delays: int | list[int], *, alpha: bool = False) -> Film:
    count = 12 if isinstance(delays, int) else len(delays)
    return Film(name, lambda path: write_animation(path, drawn(seed, count, alpha=alpha), delays), is_whole=True)


X264 = {"codec": "libx264", "pix_fmt": "yuv420p"}
FILMS = (
    _film("h264.mp4", 1, 500, (110, 260, 390), **X264, options={"crf": "14"}),
    _film("h264_with_sound.mov", 2, 300, (125,), **X264, sound=beeps(12, 1, 5), sound_codec="aac"),
    _film("h264_24000_1001.mkv", 3, 300, (120, 240), **X264, fps=Fraction(24000, 1001)),
    _film("one_scene.mp4", 4, 200, (), **X264),
    _film("hevc.mp4", 5, 300, (130,), codec="libx265", pix_fmt="yuv420p", options={"x265-params": "log-level=none"}),
    _film("vp9.webm", 6, 260, (130,), codec="libvpx-vp9", pix_fmt="yuv420p", options={"cpu-used": "8"}),
    _film("mpeg4.avi", 7, 300, (115,), codec="mpeg4", pix_fmt="yuv420p", options={"b": "4000000"}),
    _film("rle.mov", 8, 250, (125,)),
    _sticker("even.gif", 9, 80),
    _sticker("uneven.gif", 10, [50, 200, 80, 100, 400, 60]),
    _sticker("transparent.webp", 11, 70, alpha=True),
    _sticker("opaque.webp", 12, 100),
)


def film_to_serve(path: Path, seconds: float = 10, cuts: Sequence[int] = ()) -> Path:
    """An H.264 film of some hundred kilobytes, which is slow enough to be interrupted on its way."""
    chance = np.random.default_rng(13)
    frames = [
        np.clip(frame + chance.integers(-30, 31, frame.shape), 0, 255).astype(np.uint8)
        for frame in drawn(13, round(25 * seconds), cuts)
    ]
    return write_video(path, frames, **X264, options={"crf": "30", "preset": "ultrafast", "movflags": "+faststart"})  # type: ignore[arg-type]
