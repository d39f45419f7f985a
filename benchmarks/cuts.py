"""How right the cuts are: precision, recall and F1 against cuts that people viewed, beside PySceneDetect's own.

Run `python benchmarks/cuts.py [--corpus DIR] [--markdown docs/media_benchmarks.md]` from the repository.

The truth is `hard_cut_times_s` of the corpus' manifest, printed there to 0.01 s: each time means the nearest
frame. What a tool reports is also a time, and also means the nearest frame, so that a tool which counts
frames well but stamps them wrongly is wrong here, as it would be in the clips. Fades and dissolves are no hard
cuts in the manifest; a detector that reports them loses precision.

Two more tables: the same films without colour, and films drawn with known cuts whose rates vary, whose delays
are a GIF's or whose pictures start late.
"""

import argparse
import bisect
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageSequence

from benchmarks.measuring import CORPUS, fill, manifest, one_thread, table
from benchmarks.media_ours import run_cuts, run_ours, tracks_of
from benchmarks.media_peers import FFMPEG, SCENEDETECT, command_line, scenes
from emovid_assets_tests.media.making import beeps, scenery, write_animation, write_video

DETECTORS = ("content", "adaptive")
TOLERANCES = (0, 1)
VIEWED = ("movie/", "animation/", "hostile/counter__counter.mp4", "hostile/fades__fades.mp4")
"""Beginnings of the paths whose cuts were looked at; stickers are loops and are never cut."""


@dataclass(frozen=True)
class Found:
    """What a tool reports: cuts as times in s since the first frame and as frame numbers, and the end in s."""

    cuts_s: list[float]
    frames: list[int]
    end_s: float


Tool = Callable[[Path, str], Found]
"""Of a file and the name of a detector."""


@dataclass(frozen=True)
class Count:
    """Cuts of the truth that were found, cuts that were reported, cuts that there are."""

    hit: int = 0
    reported: int = 0
    real: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.hit + other.hit, self.reported + other.reported, self.real + other.real)

    @property
    def precision(self) -> float:
        return self.hit / self.reported if self.reported else float("nan")

    @property
    def recall(self) -> float:
        return self.hit / self.real if self.real else float("nan")

    @property
    def f1(self) -> float:
        return 2 * self.hit / (self.reported + self.real) if self.reported + self.real else float("nan")


def score(reported: Sequence[int], real: Sequence[int], tolerance: int) -> Count:
    """Pairs frames one to one, in order: the largest number of pairs that are no further apart than the tolerance."""
    hit = i = j = 0
    reported, real = sorted(reported), sorted(real)
    while i < len(reported) and j < len(real):
        apart = reported[i] - real[j]
        if abs(apart) <= tolerance:
            hit, i, j = hit + 1, i + 1, j + 1
        elif apart < 0:
            i += 1
        else:
            j += 1
    return Count(hit, len(reported), len(real))


def frame_times(path: Path) -> list[float]:
    """Presentation times of all frames in s since the first, read without the product."""
    if path.suffix == ".webp":
        times, at_ms = [], 0
        with Image.open(path) as image:
            for still in ImageSequence.Iterator(image):
                times.append(at_ms / 1000)
                still.load()
                at_ms += int(still.info["duration"])
        return times
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stamps = sorted(frame.pts for frame in container.decode(stream) if frame.pts is not None)
        return [float((stamp - stamps[0]) * Fraction(stream.time_base)) for stamp in stamps]


def nearest(time_s: float, times_s: Sequence[float]) -> int:
    """Index of the frame that begins nearest to a time."""
    after = min(bisect.bisect_left(times_s, time_s), len(times_s) - 1)
    return min((max(after - 1, 0), after), key=lambda index: abs(times_s[index] - time_s))


def upstream(backend: str) -> Tool:
    def find(path: Path, detector: str) -> Found:
        found = scenes(path, detector, backend)
        return Found([start for start, _, _ in found[1:]], [frame for _, _, frame in found[1:]], found[-1][1])

    return find


def ours(path: Path, detector: str) -> Found:
    segments = run_cuts(path, detector)
    starts = segments[1:]
    return Found([s["start_s"] for s in starts], [s["start_frame"] for s in starts], segments[-1]["end_s"])


TOOLS: dict[str, Tool] = {
    "ours": ours,
    "PySceneDetect, OpenCV (its default)": upstream("opencv"),
    "PySceneDetect, PyAV": upstream("pyav"),
}


def truths(corpus: Path) -> dict[Path, list[float]]:
    """Viewed cuts in s, by file."""
    return {
        corpus / name: [float(time) for time in row["hard_cut_times_s"].split(";") if time]
        for name, row in manifest(corpus).items()
        if name.startswith(VIEWED) and row["hard_cuts"]
    }


def corpus_tables(corpus: Path) -> tuple[str, str]:
    """Totals by tool, detector and tolerance; and each film at one frame."""
    totals: dict[tuple[str, str, int], Count] = {}
    films: list[list[object]] = []
    for path, real_s in truths(corpus).items():
        times = frame_times(path)
        real = [nearest(time, times) for time in real_s]
        line: list[object] = [path.name, len(real)]
        for detector in DETECTORS:
            for tool, find in TOOLS.items():
                reported = [nearest(time, times) for time in find(path, detector).cuts_s]
                for tolerance in TOLERANCES:
                    key = (detector, tool, tolerance)
                    totals[key] = totals.get(key, Count()) + score(reported, real, tolerance)
                count = score(reported, real, 1)
                line.append(f"{count.hit} / {count.reported - count.hit} / {count.real - count.hit}")
        films.append(line)
    rows = [
        [detector, tool, f"±{tolerance}", c.hit, c.reported - c.hit, c.real - c.hit, *_three(c)]
        for (detector, tool, tolerance), c in totals.items()
    ]
    head = ["detector", "tool", "frames", "found", "false", "missed", "precision", "recall", "F1"]
    short = [f"{detector}: {tool}" for detector in DETECTORS for tool in ("ours", "OpenCV", "PyAV")]
    return table(head, rows), table(["file", "cuts", *short], films)


def _three(count: Count) -> list[str]:
    return [f"{value:.3f}" for value in (count.precision, count.recall, count.f1)]


# Grey films


def grey_table(corpus: Path) -> str:
    """The viewed films with their colour taken away, so that the truth stays: defaults against `luma_only`."""
    from scenedetect import AdaptiveDetector, ContentDetector

    makers: dict[str, Callable[[], Any]] = {
        "content, default": ContentDetector,
        "content, luma_only": lambda: ContentDetector(luma_only=True),
        "adaptive, default": AdaptiveDetector,
        "adaptive, luma_only": lambda: AdaptiveDetector(luma_only=True),
    }
    totals = {(name, is_grey): Count() for name in makers for is_grey in (False, True)}
    for path, real_s in truths(corpus).items():
        times = frame_times(path)
        real = [nearest(time, times) for time in real_s]
        detectors = {key: makers[key[0]]() for key in totals}
        cuts: dict[tuple[str, bool], list[int]] = {key: [] for key in totals}
        for index, (stamp, bgr, grey) in enumerate(_small_frames(path)):
            for key, detector in detectors.items():
                found = detector.process_frame(stamp, grey if key[1] else bgr)
                cuts[key] += [nearest(cut.seconds, times[: index + 1]) for cut in found]
        for key, found in cuts.items():
            totals[key] += score(found, real, 1)
    rows = [
        [name, "grey" if is_grey else "in colour", c.hit, c.reported - c.hit, c.real - c.hit, *_three(c)]
        for (name, is_grey), c in totals.items()
    ]
    return table(["detector", "films", "found", "false", "missed", "precision", "recall", "F1"], rows)


def _small_frames(path: Path) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """Time code and picture as PySceneDetect's detectors see them, in colour and grey, BGR."""
    import cv2
    from av.video.reformatter import VideoReformatter
    from scenedetect import FrameTimecode
    from scenedetect.common import Timecode
    from scenedetect.scene_manager import compute_downscale_factor

    reformatter = VideoReformatter()
    first: int | None = None
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = Fraction(stream.guessed_rate or 25)
        for frame in container.decode(stream):
            first = frame.pts if first is None else first
            factor = max(1.0, compute_downscale_factor(max(frame.width, frame.height)))
            size = (round(frame.width / factor), round(frame.height / factor))
            bgr = cv2.resize(reformatter.reformat(frame, format="bgr24", threads=1).to_ndarray(), size)
            grey = cv2.cvtColor(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            ticks = Timecode(pts=frame.pts - first, time_base=Fraction(frame.time_base))
            yield FrameTimecode(ticks, fps=rate), bgr, grey


# Stamps

LENGTHS = (40, 60, 30, 50, 40)
"""Frames of the scenes of a drawn film."""
SLACK_S = 0.010
"""A quarter of a frame at 25 fps; GIF counts in 10 ms."""


@dataclass(frozen=True)
class Drawn:
    """A film whose truth is known: times of cuts and of the end, in s since its first frame."""

    path: Path
    cuts_s: list[float]
    end_s: float


def drawn_films(folder: Path) -> dict[str, Drawn]:
    """What is special about each, and the film."""
    frames = [scenery(scene, index, 96, 128) for scene, length in enumerate(LENGTHS) for index in range(length)]
    starts = np.cumsum(LENGTHS)[:-1].tolist()
    count = len(frames)
    random = np.random.default_rng(3)
    h264 = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"crf": "12", "x264-params": "log=-1"}}

    def film(name: str, steps_ms: Sequence[int], first_ms: int = 0, *, with_sound: bool = False) -> Drawn:
        times = (first_ms + np.concatenate([[0], np.cumsum(steps_ms)])).tolist()
        sound = {"sound": beeps(times[-1] / 1000, 1.0), "sound_codec": "aac"} if with_sound else {}
        path = write_video(
            folder / name,
            frames,
            pts=times[:-1],
            time_base=Fraction(1, 1000),
            last_duration=steps_ms[-1],
            **h264,
            **sound,
        )
        return Drawn(path, [(times[start] - first_ms) / 1000 for start in starts], (times[-1] - first_ms) / 1000)

    def animation(name: str, delays_ms: Sequence[int]) -> Drawn:
        times = np.concatenate([[0], np.cumsum(delays_ms)]) / 1000
        path = write_animation(folder / name, frames, list(delays_ms))
        return Drawn(path, [float(times[start]) for start in starts], float(times[-1]))

    halves = [20] * (count // 2) + [80] * (count - count // 2)
    jitter = random.choice([17, 33, 50, 67], count).tolist()
    gif = random.choice([20, 50, 100], count).tolist()
    return {
        "MP4, constant 25 fps": film("constant.mp4", [40] * count),
        "MP4, sound from 0, pictures from 0.834 s": film("late.mp4", [40] * count, 834, with_sound=True),
        "MPEG-TS, sound from 0, pictures from 0.834 s": film("late.ts", [40] * count, 834, with_sound=True),
        "MP4, 50 fps, then 12.5 fps": film("halves.mp4", halves),
        "MKV, 17 to 67 ms a frame": film("jitter.mkv", jitter),
        "MKV, a second's rest on every 20th frame": film(
            "rests.mkv", [1000 if index % 20 == 19 else 40 for index in range(count)]
        ),
        "GIF, constant 10 fps": animation("constant.gif", [100] * count),
        "GIF, 20 to 100 ms a frame": animation("delays.gif", gif),
        "GIF, the last frame stays 2 s": animation("rest.gif", [40] * (count - 1) + [2000]),
        "APNG, 20 to 100 ms a frame": animation("delays.png", gif),
        "WebP, 20 to 100 ms a frame": animation("delays.webp", gif),
    }


def stamp_table() -> str:
    """How many cuts lie within 10 ms of the truth, whether their frame numbers are right, how far off the end is."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, drawn in drawn_films(Path(folder)).items():
            rows.append([name, *(_stamp_cell(find, drawn) for find in TOOLS.values())])
    return table(["drawn film, 4 cuts", *TOOLS], rows)


def _stamp_cell(find: Tool, drawn: Drawn) -> str:
    try:
        found = find(drawn.path, "content")
    except Exception as error:  # noqa: BLE001 - a peer that cannot open a file is a result
        return f"cannot read it ({type(error).__name__})"
    reported, off = found.cuts_s, found.end_s - drawn.end_s
    right = sum(min((abs(time - real) for time in reported), default=9e9) <= SLACK_S for real in drawn.cuts_s)
    text = f"{right} of {len(drawn.cuts_s)}"
    if len(reported) > right:
        text += f", {len(reported) - right} false"
    wrong_frames = sum(frame not in np.cumsum(LENGTHS) for frame in found.frames)
    text += f"; {wrong_frames} frame numbers wrong" if wrong_frames else "; frame numbers right"
    return f"{text}; end {off:+.2f} s" if abs(off) > SLACK_S else f"{text}; end right"


CLIPPED = ("MP4, constant 25 fps", "MP4, sound from 0, pictures from 0.834 s", "MKV, 17 to 67 ms a frame")


def clip_table() -> str:
    """What the cuts become: clips of drawn films with the right number of frames, the first and last of one scene."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, drawn) in enumerate(drawn_films(Path(folder)).items()):
            if name not in CLIPPED:
                continue
            ours_folder, theirs_folder = (Path(folder, f"{tool}-{number}") for tool in ("ours", "theirs"))
            theirs_folder.mkdir()
            work = run_ours(drawn.path, tracks_of(drawn.path), "content", ours_folder, min_s=0.1)
            rows.append([name, _right_clips(work.clips)])
            if FFMPEG and SCENEDETECT.exists():
                rows[-1].append(_right_clips(command_line(drawn.path, theirs_folder).clips))
            else:
                rows[-1].append("not installed")
    return table(["drawn film, 5 scenes", "ours", "scenedetect split-video"], rows)


def _right_clips(clips: Sequence[Path]) -> str:
    counts = pictures = 0
    for scene, clip in enumerate(clips):
        with av.open(str(clip)) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        counts += len(frames) == LENGTHS[scene]
        pictures += _scene(frames[0]) == _scene(frames[-1]) == scene
    total = len(LENGTHS)
    return f"{counts} of {total} with all frames, {pictures} of {total} begin and end in their scene"


def _scene(rgb: np.ndarray) -> int:
    """Which of the drawn scenes a frame belongs to, by its mean colour; the first lines hold a code."""
    colours = [scenery(scene, 0, 96, 128)[2:].reshape(-1, 3).mean(axis=0) for scene in range(len(LENGTHS))]
    mean = rgb[2:].reshape(-1, 3).mean(axis=0)
    return int(np.argmin([np.abs(colour - mean).sum() for colour in colours]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--markdown", type=Path, help="document whose tables are replaced")
    options = parser.parse_args()
    one_thread()
    av.logging.set_level(av.logging.PANIC)
    totals, films = corpus_tables(options.corpus)
    sections = {
        "cuts-totals": totals,
        "cuts-films": films,
        "cuts-grey": grey_table(options.corpus),
        "cuts-stamps": stamp_table(),
        "cuts-clips": clip_table(),
    }
    for marker, text in sections.items():
        print(f"\n{text}")
        if options.markdown:
            fill(options.markdown, marker, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
