"""Flicker: VBench's formula on what OpenCV reads, the common settings by hand, and what moves either."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from emovid_assets.core.generation.flicker import Common, FlickerMeter, NearestShown
from emovid_assets.core.video.errors import MediaError
from emovid_assets_tests.generation.measuring import COMMON, exactly, measured
from emovid_assets_tests.media.making import scenery, write_video

REAL = (
    "movie/chaplin_silent_640x360.mp4",
    "movie/obama_statement_320x240.mp4",
    "animation/penny_and_chip_splash.mp4",
    "sticker/awe__sparkles.gif",
)


def film(count: int = 40, scene: int = 0) -> list[np.ndarray]:
    return [scenery(scene, index, 48, 64) for index in range(count)]


def vbench_score(path: Path) -> float:
    """As `temporal_flickering.py` of VBench 0.1.5: frames by OpenCV, the mean of cv2.absdiff over neighbours."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        is_read, frame = capture.read()
        if not is_read:
            break
        frames.append(frame)
    capture.release()
    changes = [np.mean(cv2.absdiff(np.array(one), np.array(two))) for one, two in pairwise(frames)]
    return float((255.0 - np.array(changes).mean()) / 255.0)


@pytest.mark.corpus
@pytest.mark.parametrize("name", REAL[:3])
def test_native_flicker_is_one_less_vbenchs_score_on_real_clips(corpus: Path, name: str) -> None:
    path = corpus / name
    assert 1 - measured(path)["flicker_native"] == pytest.approx(vbench_score(path), abs=1e-12)


def all_frames(path: Path) -> tuple[list[float], list[av.VideoFrame], float]:
    """Seconds from the first frame, the frames, and the length in seconds."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    tick = frames[0].time_base
    stamps = [float((frame.pts - frames[0].pts) * tick) for frame in frames]
    return stamps, frames, stamps[-1] + float(frames[-1].duration * tick)


@pytest.mark.corpus
@pytest.mark.parametrize("name", REAL)
def test_common_flicker_is_that_of_the_frames_nearest_to_each_eighth_of_a_second_made_smaller_by_areas(
    corpus: Path, name: str
) -> None:
    stamps, frames, length_s = all_frames(corpus / name)
    found = measured(corpus / name)["flicker_common"]
    if length_s < 1.9:
        assert found is None
        return
    chosen = [frames[int(np.argmin(np.abs(np.array(stamps) - number / 8)))] for number in range(16)]
    scale = 256 / min(frames[0].width, frames[0].height)
    size = round(frames[0].width * scale), round(frames[0].height * scale)
    full = [frame.to_ndarray(format="rgb24") for frame in chosen]
    small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.float64) for one in full]
    by_hand = np.mean([np.abs(one - two).mean() for one, two in pairwise(small)]) / 255
    # libswscale's areas are not to the bit those of OpenCV, and it makes pictures larger in another way.
    assert found == pytest.approx(by_hand, rel=0.02 if scale < 1 else 0.04)


def test_a_film_that_is_written_without_loss_has_the_flicker_of_its_arrays(tmp_path: Path) -> None:
    frames = film()
    by_hand = np.mean([np.abs(a.astype(float) - b).mean() for a, b in pairwise(frames)]) / 255
    assert exactly(tmp_path / "film.mov", frames)["flicker_native"] == pytest.approx(by_hand, abs=1e-12)


def noisy(frames: list[np.ndarray], spread: float) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for frame in frames:
        yield np.clip(frame + random.normal(0, spread, frame.shape), 0, 255).astype(np.uint8)


def test_noise_flickers_more_and_blur_less(tmp_path: Path) -> None:
    frames = film()
    plain = exactly(tmp_path / "plain.mov", frames)
    variants = {
        "noise": list(noisy(frames, 12)),
        "more_noise": list(noisy(frames, 24)),
        "blur": [cv2.GaussianBlur(frame, (9, 9), 3) for frame in frames],
        "still": [frames[0]] * len(frames),
    }
    found = {name: exactly(tmp_path / f"{name}.mov", made) for name, made in variants.items()}
    for measure in ("flicker_native", "flicker_common"):
        value = {name: one[measure] for name, one in found.items()} | {"plain": plain[measure]}
        assert value["more_noise"] > value["noise"] > value["plain"] > value["blur"] > value["still"] == 0


def test_shuffling_the_frames_of_a_slow_change_flickers_more(tmp_path: Path) -> None:
    frames = [np.full((32, 48, 3), 40 + 4 * index, np.uint8) for index in range(40)]
    order = np.random.default_rng(1).permutation(len(frames))
    plain = exactly(tmp_path / "plain.mov", frames)
    shuffled = exactly(tmp_path / "shuffled.mov", [frames[index] for index in order])
    assert shuffled["flicker_native"] == pytest.approx(4 * np.abs(np.diff(order)).mean() / 255)
    assert shuffled["flicker_native"] > 3 * plain["flicker_native"]
    assert shuffled["flicker_common"] > plain["flicker_common"]


def test_a_film_at_twice_its_rate_has_half_the_native_flicker_and_the_same_common_one(tmp_path: Path) -> None:
    frames = [np.full((32, 48, 3), 40 + 4 * index, np.uint8) for index in range(40)]
    slow = exactly(tmp_path / "slow.mov", frames, fps=16)
    fast = exactly(tmp_path / "fast.mov", [frame for frame in frames for _ in (0, 1)], fps=32)
    assert slow["flicker_native"] == pytest.approx(4 / 255)
    assert fast["flicker_native"] == pytest.approx(4 / 255 * 39 / 79)
    assert fast["flicker_common"] == pytest.approx(slow["flicker_common"])
    assert slow["flicker_common"] == pytest.approx(8 / 255)


def test_there_is_no_flicker_of_one_frame_and_no_common_one_of_a_short_film(tmp_path: Path) -> None:
    one = exactly(tmp_path / "one.mov", film(1))
    assert (one["flicker_native"], one["flicker_common"], one["first_frame_consistency"]) == (None, None, None)
    short = exactly(tmp_path / "short.mov", film(30), fps=16)
    assert short["flicker_native"] > 0
    assert short["flicker_common"] is None
    assert exactly(tmp_path / "long_enough.mov", film(31), fps=16)["flicker_common"] > 0


def test_a_film_whose_pictures_change_their_size_is_refused() -> None:
    meter = FlickerMeter()
    meter.add(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(MediaError, match="change their size"):
        meter.add(np.zeros((4, 6, 3), np.uint8))


@pytest.mark.parametrize("seed", range(5))
def test_of_irregular_times_the_nearest_ones_are_chosen_as_a_search_over_all_finds_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    ticks = np.cumsum(random.integers(1, 200, 30)).tolist()
    shown = [int(tick - ticks[0]) / 1000 for tick in ticks]
    nearest = NearestShown[int](Common(8.0, 3.0, 64).stamps())
    found = [one for number, at in enumerate(shown) for one in nearest.add(at, number)] + list(nearest.finish())
    wanted = [number / 8 for number in range(24)]
    by_search = [max(range(30), key=lambda n, at=at: (-abs(shown[n] - at), n)) for at in wanted]  # type: ignore[misc]
    assert found == by_search


def test_a_small_film_is_made_as_large_as_the_others() -> None:
    assert COMMON.size(832, 480) == (444, 256)
    assert COMMON.size(480, 832) == (256, 444)
    assert COMMON.size(120, 100) == (307, 256)


def test_what_is_transparent_counts_as_white(tmp_path: Path) -> None:
    def frame(colour: int, alpha: int) -> np.ndarray:
        return np.dstack([np.full((16, 16, 3), colour, np.uint8), np.full((16, 16), alpha, np.uint8)])

    hidden = [frame(30 * index, 0) for index in range(4)]
    found = measured(write_video(tmp_path / "hidden.mov", hidden, codec="png", pix_fmt="rgba"))
    assert found["flicker_native"] == 0
    shown = [frame(250 if index % 2 else 255, 255) for index in range(4)]
    found = measured(write_video(tmp_path / "shown.mov", shown, codec="png", pix_fmt="rgba"))
    assert found["flicker_native"] == pytest.approx(5 / 255)
