"""What the media pass costs beside bare decoding and beside the pipelines that people write today.

Run `python benchmarks/media.py` from the repository (a quarter of an hour; `--repeats 1 --file NAME` for one
file). All variants run interleaved in one process on the same files, with one OpenCV thread; costs are
CPU-seconds of the process and its children, as ratios over bare single-threaded decoding of the same file, the
median of the repeats. A ratio is printed only where the work was equal: the cuts of PySceneDetect's `detect()`,
the right number of frames in every clip file, colours equal to the float64 definition. Otherwise the table
says what differed and the exit code is 1.

`--markdown docs/media_benchmarks.md` puts the tables into the document. Peers that are not installed are
left out, and the output says so: `ffmpeg`, `datachain`, `pixeltable` (`--peer-python` names the interpreter of
another environment that has them).

`--against COMMIT` does nothing of this: it runs the pass of this tree and that of another commit in turn, each in a
fresh process, and prints their CPU-seconds and ratio for every film.
"""

import argparse
import gc
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av

from benchmarks import media_against, media_equal, media_peers
from benchmarks.measuring import CORPUS, cpu_seconds, fill, geometric_mean, one_thread, table
from benchmarks.media_ours import (
    Work,
    bare_decode,
    library_times,
    parts,
    run_ours,
    run_with_frame_threads,
    tracks_of,
)
from benchmarks.noisy_film import SOURCE, write_noisy_film
from emovid_assets.core.video.streams import Tracks

BARE = "bare decoding"
OURS = {"content": "ours, content", "adaptive": "ours, adaptive"}
FULL = {"content": "with sound, content", "adaptive": "with sound, adaptive"}
"""Also the sound profile for the embedded labeller, which no peer computes."""
API = {"content": "API + copy, content", "adaptive": "API + copy, adaptive"}
"""PySceneDetect's `detect()`, `ffmpeg -c copy` per kept scene, a plain colour pass."""
CLI = "CLI split"
"""`scenedetect detect-content split-video` and a plain colour pass."""

NOISY = "noisy_1280x720.mp4"
"""Made for the run; no part of the means over the corpus."""
TARGETS = {
    "big_buck_bunny_054-270s_448x252.mp4": 1.7,
    "sintel_film_excerpt_848x480_25fps.mp4": 1.25,
    NOISY: 1.2,
}
"""Ours over bare decoding."""
TARGET_API, TARGET_CLI, TARGET_WALL = 0.35, 0.08, 0.6


@dataclass
class Measured:
    """One file: median CPU-seconds by variant, and what was wrong with the work."""

    path: Path
    frame_count: int
    seconds: dict[str, float]
    clip_files_s: dict[str, float]
    wrong: list[str] = field(default_factory=list)

    def ratio(self, variant: str, over: str = BARE) -> float:
        if variant not in self.seconds or over not in self.seconds:
            return float("nan")
        return self.seconds[variant] / self.seconds[over]


def variants(path: Path, tracks: Tracks, *, with_cli: bool) -> dict[str, Callable[[Path], Work | None]]:
    """Every pipeline as a function of an empty folder."""

    def bare(_: Path) -> None:
        bare_decode(path)

    chosen: dict[str, Callable[[Path], Work | None]] = {BARE: bare}
    for detector in ("content", "adaptive"):
        chosen[OURS[detector]] = lambda folder, name=detector: run_ours(path, tracks, name, folder, with_sound=False)
        chosen[FULL[detector]] = lambda folder, name=detector: run_ours(path, tracks, name, folder)
        if media_peers.FFMPEG:
            chosen[API[detector]] = lambda folder, name=detector: media_peers.api_with_copy(path, name, folder)
    if with_cli and media_peers.FFMPEG and media_peers.SCENEDETECT.exists():
        chosen[CLI] = lambda folder: media_peers.command_line(path, folder)
    return chosen


def measure(path: Path, repeats: int, *, python: str | None = None, with_cli: bool = True) -> Measured:
    """Every variant `repeats` times in turn; frameworks of the interpreter `python` once."""
    tracks = tracks_of(path)
    chosen = variants(path, tracks, with_cli=with_cli)
    seconds: dict[str, list[float]] = {name: [] for name in chosen}
    clip_files: dict[str, list[float]] = {}
    works: dict[str, Work] = {}
    wrong: list[str] = []
    frame_count = bare_decode(path)
    for repeat in range(repeats):
        # Each repeat begins elsewhere, so that no variant always follows the same neighbour.
        names = list(chosen)
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            folder = Path(tempfile.mkdtemp(prefix="emovid-benchmark-"))
            gc.collect()
            start = cpu_seconds()
            work = chosen[name](folder)
            seconds[name].append(cpu_seconds() - start)
            if work is not None and work.parts_s:
                clip_files.setdefault(name, []).append(work.parts_s["clip files"])
            if work is not None and repeat == 0:
                works[name] = work
                # Clip files are judged before they go.
                wrong += _problems(path, tracks, name, work)
            shutil.rmtree(folder)
    wrong += _unequal(works)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    clip_medians = {name: statistics.median(values) for name, values in clip_files.items()}
    for framework in media_peers.FRAMEWORKS:
        if python and media_peers.is_installed(framework, python):
            medians[framework] = _framework_seconds(framework, python, path, works, wrong)
    return Measured(path, frame_count, medians, clip_medians, wrong)


def _problems(path: Path, tracks: Tracks, name: str, work: Work) -> list[str]:
    for detector, ours in OURS.items():
        if name == ours:
            theirs = [first for _, _, first in media_peers.scenes(path, detector)[1:]]
            return [f"{name}: {text}" for text in media_equal.problems(path, tracks, work, theirs)]
    return []


def _framework_seconds(framework: str, python: str, path: Path, works: dict[str, Work], wrong: list[str]) -> float:
    """Once only: these pipelines start services and take minutes."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, clip_count = media_peers.run_framework(framework, python, path, Path(folder))
    ours = len(works[OURS["content"]].clips)
    if clip_count != ours:
        wrong.append(f"{framework}: {clip_count} clips, ours {ours}")
    return seconds


def _unequal(works: dict[str, Work]) -> list[str]:
    """Whether peers and the fuller variant made as many clips as ours."""
    found = []
    for detector, name in OURS.items():
        ours = works[name]
        if works[FULL[detector]].cuts != ours.cuts:
            found.append(f"{FULL[detector]}: other cuts than without sound")
        peer = works.get(API[detector])
        if peer and len(peer.clips) != len(ours.clips):
            found.append(f"{API[detector]}: {len(peer.clips)} clips, ours {len(ours.clips)}")
    if CLI in works and len(works[CLI].clips) != len(works[OURS["content"]].segments):
        found.append(f"{CLI}: {len(works[CLI].clips)} scenes, ours {len(works[OURS['content']].segments)}")
    return found


def cost_table(measured: Sequence[Measured]) -> str:
    """One row a file: ratios over bare decoding."""
    frameworks = [name for name in media_peers.FRAMEWORKS if any(name in file.seconds for file in measured)]
    shown = [OURS["content"], OURS["adaptive"], FULL["content"], FULL["adaptive"]]
    peers = [name for name in (API["content"], API["adaptive"], CLI) if any(name in file.seconds for file in measured)]
    head = ["file", "frames", "bare, µs a frame", *shown, "of which clip files", *peers, *frameworks, "target", "equal"]
    rows: list[list[object]] = []
    for file in measured:
        rows.append(
            [
                file.path.name,
                file.frame_count,
                f"{file.seconds[BARE] / file.frame_count * 1e6:.0f}",
                *(file.ratio(name) for name in shown),
                file.clip_files_s[OURS["adaptive"]] / file.seconds[BARE],
                *(file.ratio(name) for name in (*peers, *frameworks)),
                f"{TARGETS[file.path.name]}" if file.path.name in TARGETS else None,
                "no" if file.wrong else "yes",
            ]
        )
    means: list[object] = ["geometric mean, corpus", None, None]
    corpus = [file for file in measured if file.path.name != NOISY]
    columns = [*shown, None, *peers, *frameworks]
    for name in columns:
        if name is None:
            shares = [file.clip_files_s[OURS["adaptive"]] / file.seconds[BARE] for file in corpus]
            means.append(geometric_mean(shares))
        else:
            means.append(geometric_mean([file.ratio(name) for file in corpus if name in file.seconds]))
    rows.append([*means, None, ""])
    return table(head, rows)


def peer_table(measured: Sequence[Measured]) -> str:
    """Geometric means over the files of ours over each peer."""
    rows: list[list[object]] = []
    pairs = [
        (OURS["content"], API["content"], TARGET_API),
        (OURS["adaptive"], API["adaptive"], TARGET_API),
        (OURS["content"], CLI, TARGET_CLI),
        *((OURS["content"], name, None) for name in media_peers.FRAMEWORKS),
    ]
    for ours, peer, target in pairs:
        ratios = [file.ratio(ours, peer) for file in measured if peer in file.seconds]
        if ratios:
            rows.append([ours, peer, f"{geometric_mean(ratios):.3f}", f"{max(ratios):.3f}", target])
    return table(["ours", "peer", "ours / peer", "worst file", "target"], rows)


def parts_table(paths: Sequence[Path]) -> str:
    """Shares of one run, in units of bare decoding."""
    found = []
    for path in paths:
        start = cpu_seconds()
        bare_decode(path)
        bare = cpu_seconds() - start
        with tempfile.TemporaryDirectory() as folder:
            spent = parts(path, tracks_of(path), "adaptive", Path(folder))
        found.append((path.name, {name: seconds / bare for name, seconds in spent.items()}))
    names = list(dict.fromkeys(name for _, spent in found for name in spent))
    return table(["file", *names], [[name, *(spent.get(part) for part in names)] for name, spent in found])


def pool_table(paths: Sequence[Path], repeats: int) -> str:
    """Wall seconds of the whole work on all files: one process, two, one with frame threads."""
    walls: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, workers in (("one process", 1), ("two processes", 2)):
            with tempfile.TemporaryDirectory() as folder:
                times = library_times(paths, Path(folder), workers=workers)
            walls.setdefault(name, []).append(times["wall_s"])
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            run_with_frame_threads(paths, Path(folder))
            walls.setdefault("one process, two frame threads", []).append(time.perf_counter() - start)
    one = statistics.median(walls["one process"])
    rows = []
    for name, values in walls.items():
        wall = statistics.median(values)
        target = TARGET_WALL if name == "two processes" else None
        rows.append([name, f"{wall:.1f}", wall / one, target])
    return table(["films and long animations", "wall, s", "over one process", "target"], rows)


def sticker_line(paths: Sequence[Path]) -> str:
    """How many stickers a second the worker pool takes."""
    copies = [path for path in paths for _ in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        times = library_times(copies, Path(folder), workers=2)
    count, wall = times["file_count"], times["wall_s"]
    start_cpu = cpu_seconds()
    for path in copies:
        _decode_any(path)
    bare = cpu_seconds() - start_cpu
    return (
        f"Stickers: {count:.0f} scanned and {times['clip_count']:.0f} clip files written in {wall:.1f} s by two "
        f"processes, their start included: {count / wall:.1f} stickers a second. CPU a sticker "
        f"{times['cpu_s'] / count * 1000:.0f} ms, of which bare decoding {bare / count * 1000:.0f} ms."
    )


def _decode_any(path: Path) -> None:
    if path.suffix == ".webp":
        from PIL import Image, ImageSequence

        with Image.open(path) as image:
            for still in ImageSequence.Iterator(image):
                still.load()
        return
    with av.open(str(path)) as container:
        for _ in container.decode(video=0):
            pass


def films(corpus: Path) -> list[Path]:
    """Movies and the animations that are long enough to be cut."""
    bunnies = sorted((corpus / "animation").glob("big_buck_bunny*"))
    return bunnies + sorted(path for path in (corpus / "movie").iterdir() if path.is_file())


def stickers(corpus: Path) -> list[Path]:
    """Stickers of more than one frame."""
    return sorted(path for path in (corpus / "sticker").iterdir() if path.name != "anger__phpbb_icon_mad.gif")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--file", action="append", type=Path, help="only this file (a path, or a name in the corpus)")
    parser.add_argument("--skip-pool", action="store_true", help="no worker pool, no stickers")
    parser.add_argument("--skip-cli", action="store_true", help="without `scenedetect split-video`, half of the time")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has datachain or pixeltable")
    parser.add_argument(
        "--against", nargs="?", const=media_against.PARENT, metavar="COMMIT", help="only the pass, beside another's"
    )
    parser.add_argument("--markdown", type=Path, help="document whose tables are replaced")
    options = parser.parse_args()
    one_thread()
    av.logging.set_level(av.logging.PANIC)
    with tempfile.TemporaryDirectory() as folder:
        corpus_films = films(options.corpus)
        paths = [path if path.exists() else _named(path, corpus_films) for path in options.file or corpus_films]
        if not options.file:
            paths.append(write_noisy_film(options.corpus / SOURCE, Path(folder) / NOISY))
        # Lazy imports are paid before the clock runs.
        smallest = min(corpus_films, key=lambda path: path.stat().st_size)
        if options.against:
            return _against(paths, smallest, options)
        measure(smallest, 1, with_cli=False)
        measured = []
        for path in paths:
            print(f"{path.name} …", file=sys.stderr, flush=True)
            measured.append(measure(path, options.repeats, python=options.peer_python, with_cli=not options.skip_cli))
        sections = {
            "media-costs": cost_table(measured),
            "media-peers": peer_table([file for file in measured if file.path.name != NOISY]),
            "media-parts": parts_table(paths),
        }
        if not options.skip_pool:
            sections["media-pool"] = pool_table(corpus_films, max(1, options.repeats // 3))
            sections["media-stickers"] = sticker_line(stickers(options.corpus))
    sections["media-run"] = _left_out(options.peer_python, options.repeats)
    for marker, text in sections.items():
        print(f"\n{text}")
        if options.markdown:
            fill(options.markdown, marker, text)
    wrong = [f"{file.path.name}: {text}" for file in measured for text in file.wrong]
    for text in wrong:
        print(f"NOT EQUAL {text}")
    return 1 if wrong else 0


def _against(paths: Sequence[Path], smallest: Path, options: argparse.Namespace) -> int:
    compared = []
    for film in media_against.compare(paths, smallest, options.against, options.repeats):
        print(f"{film.path.name} {film.ratio:.2f}", file=sys.stderr, flush=True)
        compared.append(film)
    text = media_against.against_table(compared, options.against, left_out=NOISY)
    print(text)
    if options.markdown:
        fill(options.markdown, "media-against", text)
    return 0


def _named(path: Path, corpus_films: Sequence[Path]) -> Path:
    for film in corpus_films:
        if film.name == path.name:
            return film
    raise SystemExit(f"{path} is neither a file nor a film of the corpus")


def _left_out(python: str, repeats: int) -> str:
    missing = [name for name in media_peers.FRAMEWORKS if not media_peers.is_installed(name, python)]
    if not media_peers.FFMPEG:
        missing.append("ffmpeg, and with it both PySceneDetect pipelines")
    text = f"Median of {repeats} repeats; PyAV {av.__version__}, {os.cpu_count()} cores."
    return text + (f" Not installed, so left out: {', '.join(missing)}." if missing else "")


if __name__ == "__main__":
    sys.exit(main())
