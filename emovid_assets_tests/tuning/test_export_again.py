"""An export that is made again: what stays, what is made, what goes, and what is never touched."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emovid_assets.core.tuning.families import FAMILIES, Size
from emovid_assets.core.tuning.trainers import TRAINERS
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import Home
from emovid_assets.resources.tuning.choosing import NothingToExportError, Wish
from emovid_assets.resources.tuning.export import Report, export
from emovid_assets.resources.tuning.manifest import LOCK, NotOursError
from emovid_assets.resources.workers import kept_alive
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.tuning.homes import CLIPS, Clip, even, plant_tables, planted_home, write_clip_file

ONCE = {"movie": 1, "animation": 1, "sticker": 1}
TRAINED = {clip.clip_id for clip in CLIPS if clip.split == "train"} - {"animation-0000000000000006-00000000-00000100"}


@pytest.fixture(scope="module", autouse=True)
def workers() -> Iterator[None]:
    with kept_alive():
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return planted_home(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "export"


def again(home: Home, folder: Path, *, frames: int = 17, trainer: str = "musubi-tuner") -> Report:
    family = replace(FAMILIES["wan"], frames=frames)
    return export(home, Wish(TRAINERS[trainer], family, (Size(64, 64),), frames), folder)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOCK
    }


def did(report: Report) -> tuple[int, int, int]:
    return report.made_count, report.there_count, report.removed_count


def test_what_is_there_and_whole_is_not_made_again(home: Home, folder: Path) -> None:
    assert did(again(home, folder)) == (6, 0, 0)
    before = content(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("clips/**/*") if path.is_file()}
    assert did(again(home, folder)) == (0, 6, 0)
    assert content(folder) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_clip_that_was_damaged_or_lost_is_made_again(home: Home, folder: Path) -> None:
    again(home, folder)
    before = content(folder)
    first, second, third, *_ = sorted(folder.rglob("*.mp4"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    flipped = bytearray(third.read_bytes())
    flipped[-1] ^= 1
    third.write_bytes(flipped)
    next(folder.rglob("*.txt")).write_text("cut\noff", encoding="utf-8")
    assert did(again(home, folder)) == (3, 3, 0)
    assert content(folder) == before


def test_a_clip_that_left_the_split_goes_and_a_new_one_comes(home: Home, folder: Path) -> None:
    again(home, folder)
    gone = next(clip for clip in CLIPS if clip.domain == "animation" and clip.clip_id in TRAINED)
    new = Clip("movie-0000000000000009-00000000-00002000", "movie", "z.mp4", *even(20, 10), 64, 64)
    write_clip_file(home.media / "clips" / new.file, new)
    clips = [*(replace(clip, split="unused") if clip == gone else clip for clip in CLIPS), new]
    plant_tables(home, clips, ONCE)
    report = again(home, folder)
    assert did(report) == (1, 5, 1)
    names = {path.stem for path in folder.rglob("*.mp4")}
    assert names == TRAINED - {gone.clip_id} | {new.clip_id}
    assert {path.stem for path in folder.rglob("*.txt")} == names
    assert not (folder / "clips" / "animation-64x64").exists()
    assert "animation" not in (folder / "dataset.toml").read_text(encoding="utf-8")


def test_a_caption_that_changed_makes_no_clip_again(home: Home, folder: Path) -> None:
    again(home, folder)
    plant_tables(home, [replace(clip, caption="Another thing.") for clip in CLIPS], ONCE)
    assert did(again(home, folder)) == (0, 6, 0)
    for path in folder.rglob("*.txt"):
        assert path.read_text(encoding="utf-8") == 'Another thing. The video is in the "awe" emotion.\n'


def test_other_numbers_of_frames_make_the_clips_that_differ_again(home: Home, folder: Path) -> None:
    again(home, folder, frames=17)
    report = again(home, folder, frames=33)
    # One clip lasts a second, which is 13 frames of 16 either way.
    assert did(report) == (5, 1, 0)
    assert json.loads((folder / "emovid-export.json").read_text(encoding="utf-8"))["frames"] == 33


def test_a_source_that_changed_makes_its_clip_again(home: Home, folder: Path) -> None:
    again(home, folder)
    other = replace(CLIPS[0], starts=CLIPS[0].starts[:60], end=CLIPS[0].starts[60])
    write_clip_file(home.media / "clips" / other.file, other)
    plant_tables(home, [other, *CLIPS[1:]], ONCE)
    assert did(again(home, folder)) == (1, 5, 0)


def test_files_of_others_stay_wherever_they_lie(home: Home, folder: Path) -> None:
    again(home, folder)
    cache = folder / "cache" / "movie-64x64" / "latents.safetensors"
    cache.parent.mkdir(parents=True)
    strange = [cache, folder / "clips" / "movie-64x64" / "notes.md", folder / "mine.toml"]
    for path in strange:
        path.write_text("mine", encoding="utf-8")
    plant_tables(home, [clip for clip in CLIPS if clip.domain == "sticker"], ONCE)
    plant_tables(home, [replace(c, split="unused") if c.domain != "sticker" else c for c in CLIPS], ONCE)
    again(home, folder)
    assert {path.read_text(encoding="utf-8") for path in strange} == {"mine"}
    assert {path.stem.partition("-")[0] for path in folder.rglob("*.mp4")} == {"sticker"}


def test_a_clip_that_somebody_changed_is_not_removed(home: Home, folder: Path) -> None:
    again(home, folder)
    (path,) = folder.rglob("animation-*.mp4")
    path.write_bytes(b"mine")
    plant_tables(home, [replace(c, split="unused") if c.domain == "animation" else c for c in CLIPS], ONCE)
    report = again(home, folder)
    assert report.strangers == [path.relative_to(folder).as_posix()]
    assert path.read_bytes() == b"mine"


def test_settings_that_somebody_changed_stay_and_the_new_ones_lie_beside(home: Home, folder: Path) -> None:
    again(home, folder)
    settings = folder / "launch.sh"
    mine = settings.read_text(encoding="utf-8").replace("models/", "/big/models/")
    settings.write_text(mine, encoding="utf-8")
    assert again(home, folder).kept == ["launch.sh"]
    assert not (folder / "launch.sh.new").exists()
    datasets = (folder / "dataset.toml").read_text(encoding="utf-8")
    (folder / "dataset.toml").write_text("# mine\n" + datasets, encoding="utf-8")
    plant_tables(home, [replace(c, split="unused") if c.domain == "animation" else c for c in CLIPS], ONCE)
    for _ in range(2):
        assert again(home, folder).kept == ["dataset.toml", "launch.sh"]
        assert settings.read_text(encoding="utf-8") == mine
        assert (folder / "dataset.toml").read_text(encoding="utf-8") == "# mine\n" + datasets
        assert "animation" not in (folder / "dataset.toml.new").read_text(encoding="utf-8")
    (folder / "dataset.toml").unlink()
    again(home, folder)
    assert "animation" not in (folder / "dataset.toml").read_text(encoding="utf-8")
    assert not (folder / "dataset.toml.new").exists()


@pytest.mark.parametrize("name", ["a.mp4", ".hidden", "emovid.toml"])
def test_a_folder_with_anything_else_is_refused_and_left_as_it_is(home: Home, folder: Path, name: str) -> None:
    folder.mkdir()
    (folder / name).write_text("mine", encoding="utf-8")
    with pytest.raises(NotOursError, match="give a new folder"):
        again(home, folder)
    assert content(folder) == {name: b"mine"}


def test_an_export_for_another_trainer_is_refused(home: Home, folder: Path) -> None:
    again(home, folder)
    before = content(folder)
    with pytest.raises(NotOursError, match="is an export for musubi-tuner and wan"):
        again(home, folder, trainer="diffsynth")
    assert content(folder) == before


def test_a_list_that_was_damaged_is_refused(home: Home, folder: Path) -> None:
    again(home, folder)
    (folder / "emovid-export.json").write_text("{", encoding="utf-8")
    with pytest.raises(NotOursError, match="cannot be read"):
        again(home, folder)


def test_a_file_in_the_place_of_the_folder_is_refused(home: Home, folder: Path) -> None:
    folder.write_text("mine", encoding="utf-8")
    with pytest.raises(NotOursError, match="is a file"):
        again(home, folder)


def test_two_exports_into_one_folder_do_not_run_at_once(home: Home, folder: Path) -> None:
    again(home, folder)
    with locked(folder / LOCK), pytest.raises(NotOursError, match="another export"):
        again(home, folder)


def test_an_empty_split_is_told_and_leaves_an_older_export_alone(home: Home, folder: Path) -> None:
    again(home, folder)
    before = content(folder)
    plant_tables(home, [replace(clip, split="benchmark") for clip in CLIPS], ONCE)
    with pytest.raises(NothingToExportError, match="is in `train` of benchmark_split"):
        again(home, folder)
    assert content(folder) == before


def test_a_home_that_was_not_built_is_told_to_build(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "home").mkdir()
    with pytest.raises(NothingToExportError, match="run: emovid build"):
        again(Home(tmp_path / "home"), folder)
    assert not folder.exists()


def test_clips_that_cannot_be_read_are_left_out_and_all_others_written(home: Home, folder: Path) -> None:
    (home.media / "clips" / "a.mp4").unlink()
    (home.media / "clips" / "b.mp4").write_bytes(b"nothing")
    report = again(home, folder)
    assert did(report) == (4, 0, 0)
    assert not list(folder.rglob("*.tmp"))
    reasons = [reason for _, reason in report.left_out.reasons.values()]
    assert sum(reason.startswith("The clip file is gone") for reason in reasons) == 1
    assert sum("is not a video" in reason or "No decoder" in reason for reason in reasons) == 1


def test_an_export_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    clips = [
        Clip(f"movie-00000000000000{number:02d}-00000000-00003000", "movie", f"{number}.mp4", *even(48, 16), 64, 64)
        for number in range(24)
    ]
    home = planted_home(tmp_path / "home", clips)
    command = [sys.executable, "-m", "emovid_assets.cli", "train", "export", "--for", "diffsynth", "--size", "320x320"]
    command += ["--frames", "45", "-o"]
    environment = {**os.environ, "EMOVID_HOME": str(home.root), "PYTHONPATH": str(ROOT)}
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen([*command, str(killed)], env=environment, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while len(list(killed.rglob("*.mp4"))) < 5:
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = len(list(killed.rglob("*.mp4")))
    assert 5 <= there < 24
    assert not (killed / "emovid-export.json").exists()
    done = subprocess.run([*command, str(killed)], env=environment, capture_output=True, text=True, check=True)
    assert f"{24 - there} encoded, {there} there already, 0 removed" in done.stdout
    subprocess.run([*command, str(whole)], env=environment, stdout=subprocess.DEVNULL, check=True)
    assert {name: data for name, data in content(killed).items() if name.endswith((".mp4", ".csv"))} == {
        name: data for name, data in content(whole).items() if name.endswith((".mp4", ".csv"))
    }
    assert content(killed).keys() == content(whole).keys()
