"""The hash over all pictures of a clip, against a reader that shares no line with it, and hashes to the eye."""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.fingerprints import FLAT, feed, film_pictures, fingerprint, picture_hash
from emovid_assets_tests.media.hashed_pictures import sha256_of_pictures
from emovid_assets_tests.media.making import rotate_display, write_animation, write_video

H264 = {"codec": "libx264", "pix_fmt": "yuv420p"}


def pictures(count: int, width: int = 64, height: int = 48, seed: int = 0) -> list[np.ndarray]:
    """A window that moves over a landscape of noise."""
    chance = np.random.default_rng(seed)
    ground = cv2.resize(chance.integers(0, 256, (12, 24, 3), np.uint8), (width * 3, height * 2))
    return [np.ascontiguousarray(ground[n % height : n % height + height, n : n + width]) for n in range(count)]


@pytest.mark.parametrize(
    ("name", "size", "options"),
    [
        ("even.mp4", (64, 48), H264),
        # FFmpeg pads rows to 32 bytes and more.
        ("padded.mp4", (70, 50), H264),
        ("odd.webm", (67, 45), {"codec": "libvpx-vp9", "pix_fmt": "yuv420p"}),
        ("vp8.webm", (67, 45), {"codec": "libvpx", "pix_fmt": "yuv420p"}),
        ("ten_bits.mp4", (70, 50), {"codec": "libx264", "pix_fmt": "yuv420p10le"}),
        ("all_chroma.mp4", (67, 45), {"codec": "libx264", "pix_fmt": "yuv444p"}),
        ("full_range.mp4", (64, 48), {"codec": "libx264", "pix_fmt": "yuvj420p"}),
    ],
)
def test_the_hash_over_all_pictures_is_what_the_docs_say(
    tmp_path: Path, name: str, size: tuple[int, int], options: dict[str, Any]
) -> None:
    path = write_video(tmp_path / name, pictures(30, *size), **options)
    found = fingerprint(path)
    assert found.picture_count == 30
    assert found.picture_sha256 == sha256_of_pictures(path)
    assert found.picture_sha256 == sha256_of_pictures(path, threads=4)


def test_the_container_and_the_sound_do_not_count_but_every_pixel_does(tmp_path: Path) -> None:
    frames = pictures(20)
    lossless = {**H264, "options": {"qp": "0"}}
    one = write_video(tmp_path / "one.mp4", frames, **lossless)
    other = write_video(tmp_path / "other.mkv", frames, sound=np.zeros(20_000, np.float32), **lossless)
    assert fingerprint(one).picture_sha256 == fingerprint(other).picture_sha256
    frames[19] = frames[19].copy()
    frames[19][40:, 60:] ^= 128
    changed = write_video(tmp_path / "changed.mp4", frames, **lossless)
    assert fingerprint(changed).picture_sha256 != fingerprint(one).picture_sha256


def test_formats_whose_bytes_say_more_than_the_picture_are_refused() -> None:
    for name in ("pal8", "bgr0", "monob", "rgb555le"):
        picture = av.VideoFrame(16, 8, name)
        with pytest.raises(MediaError, match=f"Pictures of {name} are not hashed"):
            feed(hashlib.sha256(), picture)


def test_the_first_picture_the_last_and_those_a_quarter_of_a_second_apart_are_hashed_to_the_eye(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", pictures(32), fps=24, **H264)
    found = fingerprint(film)
    assert found.hash_times_s == pytest.approx([0, 6 / 24, 12 / 24, 18 / 24, 24 / 24, 30 / 24, 31 / 24])
    assert len(set(found.picture_hashes)) == len(found.picture_hashes) == 7
    uneven = write_video(
        tmp_path / "uneven.mp4", pictures(4), pts=[0, 240, 260, 700], time_base=Fraction(1, 1000), **H264
    )
    assert fingerprint(uneven).hash_times_s == pytest.approx([0, 0.26, 0.7])


def test_all_pictures_of_a_film_have_the_hashes_that_its_fingerprint_has(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", pictures(60), **H264)
    found, all_of_it = fingerprint(film), film_pictures(film)
    times_s = (all_of_it.pts * all_of_it.tick_s).tolist()
    by_time = {
        round(time_s, 3): f"{bits:016x}" for time_s, bits in zip(times_s, all_of_it.hashes.tolist(), strict=True)
    }
    assert [by_time[round(time_s, 3)] for time_s in found.hash_times_s] == found.picture_hashes
    assert all_of_it.end_pts * all_of_it.tick_s == pytest.approx(60 / 25)


def test_a_picture_that_shows_nothing_has_a_hash_of_its_own(tmp_path: Path) -> None:
    grey = [np.full((48, 64, 3), 90, np.uint8)] * 3
    assert set(fingerprint(write_video(tmp_path / "grey.mp4", grey, **H264)).picture_hashes) == {FLAT}


def test_re_encoded_pictures_have_nearly_the_same_hashes_in_any_format_and_as_they_are_turned(tmp_path: Path) -> None:
    frames = pictures(10, 128, 96)
    wanted = film_pictures(write_video(tmp_path / "film.mp4", frames, **H264)).hashes
    small = [cv2.resize(frame, (64, 48), interpolation=cv2.INTER_AREA) for frame in frames]
    others = {
        "rough.mp4": (frames, {**H264, "options": {"crf": "38"}}),
        "small.mp4": (small, H264),
        "ten_bits.mp4": (frames, {"codec": "libx264", "pix_fmt": "yuv420p10le"}),
        "rgb.mov": (frames, {}),
    }
    for name, (shown, options) in others.items():
        found = film_pictures(write_video(tmp_path / name, shown, **options)).hashes
        assert np.bitwise_count(found ^ wanted).max() <= 6, name
    gif = film_pictures(write_animation(tmp_path / "film.gif", frames, 40)).hashes
    assert np.bitwise_count(gif ^ wanted).mean() <= 6
    turned = write_video(tmp_path / "turned.mp4", [np.rot90(frame) for frame in frames], **H264)
    rotate_display(turned, 90)
    assert np.bitwise_count(film_pictures(turned).hashes ^ wanted).max() <= 6


@given(st.integers(0, 1000), st.integers(-20, 20), st.floats(0.6, 1.1))
def test_brightness_and_contrast_hardly_change_a_hash_and_another_picture_has_another(
    seed: int, brighter: int, contrast: float
) -> None:
    chance = np.random.default_rng(seed)
    grey, other = (
        cv2.resize(chance.integers(60, 190, (8, 8)).astype(np.float32), (32, 32), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    )
    changed = (grey - 125) * contrast + 125 + brighter
    assert (picture_hash(grey) ^ picture_hash(changed)).bit_count() <= 2
    assert (picture_hash(grey) ^ picture_hash(other)).bit_count() > 12
