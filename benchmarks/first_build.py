"""What the first build of the corpus' films costs, beside a script that does the same work on them.

Run `python -m benchmarks.first_build [--repeats 3] [--corpus DIR] [--markdown docs/platform_benchmarks.md]` from the
repository. Films, animations that are cut, and what is kept of them are those of `media`. Three programs take turns,
each over all films in a process of its own, and each goes first as often as the others:

- `emovid build` in an empty home: tables, checks, catalogue and report with it;
- a script of PySceneDetect's `detect()`, an exact clip per kept scene, encoded as `split_video_ffmpeg` does, and a
  colour pass over the clips;
- the same script with `ffmpeg -c copy`, whose clips begin at the key frame before the cut.

CPU-seconds of each process and its children, of `emovid build` with its start; medians, of ratios those of one round.
`ffmpeg` is the one on the path, else that of imageio-ffmpeg. Ends with 1 where the programs differ in how many clips
they have made.

Belongs here: turns, counts, the table. Does not belong here: the peers' steps (`media_peers`), `emovid build`
(`one_file`), the pass alone (`media`).
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import media_peers
from benchmarks.measuring import CORPUS, cpu_seconds, fill, one_thread, table
from benchmarks.media_against import ROOT
from benchmarks.one_file import build

MARKER = "first build"
OURS, EXACT, COPIED = "emovid build", "exact", "copied"
TARGETS = {EXACT: 0.5, COPIED: 1.2}
TOLD = {
    OURS: "`emovid build`, first, everything",
    EXACT: "`detect()`, exact encoded clips, a colour pass",
    COPIED: "`detect()`, inexact `-c copy`, a colour pass",
}
DETECTOR = "adaptive"
"""The default of `emovid build`."""


def ours(paths: Sequence[Path], folder: Path) -> tuple[float, int]:
    """CPU-seconds of a first build, and its clips."""
    for path in paths:
        place = folder / "library" / path.parent.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    spent = build(ROOT, folder)
    return spent, sum(1 for path in (folder / "media" / "clips").rglob("*") if path.is_file())


def script(kind: str, paths: Sequence[Path], folder: Path, ffmpeg: str) -> tuple[float, int]:
    """CPU-seconds of the script of a kind in a process of its own, and its clips."""
    command = [sys.executable, "-m", "benchmarks.first_build", "--script", kind, ffmpeg, str(folder), *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the script ({kind}) ended with {done.returncode}")
    clip_count = sum(path.suffix != ".jpg" for path in folder.rglob("*") if path.is_file())
    return float(done.stdout.splitlines()[-1]), clip_count


def run_script(kind: str, ffmpeg: str, folder: Path, paths: Sequence[Path]) -> float:
    """CPU-seconds of the script itself, written as a person would. The product's modules, which its neighbours import,
    are not counted, and with them not those that it shares with them."""
    one_thread()
    began = cpu_seconds()
    cut = {EXACT: media_peers.api_with_encoding, COPIED: media_peers.api_with_copy}[kind]
    for path in paths:
        place = folder / path.stem
        place.mkdir()
        cut(path, DETECTOR, place, ffmpeg)
    return cpu_seconds() - began


def as_table(spent: dict[str, list[float]]) -> str:
    """A row a program: CPU-seconds, and how many of them the build takes."""
    rows: list[list[object]] = []
    for name, told in TOLD.items():
        ratios = [mine / theirs for mine, theirs in zip(spent[OURS], spent[name], strict=True)]
        ratio = None if name == OURS else f"{statistics.median(ratios):.2f}"
        target = f"≤ {TARGETS[name]}" if name in TARGETS else None
        rows.append([told, f"{statistics.median(spent[name]):.1f} s", ratio, target])
    return table(["over eight films, CPU", "", "build / script", "target"], rows)


def ffmpeg_found() -> str:
    """Raises SystemExit where there is none."""
    if media_peers.FFMPEG:
        return media_peers.FFMPEG
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        raise SystemExit("the script needs ffmpeg: put it on the path, or pip install imageio-ffmpeg") from None
    return str(get_ffmpeg_exe())


def main() -> int:
    if sys.argv[1:2] == ["--script"]:
        kind, program, at, *names = sys.argv[2:]
        print(run_script(kind, program, Path(at), [Path(name) for name in names]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help=f"document with the mark <!-- {MARKER} -->")
    given = parser.parse_args()
    # What it imports is no part of the script.
    from benchmarks.media import films

    ffmpeg, paths = ffmpeg_found(), films(given.corpus)
    spent: dict[str, list[float]] = {name: [] for name in TOLD}
    counts: dict[str, int] = {}
    for repeat in range(given.repeats):
        order = list(TOLD)
        for name in order[repeat % 3 :] + order[: repeat % 3]:
            with tempfile.TemporaryDirectory(prefix="emovid-first-build-") as folder:
                place = Path(folder).resolve()
                seconds, counts[name] = ours(paths, place) if name == OURS else script(name, paths, place, ffmpeg)
            spent[name].append(seconds)
            print(f"{time.strftime('%H:%M:%S')} {name}: {seconds:.1f} CPU-s, {counts[name]} clips", file=sys.stderr)
    written = as_table(spent)
    print(written)
    if given.markdown:
        fill(given.markdown, MARKER, written)
    if len(set(counts.values())) > 1:
        print(f"NOT EQUAL clips: {counts}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
