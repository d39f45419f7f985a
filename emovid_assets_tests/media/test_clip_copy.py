"""Copied clip files: the same samples as the source, from the first frame of the segment to its last and no further."""

import random
import shutil
import subprocess
from fractions import Fraction
from functools import partial

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from emovid_assets.core.video import clip_file
from emovid_assets.core.video.clip_copy import copy_clip
from emovid_assets.core.video.clip_source import REASONS, CannotCopyError, open_source
from emovid_assets.core.video.mp4 import Shown, set_edits
from emovid_assets.core.video.probe import Limits, probe_file
from emovid_assets.core.video.rgb import RgbConverter
from emovid_assets.resources.media_steps import first_frame
from emovid_assets_tests.conftest import CORPUS
from emovid_assets_tests.media.making import (
    SOUND_RATE,
    beeps,
    rotate_display,
    scenery,
    write_animation,
    write_video,
)
from emovid_assets_tests.media.scanning import first_tracks, planes, segment_of, whole
from emovid_assets_tests.media.test_clip_file import length_of, onsets, sound_of

write_clip, ClipWriter = (partial(made, way="copy") for made in (clip_file.write_clip, clip_file.ClipWriter))
FFMPEG = shutil.which("ffmpeg") or get_ffmpeg_exe()
LONG_GOP = {"g": "60", "bf": "3", "b-pyramid": "normal", "sc_threshold": "0", "crf": "20"}
FRAMES = [scenery(index // 40, index) for index in range(150)]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """H.264 with B-frames that refer to each other, a key frame every 60 frames, beeps at 1.0 and 4.4 s."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(
        path,
        FRAMES,
        codec="libx264",
        pix_fmt="yuv420p",
        options=LONG_GOP,
        sound=beeps(6.0, 1.0, 4.4),
        sound_codec="aac",
    )
    return path, whole(path)


def digests_by_ffmpeg(path):
    """The MD5 of every frame that the command line shows."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5"]
    lines = subprocess.run([*command, "-"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.rsplit(",", 1)[1].strip() for line in lines if line and not line.startswith("#")]


def assert_shows(target, frames, first, end):
    """The clip decodes to the source's samples at the source's stamps, and lasts as long."""
    tick = Fraction(frames[0].picture.time_base)
    shown = whole(target)
    assert [planes(frame) for frame in shown] == [planes(frame) for frame in frames[first:end]]
    own_tick = Fraction(shown[0].picture.time_base)
    stamps = [float(frame.pts * own_tick) for frame in shown]
    assert stamps == pytest.approx([float((f.pts - frames[first].pts) * tick) for f in frames[first:end]], abs=1e-4)
    segment = segment_of(frames, first, end)
    assert length_of(target) == pytest.approx(segment["end_s"] - segment["start_s"], abs=1e-3)


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_interval_of_a_film_is_copied_to_the_frame(film, tmp_path, data):
    path, frames = film
    first = data.draw(st.integers(0, len(frames) - 2))
    end = data.draw(st.integers(first + 1, len(frames)))
    written = write_clip(path, first_tracks(path), segment_of(frames, first, end), tmp_path / "clip.mp4")
    assert written.how == "copied"
    assert_shows(tmp_path / "clip.mp4", frames, first, end)


@pytest.mark.parametrize(("first", "end"), [(0, 150), (60, 120), (13, 14), (59, 61), (70, 131), (71, 132), (72, 133)])
def test_the_command_line_shows_the_same_frames_of_a_copied_clip(film, tmp_path, first, end):
    path, frames = film
    assert write_clip(path, first_tracks(path), segment_of(frames, first, end), tmp_path / "clip.mp4").how == "copied"
    assert digests_by_ffmpeg(tmp_path / "clip.mp4") == digests_by_ffmpeg(path)[first:end]


def test_all_clips_of_a_source_can_be_written_from_one_opening(film, tmp_path):
    path, frames = film
    with ClipWriter(path, first_tracks(path)) as writer:
        for first, end in ((100, 130), (3, 50), (60, 61)):
            assert writer.write(segment_of(frames, first, end), tmp_path / "clip.mp4").how == "copied"
            assert_shows(tmp_path / "clip.mp4", frames, first, end)


@pytest.mark.parametrize("first", [10, 47, 75])
def test_the_sound_of_a_copied_clip_is_the_source_s_to_the_sample(film, tmp_path, first):
    path, frames = film
    write_clip(path, first_tracks(path), segment_of(frames, first, 140), tmp_path / "clip.mp4")
    source, rate = sound_of(path)
    clip, _ = sound_of(tmp_path / "clip.mp4")
    start = first * SOUND_RATE // 25
    length = (140 - first) * SOUND_RATE // 25
    assert rate == SOUND_RATE
    assert len(clip) / rate == pytest.approx(length / rate, abs=1024 / rate)
    np.testing.assert_allclose(clip[:length], source[start : start + length][: len(clip)], atol=1e-6)
    expected = [at - first / 25 for at in (1.0, 4.4) if at > first / 25]
    assert onsets(clip, rate) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "flac"), ("mov", "pcm_s16le")])
def test_sound_that_mp4_cannot_carry_is_encoded_while_the_pictures_are_copied(tmp_path, suffix, codec):
    path = tmp_path / f"film.{suffix}"
    sound = beeps(6.0, 1.0, 4.4)
    write_video(path, FRAMES, codec="libx264", pix_fmt="yuv420p", options=LONG_GOP, sound=sound, sound_codec=codec)
    frames = whole(path)
    written = write_clip(path, first_tracks(path), segment_of(frames, 20, 130), tmp_path / "clip.mp4")
    assert (written.how, written.audio_codec) == ("copied", "aac")
    assert_shows(tmp_path / "clip.mp4", frames, 20, 130)
    samples, rate = sound_of(tmp_path / "clip.mp4")
    assert onsets(samples, rate) == pytest.approx([0.2, 3.6], abs=0.005)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_opus_is_copied_and_starts_at_the_cut(tmp_path, suffix):
    path = tmp_path / f"film.{suffix}"
    sound = beeps(6.0, 1.0, 4.4)
    write_video(path, FRAMES, codec="libx264", pix_fmt="yuv420p", options=LONG_GOP, sound=sound, sound_codec="libopus")
    written = write_clip(path, first_tracks(path), segment_of(whole(path), 20, 130), tmp_path / "clip.mp4")
    assert (written.how, written.audio_codec) == ("copied", "opus")
    samples, rate = sound_of(tmp_path / "clip.mp4")
    assert onsets(samples, rate) == pytest.approx([0.2, 3.6], abs=0.005)


def test_vp9_is_copied_out_of_webm(tmp_path):
    path = tmp_path / "film.webm"
    write_video(path, FRAMES[:60], codec="libvpx-vp9", pix_fmt="yuv420p", options={"deadline": "realtime", "g": "40"})
    frames = whole(path)
    written = write_clip(path, first_tracks(path), segment_of(frames, 15, 55), tmp_path / "clip.mp4")
    assert (written.how, written.video_codec) == ("copied", "vp9")
    assert_shows(tmp_path / "clip.mp4", frames, 15, 55)


def test_h264_out_of_matroska_has_no_decoding_stamps_and_is_copied_all_the_same(film, tmp_path):
    # Matroska names the range of the colours, which MP4 leaves unsaid where nothing else is known of them.
    options = LONG_GOP | {"color_range": "tv"}
    path = write_video(tmp_path / "film.mkv", FRAMES, codec="libx264", pix_fmt="yuv420p", options=options)
    frames = whole(path)
    assert write_clip(path, first_tracks(path), segment_of(frames, 70, 129), tmp_path / "clip.mp4").how == "copied"
    assert_shows(tmp_path / "clip.mp4", frames, 70, 129)


def test_a_varying_rate_and_a_long_last_frame_survive_copying(tmp_path):
    stamps = [0, 40, 80, 100, 300, 310, 320, 1000, 1040, 1080]
    path = tmp_path / "film.mp4"
    write_video(
        path,
        FRAMES[:10],
        pts=stamps,
        time_base=Fraction(1, 1000),
        last_duration=700,
        codec="libx264",
        pix_fmt="yuv420p",
        options={"bf": "0"},
    )
    frames = whole(path)
    for first, end in ((0, 10), (3, 10), (2, 8)):
        assert (
            write_clip(path, first_tracks(path), segment_of(frames, first, end), tmp_path / "clip.mp4").how == "copied"
        )
        assert_shows(tmp_path / "clip.mp4", frames, first, end)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_the_way_up_the_shape_of_pixels_and_the_colour_tags_are_copied(tmp_path, degrees):
    path = tmp_path / "film.mp4"
    write_video(
        path, FRAMES[:30], codec="libx264", pix_fmt="yuv420p", aspect=Fraction(4, 3), colour_tag=1, options=LONG_GOP
    )
    if degrees:
        rotate_display(path, degrees)
    frames = whole(path)
    assert write_clip(path, first_tracks(path), segment_of(frames, 7, 25), tmp_path / "clip.mp4").how == "copied"
    assert whole(tmp_path / "clip.mp4")[0].rotation == frames[0].rotation == -degrees % 360
    with av.open(str(path)) as source, av.open(str(tmp_path / "clip.mp4")) as clip:
        for container in (source, clip):
            video = container.streams.video[0]
            assert video.sample_aspect_ratio == Fraction(4, 3)
            assert (video.codec_context.colorspace, video.codec_context.color_primaries) == (1, 1)
    facts = probe_file(tmp_path / "clip.mp4", Limits())
    assert (facts.width_px, facts.height_px) == ((48, 64) if degrees in (90, 270) else (64, 48))


def test_the_index_comes_first_and_so_do_the_pictures(film, tmp_path):
    path, frames = film
    write_clip(path, first_tracks(path), segment_of(frames, 30, 100), tmp_path / "clip.mp4")
    data = (tmp_path / "clip.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_the_first_frame_of_a_copied_clip_is_the_one_at_the_cut(film, tmp_path):
    path, frames = film
    write_clip(path, first_tracks(path), segment_of(frames, 33, 100), tmp_path / "clip.mp4")
    first_frame({"path": str(tmp_path / "clip.mp4"), "home": str(tmp_path), "png_path": "first.png"})
    with Image.open(tmp_path / "first.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), RgbConverter().rgb(frames[33].picture))


def refused(path, **options):
    frames = whole(path)
    target = path.with_name("clip.mp4")
    written = write_clip(path, first_tracks(path), segment_of(frames, 3, 9), target, **options)
    assert len(whole(target)) == 6
    assert (written.how, written.video_codec) == ("encoded", "h264")
    assert written.encoding_reason in REASONS
    return written.encoding_reason


def test_what_browsers_cannot_play_is_encoded_and_the_reason_is_told(tmp_path):
    def make(name, **options):
        return write_video(tmp_path / name, FRAMES[:12], **options)

    assert refused(make("a.mov")) == "codec"
    assert refused(make("b.mp4", codec="libx264", pix_fmt="yuv444p")) == "pixel_format"
    assert refused(make("c.mp4", codec="libx264", pix_fmt="yuv420p10le")) == "pixel_format"
    assert refused(make("d.avi", codec="mpeg4", pix_fmt="yuv420p")) == "container"
    assert refused(write_animation(tmp_path / "e.gif", FRAMES[:12], 100)) == "container"
    assert refused(write_animation(tmp_path / "f.webp", FRAMES[:12], 100)) == "container"
    assert refused(make("g.mp4", codec="libx264", pix_fmt="yuv420p"), way="encode") == "asked"


def test_a_recovery_point_is_no_place_to_start_a_clip(tmp_path):
    path = tmp_path / "film.mp4"
    options = {"g": "24", "bf": "3", "sc_threshold": "0", "x264-params": "open-gop=1"}
    frames = [scenery(0, index) for index in range(90)]
    write_video(path, frames, codec="libx264", pix_fmt="yuv420p", options=options)
    decoded = whole(path)
    written = write_clip(path, first_tracks(path), segment_of(decoded, 50, 85), tmp_path / "clip.mp4")
    assert written.how == "copied"
    assert_shows(tmp_path / "clip.mp4", decoded, 50, 85)


def test_a_clip_far_from_the_only_key_frame_is_encoded(tmp_path):
    path = tmp_path / "film.mp4"
    frames = [scenery(0, index, 16, 16) for index in range(340)]
    options = {"g": "9999", "keyint_min": "9999", "sc_threshold": "0"}
    write_video(path, frames, codec="libx264", pix_fmt="yuv420p", options=options)
    decoded = whole(path)
    far = write_clip(path, first_tracks(path), segment_of(decoded, 310, 330), tmp_path / "clip.mp4")
    near = write_clip(path, first_tracks(path), segment_of(decoded, 290, 330), tmp_path / "clip.mp4")
    assert (far.encoding_reason, near.encoding_reason) == ("no_key_frame", None)


def test_a_segment_that_does_not_match_the_packets_is_not_copied(film, tmp_path):
    path, frames = film
    segment = {**segment_of(frames, 10, 40), "start_pts": frames[10].pts + 1, "end_frame": 39}
    with open_source(path, first_tracks(path)) as source, pytest.raises(CannotCopyError, match="other_frames"):
        copy_clip(source, segment, tmp_path / "clip.mp4", lambda: None)


def test_an_edit_list_of_another_size_is_an_error(film):
    with pytest.raises(ValueError, match="entries"):
        set_edits(film[0], {"vide": Shown(None, Fraction(1), Fraction(1)), "soun": Shown(None, Fraction(1))})


COPIED = (
    "hostile/counter__counter.mp4",
    "hostile/edit_list__sample_edit_list_only_preroll_sync_sample.mp4",
    "hostile/empty_track__sample_empty_track.mp4",
    "hostile/odd_dims_vfr__trim_optimization_failure.mp4",
    "hostile/rotated__portrait.MOV",
    "hostile/single_keyframe__gop.mp4",
    "hostile/start_offset_sar__bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4",
    "hostile/vfr__sample_android_slow_motion.mp4",
    "hostile/vp9_square__bbb_642x642_768kbps_30fps_vp9.webm",
    "movie/chaplin_silent_640x360.mp4",
    "movie/obama_statement_320x240.mp4",
    "movie/sintel_film_excerpt_848x480_25fps.mp4",
)
ENCODED = {
    "hostile/10bit__h264_10bits.mp4": "pixel_format",
    "hostile/alpha_vp9__transparent.webm": "alpha",
    "hostile/av1__av1_video.mkv": "hidden_frames",
    "hostile/fades__fades.mp4": "codec",
    "hostile/hevc__h265_video.mp4": "codec",
    "hostile/theora_empty_packets__big_buck_bunny.ogv": "container",
}


def corpus_film(name):
    path = CORPUS / name
    return path, probe_file(path, Limits()).tracks


@pytest.mark.corpus
@pytest.mark.integration
@pytest.mark.parametrize("name", COPIED)
def test_intervals_of_real_files_are_copied_to_the_frame(corpus, tmp_path, name):
    path, tracks = corpus_film(name)
    frames = whole(path, tracks)
    chance = random.Random(name)
    with ClipWriter(path, tracks) as writer:
        for first in (0, *(chance.randrange(len(frames) - 1) for _ in range(5))):
            end = chance.randrange(first + 1, min(len(frames), first + 250) + 1)
            assert writer.write(segment_of(frames, first, end), tmp_path / "clip.mp4").how == "copied"
            assert_shows(tmp_path / "clip.mp4", frames, first, end)


@pytest.mark.corpus
@pytest.mark.integration
@pytest.mark.parametrize("name", ENCODED)
def test_real_files_that_cannot_be_copied_say_why(corpus, tmp_path, name):
    path, tracks = corpus_film(name)
    frames = whole(path, tracks)
    written = write_clip(path, tracks, segment_of(frames, 2, 9), tmp_path / "clip.mp4")
    assert written.encoding_reason == ENCODED[name]
    assert len(whole(tmp_path / "clip.mp4")) == 7
