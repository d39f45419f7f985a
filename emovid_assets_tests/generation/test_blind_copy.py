"""Copies that people compare: what stays of a video, what goes, and how files are called."""

import os
from pathlib import Path

import av
import numpy as np
import pytest

from emovid_assets.checks.proofs import Proof, proofs
from emovid_assets.core.video.blind_copy import BOX_HEIGHT_PX, BOX_WIDTH_PX, write_blind_copy
from emovid_assets.core.video.errors import MediaError
from emovid_assets.resources.blind_videos import blind_videos
from emovid_assets.resources.item_store import ItemStore
from emovid_assets_tests.assets.homes import draw_gif, rows
from emovid_assets_tests.generation.studies import TASKS, draw_video, home_with_videos, materialise
from emovid_assets_tests.planted_tables import plant


def pictures(path: Path) -> np.ndarray:
    """(frames, height, width, 3) of a file."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def hand(frames: np.ndarray) -> np.ndarray:
    """How far the bright column of `draw_video` has come, as a share of its way."""
    columns = frames.astype(float).mean(axis=(1, 3))
    bright = columns > (columns.min() + columns.max()) / 2
    centre = (bright * np.arange(frames.shape[2])).sum(axis=1) / bright.sum(axis=1)
    width = bright.sum(axis=1)
    return (centre - width / 2) / (frames.shape[2] - width)


def copy_of(source: Path, **options: object) -> Path:
    target = source.with_name("copy.mp4")
    write_blind_copy(source, target, **({"fps": 16.0, "length_s": 1.0} | options))  # type: ignore[arg-type]
    return target


def test_a_copy_shows_the_same_frames_at_the_same_times_in_a_box_of_one_size(tmp_path: Path) -> None:
    copy = copy_of(draw_video(tmp_path / "a.mp4", size=(96, 54)))
    frames = pictures(copy)
    assert frames.shape == (16, 360, BOX_WIDTH_PX, 3)
    np.testing.assert_allclose(hand(frames), np.arange(16) / 15, atol=0.04)
    with av.open(str(copy)) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.codec_context.name, stream.codec_context.pix_fmt) == (16, "h264", "yuv420p")
        assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (1, 1)
        assert not container.streams.audio
    tall = pictures(copy_of(draw_video(tmp_path / "b.mp4", size=(48, 96))))
    assert tall.shape[1:3] == (BOX_HEIGHT_PX, 190)


def test_colours_and_brightness_stay(tmp_path: Path) -> None:
    source = draw_video(tmp_path / "a.mp4", size=(640, 360), ground=120)
    before, after = pictures(source), pictures(copy_of(source))
    assert abs(before.astype(int) - after.astype(int)).mean() < 2


def test_the_longer_of_two_ends_where_the_shorter_one_does(tmp_path: Path) -> None:
    copy = copy_of(draw_video(tmp_path / "a.mp4", fps=8, seconds=3), fps=8.0, length_s=1.0)
    assert len(pictures(copy)) == 8
    np.testing.assert_allclose(hand(pictures(copy))[-1], 7 / 23, atol=0.04)


def test_an_animation_plays_at_the_rate_of_its_row(tmp_path: Path) -> None:
    copy = copy_of(draw_gif(tmp_path / "a.gif", frame_count=5, delay_ms=200), fps=10.0, length_s=1.0)
    frames = pictures(copy).astype(int)
    changed = abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)) > 0.5
    # Each picture is shown twice as long as a tick lasts.
    assert changed.tolist() == [False, True] * 4 + [False]


def test_in_a_spoiled_copy_nothing_of_the_size_of_an_object_is_left_and_it_lasts_as_long(tmp_path: Path) -> None:
    source = draw_video(tmp_path / "a.mp4", size=(640, 360))
    whole, spoiled = pictures(copy_of(source)), pictures(copy_of(source, is_spoiled=True))
    assert spoiled.shape == whole.shape
    # Columns of a block are alike but at its edges.
    steps = abs(np.diff(spoiled[0].astype(int).mean(axis=2), axis=1)).mean(axis=0)
    assert (steps > 1).sum() < 60
    assert spoiled.std() < whole.std()


def test_a_file_that_is_no_video_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError, match="No decoder recognises"):
        copy_of(tmp_path / "a.mp4")
    assert not (tmp_path / "copy.mp4").exists()


def test_names_tell_nothing_and_nothing_is_made_twice(tmp_path: Path) -> None:
    home = home_with_videos(tmp_path, {"amber": {}, "birch": {"fps": 8}}, prompts=4)
    materialise(home, TASKS)
    tasks, made_of = rows(home.root, "preference_tasks", "movie"), rows(home.root, "generated_videos", "movie")
    first = blind_videos(home, tasks, made_of)
    assert (first.made_count, first.faults) == (2 * len(tasks), {})
    files = [path for pair in first.files.values() for path in pair]
    assert len(set(files)) == len(files) == len(list(home.study_videos.iterdir()))
    assert all(len(Path(path).stem) == 16 and path.startswith("study/") for path in files)
    again = blind_videos(home, tasks, made_of)
    assert (again.made_count, again.files) == (0, first.files)


def test_copies_of_pairs_that_are_no_longer_asked_about_are_leftovers(tmp_path: Path) -> None:
    home = home_with_videos(tmp_path, {"amber": {}, "birch": {}}, prompts=4)
    materialise(home, TASKS)
    tasks, made_of = rows(home.root, "preference_tasks", "movie"), rows(home.root, "generated_videos", "movie")
    files = blind_videos(home, tasks, made_of).files
    for path in home.study_videos.iterdir():
        os.utime(path, (1, 1))
    gone = {home.media / path for path in files[tasks[0]["task_id"]]}

    def leftovers(*, repair: bool = False) -> Proof:
        return next(proof for proof in proofs(home, repair=repair) if proof.name == "leftovers")

    ItemStore(home.state).close()
    assert leftovers(repair=True).checked == 0
    plant(tmp_path, "preference_tasks", tasks[1:], "movie")
    assert leftovers().checked == len(gone) == 2
    everything = set(home.study_videos.iterdir())
    leftovers(repair=True)
    assert everything - set(home.study_videos.iterdir()) == gone


def test_a_pair_whose_video_is_gone_or_damaged_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    home = home_with_videos(tmp_path, {"amber": {}, "birch": {}}, prompts=4)
    materialise(home, TASKS)
    tasks, made_of = rows(home.root, "preference_tasks", "movie"), rows(home.root, "generated_videos", "movie")
    (home.root / made_of[0]["video_path"]).write_bytes(b"cut")
    done = blind_videos(home, tasks, [row for row in made_of if row["video_id"] != made_of[1]["video_id"]])
    of_first, of_second = (
        {task["task_id"] for task in tasks if made_of[place]["video_id"] in (task["video_a"], task["video_b"])}
        for place in (0, 1)
    )
    assert done.faults.keys() == of_first | of_second
    assert done.files.keys() == {task["task_id"] for task in tasks} - done.faults.keys()
    assert all("no longer in generated_videos" in done.faults[task_id] for task_id in of_second - of_first)
