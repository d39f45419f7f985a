"""Clips of VP8 films: the source's packets in WebM, with nothing hidden and sound to the sample."""

import subprocess
from fractions import Fraction
from mmap import ACCESS_READ, mmap

import av
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from benchmarks.numbered import barcode
from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.matroska import CLUSTER, hole
from emovid_assets.core.video.picture_size import picture_size
from emovid_assets.core.video.shown import is_shown
from emovid_assets.core.video.written import read_written
from emovid_assets_tests.media.making import SOUND_RATE, append_video, beeps, write_hiding_vp8, write_video
from emovid_assets_tests.media.readers import READERS, by_opencv
from emovid_assets_tests.media.scanning import first_tracks, segment_of, whole
from emovid_assets_tests.media.test_clip_file import onsets

VPX = {"g": "20", "crf": "20", "b": "1M", "cpu-used": "8", "deadline": "realtime"}
PICTURES = [barcode(number) for number in range(60)]
CUES, DEFAULT_DURATION = bytes.fromhex("1c53bb6b"), bytes.fromhex("23e383")
CODECS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def drawn(path, pictures=PICTURES, codec="vp8", **options):
    return write_video(path, pictures, codec=CODECS[codec], pix_fmt="yuv420p", options=VPX, **options)


def with_vorbis(path):
    """The same film with its sound in the other codec of WebM."""
    made = path.with_name("vorbis.webm")
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-c:v", "copy", "-c:a", "libvorbis", str(made)]
    subprocess.run(command, check=True)
    return made


def clip_of(path, first, end, **options):
    """The clip, and its file beside the film."""
    target = path.with_name("clip.mp4")
    for file in path.parent.glob("clip.*"):
        file.unlink()
    clip = write_clip(path, first_tracks(path), segment_of(whole(path), first, end), target, **options)
    assert [file.suffix for file in path.parent.glob("clip.*")] == [clip.suffix]
    return clip, path.with_name(f"clip{clip.suffix}")


def packets_of(path):
    with av.open(str(path), options={"ignore_editlist": "1"}) as film:
        return [(bytes(packet), packet.is_keyframe) for packet in film.demux(video=0) if packet.size]


def test_a_clip_holds_the_packets_of_the_source_bit_for_bit_from_the_first_key_frame_on(tmp_path):
    path = drawn(tmp_path / "film.webm")
    clip, target = clip_of(path, 13, 50)
    assert (clip.how, clip.video_codec, clip.hidden_frame_count) == ("joined", "vp8", 0)
    packets = packets_of(target)
    assert len(packets) == 37
    assert packets[7:] == packets_of(path)[20:50]
    assert packets[0][1]
    assert packets[0] not in packets_of(path)


@pytest.mark.parametrize("way", ["exact", "copy"])
def test_a_clip_is_a_source_of_clips_and_hides_nothing_whatever_the_way(tmp_path, way):
    _, clip = clip_of(drawn(tmp_path / "film.webm"), 20, 60)
    path = clip.rename(tmp_path / "source.webm")
    for first, how in ((20, "copied"), (13, "joined")):
        clip, target = clip_of(path, first, 35, way=way)
        assert (clip.how, clip.suffix, clip.hidden_frame_count) == (how, ".webm", 0)
        for read in READERS.values():
            assert read(target) == list(range(20 + first, 55))


def test_the_index_comes_first_and_tells_the_places_of_key_frames(tmp_path):
    _, target = clip_of(drawn(tmp_path / "film.webm", sound=beeps(2.4, 1.0), sound_codec="libopus"), 13, 60)
    data = target.read_bytes()
    assert 0 < data.index(CUES) < data.index(CLUSTER)
    with target.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        assert hole(mapped) is None
    with av.open(str(target)) as film:
        video = film.streams.video[0]
        assert [stream.type for stream in film.streams] == ["video", "audio"]
        assert [entry.timestamp for entry in video.index_entries] == [0, 280, 1080]
        assert all(data[entry.pos : entry.pos + 4] == CLUSTER for entry in video.index_entries)
        assert next(packet for packet in film.demux() if packet.size).stream_index == video.index


@pytest.mark.parametrize(("fps", "count"), [(25, 47), (Fraction(30_000, 1001), 47), (Fraction(25, 2), 47)])
def test_a_constant_rate_is_told_and_the_file_ends_at_the_cut_with_sound_or_without(tmp_path, fps, count):
    for options in ({}, {"sound": beeps(6.0, 1.0), "sound_codec": "libopus"}):
        _, target = clip_of(drawn(tmp_path / "film.webm", fps=fps, **options), 13, 60)
        with av.open(str(target)) as film:
            assert float(film.streams.video[0].average_rate) == pytest.approx(float(fps), rel=1e-6)
            assert film.duration / 1e6 == pytest.approx(count / fps, abs=2e-3)
        assert by_opencv(target) == list(range(13, 60))


def test_a_varying_rate_is_not_told_and_the_last_picture_lasts_until_the_cut(tmp_path):
    stamps = [40 * n + (300 if n > 40 else 0) + (900 if n > 50 else 0) for n in range(60)]
    path = drawn(tmp_path / "film.webm", pts=stamps, time_base=Fraction(1, 1000))
    clip, target = clip_of(path, 13, 51)
    assert clip.duration_s == pytest.approx((stamps[51] - stamps[13]) / 1000)
    assert DEFAULT_DURATION not in target.read_bytes()
    with av.open(str(target)) as film:
        packets = [packet for packet in film.demux(video=0) if packet.size]
    assert [packet.pts for packet in packets] == [stamp - stamps[13] for stamp in stamps[13:51]]
    assert packets[-1].duration == 940


@pytest.mark.parametrize("codec", ["opus", "vorbis"])
@pytest.mark.parametrize("first", [13, 20, 27])
def test_the_sound_is_in_time_for_readers_that_count_samples_and_for_those_that_place_them(tmp_path, codec, first):
    path = drawn(tmp_path / "film.webm", sound=beeps(2.4, 1.6), sound_codec="libopus")
    if codec == "vorbis":
        path = with_vorbis(path)
    _, target = clip_of(path, first, 55)
    counted, placed = heard(target)
    assert len(counted) == len(placed) == round((55 - first) / 25 * SOUND_RATE)
    with av.open(str(target)) as film:
        header = bytes(film.streams.audio[0].codec_context.extradata)
    # decord gives also what the header says not to play.
    assert int.from_bytes(header[10:12], "little") < 960
    for samples in (counted, placed):
        assert onsets(samples, SOUND_RATE) == pytest.approx([1.6 - first / 25], abs=0.002)
    facts = read_written(target)
    assert (facts.audio_codec, facts.duration_s) == ("opus", pytest.approx((55 - first) / 25, abs=1e-6))


def heard(path):
    """All samples in a row; and each at its stamp."""
    with av.open(str(path)) as film:
        frames = list(film.decode(audio=0))
        placed = np.zeros(round(film.duration / 1e6 * SOUND_RATE), np.float32)
    # One channel: planes or not, its samples stand in a row.
    blocks = [frame.to_ndarray()[0] for frame in frames]
    for frame, block in zip(frames, blocks, strict=True):
        at = round(frame.time * SOUND_RATE)
        placed[at : at + len(block)] = block[: len(placed) - at]
    return np.concatenate(blocks), placed


def test_the_shape_of_pixels_is_the_source_s_and_the_colours_are_told_as_they_are_read(tmp_path):
    path = drawn(tmp_path / "film.webm")
    wide = tmp_path / "wide.mkv"
    subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-c", "copy", "-aspect", "2", str(wide)], check=True
    )
    for first, how in ((20, "copied"), (13, "joined")):
        clip, target = clip_of(wide, first, 50)
        assert (clip.how, clip.colour_matrix, clip.is_colour_tagged) == (how, "bt601", True)
        picture = whole(target)[0].picture
        assert (picture.colorspace, picture.color_primaries, picture.color_trc, picture.color_range) == (5, 1, 1, 1)
        with av.open(str(target)) as film:
            assert film.streams.video[0].sample_aspect_ratio == Fraction(6, 5)


def test_sides_may_be_odd(tmp_path):
    path = drawn(tmp_path / "film.webm", [picture[:95, :159] for picture in PICTURES])
    clip, target = clip_of(path, 13, 50)
    assert clip.how == "joined"
    facts = read_written(target)
    assert (facts.width_px, facts.height_px, facts.frame_count) == (159, 95, 37)


def test_pictures_that_are_turned_are_encoded_upright(tmp_path):
    path, turned = drawn(tmp_path / "film.webm"), tmp_path / "turned.mkv"
    command = [get_ffmpeg_exe(), "-v", "error", "-display_rotation", "90", "-i", str(path), "-c", "copy", str(turned)]
    subprocess.run(command, check=True)
    clip, target = clip_of(turned, 20, 50)
    assert (clip.how, clip.encoding_reason) == ("encoded", "turned")
    picture = whole(target)[0]
    assert (picture.rotation, picture.picture.width, picture.picture.height) == (0, 96, 160)


@pytest.mark.parametrize("way", ["exact", "copy"])
def test_pictures_that_only_serve_others_are_no_packets_of_a_clip(tmp_path, way):
    path = write_hiding_vp8(tmp_path / "film.webm", PICTURES, key_distance=20)
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux(video=0) if packet.size]
    assert sum(is_shown("vp8", packet) for packet in packets) == 60 < len(packets)
    clip, target = clip_of(path, 13, 50, way=way)
    assert (clip.how, clip.encoding_reason, clip.video_codec) == ("encoded", "hidden_packets", "h264")
    for read in READERS.values():
        assert read(target) == list(range(13, 50))


@pytest.mark.parametrize("codec", CODECS)
def test_pictures_of_two_sizes_are_never_in_one_file(tmp_path, codec):
    large = [np.kron(picture, np.ones((2, 2, 1), np.uint8)) for picture in PICTURES]
    path = drawn(tmp_path / "film.webm", PICTURES[:40], codec)
    append_video(path, drawn(tmp_path / "large.webm", large[40:], codec))
    height, width = PICTURES[0].shape[:2]
    with av.open(str(path)) as film:
        keys = [picture_size(codec, packet) for packet in film.demux(video=0) if packet.size and packet.is_keyframe]
    assert keys == [(width, height), (width, height), (2 * width, 2 * height)]
    expected = {(20, 40): ("copied", None), (0, 60): ("encoded", "changing_parameters")}
    expected[40, 60] = expected[30, 60] = ("encoded", "changing_parameters")
    for (first, end), how in expected.items():
        clip, target = clip_of(path, first, end)
        assert ((first, end), (clip.how, clip.encoding_reason)) == ((first, end), how)
        shown = whole(target)
        assert len(shown) == end - first
        assert len({(frame.picture.width, frame.picture.height) for frame in shown}) == 1


def test_the_first_bytes_of_other_packets_are_no_size(tmp_path):
    path = drawn(tmp_path / "film.webm", PICTURES[:3])
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux(video=0) if packet.size]
    assert [picture_size("vp8", packet) for packet in packets[1:]] == [None, None]
    assert picture_size("vp9", packets[0]) is None
    assert picture_size("h264", packets[0]) is None
