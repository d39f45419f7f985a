"""What a sticker costs and how well its clip file shows it, by this tree of the product beside another commit's.

Run `python -m benchmarks.stickers [--against COMMIT] [--repeats N] [--markdown docs/media_benchmarks.md]` from the
repository. Each tree takes all stickers in a process of its own, in turn; medians of the repeats. Exits with 1 where
the trees find anything else of a sticker: facts, stamps, colours, hashes, thumbnails.

Belongs here: the turns, the likeness of a clip file, the tables. Does not belong here: how a tree is called
(`sticker_pass`).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.measuring import CORPUS, fill, one_thread, table
from benchmarks.media_against import ROOT, tree_of
from emovid_assets_tests.media.judging import frames_for_reference
from emovid_assets_tests.media.reference import as_seen

PROGRAM = ROOT / "benchmarks" / "sticker_pass.py"
PARENT = "49f4227"
"""The last commit that laid stickers over white in 16 bits and encoded them like films."""
EVERY = 6
"""Of so many frames one is compared."""
STEPS = ("probe", "scan", "clip")


@dataclass(frozen=True)
class Pass:
    """One sticker by one tree: CPU-seconds by step (medians), SSIM and bytes of its clip file, and what was found."""

    spent_s: dict[str, float]
    pixels: int
    likeness: float
    size_bytes: int
    found: Any

    @property
    def total_s(self) -> float:
        return sum(self.spent_s[step] for step in STEPS)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """SSIM of two uint8 pictures (height, width, 3), the mean over their channels (Wang et al. 2004: a Gaussian window
    of 11 pixels, sigma 1.5)."""
    import cv2

    def smooth(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    first, second = one.astype(np.float32), other.astype(np.float32)
    mean, other_mean = smooth(first), smooth(second)
    variance = smooth(first * first) - mean**2
    other_variance = smooth(second * second) - other_mean**2
    shared = smooth(first * second) - mean * other_mean
    small, large = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean * other_mean + small) * (2 * shared + large)
    bottom = (mean**2 + other_mean**2 + small) * (variance + other_variance + large)
    return float((top / bottom).mean())


def clip_likeness(source: Path, clip: Path) -> float:
    """Mean SSIM of every sixth frame of a clip file and of its source over white; the clip's even sides are cut off."""
    with av.open(str(clip)) as container:
        shown = {index: as_seen(frame) for index, frame in enumerate(container.decode(video=0)) if index % EVERY == 0}
    found = [
        likeness(wanted, shown[index][: wanted.shape[0], : wanted.shape[1]])
        for index, wanted in frames_for_reference(source, shown)
    ]
    return statistics.fmean(found)


def passes(paths: Sequence[Path], commit: str, repeats: int) -> tuple[dict[str, Pass], dict[str, Pass]]:
    """By file name: what the other commit's tree makes of the stickers, and what this one does."""
    with tree_of(commit) as before, tempfile.TemporaryDirectory() as folder:
        outputs = {tree: Path(folder, str(number)) for number, tree in enumerate((before, ROOT))}
        runs: dict[Path, list[dict[str, Any]]] = {before: [], ROOT: []}
        for out in outputs.values():
            out.mkdir()
        for repeat in range(repeats):
            # Each goes first in every other repeat.
            for tree in (before, ROOT) if repeat % 2 == 0 else (ROOT, before):
                runs[tree].append(_run(tree, outputs[tree], paths))
        return _settled(paths, outputs[before], runs[before]), _settled(paths, outputs[ROOT], runs[ROOT])


def _run(tree: Path, out: Path, paths: Sequence[Path]) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, str(PROGRAM), str(out), *(str(path.resolve()) for path in paths)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{tree}: {done.stderr.strip()[-800:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if Path(found["tree"]).resolve() != tree.resolve():
        raise RuntimeError(f"The pass of {found['tree']} ran in place of that of {tree}")
    stickers: dict[str, Any] = found["stickers"]
    return stickers


def _settled(paths: Sequence[Path], out: Path, runs: Sequence[dict[str, Any]]) -> dict[str, Pass]:
    made = {}
    for path in paths:
        of_file = [run[path.name] for run in runs]
        clip = out / f"{path.name}.mp4"
        made[path.name] = Pass(
            {step: statistics.median(run["spent_s"][step] for run in of_file) for step in of_file[0]["spent_s"]},
            of_file[0]["pixels"],
            clip_likeness(path, clip),
            clip.stat().st_size,
            of_file[0]["found"],
        )
    return made


def costs_table(before: dict[str, Pass], now: dict[str, Pass]) -> str:
    """One row a sticker, and their means: milliseconds, SSIM, kilobytes."""
    head = ["sticker", "Mpx", "decoding once, ms", *(f"{step}, ms" for step in STEPS), "all before, ms", "all, ms"]
    head += ["SSIM before", "SSIM", "kB before", "kB"]
    rows = [[name, *_numbers([before[name]], [made])] for name, made in now.items()]
    return table(head, [*rows, ["mean", *_numbers(list(before.values()), list(now.values()))]])


def _numbers(before: Sequence[Pass], now: Sequence[Pass]) -> list[str]:
    def ms(values: Sequence[float]) -> str:
        return f"{1000 * statistics.fmean(values):.1f}"

    return [
        f"{statistics.fmean(made.pixels for made in now) / 1e6:.1f}",
        *(ms([made.spent_s[step] for made in now]) for step in ("decoding", *STEPS)),
        *(ms([made.total_s for made in of_tree]) for of_tree in (before, now)),
        *(f"{statistics.fmean(made.likeness for made in of_tree):.4f}" for of_tree in (before, now)),
        *(f"{statistics.fmean(made.size_bytes for made in of_tree) / 1000:.0f}" for of_tree in (before, now)),
    ]


def steps_table(before: dict[str, Pass], now: dict[str, Pass]) -> str:
    """Where the time goes: milliseconds a sticker, and of a million pixels."""
    parts = {
        "probe": {"probe": 1},
        "scan: decoding": {"decoding": 1},
        "scan: everything else": {"scan": 1, "decoding": -1},
        "clip file: decoding": {"decoding": 1},
        "clip file: to 4:2:0": {"conversion": 1},
        "clip file: encoding, everything else": {"clip": 1, "decoding": -1, "conversion": -1},
        "all": dict.fromkeys(STEPS, 1),
    }
    rows = []
    for part, signs in parts.items():
        row: list[object] = [part]
        for of_tree in (before, now):
            spent = 1000 * sum(sign * made.spent_s[step] for made in of_tree.values() for step, sign in signs.items())
            row += [f"{spent / len(of_tree):.1f}", f"{1e6 * spent / sum(made.pixels for made in of_tree.values()):.2f}"]
        rows.append(row)
    return table(["part", "ms before", "ms a Mpx before", "ms", "ms a Mpx"], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--file", action="append", type=Path, help="only this file")
    parser.add_argument("--against", default=PARENT, metavar="COMMIT")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="document whose tables are replaced")
    options = parser.parse_args()
    one_thread()
    av.logging.set_level(av.logging.PANIC)
    # One file of the corpus is a still picture.
    folder = options.corpus / "sticker"
    paths = options.file or sorted(path for path in folder.iterdir() if path.name != "anger__phpbb_icon_mad.gif")
    before, now = passes(paths, options.against, options.repeats)
    sections = {"sticker-steps": steps_table(before, now), "sticker-costs": costs_table(before, now)}
    for marker, text in sections.items():
        print(f"\n{text}")
        if options.markdown:
            fill(options.markdown, marker, text)
    others = [name for name, made in now.items() if made.found != before[name].found]
    for name in others:
        print(f"NOT EQUAL {name}: {differing(before[name].found, now[name].found)}")
    return 1 if others else 0


def differing(before: Any, now: Any, at: str = "") -> list[str]:
    """Where two nested results differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = sorted(before.keys() | now.keys())
        return [place for name in names for place in differing(before.get(name), now.get(name), f"{at}/{name}")]
    return [] if before == now else [at]


if __name__ == "__main__":
    sys.exit(main())
