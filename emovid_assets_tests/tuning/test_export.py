"""What `emovid train export` writes, as each trainer reads it, and every single file of it."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from emovid_assets.core.tuning.families import FAMILIES, Family, Size
from emovid_assets.core.tuning.rows import TOO_SHORT
from emovid_assets.core.tuning.trainers import TRAINERS
from emovid_assets.home.folders import Home
from emovid_assets.resources.tuning.choosing import Wish
from emovid_assets.resources.tuning.export import Report, export
from emovid_assets.resources.workers import kept_alive
from emovid_assets_tests.tuning.homes import CLIPS, GROUND, Clip, number_of, planted_home
from emovid_assets_tests.tuning.reading import READERS

SIZES = (Size(128, 64), Size(64, 64), Size(64, 128))
REPEATS = {"movie": 1, "animation": 2, "sticker": 3}
FRAMES = {"wan": 33, "hunyuanvideo": 33, "wan2.2-5b": 33, "cogvideox": 17, "ltx-video": 33, "ltx-2": 33}
PAIRS = [(trainer.name, family) for trainer in TRAINERS.values() for family in trainer.families]
BY_ID = {clip.clip_id: clip for clip in CLIPS}


def small(family: str) -> Family:
    """The family, whose clips are small and short here."""
    return replace(FAMILIES[family], frames=FRAMES[family], size=SIZES[0])


def wish(trainer: str, family: str, sizes: tuple[Size, ...] = SIZES) -> Wish:
    return Wish(TRAINERS[trainer], small(family), sizes, FRAMES[family])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return planted_home(tmp_path_factory.mktemp("home"), repeats=REPEATS)


@pytest.fixture(scope="module")
def exports(home: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Report]:
    folder = tmp_path_factory.mktemp("a folder's exports")
    with kept_alive():
        return {pair: export(home, wish(*pair), folder / "-".join(pair).replace(".", "_")) for pair in PAIRS}


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


def wanted(clip: Clip, trainer: str, family: Family) -> int:
    """Frames that a model is to see of a clip, counted by hand: the most on the family's grid, with what the trainer
    needs on top."""
    more = {"diffusion-pipe": 2, "ai-toolkit": 1, "onetrainer": 1}.get(trainer, 0)
    there = FRAMES[family.name] + more
    if clip.domain != "sticker":
        there = min(there, sum(1 for tick in range(1000) if Fraction(tick, family.rate) < clip.end))
    step = 8 if family.name in ("cogvideox", "ltx-video", "ltx-2") else 4
    count = (there - more - 1) // step * step + 1
    if trainer == "onetrainer":
        return count if count == FRAMES[family.name] else 0
    if trainer == "simpletuner" and count > family.rate:
        seconds = (count - 1) // family.rate
        count = ((seconds * family.rate) // step) * step + 1
    return count if count > 1 else 0


def test_each_trainer_sees_every_clip_in_its_own_time_at_its_own_rate(
    exports: dict[tuple[str, str], Report], pair: tuple[str, str]
) -> None:
    trainer, family = pair[0], small(pair[1])
    counts = {clip.clip_id: wanted(clip, trainer, family) for clip in CLIPS if clip.split == "train"}
    times: Counter[str] = Counter()
    for seen in READERS[trainer](exports[pair].exported.folder):
        clip = BY_ID[seen.name]
        times[seen.name] += 1
        numbers = [number_of(frame, clip) for frame in seen.frames]
        shown = clip.shown(family.rate, counts[seen.name] + 2)
        starts = (1, 2) if trainer == "onetrainer" else (0,)
        assert numbers in [shown[start : start + counts[seen.name]] for start in starts], seen.name
        assert seen.caption == " ".join(clip.prompt.split())
        assert seen.size == (seen.frames.shape[2], seen.frames.shape[1])
    assert times == {name: REPEATS[BY_ID[name].domain] for name, count in counts.items() if count}


def test_every_file_is_what_any_decoder_reads_alike(
    exports: dict[tuple[str, str], Report], pair: tuple[str, str]
) -> None:
    trainer, family = pair[0], small(pair[1])
    exported = exports[pair].exported
    for path in films(exported.folder):
        with av.open(str(path)) as container:
            (stream,) = container.streams
            context = stream.codec_context
            assert (context.name, context.pix_fmt, context.has_b_frames) == ("h264", "yuv420p", False)
            assert stream.average_rate == stream.base_rate == stream.guessed_rate == family.rate
            assert (stream.start_time or 0, context.width % 16, context.height % 16) == (0, 0, 0)
            assert (stream.sample_aspect_ratio or 1) == 1
            assert (context.colorspace, context.color_range) == (1, 1)
            frames, said = list(container.decode(video=0)), stream.frames
        with av.open(str(path)) as container:
            packets = [packet.pts for packet in container.demux(video=0) if packet.size]
        times = [frame.pts * frame.time_base for frame in frames]
        assert times == [Fraction(tick, family.rate) for tick in range(len(frames))]
        assert packets == sorted(packets)
        assert {frame.rotation for frame in frames} == {0}
        assert said == len(frames) == wanted(BY_ID[path.stem], trainer, family) + TRAINERS[trainer].more_frames
        assert b"elst" not in path.read_bytes()


def films(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("*.mp4"))


def test_names_are_plain_and_unique_and_nothing_else_lies_beside_the_clips(
    exports: dict[tuple[str, str], Report], pair: tuple[str, str]
) -> None:
    folder = exports[pair].exported.folder
    names = [path.stem for path in films(folder)]
    assert len(set(names)) == len(names) == len(exports[pair].exported.examples)
    for path in films(folder):
        assert path.stem.isascii()
        assert not set(path.stem) & set(". _\\/'\"")
    for place in {path.parent for path in films(folder)}:
        beside = {path for path in place.iterdir() if path.suffix != ".mp4"}
        assert beside in (set(), {path.with_suffix(".txt") for path in films(folder) if path.parent == place})


def test_captions_have_one_line_each_and_no_mark_before_them(
    exports: dict[tuple[str, str], Report], pair: tuple[str, str]
) -> None:
    for path in exports[pair].exported.folder.rglob("*.txt"):
        raw = path.read_bytes()
        assert not raw.startswith(b"\xef\xbb\xbf")
        lines = raw.decode("utf-8").splitlines()
        assert raw.decode("utf-8") == "".join(f"{line}\n" for line in lines)
        assert path.name in ("videos.txt", "prompts.txt") or len(lines) == 1


def test_the_launching_script_is_one_that_a_shell_reads(
    exports: dict[tuple[str, str], Report], pair: tuple[str, str]
) -> None:
    script = exports[pair].exported.folder / "launch.sh"
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    # The folder has a blank and a quotation mark in its name, so it must be quoted.
    printed = script.read_text(encoding="utf-8").replace("set -e", "python() { :; }; env() { :; }; set -e")
    printed = printed.replace("accelerate launch", "printf '%s\\n'").replace("deepspeed ", "printf '%s\\n' ")
    done = subprocess.run(["sh", "-c", printed], check=False, capture_output=True, text=True)
    assert done.returncode == 0
    assert exports[pair].exported.folder.as_posix() in done.stdout or "accelerate" not in script.read_text("utf-8")


def test_what_is_left_out_is_told_with_its_reason(exports: dict[tuple[str, str], Report]) -> None:
    reasons = exports["diffsynth", "wan"].left_out.reasons
    assert reasons == {"animation-0000000000000006-00000000-00000100": ("animation", TOO_SHORT)}
    assert "movie-0000000000000004-00000000-00002000" not in {
        example.name for report in exports.values() for example in report.exported.examples
    }
    short = [reason for _, reason in exports["onetrainer", "hunyuanvideo"].left_out.reasons.values()]
    assert any("would repeat the last one" in reason for reason in short)


def test_a_sticker_with_a_clear_ground_lies_over_white(exports: dict[tuple[str, str], Report]) -> None:
    folder = exports["diffsynth", "wan"].exported.folder
    (path,) = folder.rglob("sticker-0000000000000007*.mp4")
    with av.open(str(path)) as container:
        first = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert first[:4].min() > 245
    assert abs(first[10:12, 16:48].mean() - GROUND) < 15


def listed(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "emovid-export.json").read_text(encoding="utf-8"))
    return {name: value for name, value in found.items() if name != "files"}


def test_the_same_clips_give_the_same_bytes(home: Home, exports: dict[tuple[str, str], Report], tmp_path: Path) -> None:
    first = exports["musubi-tuner", "wan"].exported.folder
    again = export(home, wish("musubi-tuner", "wan"), tmp_path / "again").exported.folder
    for path in films(first):
        assert (again / path.relative_to(first)).read_bytes() == path.read_bytes()
    # Settings name the folder that they are in.
    assert listed(again) == listed(first)


def test_one_size_makes_one_bucket(home: Home, tmp_path: Path) -> None:
    found = export(home, wish("diffsynth", "wan", (Size(64, 32),)), tmp_path / "one")
    seen = list(READERS["diffsynth"](found.exported.folder))
    assert {one.size for one in seen} == {(64, 32)}
    assert {one.frames.shape[1:3] for one in seen} == {(32, 64)}
    np.testing.assert_array_equal([len(one.frames) for one in seen if "sticker" in one.name], [33] * 6)
