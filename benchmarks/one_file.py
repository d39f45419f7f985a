"""What one new file costs: a sticker that comes to a large library, and a further one of a first build.

Run `python -m benchmarks.one_file [--stickers 10000] [--first 500] [--against COMMIT] [--markdown FILE]` from the
repository. Every sticker is drawn and goes through the whole product; the large library is of small ones (48 × 48
pixels, 6 frames), since what they cost once is not the question, the first build of ones as they are usual (96 × 96, 12
frames). CPU-seconds are those of `emovid build` with all its processes. With `--against` the tree of that commit
builds first, and this one in homes of its own: of the large library it finds the media pass done (items and files are
those of the other tree), and makes all tables itself.

Belongs here: the libraries, the builds that are measured, the table. Does not belong here: what a step of the media
pass costs (`stickers`).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.measuring import fill, table
from benchmarks.media_against import ROOT, tree_of
from emovid_assets.core.identity import clip_id, file_sha256, keyed_rank, source_id
from emovid_assets.home.settings import Settings

SMALL, USUAL = (48, 6), (96, 12)
"""Side in pixels, frames."""
DELAY_MS = 80
COLOURS, TILES = 6, 4
CANDIDATES = 16
MARKER = "one file"


def draw_sticker(path: Path, number: int, side: int, frame_count: int) -> None:
    """Discs of its own colours that turn before a ground of tiles, some of which are transparent; the same number gives
    the same file."""
    random = np.random.default_rng(number)
    tiles = random.integers(0, 256, (TILES, TILES, 4), np.uint8)
    tiles[..., 3] = np.where(tiles[..., 3] < 64, 0, 255)
    ground = Image.fromarray(tiles).resize((side, side), Image.Resampling.NEAREST)
    colours = [tuple(map(int, colour)) for colour in random.integers(0, 256, (COLOURS, 3))]
    radii, sizes = random.uniform(0, side / 3, COLOURS), random.uniform(side / 12, side / 4, COLOURS)
    angles, speeds = random.uniform(0, 2 * np.pi, COLOURS), random.uniform(-2, 2, COLOURS)
    frames = []
    for index in range(frame_count):
        frame = ground.copy()
        pen = ImageDraw.Draw(frame)
        for colour, radius, size, angle, speed in zip(colours, radii, sizes, angles, speeds, strict=True):
            turned = angle + speed * 2 * np.pi * index / frame_count
            x, y = side / 2 + radius * np.cos(turned), side / 2 + radius * np.sin(turned)
            pen.ellipse((x - size, y - size, x + size, y + size), fill=(*colour, 255))
        frames.append(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=DELAY_MS, loop=0, disposal=2)


def draw_library(folder: Path, numbers: Sequence[int], side: int, frame_count: int) -> None:
    for number in numbers:
        draw_sticker(folder / "library" / "sticker" / _name(number), number, side, frame_count)


def _name(number: int) -> str:
    return f"{number:06d}.gif"


def build(tree: Path, home: Path, *options: str) -> float:
    """CPU-seconds of `emovid build` by a tree of the product, with all its processes. Raises RuntimeError."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "EMOVID_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    log = home / "build.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "emovid_assets.cli", "build", *options]
        process = subprocess.Popen(command, env=environment, cwd=tree, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{tree}: {log.read_text(encoding='utf-8', errors='replace')[-800:]}")
    return usage.ru_utime + usage.ru_stime


def number_on_the_map(after: int, sizes: tuple[int, int]) -> int:
    """Of the next stickers the one that is most likely on the map, which shows a sample of a large library: another one
    would cost the map nothing."""
    side, frame_count = sizes

    def rank(number: int, folder: Path) -> int:
        path = folder / _name(number)
        draw_sticker(path, number, side, frame_count)
        source = source_id("sticker", file_sha256(path))
        return keyed_rank(clip_id(source, 0.0, frame_count * DELAY_MS / 1000), f"{Settings().seed}/map")

    with tempfile.TemporaryDirectory() as folder:
        return min(range(after, after + CANDIDATES), key=lambda number: rank(number, Path(folder)))


def one_more(tree: Path, folder: Path, count: int, sizes: tuple[int, int], like: Path | None) -> float:
    """CPU-seconds of the build after one sticker was added to a library that is built and up to date.

    `like`: a home whose library, media and finished items are taken.
    """
    new = number_on_the_map(count, sizes)
    if like is None:
        draw_library(folder, range(count), *sizes)
    else:
        folder.mkdir(parents=True)
        for name in ("library", "media"):
            shutil.copytree(like / name, folder / name)
        for state in like.glob("state.sqlite*"):
            shutil.copy2(state, folder / state.name)
        (folder / "library" / "sticker" / _name(new)).unlink()
    first = build(tree, folder)
    idle = build(tree, folder, "--only", "stale")
    draw_library(folder, [new], *sizes)
    spent = build(tree, folder, "--only", "stale")
    _told(tree, f"{count:,} stickers in {first:.1f} CPU-s, nothing new {idle:.1f}, one more {spent:.1f}")
    return spent


def further(tree: Path, folder: Path, count: int, sizes: tuple[int, int]) -> float:
    """CPU-seconds of each of the stickers that one first build has more than another: of three times `count`.

    The map is of 16 clips: to lay out a map costs more the more clips are on it, and is no matter of one sticker.
    """
    spent = []
    for name, size in (("small", count), ("large", 3 * count)):
        draw_library(folder / name, range(size), *sizes)
        (folder / name / "emovid.toml").write_text("[embeddings]\nmap_clips = 16\n", encoding="utf-8")
        spent.append(build(tree, folder / name))
    each = (spent[1] - spent[0]) / (2 * count)
    _told(tree, f"first builds of {count:,} and {3 * count:,}: {spent[0]:.1f} and {spent[1]:.1f} CPU-s")
    return each


def _told(tree: Path, sentence: str) -> None:
    name = "this tree" if tree == ROOT else "other tree"
    print(f"{time.strftime('%H:%M:%S')} {name}: {sentence}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stickers", type=int, default=10_000, help="of the large library; 0: without it")
    parser.add_argument("--first", type=int, default=500, help="of a first build; of another thrice that; 0: none")
    parser.add_argument("--against", metavar="COMMIT", help="measure the tree of this commit as well")
    parser.add_argument("--markdown", type=Path, help=f"document with the mark <!-- {MARKER} -->")
    given = parser.parse_args()
    with ExitStack() as stack:
        trees = {"now": ROOT}
        if given.against:
            trees = {given.against: stack.enter_context(tree_of(given.against)), **trees}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emovid-one-file-"))).resolve()
        spent: dict[str, list[float]] = {}
        for name, tree in trees.items():
            like = folder / next(iter(spent)) / "many" if spent else None
            spent[name] = []
            if given.stickers:
                spent[name].append(one_more(tree, folder / name / "many", given.stickers, SMALL, like))
            if given.first:
                spent[name].append(further(tree, folder / name / "first", given.first, USUAL))
    rows = [
        (f"one sticker added to {given.stickers:,}", given.stickers, 1.0, "{:.1f} s"),
        ("a further sticker in a first build, 96 × 96 pixels, 12 frames", given.first, 1e3, "{:.1f} ms"),
    ]
    written = as_table(spent, [(what, unit, shown) for what, count, unit, shown in rows if count])
    print(written)
    if given.markdown:
        fill(given.markdown, MARKER, written)


def as_table(spent: dict[str, list[float]], rows: Sequence[tuple[str, float, str]]) -> str:
    """CPU of each tree, and of this one by that of the other. A row is (what was built, its unit, how it is shown)."""
    names = list(spent)
    written = []
    for place, (what, unit, shown) in enumerate(rows):
        seconds = [spent[name][place] for name in names]
        ratio = [f"{seconds[-1] / seconds[0]:.2f}"] if len(names) > 1 else []
        written.append([what, *(shown.format(unit * one) for one in seconds), *ratio])
    return table(["CPU of", *names, *(["now / before"] if len(names) > 1 else [])], written)


if __name__ == "__main__":
    main()
