"""What a file is, and the refusal of what is no whole video."""

import os
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from emovid_assets.core.video.errors import ADVICE, MediaError, sentence
from emovid_assets.core.video.probe import Limits, probe_file
from emovid_assets_tests.media.making import beeps, coded, write_animation, write_video
from emovid_assets_tests.media.scanning import probe, scan


def code_of(path, **limits):
    with pytest.raises(MediaError) as caught:
        probe_file(path, Limits(**limits))
    assert str(caught.value).endswith(ADVICE[caught.value.code])
    return caught.value.code


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


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
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
    assert share == 0.9 or code_of(cut) == "truncated"


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i) for i in range(3)])
    path.chmod(0)
    assert code_of(path) == "unreadable"


def test_the_content_decides_and_not_the_name(tmp_path):
    path = write_animation(tmp_path / "sticker.gif", [coded(i) for i in range(3)], 100)
    assert probe(path.rename(tmp_path / "sticker.mp4")).container == "gif"
    webp = write_animation(tmp_path / "sticker.webp", [coded(i) for i in range(3)], 100)
    assert probe(webp.rename(tmp_path / "sticker.gif.gif")).container == "webp"


def test_every_code_has_advice_and_a_detail_comes_first():
    assert all(advice.endswith(".") for advice in ADVICE.values())
    assert sentence("empty_file", "The file is empty.") == "The file is empty. " + ADVICE["empty_file"]
    assert sentence("timeout") == ADVICE["timeout"]
