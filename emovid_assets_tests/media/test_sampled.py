"""Frames by their stamps: the ones that were sampled from the source."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.sampled import sampled_frames
from emovid_assets_tests.media.making import coded, write_video


def film(path: Path, count: int = 30, **options: object) -> list[np.ndarray]:
    frames = [coded(index) for index in range(count)]
    write_video(path, frames, **options)
    return frames


@pytest.mark.parametrize("nudge_s", [0.0, 0.001, -0.001, 0.015])
def test_the_frame_nearest_to_a_stamp_is_found_though_containers_round_stamps(tmp_path: Path, nudge_s: float) -> None:
    frames = film(tmp_path / "a.mov", fps=25)
    found = list(sampled_frames(tmp_path / "a.mov", [index / 25 + nudge_s for index in (0, 7, 20)]))
    for pixels, index in zip(found, (0, 7, 20), strict=True):
        assert np.array_equal(pixels, frames[index])


def test_stamps_are_of_presentation_where_frames_are_not_evenly_spaced(tmp_path: Path) -> None:
    frames = film(
        tmp_path / "a.mkv", 4, pts=[300, 400, 410, 800], time_base=Fraction(1, 1000), codec="ffv1", pix_fmt="bgr0"
    )
    # Counted from the first frame, whenever that is shown.
    found = list(sampled_frames(tmp_path / "a.mkv", [0.0, 0.1, 0.11, 0.5]))
    assert [np.array_equal(pixels, frame) for pixels, frame in zip(found, frames, strict=True)] == [True] * 4


def test_a_stamp_beyond_the_end_gives_the_last_frame_and_no_stamps_give_none(tmp_path: Path) -> None:
    frames = film(tmp_path / "a.mov", 5)
    assert np.array_equal(next(iter(sampled_frames(tmp_path / "a.mov", [9.0]))), frames[4])
    assert list(sampled_frames(tmp_path / "a.mov", [])) == []


def test_a_file_that_is_no_video_is_refused_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no film")
    with pytest.raises(MediaError) as refusal:
        list(sampled_frames(tmp_path / "a.mp4", [0.0]))
    assert refusal.value.code in ("not_a_video", "corrupt_container")
