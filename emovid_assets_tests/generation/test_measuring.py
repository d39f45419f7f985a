"""What the embedded labeller sees of a generated video is what it sees of a clip; the first frame and the others."""

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from emovid_assets.core.embedded_labeller import measured_features
from emovid_assets.core.generation.measuring import PICTURE_FEATURES, evidence_of_video, picture_features
from emovid_assets.core.video import scan
from emovid_assets.core.video.changes import Shrinker
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter
from emovid_assets.core.video.scan import scan_source
from emovid_assets.core.video.sound import silent_features
from emovid_assets.core.video.streams import ONLY
from emovid_assets.resources.generation.measure_step import tracks_of
from emovid_assets_tests.generation.measuring import SCAN, exactly, measured
from emovid_assets_tests.media.making import scenery, write_video


def film(count: int = 45, height: int = 48, width: int = 64) -> list[np.ndarray]:
    return [scenery(0, index, height, width) for index in range(count)]


def scanned_alike(path: Path, folder: Path) -> None:
    """The scan that clips go through gives the same features and colours, without its sound."""
    found = measured(path)
    [segment] = scan_source(path, tracks_of(path, is_ours=False), "movie-0123456789abcdef", SCAN, folder)["segments"]
    of_clip = segment["features"] | silent_features() | {"duration_s": segment["duration_s"]}
    assert found["features"] == of_clip
    assert found["colour"] == list(segment["colour"])
    assert found["frame_count"] == segment["end_frame"]


@pytest.mark.parametrize("width", [64, 768, 832])
def test_features_and_colours_are_those_of_a_clip_of_the_same_file(tmp_path: Path, width: int) -> None:
    path = tmp_path / "film.mp4"
    write_video(path, film(45, 64, width), codec="libx264", pix_fmt="yuv420p", colour_tag=1)
    scanned_alike(path, tmp_path)


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name", ["movie/obama_statement_320x240.mp4", "sticker/awe__sparkles.gif", "sticker/awe__star-struck.webp"]
)
def test_features_and_colours_are_those_of_a_clip_of_the_same_real_file(
    corpus: Path, tmp_path: Path, name: str
) -> None:
    scanned_alike(corpus / name, tmp_path)


def test_a_picture_is_kept_whole_where_only_rows_of_it_would_be_converted_and_comes_out_equally_small(
    tmp_path: Path,
) -> None:
    # 768 pixels are three times 256: the scan converts every third row alone.
    path = write_video(tmp_path / "wide.mp4", film(3, 96, 768), codec="libx264", pix_fmt="yuv420p", colour_tag=1)
    (first, *_) = [frame.picture for frame in Video(path, ONLY).frames()]
    rows, whole = Shrinker(first, RgbConverter()), Shrinker(first, RgbConverter(), is_whole=True)
    assert np.array_equal(rows(first)[..., :3], whole(first)[..., :3])
    assert np.array_equal(whole.whole[..., :3], first.to_ndarray(format="bgr24"))


def test_a_film_is_opened_once_and_nobody_is_shown_a_thumbnail_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "film.mp4", film(), codec="libx264", pix_fmt="yuv420p", colour_tag=1)
    opened: list[str] = []
    open_of = av.open

    def noted(name: str, *rest: Any, **options: Any) -> Any:
        opened.append(name)
        return open_of(name, *rest, **options)

    monkeypatch.setattr(av, "open", noted)
    monkeypatch.setattr(scan, "_thumbnail", None)
    assert measured(path, is_ours=True)["frame_count"] == 45
    assert opened == [str(path)]


def test_the_features_for_distances_are_the_first_ones_and_know_neither_length_nor_sound(tmp_path: Path) -> None:
    short = measured(write_video(tmp_path / "short.mov", [np.full((32, 48, 3), 99, np.uint8)] * 21))
    long = measured(write_video(tmp_path / "long.mov", [np.full((32, 48, 3), 99, np.uint8)] * 81))
    clips = [evidence_of_video("0123456789abcdef", "movie", one) for one in (short, long)]
    vectors = [picture_features(clip) for clip in clips]
    assert vectors[0].shape == (PICTURE_FEATURES,)
    assert np.array_equal(vectors[0], vectors[1])
    assert np.array_equal(vectors[0], measured_features(clips[0])[:PICTURE_FEATURES])
    assert not np.array_equal(measured_features(clips[0]), measured_features(clips[1]))


def test_a_film_of_one_palette_is_consistent_and_the_more_colours_change_the_less_it_is(tmp_path: Path) -> None:
    plain = np.full((64, 64, 3), (200, 30, 30), np.uint8)
    half = plain.copy()
    half[:, 32:] = (30, 30, 200)
    other = np.full((64, 64, 3), (30, 200, 30), np.uint8)
    assert exactly(tmp_path / "same.mov", [plain] * 5)["first_frame_consistency"] == pytest.approx(1)
    # Half of the pixels keep their colour: the square root of a half; none: nothing.
    found = exactly(tmp_path / "half.mov", [plain, half, half])["first_frame_consistency"]
    assert found == pytest.approx(np.sqrt(0.5))
    found = exactly(tmp_path / "other.mov", [plain, plain, other])["first_frame_consistency"]
    assert found == pytest.approx(0.5)


def test_a_long_film_is_compared_with_its_first_frame_all_along(tmp_path: Path) -> None:
    first, later = np.full((32, 32, 3), 20, np.uint8), np.full((32, 32, 3), 220, np.uint8)
    found = exactly(tmp_path / "long.mov", [first] * 300 + [later] * 301)["first_frame_consistency"]
    assert found == pytest.approx(299 / 600)


def test_noise_and_blur_leave_the_palette_less_alike_than_nothing(tmp_path: Path) -> None:
    frames = film()
    noise = np.random.default_rng(0).normal(0, 40, frames[0].shape)
    noisy = [frames[0], *(np.clip(frame + noise, 0, 255).astype(np.uint8) for frame in frames[1:])]
    blurred = [frames[0], *(cv2.GaussianBlur(frame, (15, 15), 6) for frame in frames[1:])]
    plain = exactly(tmp_path / "plain.mov", frames)["first_frame_consistency"]
    for name, made in (("noisy", noisy), ("blurred", blurred)):
        assert exactly(tmp_path / f"{name}.mov", made)["first_frame_consistency"] < plain
