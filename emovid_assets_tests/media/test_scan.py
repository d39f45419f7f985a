"""Cuts, sampled frames and segments of films whose truth is known."""

from fractions import Fraction
from itertools import pairwise
from unittest import mock

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emovid_assets.core.colour import ColourSums, colour_attributes
from emovid_assets.core.video import reading
from emovid_assets.core.video.scan import _quantile
from emovid_assets_tests.media.making import beeps, coded, rotate_display, scenery, write_animation, write_video
from emovid_assets_tests.media.reference import differences, reference_of
from emovid_assets_tests.media.scanning import ADAPTIVE, CONTENT, cut_frames, probe, scan

LENGTHS = (100, 61, 130, 99, 110)
CUTS = [100, 161, 291, 390]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    frames = [scenery(scene, index) for scene, length in enumerate(LENGTHS) for index in range(length)]
    path = tmp_path_factory.mktemp("film") / "film.mov"
    write_video(path, frames, sound=beeps(len(frames) / 25, 1.0))
    return path, frames


@pytest.mark.parametrize("detector", [ADAPTIVE, CONTENT], ids=["adaptive", "content"])
def test_hard_cuts_are_found_where_they_are(film, detector):
    path, frames = film
    scanned = scan(path, detector=detector)
    assert cut_frames(scanned) == CUTS
    assert scanned["frame_count"] == len(frames)


def test_segments_lie_edge_to_edge_and_are_kept_by_length(film):
    path, frames = film
    segments = scan(path)["segments"]
    assert [s["start_frame"] for s in segments] == [0, *CUTS]
    assert [s["end_frame"] for s in segments] == [*CUTS, len(frames)]
    assert [s["start_s"] for s in segments] == [0, 4.0, 6.44, 11.64, 15.6]
    assert [s["duration_s"] for s in segments] == [4.0, 2.44, 5.2, 3.96, 4.4]
    assert [s["drop_reason"] for s in segments] == [None, "too_short", None, "too_short", None]
    assert segments[2]["clip_id"] == "movie-0123456789abcdef-00006440-00011640"


@pytest.mark.parametrize("stride", [1, 7, 20])
def test_colour_pools_exactly_every_nth_frame_counted_from_the_first_of_the_clip(film, stride):
    path, frames = film
    kept = [s for s in scan(path, stride=stride)["segments"] if s["is_kept"]]
    assert len(kept) == 3
    for segment in kept:
        sampled = range(segment["start_frame"], segment["end_frame"], stride)
        ours = colour_attributes(ColourSums(*segment["colour"]))
        assert differences(ours, reference_of(frames[index] for index in sampled)) == {}
        assert segment["features"]["sampled_pts_s"] == pytest.approx(
            [(index - segment["start_frame"]) / 25 for index in sampled]
        )
        neighbours = reference_of(frames[min(index + 1, segment["end_frame"] - 1)] for index in sampled)
        assert differences(ours, neighbours) != {}


def test_a_whole_file_is_one_segment_whatever_cuts_it_has(film):
    path, frames = film
    (segment,) = scan(path, whole=True)["segments"]
    assert (segment["start_frame"], segment["end_frame"], segment["duration_s"]) == (0, 500, 20.0)
    assert segment["features"]["cut_rate_hz"] == pytest.approx(4 / 20)
    ours = colour_attributes(ColourSums(*segment["colour"]))
    assert differences(ours, reference_of(frames[::20])) == {}


def test_motion_is_measured_within_the_segment_and_not_across_its_cut(film):
    path, frames = film
    kept = [s for s in scan(path)["segments"] if s["is_kept"]]
    first, last = kept[0]["start_frame"], kept[0]["end_frame"]
    values = [frame.max(axis=2).astype(float) for frame in frames[first:last]]
    changes = [np.abs(b - a).mean() / 255 for a, b in pairwise(values)]
    features = kept[0]["features"]
    assert features["motion_mean"] == pytest.approx(np.mean(changes), abs=1e-9)
    assert features["motion_peak"] == pytest.approx(np.quantile(changes, 0.95), abs=1e-9)
    between = [sum(changes[max(0, at - 20) : at]) for at in range(0, last - first, 20)]
    assert features["sampled_changes"] == pytest.approx(between, abs=1e-9)
    assert len(features["sampled_changes"]) == len(features["sampled_pts_s"])


@pytest.mark.parametrize(
    ("frame_count", "reason"),
    [(119, "too_short"), (120, None), (121, None), (899, None), (900, None), (901, "too_long")],
)
def test_four_and_thirty_seconds_are_kept_to_the_frame(tmp_path, frame_count, reason):
    frames = [coded(index, 4, 4) for index in range(frame_count)]
    path = write_video(tmp_path / "film.mov", frames, fps=30)
    (segment,) = scan(path, whole=True, minimum=4.0)["segments"]
    assert (segment["is_kept"], segment["drop_reason"]) == (reason is None, reason)


def test_a_drop_of_a_frame_at_23_976_hz_is_exact(tmp_path):
    # 96 frames at 24000/1001 Hz last 4.004 s, 95 last 3.962 s; 30 s hold 719 frames and not 720.
    for count, is_kept in ((95, False), (96, True), (719, True), (720, False)):
        path = tmp_path / f"{count}.mov"
        write_video(path, [coded(i, 4, 4) for i in range(count)], fps=Fraction(24000, 1001))
        (segment,) = scan(path, whole=True, minimum=4.0)["segments"]
        assert segment["is_kept"] is is_kept
        assert segment["duration_s"] == pytest.approx(count * 1001 / 24000, abs=1e-9)


def test_an_offset_start_moves_no_time(tmp_path):
    frames = [scenery(index // 110, index) for index in range(220)]
    plain = scan(write_video(tmp_path / "plain.mkv", frames, codec="ffv1", pix_fmt="bgr0"))
    path = write_video(tmp_path / "late.mkv", frames, pts=range(250, 470), codec="ffv1", pix_fmt="bgr0")
    late = scan(path)
    assert late["video_start_s"] == 10.0
    for name in ("start_s", "end_s", "duration_s", "start_frame", "end_frame", "clip_id", "colour"):
        assert [s[name] for s in late["segments"]] == [s[name] for s in plain["segments"]]
    assert probe(path).duration_s == 8.8


def test_a_variable_frame_rate_counts_time_by_stamps(tmp_path):
    # 100 frames at 50 Hz, then 60 at 12.5 Hz: 2 s and 4.8 s; the cut lies between.
    frames = [scenery(0 if index < 100 else 1, index) for index in range(160)]
    pts = [*range(0, 2000, 20), *range(2000, 6800, 80)]
    path = write_video(tmp_path / "film.mov", frames, pts=pts, time_base=Fraction(1, 1000), fps=25, last_duration=80)
    facts = probe(path)
    assert (facts.frame_count, facts.duration_s, facts.is_vfr) == (160, 6.8, True)
    segments = scan(path)["segments"]
    assert [(s["start_s"], s["end_s"], s["drop_reason"]) for s in segments] == [(0, 2, "too_short"), (2, 6.8, None)]
    ours = colour_attributes(ColourSums(*segments[1]["colour"]))
    assert differences(ours, reference_of(frames[100::20])) == {}


def test_the_content_detector_may_look_back_further_where_frames_come_faster_than_the_nominal_rate(tmp_path):
    # Animated WebP has no rate, 25 Hz are assumed: 15 frames are 0.6 s, which hold 30 frames of 20 ms.
    lengths = (40, 8, 8, 8, 8, 8, 70)
    scenes = [scene for scene, length in enumerate(lengths) for _ in range(length)]
    frames = [scenery(scene, index, 32, 32) for index, scene in enumerate(scenes)]
    path = write_animation(tmp_path / "fast.webp", frames, 20)
    scanned = scan(path, detector=CONTENT, minimum=0.2)
    # Cuts less than 0.6 s apart are merged into the last of them, which is known 30 frames later.
    assert cut_frames(scanned) == [40, 80]
    for segment in scanned["segments"]:
        ours = colour_attributes(ColourSums(*segment["colour"]))
        assert differences(ours, reference_of(frames[segment["start_frame"] : segment["end_frame"] : 20])) == {}


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animations_last_as_long_as_their_delays(tmp_path, suffix):
    delays = [100, 250, 40, 1500, 300]
    frames = [coded(index, 8, 8) for index in range(5)]
    path = write_animation(tmp_path / f"sticker.{suffix}", frames, delays)
    facts = probe(path)
    assert (facts.frame_count, facts.is_vfr, facts.has_audio) == (5, True, False)
    assert facts.duration_s == pytest.approx(2.19)
    (segment,) = scan(path, whole=True, stride=1)["segments"]
    assert segment["duration_s"] == pytest.approx(2.19)
    assert segment["features"]["sampled_pts_s"] == pytest.approx([0, 0.1, 0.35, 0.39, 1.89])


@pytest.mark.parametrize("suffix", ["webp", "png"])
def test_transparency_is_laid_over_white(tmp_path, suffix):
    frames = [np.dstack([coded(i, 6, 6), np.full((6, 6), alpha, np.uint8)]) for i, alpha in enumerate((0, 128, 255))]
    path = write_animation(tmp_path / f"sticker.{suffix}", frames, 100)
    (segment,) = scan(path, whole=True, stride=1)["segments"]
    expected = [
        np.floor(f[..., :3] * (f[..., 3:] / 255) + (255 - f[..., 3:].astype(float)) + 0.5).astype(np.uint8)
        for f in frames
    ]
    assert differences(colour_attributes(ColourSums(*segment["colour"])), reference_of(expected)) == {}
    assert expected[0].min() == 255


def test_the_transparent_part_of_a_gif_is_white(tmp_path):
    frames = []
    for index in range(3):
        frame = np.zeros((8, 8, 4), np.uint8)
        frame[:4] = (250 - index, 0, 0, 255)
        frames.append(frame)
    path = write_animation(tmp_path / "sticker.gif", frames, 200)
    (segment,) = scan(path, whole=True, stride=1)["segments"]
    row = colour_attributes(ColourSums(*segment["colour"]))
    assert (row["chromatic_share"], row["colorfulness_mean"]) == (0.5, 0.5)
    assert row["brightness_mean"] == pytest.approx((1 + 249 / 255) / 2)


def test_pixel_formats_with_more_than_eight_bits_and_alpha_keep_their_alpha(tmp_path):
    frames = [np.dstack([coded(i, 16, 16), np.full((16, 16), 0, np.uint8)]) for i in range(10)]
    path = write_video(tmp_path / "sticker.mov", frames, codec="prores_ks", pix_fmt="yuva444p10le")
    (segment,) = scan(path, whole=True)["segments"]
    assert colour_attributes(ColourSums(*segment["colour"]))["brightness_mean"] == 1.0


def test_a_webm_sticker_keeps_the_alpha_plane_that_only_libvpx_decodes(tmp_path):
    frames = [np.dstack([coded(i, 64, 64), np.full((64, 64), 0, np.uint8)]) for i in range(10)]
    path = write_video(
        tmp_path / "sticker.webm", frames, codec="libvpx-vp9", pix_fmt="yuva420p", options={"auto-alt-ref": "0"}
    )
    (segment,) = scan(path, whole=True)["segments"]
    assert colour_attributes(ColourSums(*segment["colour"]))["brightness_mean"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("degrees", "size"), [(90, (24, 32)), (180, (32, 24)), (270, (24, 32))])
def test_a_turned_file_is_measured_and_shown_upright(tmp_path, degrees, size):
    frame = np.zeros((24, 32, 3), np.uint8)
    frame[:8, :8] = (255, 0, 0)
    path = write_video(tmp_path / "phone.mp4", [frame] * 30, codec="libx264rgb", pix_fmt="rgb24", options={"crf": "0"})
    rotate_display(path, degrees)
    facts = probe(path)
    assert (facts.width_px, facts.height_px) == size
    (segment,) = scan(path, whole=True, thumbnails=tmp_path)["segments"]
    picture = cv2.imread(str(tmp_path / f"{segment['clip_id']}.jpg"))
    assert picture.shape[:2] == size[::-1]
    # The red corner was top left; turned clockwise it is top right, bottom right, bottom left.
    corner = {90: np.s_[:6, -6:], 180: np.s_[-6:, -6:], 270: np.s_[-6:, :6]}[degrees]
    assert picture[corner][..., 2].mean() > 200
    assert picture[..., 2].mean() < 60


def test_thumbnails_are_small_pictures_of_the_middle_sample(tmp_path):
    frames = [np.full((360, 640, 3), (0, 0, index * 4), np.uint8) for index in range(60)]
    path = write_video(tmp_path / "film.mov", frames)
    (segment,) = scan(path, whole=True, thumbnails=tmp_path)["segments"]
    picture = cv2.imread(str(tmp_path / f"{segment['clip_id']}.jpg"))
    assert picture.shape == (180, 320, 3)
    assert picture[..., 0].mean() == pytest.approx(20 * 4, abs=3)


@pytest.mark.parametrize(("scenes", "openings", "cuts"), [((0,), 0, 0), ((0, 1), 1, 1)])
def test_an_animation_is_opened_for_its_rate_only_where_it_may_have_a_cut(tmp_path, scenes, openings, cuts):
    frames = [scenery(scene, index) for scene in scenes for index in range(40 // len(scenes))]
    path = write_animation(tmp_path / "sticker.gif", frames, 100)
    with mock.patch.object(reading, "open_container", wraps=reading.open_container) as opened:
        (segment,) = scan(path, whole=True)["segments"]
    assert opened.call_count == openings
    assert segment["features"]["cut_rate_hz"] == pytest.approx(cuts / 4)


@given(arrays.arrays(np.float64, st.integers(1, 50), elements=st.floats(0, 1)))
def test_the_peak_of_motion_is_numpys_quantile_to_the_bit(changes):
    assert _quantile(changes, 0.95) == float(np.quantile(changes, 0.95))
