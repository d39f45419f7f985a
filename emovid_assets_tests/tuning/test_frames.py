"""A clip as a generator is trained on it: which picture is shown at which tick, and which part of it is seen."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from emovid_assets.core.tuning.families import FAMILIES, Family, Size
from emovid_assets.core.tuning.frames import read_frames
from emovid_assets.core.video.at_rate import frames_at_rate
from emovid_assets.core.video.errors import MediaError
from emovid_assets_tests.media.making import coded, write_animation, write_video

WAN = FAMILIES["wan"]
SIZE = Size(32, 32)


def numbers(path: Path, rate: int = 16, most: int = 1000, **options: object) -> list[int]:
    """Which frame of the file is shown at each tick."""
    return [frame.index for frame in frames_at_rate(path, Fraction(rate), most=most, **options)]  # type: ignore[arg-type]


def shown_by_hand(starts: list[Fraction], end: Fraction, rate: int) -> list[int]:
    """The last frame whose stamp is not after the tick, by looking at all of them."""
    ticks = [Fraction(tick, rate) for tick in range(10_000) if Fraction(tick, rate) < end]
    return [max(number for number, start in enumerate(starts) if start <= tick) for tick in ticks]


def film(path: Path, count: int, fps: int | Fraction) -> Path:
    return write_video(path, [coded(number) for number in range(count)], fps=fps)


@pytest.mark.parametrize("fps", [8, 10, 12, 16, 24, 25, 30, 60])
def test_a_film_of_any_rate_keeps_its_speed(tmp_path: Path, fps: int) -> None:
    path = film(tmp_path / "a.mov", 2 * fps, fps)
    assert numbers(path) == shown_by_hand([Fraction(number, fps) for number in range(2 * fps)], Fraction(2), 16)
    assert len(numbers(path)) == 32


def test_a_film_that_has_the_rate_already_is_taken_picture_by_picture_though_its_stamps_are_rounded(
    tmp_path: Path,
) -> None:
    path = write_video(
        tmp_path / "a.mkv", [coded(number) for number in range(48)], fps=24, codec="ffv1", pix_fmt="bgr0"
    )
    assert numbers(path, rate=24) == list(range(48))


def test_of_a_varying_rate_the_stamps_count(tmp_path: Path) -> None:
    stamps = [0, 100, 150, 700, 710]
    path = write_video(
        tmp_path / "a.mov",
        [coded(number) for number in range(5)],
        pts=stamps,
        time_base=Fraction(1, 1000),
        last_duration=290,
    )
    assert numbers(path) == shown_by_hand([Fraction(stamp, 1000) for stamp in stamps], Fraction(1), 16)


def test_a_sticker_that_ends_is_played_again_in_its_own_time(tmp_path: Path) -> None:
    path = write_animation(tmp_path / "a.gif", [coded(number) for number in range(3)], [100, 200, 200])
    starts = [Fraction(play, 2) + Fraction(start, 10) for play in range(11) for start in (0, 1, 3)]
    wanted = shown_by_hand(starts, Fraction(81, 16), 16)
    assert len(numbers(path)) == 8
    assert numbers(path, most=81, then="again") == [number % 3 for number in wanted]
    assert numbers(path, most=12, then="stay") == [*numbers(path), 2, 2, 2, 2]


def test_a_short_film_gives_the_largest_number_that_its_family_is_trained_on(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", 31, 16)
    assert len(read_frames(path, WAN, SIZE, frames=81, is_again=False)) == 29
    assert len(read_frames(path, WAN, SIZE, frames=81, is_again=False, more=2)) == 31
    assert len(read_frames(path, WAN, SIZE, frames=81, is_again=False, more=3)) == 28
    assert len(read_frames(path, WAN, SIZE, frames=18, is_again=False)) == 17
    assert len(read_frames(path, WAN, SIZE, frames=81, is_again=True)) == 81
    assert len(read_frames(path, FAMILIES["cogvideox"], SIZE, frames=49, is_again=False)) == 9
    assert read_frames(path, WAN, SIZE, frames=81, is_again=False, more=31).shape == (0, 32, 32, 3)


def test_a_long_film_is_read_no_further_than_it_must(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", 400, 16)
    frames = read_frames(path, WAN, SIZE, frames=9, is_again=False)
    np.testing.assert_array_equal(frames[:, 0, 0], [coded(number)[0, 0] for number in range(9)])


def halves(height: int, width: int) -> np.ndarray:
    """Red left, green right, a blue line around the middle row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = pixels[:, width // 2 :, 1] = 255
    return pixels


@pytest.mark.parametrize(
    ("rows", "columns", "size"), [(48, 96, Size(32, 32)), (96, 48, Size(32, 32)), (30, 40, Size(64, 32))]
)
def test_nothing_is_squeezed_and_the_middle_stays(tmp_path: Path, rows: int, columns: int, size: Size) -> None:
    centre, across = (rows / 2, columns / 2), min(rows, columns) / 4
    y, x = np.mgrid[:rows, :columns] + 0.5
    disc = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2 < across**2)[..., None] * np.full(3, 255, np.uint8)
    path = write_video(tmp_path / "a.mov", [disc.astype(np.uint8)] * 8, fps=16)
    frame = read_frames(path, WAN, size, frames=5, is_again=False)[0]
    assert frame.shape == (size.height_px, size.width_px, 3)
    lit = frame[..., 0] > 127
    tall, wide = lit.any(axis=1).sum(), lit.any(axis=0).sum()
    assert abs(int(tall) - int(wide)) <= 1
    np.testing.assert_allclose(np.argwhere(lit).mean(axis=0) + 0.5, [size.height_px / 2, size.width_px / 2], atol=0.6)


def test_pixels_that_are_not_square_are_shown_in_their_shape(tmp_path: Path) -> None:
    # 32 coded columns of double width are a picture of 64 by 32: what fits a square is its middle half.
    path = write_video(
        tmp_path / "a.mp4",
        [np.repeat(np.repeat(halves(2, 4), 16, axis=0), 8, axis=1)] * 8,
        fps=16,
        codec="libx264",
        pix_fmt="yuv420p",
        options={"crf": "1"},
        aspect=Fraction(2, 1),
    )
    frame = read_frames(path, WAN, Size(64, 32), frames=5, is_again=False)[0]
    assert abs(int((frame[..., 0] > 127).any(axis=0).sum()) - 32) <= 1
    square = read_frames(path, WAN, SIZE, frames=5, is_again=False)[0]
    assert abs(int((square[..., 0] > 127).any(axis=0).sum()) - 16) <= 1


def test_what_is_transparent_lies_over_white(tmp_path: Path) -> None:
    hidden = np.zeros((24, 32, 4), np.uint8)
    hidden[:, :16] = (255, 0, 0, 255)
    other = hidden.copy()
    other[0, 0] = (0, 0, 255, 255)
    path = write_animation(tmp_path / "a.png", [hidden, other], 250)
    frame = read_frames(path, WAN, Size(32, 16), frames=5, is_again=True)[0]
    np.testing.assert_array_equal(frame[8, 4], [255, 0, 0])
    np.testing.assert_array_equal(frame[8, 28], [255, 255, 255])


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(MediaError):
        read_frames(tmp_path / "a.mp4", WAN, SIZE, frames=5, is_again=False)


def test_all_families_are_read_at_their_rate(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", 150, 50)

    def count(family: Family) -> int:
        return len(read_frames(path, family, Size(32, 32), frames=500, is_again=False))

    # Three seconds are 48, 72, 24 and 75 ticks.
    counted = {name: count(family) for name, family in FAMILIES.items()}
    assert counted == {
        "wan": 45,
        "wan2.2-5b": 69,
        "hunyuanvideo": 69,
        "cogvideox": 17,
        "ltx-video": 73,
        "ltx-2": 65,
    }
