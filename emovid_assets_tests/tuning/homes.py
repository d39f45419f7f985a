"""A home with a small training split: clip files whose frames say which they are.

Belongs here: tables and files. Does not belong here: what an export should make of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.splits import prompt_of
from emovid_assets.core.tuning.families import FAMILIES
from emovid_assets.core.tuning.rows import set_rows, training_clips
from emovid_assets.home.folders import Home
from emovid_assets_tests.media.making import write_animation, write_video
from emovid_assets_tests.sql.planting import plant

GROUND, DARK, LIGHT = 90, 0, 255
CODE_SHARE = 0.6
"""Of the shorter side of a clip: the square in its middle, two rows of four cells, that says which frame it is."""
ROWS, COLUMNS = 2, 4
HOSTILE = 'A "dog", who\r\nsays: it\'s 5 $HOME `id`;\u2028 [trigger] {x} \\n é 犬 <|im_start|>'


@dataclass(frozen=True)
class Clip:
    """`starts`: of its frames, in seconds; `end`: of the last one."""

    clip_id: str
    domain: str
    file: str
    starts: Sequence[Fraction]
    end: Fraction
    width: int
    height: int
    caption: str = "A thing moves."
    split: str = "train"

    @property
    def prompt(self) -> str:
        return prompt_of(self.caption, "awe")

    def shown(self, rate: int, count: int) -> list[int]:
        """Which frame is shown at each tick; a clip that ends before is played again, as a sticker is."""
        ticks = [Fraction(tick, rate) % self.end for tick in range(count)]
        return [max(number for number, start in enumerate(self.starts) if start <= tick) for tick in ticks]


def numbered(number: int, height: int, width: int) -> np.ndarray:
    """A frame with its number in it."""
    pixels = np.full((height, width, 3), GROUND, np.uint8)
    side = CODE_SHARE * min(height, width)
    for bit, (rows, columns) in enumerate(_cells(height, width, side, 0)):
        pixels[rows, columns] = LIGHT if number >> bit & 1 else DARK
    return pixels


def number_of(pixels: np.ndarray, clip: Clip) -> int:
    """Which frame of its clip a decoded picture is, that was cropped around its middle and scaled."""
    height, width = pixels.shape[:2]
    side = CODE_SHARE * min(clip.height, clip.width) * max(height / clip.height, width / clip.width)
    cells = [pixels[rows, columns].mean() for rows, columns in _cells(height, width, side, 1)]
    assert all(abs(value - GROUND) > 50 for value in cells), "the code was lost"
    return sum((value > GROUND) << bit for bit, value in enumerate(cells))


def _cells(height: int, width: int, side: float, rim: int) -> Iterator[tuple[slice, slice]]:
    for row in range(ROWS):
        top = (height - side) / 2 + row * side / ROWS
        for column in range(COLUMNS):
            left = (width - side) / 2 + column * side / COLUMNS
            down, across = top + side / ROWS, left + side / COLUMNS
            yield slice(round(top) + rim, round(down) - rim), slice(round(left) + rim, round(across) - rim)


def even(count: int, fps: int) -> tuple[list[Fraction], Fraction]:
    return [Fraction(number, fps) for number in range(count)], Fraction(count, fps)


CLIPS = (
    Clip("movie-0000000000000001-00000000-00003000", "movie", "a.mp4", *even(72, 24), 96, 54, caption=HOSTILE),
    Clip("movie-0000000000000002-00004000-00005000", "movie", "b.mp4", *even(30, 30), 128, 54),
    Clip("movie-0000000000000003-00000000-00004000", "movie", "c.mp4", *even(40, 10), 54, 96),
    Clip("movie-0000000000000004-00000000-00002000", "movie", "d.mp4", *even(50, 25), 96, 54, split="benchmark"),
    Clip("animation-0000000000000005-00000000-00002500", "animation", "e.mp4", *even(75, 30), 64, 64),
    Clip("animation-0000000000000006-00000000-00000100", "animation", "f.mp4", *even(2, 20), 64, 64),
    Clip(
        "sticker-0000000000000007-00000000-00000700",
        "sticker",
        "g.gif",
        [Fraction(start, 100) for start in (0, 10, 13, 40)],
        Fraction(70, 100),
        60,
        60,
    ),
    Clip("sticker-0000000000000008-00000000-00003000", "sticker", "h.mp4", *even(60, 20), 60, 40),
)
"""Of the clip files two are what no trainer reads right: a GIF, and rates of all kinds."""


def planted_home(folder: Path, clips: Sequence[Clip] = CLIPS, repeats: dict[str, int] | None = None) -> Home:
    home = Home(folder)
    times = {"movie": 1, "animation": 1, "sticker": 1} | (repeats or {})
    lines = [f"{domain}_repeats = {count}" for domain, count in times.items()]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "emovid.toml").write_text("[media]\nworkers = 2\n\n[tuning]\n" + "\n".join(lines) + "\n", "utf-8")
    for clip in clips:
        write_clip_file(folder / "media" / "clips" / clip.file, clip)
    plant_tables(home, clips, times)
    return home


def plant_tables(home: Home, clips: Sequence[Clip], repeats: dict[str, int]) -> None:
    split = list(_rows(clips, lambda clip: {"split": clip.split, "prompt": clip.prompt, "group_id": clip.clip_id}))
    sizes = list(_rows(clips, lambda clip: {"width_px": clip.width, "height_px": clip.height}))
    media = list(
        _rows(
            clips,
            lambda clip: {
                "media_path": f"media/clips/{clip.file}",
                "duration_s": float(clip.end),
                "sha256": file_sha256(home.media / "clips" / clip.file),
            },
        )
    )
    for table, rows in (("benchmark_split", split), ("clips", sizes), ("clip_media", media)):
        plant(home.root, table, rows)
    chosen = training_clips(split, sizes, media)
    plant(home.root, "training_sets", [row for one in FAMILIES.values() for row in set_rows(chosen, one, repeats)[0]])


def _rows(clips: Sequence[Clip], more: Any) -> Iterator[dict[str, Any]]:
    for clip in clips:
        yield {"clip_id": clip.clip_id, "domain": clip.domain, **more(clip)}


def write_clip_file(path: Path, clip: Clip) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [numbered(number, clip.height, clip.width) for number in range(len(clip.starts))]
    if path.suffix == ".gif":
        ends = [*clip.starts[1:], clip.end]
        delays = [int((end - start) * 1000) for start, end in zip(clip.starts, ends, strict=True)]
        write_animation(path, [_with_clear_rim(frame) for frame in frames], delays)
        return
    rate = Fraction(len(clip.starts)) / clip.end
    write_video(path, frames, fps=rate, codec="libx264", pix_fmt="yuv420p", colour_tag=1, options={"crf": "4"})


def _with_clear_rim(frame: np.ndarray) -> np.ndarray:
    rim = np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)])
    rim[:8] = rim[-8:] = 0
    return rim
