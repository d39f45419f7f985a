"""Which frames a model sees: where they stand in a clip, how large they are, how they are coloured."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emovid_assets.core.video.errors import PASSING, MediaError
from emovid_assets.core.video.sampled import fitted
from emovid_assets.core.vlm.frames import motion, read, uniform
from emovid_assets_tests.media.making import scenery, write_video


def test_uniform_stamps_are_the_middles_of_equal_parts() -> None:
    assert uniform(8.0, 200, 4) == [1.0, 3.0, 5.0, 7.0]
    assert uniform(8.0, 2, 4) == [2.0, 6.0], "no more stamps than frames"
    assert uniform(0.0, 1, 8) == [0.0]


def test_motion_puts_frames_where_something_happens() -> None:
    stamps = [0.0, 1.0, 2.0, 3.0, 4.0]
    # Nothing until the second second, then the same change in each of two.
    assert motion(5.0, 100, 2, stamps, [0, 0, 0, 10, 10]) == pytest.approx([2.5, 3.5])
    assert motion(5.0, 100, 4, stamps, [0, 0, 0, 30, 10]) == pytest.approx([2 + 1 / 6, 2.5, 2 + 5 / 6, 3.5])


def test_motion_of_a_still_clip_is_uniform() -> None:
    assert motion(8.0, 100, 4, [0.0, 1.0], [0.0, 0.0]) == uniform(8.0, 100, 4) == motion(8.0, 100, 4, [], [])


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 20))
def test_motion_stamps_ascend_inside_the_clip_and_part_the_change_equally(changes: list[int], count: int) -> None:
    stamps = [0.04 * (index + 1) for index in range(len(changes))]
    found = motion(stamps[-1], 1000, count, stamps, changes)
    assert len(found) == count
    assert found == sorted(found)
    assert 0 <= found[0] <= found[-1] <= stamps[-1]
    if sum(changes):
        sums = np.interp(found, [0.0, *stamps], np.cumsum([0, *changes]))
        np.testing.assert_allclose(sums, (np.arange(count) + 0.5) * sum(changes) / count, atol=1e-6 * sum(changes))


@pytest.mark.parametrize(("size", "side", "expected"), [((640, 360), 224, (224, 126)), ((90, 160), 448, (90, 160))])
def test_frames_are_made_smaller_in_proportion_and_never_larger(
    size: tuple[int, int], side: int, expected: tuple[int, int]
) -> None:
    assert fitted(*size, side) == expected
    assert fitted(9000, 3, 16) == (16, 1)


def film(path: Path, count: int = 25, height: int = 120, width: int = 200) -> list[np.ndarray]:
    frames = [scenery(3, index, height, width) for index in range(count)]
    write_video(path, frames)
    return frames


def test_frames_are_the_nearest_ones_made_smaller_by_areas(tmp_path: Path) -> None:
    frames = film(tmp_path / "a.mov")
    found = read(tmp_path / "a.mov", [0.1, 0.5, 0.93], 100)
    # 25 frames per second: 0.1 s lies between two frames, of which the later is shown.
    assert [stamp for stamp, _ in found] == pytest.approx([0.12, 0.52, 0.92], abs=0.021)
    for stamp, pixels in found:
        expected = cv2.resize(frames[round(stamp * 25)], (100, 60), interpolation=cv2.INTER_AREA)
        assert pixels.shape == (60, 100, 3)
        assert np.abs(pixels.astype(float) - expected).mean() < 1.5


def test_a_frame_that_is_nearest_to_several_stamps_comes_once(tmp_path: Path) -> None:
    film(tmp_path / "a.mov", 2)
    assert [stamp for stamp, _ in read(tmp_path / "a.mov", [0.0, 0.005, 0.01, 0.04, 9.0], 64)] == [0.0, 0.04]


def test_transparency_is_white_before_colours_are_mixed(tmp_path: Path) -> None:
    """Left half transparent black, right half opaque red: a scaler that mixed before would show a dark seam."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, 32:] = (255, 0, 0, 255)
    stills = [Image.fromarray(pixels), Image.fromarray(np.roll(pixels, 1, axis=1))]
    stills[0].save(tmp_path / "a.webp", save_all=True, append_images=stills[1:], lossless=True, duration=100)
    (_, small), *_ = read(tmp_path / "a.webp", [0.0], 16)
    assert small.shape == (16, 16, 3)
    assert (small[:, :7] >= 250).all()
    assert small[..., 0].min() >= 250, "red and white both have full red"


def test_a_file_without_pictures_is_refused_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no film")
    with pytest.raises(MediaError):
        read(tmp_path / "a.mp4", [0.0], 64)


def test_a_file_that_is_gone_or_closed_to_us_may_be_there_the_next_time(tmp_path: Path) -> None:
    with pytest.raises(MediaError) as gone:
        read(tmp_path / "a.mp4", [0.0], 64)
    with pytest.raises(MediaError) as folder:
        read(tmp_path, [0.0], 64)
    assert {gone.value.code, folder.value.code} == {"vanished", "unreadable"} <= PASSING
