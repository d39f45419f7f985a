"""Which pictures of a clip file the programs show that people look and train with.

Run `python -m benchmarks.loaders [--films NAME …] [--readers NAME …] [--ways WAY …] [--markdown docs/clip_files.md]`
from the repository. Draws films whose pictures carry their number, writes clips of them each way that there is, and
asks every reader that is installed: those of this environment, those of `.venv-readers` (`make readers`), and programs
on the path. `--raw FILE` keeps all that they read, as JSON. Prints the tables.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.loader_browsers import BROWSERS, watch
from benchmarks.loader_films import CUTS, FILMS, Clip, clips_of, ways
from benchmarks.loader_readers import NOT_ROOT, PROGRAMS, READERS, with_libraries
from benchmarks.measuring import fill, table

ROOT = Path(__file__).resolve().parents[1]
READERS_VENV = ROOT / ".venv-readers"
READERS_PYTHON = READERS_VENV / "bin" / "python"
HAS_READERS = any(READERS_VENV.glob(".installed*"))
"""`make readers` marks what is complete."""
SOUND_TOLERANCE_S = 0.022
"""A frame of AAC: readers that count samples and know no stamps are this far off at most."""
OURS = frozenset({"av", "cv2", "imageio_ffmpeg"})
WAIT_S = 60
"""For a file; a reader that is at work longer hangs."""
FILM = "film"
VERSIONS = (
    *("av", "opencv-python-headless", "imageio", "imageio-ffmpeg", "decord"),
    *("torchcodec", "torch", "transformers", "datasets"),
)
Answer = dict[str, Any]
Reading = dict[str, list[Answer]]


def faults(clip: Clip, answer: Answer) -> list[str]:
    """What a reader shows otherwise than it is, the gravest first; nothing where all is right."""
    if "error" in answer:
        return [f"no reading ({answer['error']})"]
    numbers = clip.numbers
    found = []
    pictures = answer.get("pictures")
    first = answer.get("first", pictures[0] if pictures else None)
    last = answer.get("last", pictures[-1] if pictures else None)
    if pictures == []:
        found.append("no picture")
    if first is not None and first != numbers[0]:
        found.append(f"first {first} for {numbers[0]}")
    if last is not None and last != numbers[-1]:
        found.append(f"last {'none' if last < 0 else last} for {numbers[-1]}")
    for count, what in ((answer.get("count"), "says"), (len(pictures) if pictures is not None else None, "gives")):
        if count is not None and count != len(numbers):
            found.append(f"{what} {count} of {len(numbers)}")
    if pictures and not found and pictures != numbers:
        found.append("pictures out of order")
    shown = answer.get("shown", [])
    if strangers := sorted(set(shown) - set(numbers)):
        found.append(f"shows {strangers[0]}")
    elif shown != sorted(shown):
        found.append("goes back while playing")
    times = clip.ask()["times"]
    asked = {
        "at_places": [("picture", str(place), numbers[place]) for place in clip.places],
        "at_times": [("at", f"{time:.2f} s", numbers[place]) for place, time in zip(clip.places, times, strict=True)],
        "eighths": [("picture", str(n * len(numbers) // 8), numbers[n * len(numbers) // 8]) for n in range(8)],
    }
    for key, wanted in asked.items():
        if key not in answer:
            continue
        if len(answer[key]) != len(wanted):
            found.append(f"{len(answer[key])} of {len(wanted)} asked for")
            continue
        wrong = [(*want, got) for want, got in zip(wanted, answer[key], strict=True) if got != want[2]]
        found += [
            f"{word} {where}: {'none' if got < 0 else got} for {number}" for word, where, number, got in wrong[:1]
        ]
    offset = sound_offset_s(clip, answer)
    if "sound" in answer and offset is None:
        found.append("no sound")
    elif offset is not None and abs(offset) > SOUND_TOLERANCE_S:
        found.append(f"sound {offset * 1000:+.0f} ms")
    return found


def sound_offset_s(clip: Clip, answer: Answer) -> float | None:
    """How late the sound is; null where the reader gives none."""
    sound = answer.get("sound")
    return None if not sound else sound[1] - clip.beep_s(sound[0])


def ask(name: str, python: str, environment: dict[str, str] | None, clips: Sequence[Clip]) -> list[Answer]:
    """The answers of a reader, in a process of its own; a file on which it dies costs no other one."""
    answers: list[Answer] = []
    while len(answers) < len(clips):
        asks = json.dumps([clip.ask() for clip in clips[len(answers) :]])
        command = [python, "-m", "benchmarks.loader_readers", name]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "stdin": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as child:
            child.stdin.write(asks)
            child.stdin.close()
            while True:
                patience = threading.Timer(WAIT_S, child.kill)
                patience.start()
                line = child.stdout.readline()
                is_late = not patience.is_alive()
                patience.cancel()
                if not line:
                    break
                answers.append(json.loads(line))
        if len(answers) < len(clips):
            answers.append({"error": f"nothing in {WAIT_S} s" if is_late else "the process ended"})
    return answers


def python_for(needs: Sequence[str]) -> str | None:
    """The Python that can run a reader: this one for what we have ourselves and for programs, else the readers' own.

    Null where it is not there.
    """
    if PROGRAMS & set(needs):
        return sys.executable if all(map(shutil.which, needs)) else None
    if OURS.issuperset(needs):
        return sys.executable
    return str(READERS_PYTHON) if HAS_READERS else None


def read_all(names: Sequence[str], clips: Sequence[Clip]) -> tuple[Reading, list[str]]:
    """Answers by reader, in the clips' order, and the readers that are not installed or read nothing at all."""
    read: Reading = {}
    absent = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if name in BROWSERS:
                if BROWSERS[name][0]:
                    read[name] = _watched(name, clips)
                    print(name, file=sys.stderr, flush=True)
                else:
                    absent.append(name)
                continue
            needs, _ = READERS[name]
            python = python_for(needs)
            if python is None:
                absent.append(name)
                continue
            environment = with_libraries(Path(python), Path(folder)) if "torchcodec" in needs else None
            read[name] = ask(name, python, environment, clips)
            print(name, file=sys.stderr, flush=True)
    silent = [name for name, answers in read.items() if all("error" in answer for answer in answers)]
    return {name: answers for name, answers in read.items() if name not in silent}, [*absent, *silent]


def _watched(name: str, clips: Sequence[Clip]) -> list[Answer]:
    try:
        return watch(name, [clip.ask() for clip in clips])
    except TimeoutError as error:
        return [{"error": str(error)}] * len(clips)


@dataclass(frozen=True)
class Verdict:
    """What a reader shows otherwise of a clip than it is, and whether all of that is so in the film as well."""

    clip: Clip
    faults: list[str]
    is_as_the_film: bool


def verdicts(clips: Sequence[Clip], answers: Sequence[Answer]) -> list[Verdict]:
    """Of one reader, in the clips' order. Two faults are the same where they differ in numbers only."""
    found = [faults(clip, answer) for clip, answer in zip(clips, answers, strict=True)]
    of_film = {clip.film: set(map(_kind, its)) for clip, its in zip(clips, found, strict=True) if clip.way == FILM}
    return [
        Verdict(clip, its, bool(its) and of_film[clip.film].issuperset(map(_kind, its)))
        for clip, its in zip(clips, found, strict=True)
    ]


def _kind(fault: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "n", fault)


def made_table(clips: Sequence[Clip], chosen: Sequence[str]) -> str:
    made = {(clip.film, clip.cut, clip.way): clip for clip in clips}
    rows = [
        [film, _span(cut, made[film, cut, chosen[0]]), *(made[film, cut, way].made for way in chosen)]
        for film in _films(clips)
        for cut in CUTS
    ]
    return table(["film", "cut, pictures", *(f"`{way}`" for way in chosen)], rows)


def _span(cut: str, clip: Clip) -> str:
    return f"{cut}, {clip.numbers[0]}–{clip.numbers[-1]}"


def _films(clips: Sequence[Clip]) -> list[str]:
    return list(dict.fromkeys(clip.film for clip in clips))


def summary_table(judged: dict[str, list[Verdict]], chosen: Sequence[str]) -> str:
    """Per reader and for all: films that it reads right, and clips that are right, wrong as the film is, wrong."""
    everyone = [verdict for its in judged.values() for verdict in its]
    rows = [[name, *(_counts(its, way) for way in (FILM, *chosen))] for name, its in judged.items()]
    rows.append(["all", *(_counts(everyone, way) for way in (FILM, *chosen))])
    return table(["reader", "films", *(f"`{way}`" for way in chosen)], rows)


def _counts(its: Sequence[Verdict], way: str) -> str:
    those = [verdict for verdict in its if verdict.clip.way == way]
    right = sum(not verdict.faults for verdict in those)
    as_the_film = sum(verdict.is_as_the_film for verdict in those) if way != FILM else 0
    wrong = len(those) - right - as_the_film
    others = [(as_the_film, "as the film"), (wrong, "wrong")]
    return ", ".join([f"{right} right", *(f"{count} {what}" for count, what in others if count)])


def sound_table(clips: Sequence[Clip], read: Reading, chosen: Sequence[str]) -> str:
    """Readers of sound, and its largest distance from where it should be, in ms."""
    rows: list[list[object]] = []
    for name, answers in read.items():
        row: list[object] = [name]
        for way in chosen:
            offsets = [
                abs(offset)
                for clip, answer in zip(clips, answers, strict=True)
                if clip.way == way and (offset := sound_offset_s(clip, answer)) is not None
            ]
            row.append(f"{max(offsets) * 1000:.0f}" if offsets else None)
        if any(row[1:]):
            rows.append(row)
    return table(["reader", *(f"`{way}`, ms" for way in chosen)], rows)


def details(judged: dict[str, list[Verdict]], films: Sequence[str], way: str) -> str:
    """A list of what is not right: by film, then by faults, with all the readers that have them."""
    lines = []
    for film in films:
        readers: dict[str, list[str]] = {}
        for name, its in judged.items():
            wrong = [verdict for verdict in its if (verdict.clip.film, verdict.clip.way) == (film, way)]
            wrong = [verdict for verdict in wrong if verdict.faults]
            if wrong:
                readers.setdefault(_told(wrong), []).append(name)
        if readers:
            lines.append(f"- **{film}**")
            lines += [f"  - {'; '.join(names)} — {told}" for told, names in readers.items()]
    return "\n".join(lines) or "Nothing."


def _told(wrong: Sequence[Verdict]) -> str:
    """The two gravest faults of each clip in a few words; the same ones of both cuts once."""
    cuts: dict[str, list[str]] = {}
    for verdict in wrong:
        told = ", ".join(verdict.faults[:2])
        if verdict.clip.way != FILM and verdict.is_as_the_film:
            told += " (as the film)"
        cuts.setdefault(told, []).append(verdict.clip.cut)
    if wrong[0].clip.way == FILM:
        return "; ".join(cuts)
    return "; ".join(f"{' and '.join(its)}: {told}" for told, its in cuts.items())


def tables(clips: Sequence[Clip], read: Reading, chosen: Sequence[str]) -> dict[str, str]:
    """Text by the marker that it stands between."""
    judged = {name: verdicts(clips, answers) for name, answers in read.items()}
    parts = [(f"`{way}`", way) for way in chosen] + [("The films themselves", FILM)]
    return {
        "clips-made": made_table(clips, chosen),
        "loaders": summary_table(judged, chosen),
        "loader-sound": sound_table(clips, read, chosen),
        "loader-details": "\n\n".join(f"### {title}\n\n{details(judged, _films(clips), way)}" for title, way in parts),
    }


def versions(read: Reading) -> str:
    """The packages of both environments and the programs that were asked."""
    code = f"""import importlib.metadata as m
for name in {VERSIONS!r}:
    try: print(name, m.version(name))
    except m.PackageNotFoundError: pass"""
    found: dict[str, str] = {}
    for python in [*([str(READERS_PYTHON)] if HAS_READERS else []), sys.executable]:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        found |= dict(line.split() for line in done.stdout.splitlines())
    parts = [f"{name} {version}" for name, version in found.items()]
    programs = {name: [BROWSERS[name][0], "--version"] for name in BROWSERS if name in read}
    programs |= {name: [READERS[name][0][0], "--version"] for name in ("mpv", "VLC", "GStreamer") if name in read}
    for name, command in programs.items():
        user = NOT_ROOT if name == "VLC" else None
        done = subprocess.run(command, capture_output=True, text=True, user=user)
        parts.append((done.stdout.strip().splitlines() or [command[0]])[0].split(" Copyright")[0])
    return ", ".join(parts)


def main() -> None:
    everyone = [*READERS, *BROWSERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", nargs="+", choices=list(FILMS), default=list(FILMS))
    parser.add_argument("--readers", nargs="+", choices=everyone, default=everyone)
    parser.add_argument("--ways", nargs="+", choices=ways(), default=ways())
    parser.add_argument("--markdown", type=Path, help="document whose tables are replaced")
    parser.add_argument("--raw", type=Path, help="keep what was read, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = [
            clip
            for number, name in enumerate(options.films)
            for clip in clips_of(name, Path(folder) / str(number), options.ways)
        ]
        read, absent = read_all(options.readers, clips)
    made = tables(clips, read, options.ways)
    made["loader-versions"] = f"{versions(read)}." + (
        f" Absent, or not running: {', '.join(absent)}." if absent else ""
    )
    if options.raw:
        names = [f"{clip.film} | {clip.cut} | {clip.way}" for clip in clips]
        raw = {reader: dict(zip(names, answers, strict=True)) for reader, answers in read.items()}
        options.raw.write_text(json.dumps(raw), encoding="utf-8")
    for marker, text in made.items():
        print(f"\n{text}")
        if options.markdown:
            fill(options.markdown, marker, text)


if __name__ == "__main__":
    main()
