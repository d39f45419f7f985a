"""What a file is, and the refusal of what is no whole video."""

import os
import subprocess
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from emovid_assets.core.video.errors import ADVICE, MediaError, sentence
from emovid_assets.core.video.probe import Limits, probe_file
from emovid_assets_tests.media.bombs import bomb, in_a_child
from emovid_assets_tests.media.making import (
    beeps,
    coded,
    pixels_of,
    rotate_display,
    scenery,
    write_animation,
    write_video,
)
from emovid_assets_tests.media.scanning import probe, scan


def code_of(path, **limits):
    with pytest.raises(MediaError) as caught:
        probe_file(path, Limits(**limits))
    assert str(caught.value).endswith(ADVICE[caught.value.code])
    return caught.value.code


H264 = {"codec": "libx264", "pix_fmt": "yuv420p"}


def coded_film(count):
    return [coded(i, 48, 64) for i in range(count)]


def test_facts_of_a_plain_file(tmp_path):
    path = write_video(
        tmp_path / "film.mp4",
        [coded(i, 48, 64) for i in range(60)],
        fps=Fraction(30000, 1001),
        codec="libx264",
        pix_fmt="yuv420p",
        sound=beeps(2.0, 1.0),
        sound_codec="aac",
    )
    facts = probe(path)
    assert (facts.width_px, facts.height_px, facts.frame_count) == (64, 48, 60)
    assert facts.fps == pytest.approx(30000 / 1001)
    assert facts.duration_s == pytest.approx(60 * 1001 / 30000)
    assert (facts.is_vfr, facts.video_codec, facts.audio_codec, facts.sample_rate_hz) == (False, "h264", "aac", 48000)
    assert facts.has_audio


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libvpx-vp9", "ffv1"])
def test_the_probe_counts_the_frames_that_the_scan_sees(tmp_path, codec):
    path = tmp_path / ("film.webm" if codec == "libvpx-vp9" else "film.mkv")
    write_video(path, [coded(i, 48, 64) for i in range(50)], codec=codec, pix_fmt="yuv420p")
    assert probe(path).frame_count == scan(path, whole=True)["frame_count"] == 50
    assert probe(path).duration_s == pytest.approx(scan(path, whole=True)["segments"][0]["duration_s"])


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_a_recording_that_begins_between_key_frames_has_the_pictures_that_can_be_shown(tmp_path, codec):
    options = {"g": "25", "bf": "2", "x264-params": "open-gop=1", "x265-params": "log-level=none:open-gop=1"}
    frames = [scenery(0, index, 144, 192) for index in range(100)]
    path = write_video(tmp_path / "film.ts", frames, codec=codec, pix_fmt="yuv420p", options=options)
    packets = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 188)
    # Behind the three that name the streams.
    path.write_bytes(np.concatenate([packets[:3], packets[len(packets) // 3 :]]).tobytes())
    facts, scanned = probe(path), scan(path, whole=True)
    assert facts.frame_count == scanned["frame_count"] == len(pixels_of(path)) < 80
    assert facts.duration_s == scanned["segments"][-1]["end_s"] == facts.frame_count / 25
    assert not facts.is_vfr


def test_a_subtitle_may_outlast_its_film(tmp_path):
    film = write_video(tmp_path / "plain.mkv", [coded(index) for index in range(50)], codec="ffv1", pix_fmt="yuv420p")
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:09,000\nThe end\n")
    path = tmp_path / "film.mkv"
    subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", "-i", film, "-i", words, "-map", "0", "-map", "1", "-c:v", "copy", path],
        check=True,
    )
    assert (probe(path).frame_count, probe(path).duration_s) == (50, 2.0)


def test_files_that_are_no_videos(tmp_path):
    (tmp_path / "empty.mp4").touch()
    assert code_of(tmp_path / "empty.mp4") == "empty_file"
    (tmp_path / "page.mp4").write_text("<html><body>404</body></html>")
    assert code_of(tmp_path / "page.mp4") == "not_a_video"
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    assert code_of(tmp_path / "noise.mp4") == "not_a_video"
    assert code_of(tmp_path / "nowhere.mp4") == "vanished"


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "song.wav"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), "s16", "mono")
        frame.sample_rate = 48000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert code_of(path) == "no_video_stream"


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "jpg"])
def test_a_still_picture_is_no_video(tmp_path, suffix):
    path = tmp_path / f"still.{suffix}"
    Image.fromarray(coded(1)).save(path)
    assert code_of(path) == "single_image"


def test_a_film_of_one_frame_is_a_still_picture(tmp_path):
    assert code_of(write_video(tmp_path / "film.mov", [coded(0)])) == "single_image"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_found_although_the_decoder_accepts_it(tmp_path, share):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(100)]
    path = write_video(tmp_path / "film.mkv", frames, codec="libx264", pix_fmt="yuv420p")
    data = path.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: int(len(data) * share)])
    assert probe(path).frame_count == 100
    with av.open(str(cut)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 20
    assert code_of(cut) == "truncated"


@pytest.mark.parametrize("filling", [b"\0", b"\xa5"])
def test_a_hole_in_the_middle_of_a_matroska_file_is_found_although_its_index_is_fine(tmp_path, filling):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(100)]
    path = write_video(tmp_path / "film.mkv", frames, **H264, options={"g": "10"})
    data = path.read_bytes()
    first, last = int(len(data) * 0.4), int(len(data) * 0.5)
    path.write_bytes(data[:first] + filling * (last - first) + data[last:])
    assert code_of(path) == "corrupt_frames"
    path.write_bytes(data + b"appended by a web server")
    assert probe(path).frame_count == 100


def test_a_frame_that_the_decoder_paints_over_is_a_damaged_frame(tmp_path):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(20)]
    path = write_video(tmp_path / "film.avi", frames, codec="mpeg4", pix_fmt="yuv420p")
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes(3000) + data[middle + 3000 :])
    with pytest.raises(MediaError) as caught:
        scan(path, whole=True, tracks=probe(path).tracks)
    assert caught.value.code in ("corrupt_frames", "truncated")


def test_an_mp4_without_its_index_is_no_video_any_more(tmp_path):
    path = write_video(tmp_path / "film.mp4", [coded(i) for i in range(100)], codec="libx264", pix_fmt="yuv420p")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    assert code_of(path) in ("not_a_video", "truncated")


def test_pictures_above_the_limit_are_refused_before_they_are_decoded(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i, 40, 60) for i in range(3)])
    assert code_of(path, max_pixels=2399) == "too_large"
    assert probe_file(path, Limits(max_pixels=2400)).width_px == 60
    sticker = write_animation(tmp_path / "sticker.webp", [coded(i, 40, 60) for i in range(3)], 100)
    assert code_of(sticker, max_pixels=2399) == "too_large"


def test_a_film_longer_or_with_more_frames_than_allowed_is_refused_with_the_name_of_the_setting(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i) for i in range(50)], fps=25)
    assert probe_file(path, Limits(max_frames=50, max_duration_s=2.0)).frame_count == 50
    assert code_of(path, max_frames=49) == code_of(path, max_duration_s=1.9) == "too_large"
    with pytest.raises(MediaError, match=r"lasts 2 s; `media.max_duration_s` is 1.9"):
        probe_file(path, Limits(max_duration_s=1.9))


def test_a_film_that_claims_hundreds_of_hours_is_refused_without_decoding_them(tmp_path):
    pts = [*range(20), 400 * 3600 * 25]
    path = write_video(tmp_path / "film.mkv", coded_film(21), codec="ffv1", pix_fmt="yuv420p", pts=pts)
    assert code_of(path) == "too_large"


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_may_not_hold_more_pixels_than_allowed_over_all_frames(tmp_path, suffix):
    path = write_animation(tmp_path / f"sticker.{suffix}", [coded(i, 40, 60) for i in range(5)], 100)
    assert probe_file(path, Limits(max_animation_pixels=12_000)).frame_count == 5
    assert code_of(path, max_animation_pixels=11_999) == code_of(path, max_frames=4) == "too_large"


@pytest.mark.parametrize("name", ["gif", "png", "webp", "mkv"])
def test_a_bomb_is_refused_before_memory_is_taken_for_it(tmp_path, name):
    path = bomb(tmp_path / f"bomb.{name}")
    assert path.stat().st_size < 500_000
    code, grown_bytes = in_a_child(path)
    assert code == "too_large"
    assert grown_bytes < 60 << 20


@pytest.mark.parametrize(
    ("name", "codec", "own", "foreign"),
    [
        ("film.mp4", "libx264", b"avc1", b"zzzz"),
        ("film.avi", "mpeg4", b"FMP4", b"ZZZZ"),
        ("film.mkv", "ffv1", b"V_FFV1", b"V_ZZZZ"),
    ],
)
def test_a_codec_that_nobody_here_decodes_is_named_as_such(tmp_path, name, codec, own, foreign):
    path = write_video(tmp_path / name, [coded(i, 48, 64) for i in range(5)], codec=codec, pix_fmt="yuv420p")
    data = path.read_bytes()
    assert own in data
    path.write_bytes(data.replace(own, foreign))
    assert code_of(path) == "unsupported_codec"


def test_sound_in_an_unknown_codec_leaves_the_film_silent(tmp_path):
    path = write_video(tmp_path / "film.mkv", coded_film(25), **H264, sound=beeps(1.0, 0.5), sound_codec="aac")
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_ZZZ"))
    facts = probe(path)
    assert (facts.frame_count, facts.has_audio, facts.audio_codec) == (25, False, None)


def test_encrypted_samples_are_found_without_a_key(tmp_path):
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb"}
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", options=options | {"encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}) as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for pixels in coded_film(10):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode(None))
    assert code_of(path) == "encrypted"


@pytest.mark.parametrize("tag", [16, 18])
def test_pq_and_hlg_are_high_dynamic_range_and_others_are_not(tmp_path, tag):
    frames = coded_film(5)
    name = {16: "smpte2084", 18: "arib-std-b67"}[tag]
    path = write_video(tmp_path / "hdr.mp4", frames, **H264, options={"x264-params": f"transfer={name}"})
    assert probe(path).is_hdr
    assert not probe(write_video(tmp_path / "sdr.mp4", frames, **H264, colour_tag=1)).is_hdr


def test_a_film_coded_in_fields_is_interlaced(tmp_path):
    path = write_video(tmp_path / "film.mp4", coded_film(5), **H264, options={"x264-params": "tff=1"})
    assert probe(path).is_interlaced
    assert not probe(write_video(tmp_path / "plain.mp4", coded_film(5), **H264)).is_interlaced


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_turn_of_a_film_is_a_fact_and_its_size_is_as_displayed(tmp_path, degrees):
    path = write_video(tmp_path / "film.mp4", coded_film(5), **H264)
    rotate_display(path, degrees)
    facts = probe(path)
    assert facts.rotation_deg == degrees
    assert (facts.width_px, facts.height_px) == ((64, 48) if degrees == 180 else (48, 64))


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.97])
def test_an_animation_that_ends_within_a_frame_is_truncated(tmp_path, suffix, share):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(12)]
    path = write_animation(tmp_path / f"sticker.{suffix}", frames, 100)
    data = path.read_bytes()
    assert probe(path).frame_count == 12
    path.write_bytes(data[: int(len(data) * share)])
    assert code_of(path) == "truncated"


def test_a_comment_in_another_encoding_stops_no_file(tmp_path):
    path = write_animation(tmp_path / "sticker.gif", [coded(i) for i in range(3)], 100, comment=b"caf\xe9 \xff")
    assert probe(path).frame_count == 3
    film = write_video(tmp_path / "film.mkv", coded_film(5), **H264)
    assert film.read_bytes().count(b"Lavf") > 0
    film.write_bytes(film.read_bytes().replace(b"Lavf", b"\xff\xfe\xe9\xff"))
    assert probe(film).frame_count == 5


def test_a_film_that_went_through_a_text_conversion_says_so(tmp_path):
    path = write_video(tmp_path / "film.mp4", coded_film(100), **H264, sound=beeps(4.0, 1.0), sound_codec="aac")
    path.write_bytes(path.read_bytes().decode("utf-8", errors="replace").encode())
    assert code_of(path) in ("corrupt_container", "truncated")


def test_the_largest_real_stream_of_several_counts(tmp_path):
    path = tmp_path / "film.mkv"
    sizes = ((32, 24), (96, 64), (64, 48))
    with av.open(str(path), "w") as output:
        streams = []
        for width, height in sizes:
            stream = output.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for stream in streams:
            for index in range(10):
                picture = av.VideoFrame.from_ndarray(coded(index, stream.height, stream.width), "rgb24")
                picture.pts = index
                output.mux(stream.encode(picture))
            output.mux(stream.encode(None))
    facts = probe(path)
    assert (facts.tracks.video_index, facts.width_px, facts.height_px, facts.frame_count) == (1, 96, 64, 10)


def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i) for i in range(3)])
    path.chmod(0)
    with somebody_else():
        assert code_of(path) == "unreadable"


@contextmanager
def somebody_else():
    """Root may read everything: in this block root is nobody in particular, and anybody else stays who they are."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(own)


def test_the_content_decides_and_not_the_name(tmp_path):
    path = write_animation(tmp_path / "sticker.gif", [coded(i) for i in range(3)], 100)
    assert probe(path.rename(tmp_path / "sticker.mp4")).container == "gif"
    webp = write_animation(tmp_path / "sticker.webp", [coded(i) for i in range(3)], 100)
    assert probe(webp.rename(tmp_path / "sticker.gif.gif")).container == "webp"


def test_every_code_has_advice_and_a_detail_comes_first():
    assert all(advice.endswith(".") for advice in ADVICE.values())
    assert sentence("empty_file", "The file is empty.") == "The file is empty. " + ADVICE["empty_file"]
    assert sentence("timeout") == ADVICE["timeout"]
