"""Joined clips: every reader shows the pictures of the segment, from the first packet to the last, and nothing else."""

import random
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest

from benchmarks.numbered import barcode
from emovid_assets.core.video import clip_ends, clip_proof
from emovid_assets.core.video.clip_file import ClipWriter, write_clip
from emovid_assets.core.video.clip_join import parts_of
from emovid_assets_tests.media.making import SOUND_RATE, beeps, write_video
from emovid_assets_tests.media.readers import READERS, sought
from emovid_assets_tests.media.scanning import first_tracks, planes, segment_of, whole
from emovid_assets_tests.media.test_clip_copy import COPIED, corpus_film
from emovid_assets_tests.media.test_clip_file import length_of, onsets, sound_of

# None of these encodes as the ends are encoded: equal parameters would hide that one part is read with the other's.
X264 = {"preset": "slow", "crf": "26", "sc_threshold": "0", "bf": "3", "b-pyramid": "normal", "refs": "5"}
FILMS = {
    "H.264": ("film.mp4", "libx264", X264 | {"g": "40"}, {}),
    "H.264, open": ("film.mp4", "libx264", X264 | {"g": "20", "x264-params": "open-gop=1:keyint=20"}, {}),
    "H.264, main": ("film.mp4", "libx264", X264 | {"g": "40", "profile": "main", "coder": "vlc"}, {}),
    "H.264, baseline": ("film.mov", "libx264", {"g": "40", "profile": "baseline", "crf": "30"}, {}),
    "H.264, Matroska": ("film.mkv", "libx264", X264 | {"g": "40"}, {"fps": Fraction(30_000, 1001)}),
    "H.264, 29.97": ("film.mp4", "libx264", X264 | {"g": "40"}, {"fps": Fraction(30_000, 1001)}),
    "H.264, varying": (
        *("film.mp4", "libx264", X264 | {"g": "40"}),
        {"pts": [40 * n + n * n % 37 for n in range(120)], "time_base": Fraction(1, 1000)},
    ),
    "VP8": ("film.webm", "libvpx", {"g": "40", "crf": "10", "b": "1M", "cpu-used": "8", "deadline": "realtime"}, {}),
    "VP9": ("film.webm", "libvpx-vp9", {"g": "40", "crf": "40", "b": "0", "cpu-used": "8", "deadline": "realtime"}, {}),
    "AV1": ("film.mp4", "libsvtav1", {"g": "40", "preset": "12", "crf": "45"}, {}),
}
UNREAD = {"AV1": "OpenCV"}
"""OpenCV's wheel has no decoder of AV1."""


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Films of 120 numbered pictures, a key frame every 40; each is drawn when it is asked for."""

    @cache
    def film(name):
        file, codec, options, others = FILMS[name]
        path = tmp_path_factory.mktemp("film") / file
        pictures = [barcode(number) for number in range(120)]
        write_video(path, pictures, codec=codec, pix_fmt="yuv420p", options=options, colour_tag=1, **others)
        return path, whole(path)

    return film


def written(film, first, end, target):
    path, frames = film
    return write_clip(path, first_tracks(path), segment_of(frames, first, end), target)


def assert_is_the_clip(target, name, film, first, end):
    _, frames = film
    for reader, read in READERS.items():
        if UNREAD.get(name) != reader:
            assert (reader, read(target)) == (reader, list(range(first, end)))
    tick = Fraction(frames[0].picture.time_base)
    stamps = [float((frame.pts - frames[first].pts) * tick) for frame in frames[first:end]]
    shown = whole(target)
    own_tick = Fraction(shown[0].picture.time_base)
    assert [float(frame.pts * own_tick) for frame in shown] == pytest.approx(stamps, abs=1e-4)
    segment = segment_of(frames, first, end)
    assert length_of(target) == pytest.approx(segment["end_s"] - segment["start_s"], abs=1e-3)
    for at in (0, 3, len(stamps) // 2, len(stamps) - 1):
        assert sought(target, stamps[at] + 1e-3) == first + at
    with av.open(str(target), options={"ignore_editlist": "1"}) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert len(packets) == end - first
    assert packets[0].is_keyframe
    assert packets[0].pts == min(packet.pts for packet in packets)


def last_start(target):
    """The picture at which decoding starts for the last one."""
    with av.open(str(target)) as container:
        stamps = sorted(packet.pts for packet in container.demux(video=0) if packet.size)
        container.seek(stamps[-1], stream=container.streams.video[0])
        return stamps.index(next(container.demux(video=0)).pts)


@pytest.mark.parametrize("name", FILMS)
def test_a_clip_off_the_key_frames_is_the_same_in_every_reader(films, tmp_path, name):
    film, target = films(name), tmp_path / "clip.mp4"
    first, end = (3, 70) if name == "H.264, open" else (27, 107)
    clip = written(film, first, end, target)
    target = target.with_suffix(clip.suffix)
    if name == "H.264, open":
        # Its later key frames are recovery points, which decoders of H.264 cannot be sent to behind other pictures.
        assert (clip.how, clip.encoding_reason) == ("encoded", "no_key_frame_inside")
    else:
        assert (clip.how, clip.encoding_reason, clip.hidden_frame_count) == ("joined", "off_key_frame", 0)
        same = [planes(a) == planes(b) for a, b in zip(whole(target), film[1][first:end], strict=True)]
        assert all(same[13:75])
        assert not all(same[:13])
    assert_is_the_clip(target, name, film, first, end)


@pytest.mark.parametrize("name", ["H.264", "H.264, open", "VP8", "VP9", "AV1"])
def test_a_clip_that_begins_on_a_key_frame_and_refers_to_nothing_beyond_is_copied(films, tmp_path, name):
    film, target = films(name), tmp_path / "clip.mp4"
    first = 0 if name == "H.264, open" else 40
    clip = written(film, first, 120, target)
    target = target.with_suffix(clip.suffix)
    assert (clip.how, clip.encoding_reason, clip.hidden_frame_count) == ("copied", None, 0)
    assert [planes(frame) for frame in whole(target)] == [planes(frame) for frame in film[1][first:]]
    assert_is_the_clip(target, name, film, first, 120)


@pytest.mark.parametrize("name", ["H.264", "H.264, open", "H.264, 29.97"])
def test_last_pictures_that_refer_beyond_the_end_are_encoded(films, tmp_path, name):
    film = films(name)
    whys = set()
    for end in range(78, 84):
        clip = written(film, 0, end, tmp_path / "clip.mp4")
        whys.add((clip.how, clip.encoding_reason))
        assert_is_the_clip(tmp_path / "clip.mp4", name, film, 0, end)
        assert last_start(tmp_path / "clip.mp4") in (0, 40, 80)
    assert whys == {("copied", None), ("joined", "refers_beyond_end")}


def test_a_clip_between_two_key_frames_is_encoded(films, tmp_path):
    clip = written(films("H.264"), 45, 70, tmp_path / "clip.mp4")
    assert (clip.how, clip.encoding_reason) == ("encoded", "no_key_frame_inside")


def test_interlaced_pictures_are_not_joined_to_others(tmp_path):
    path = tmp_path / "film.mp4"
    options = X264 | {"g": "20", "x264-params": "tff=1"}
    write_video(path, [barcode(n) for n in range(60)], codec="libx264", pix_fmt="yuv420p", options=options)
    film = path, whole(path)
    assert film[1][0].picture.interlaced_frame
    clip = written(film, 10, 50, tmp_path / "clip.mp4")
    assert (clip.how, clip.encoding_reason) == ("encoded", "interlaced")


def test_the_encoded_pictures_have_the_shape_and_the_colours_of_the_source(tmp_path):
    path = tmp_path / "film.mp4"
    pictures = [barcode(number) for number in range(60)]
    options = X264 | {"g": "30"}
    write_video(
        path, pictures, codec="libx264", pix_fmt="yuv420p", options=options, colour_tag=1, aspect=Fraction(4, 3)
    )
    film = path, whole(path)
    assert written(film, 20, 50, tmp_path / "clip.mp4").how == "joined"
    frames = whole(tmp_path / "clip.mp4")
    seen = {
        (f.picture.colorspace, f.picture.color_range, f.picture.color_primaries, f.picture.color_trc) for f in frames
    }
    assert seen == {(1, 1, 1, 1)}
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        assert clip.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        *(("H.264", "aac", "aac"), ("H.264, Matroska", "libopus", "opus"), ("H.264", "libmp3lame", "aac")),
        ("VP8", "libopus", "opus"),
    ],
)
def test_the_sound_begins_less_than_a_packet_before_the_cut_and_is_in_time(tmp_path, name, codec, kept):
    file, video_codec, options, _ = FILMS[name]
    path = tmp_path / file
    pictures = [barcode(number) for number in range(120)]
    write_video(
        *(path, pictures),
        codec=video_codec,
        pix_fmt="yuv420p",
        options=options,
        sound=beeps(4.8, 1.6, 3.0),
        sound_codec=codec,
    )
    for first in (20, 27, 33):
        clip = written((path, whole(path)), first, 110, tmp_path / "clip.mp4")
        assert (clip.how, clip.audio_codec) == ("joined", kept)
        target = tmp_path / f"clip{clip.suffix}"
        samples, rate = sound_of(target)
        assert onsets(samples, rate) == pytest.approx([1.6 - first / 25, 3.0 - first / 25], abs=0.005)
        assert onsets(*counted(target))[-1] - (3.0 - first / 25) < 1024 / SOUND_RATE + 0.005


def counted(path):
    """As readers hear it that know no edit lists: all blocks in a row, the first at zero."""
    with av.open(str(path), options={"ignore_editlist": "1"}) as film:
        rate = film.streams.audio[0].rate
        return np.concatenate([block.to_ndarray()[0] for block in film.decode(audio=0)]), rate


def test_a_head_that_comes_out_wrong_is_seen_and_the_clip_is_encoded(films, tmp_path, monkeypatch):
    encoded = clip_ends.Ends.encoded

    def late(self, pictures):
        pictures = list(pictures)
        stamps = [picture.pts for picture in pictures]
        for picture, pts in zip(pictures[1:] + pictures[:1], stamps, strict=True):
            picture.pts = pts
        return encoded(self, pictures[1:] + pictures[:1])

    monkeypatch.setattr(clip_ends.Ends, "encoded", late)
    clip = written(films("H.264"), 27, 107, tmp_path / "clip.mp4")
    assert (clip.how, clip.encoding_reason) == ("encoded", "not_exact")


def test_parameters_that_take_the_name_of_the_source_s_are_seen(films, tmp_path, monkeypatch):
    monkeypatch.setattr("emovid_assets.core.video.h264.Header.free_id", lambda self, packets: 0)
    clip = written(films("H.264"), 27, 107, tmp_path / "clip.mp4")
    assert (clip.how, clip.encoding_reason) == ("encoded", "not_exact")


def test_pictures_are_told_apart_that_differ_by_more_than_the_encoder_s_loss():
    one = np.full((8, 8), 100, np.uint8)
    assert clip_proof.psnr_db(one, one) == float("inf")
    assert clip_proof.psnr_db(one, one + np.uint8(1)) == pytest.approx(48.13, abs=0.01)
    assert clip_proof.psnr_db(one, np.full((8, 4), 100, np.uint8)) == 0


@pytest.mark.corpus
@pytest.mark.integration
@pytest.mark.parametrize("name", [*COPIED, "animation/big_buck_bunny_trailer_640x360.webm"])
def test_intervals_of_real_files_hide_nothing_and_are_the_source_s_between_their_ends(corpus, tmp_path, name):
    path, tracks = corpus_film(name)
    frames, target = whole(path, tracks), tmp_path / "clip.mp4"
    tick = Fraction(frames[0].picture.time_base)
    chance = random.Random(name)
    with ClipWriter(path, tracks) as writer:
        for first in (0, *(chance.randrange(len(frames) - 1) for _ in range(5))):
            end = chance.randrange(first + 1, min(len(frames), first + 250) + 1)
            clip = writer.write(segment_of(frames, first, end), target)
            assert clip.hidden_frame_count == 0
            assert clip.encoding_reason in (None, "off_key_frame", "refers_beyond_end", "no_key_frame_inside")
            shown = whole(target.with_suffix(clip.suffix))
            stamps = [float((frame.pts - frames[first].pts) * tick) for frame in frames[first:end]]
            assert [frame.picture.time for frame in shown] == pytest.approx(stamps, abs=1e-4)
            if clip.how != "encoded":
                same = [planes(a) == planes(b) for a, b in zip(shown, frames[first:end], strict=True)]
                assert all(same[same.index(True) : len(same) - same[::-1].index(True)])


class _Packet:
    def __init__(self, pts, is_keyframe=False):
        self.pts, self.is_keyframe = pts, is_keyframe


def test_pictures_shown_before_the_key_frame_that_they_follow_are_part_of_the_head():
    # The key frames 4 and 8 are followed by pictures that are shown before them.
    order, keys = (0, 1, 4, 2, 3, 6, 5, 8, 7, 9), (0, 4, 8)
    video = [_Packet(pts, pts in keys) for pts in order]
    parts = parts_of(video, 1, 8, lambda packet: packet.is_keyframe)
    assert (parts.head, [packet.pts for packet in parts.copied], parts.tail) == ([1, 2, 3], [4, 6, 5], [7])
