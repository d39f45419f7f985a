"""Encoded clip files: the right frames, the right sound, playable by anything."""

import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from emovid_assets.core.video.clip_file import _Converter, _drawn_options, write_clip
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.rgb import RgbConverter
from emovid_assets.core.video.streams import ONLY
from emovid_assets_tests.media.making import (
    SOUND_RATE,
    beeps,
    coded,
    pixels_of,
    rotate_display,
    scenery,
    write_animation,
    write_video,
)
from emovid_assets_tests.media.patches import LIMITED, PATCHES, TAGS, farthest, middles, picture_of, write_patches
from emovid_assets_tests.media.scanning import WAYS, clip_of, scan

AAC_FRAME_S = 1024 / SOUND_RATE


def stamps_of(path):
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return [float(frame.pts * frame.time_base) for frame in frames]


def length_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        # WebM says how long the file lasts, and nothing of its streams.
        return container.duration / 1e6 if stream.duration is None else float(stream.duration * stream.time_base)


def sound_of(path):
    """float array (n,), start in s: the first channel as players hear it, by the stamps."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        end = 0
        heard = np.zeros(rate * 60)
        for frame in container.decode(audio=0):
            first = round(float(frame.pts * frame.time_base) * rate)
            block = frame.to_ndarray()[0]
            if first < 0:
                block, first = block[-first:], 0
            heard[first : first + len(block)] = block
            end = max(end, first + len(block))
        return heard[:end], rate


def onsets(samples, rate):
    """Times at which sound begins after silence."""
    loud = np.abs(samples) > 0.1
    starts = np.flatnonzero(loud & ~np.r_[False, loud[:-1]])
    return [start / rate for n, start in enumerate(starts) if n == 0 or start - starts[n - 1] > rate * 0.05]


def apart(a, b):
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def barred(scene, index):
    """Scenery behind a white bar that stands elsewhere in every frame: no encoder blurs that away."""
    frame = scenery(scene, index)
    frame[:, index * 7 % 60 : index * 7 % 60 + 4] = 255
    return frame


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two scenes of 6.4 s and 5.2 s at 25 Hz; beeps at 1.0, 7.4 and 10.4 s."""
    frames = [barred(0, i) for i in range(160)] + [barred(1, i) for i in range(160, 290)]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(
        path,
        frames,
        codec="libx264rgb",
        pix_fmt="rgb24",
        options={"crf": "0", "g": "290", "sc_threshold": "0"},
        sound=beeps(11.6, 1.0, 7.4, 10.4),
        sound_codec="aac",
    )
    return path, frames


@pytest.mark.parametrize("number", [0, 1])
def test_a_clip_holds_exactly_the_frames_of_its_segment(film, tmp_path, number):
    path, frames = film
    segment = clip_of(path, tmp_path / "clip.mp4", number=number)
    first, end = segment["start_frame"], segment["end_frame"]
    written = pixels_of(tmp_path / "clip.mp4")
    assert len(written) == end - first == (160, 130)[number]
    for at, pixels in ((first, written[0]), (end - 1, written[-1])):
        distances = {other: apart(pixels, frames[other]) for other in range(max(0, at - 3), min(at + 4, 290))}
        assert min(distances, key=distances.get) == at
        assert apart(pixels, frames[at]) < 6
    assert stamps_of(tmp_path / "clip.mp4") == pytest.approx([n / 25 for n in range(end - first)])
    assert length_of(tmp_path / "clip.mp4") == pytest.approx((end - first) / 25)


@pytest.mark.parametrize(("number", "expected"), [(0, [1.0]), (1, [1.0, 4.0])])
def test_the_sound_of_a_clip_is_as_long_as_the_clip_and_aligned(film, tmp_path, number, expected):
    segment = clip_of(film[0], tmp_path / "clip.mp4", number=number)
    samples, rate = sound_of(tmp_path / "clip.mp4")
    assert len(samples) / rate == pytest.approx(segment["duration_s"], abs=AAC_FRAME_S)
    assert onsets(samples, rate) == pytest.approx(expected, abs=0.005)


def test_sound_that_starts_later_than_the_picture_stays_late(tmp_path):
    path = write_video(
        tmp_path / "film.mkv",
        [coded(i) for i in range(125)],
        codec="ffv1",
        pix_fmt="bgr0",
        sound=beeps(3.0, 0.5),
        sound_start_s=1.5,
    )
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    samples, rate = sound_of(tmp_path / "clip.mp4")
    assert len(samples) / rate == pytest.approx(5.0, abs=AAC_FRAME_S)
    assert onsets(samples, rate) == pytest.approx([2.0], abs=0.005)


def test_picture_and_sound_of_a_file_that_starts_at_ten_seconds_stay_together(tmp_path):
    path = write_video(
        tmp_path / "late.mkv",
        [coded(i) for i in range(125)],
        pts=range(250, 375),
        codec="ffv1",
        pix_fmt="bgr0",
        sound=beeps(5.0, 3.0),
        sound_start_s=10.0,
    )
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    assert stamps_of(tmp_path / "clip.mp4")[0] == 0
    samples, rate = sound_of(tmp_path / "clip.mp4")
    assert onsets(samples, rate) == pytest.approx([3.0], abs=0.005)


def test_the_video_stream_comes_first_and_the_index_before_the_media(film, tmp_path):
    clip_of(film[0], tmp_path / "clip.mp4")
    data = (tmp_path / "clip.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        video, audio = container.streams
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert audio.codec_context.name == "aac"


def test_a_film_without_sound_gives_a_clip_without_sound(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i) for i in range(50)])
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_delays_of_a_sticker_survive_with_the_long_rest_on_its_last_frame(tmp_path, suffix):
    frames = [coded(index, 16, 16) for index in range(4)]
    path = write_animation(tmp_path / f"sticker.{suffix}", frames, [100, 300, 50, 2000])
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    assert stamps_of(tmp_path / "clip.mp4") == pytest.approx([0, 0.1, 0.4, 0.45])
    assert length_of(tmp_path / "clip.mp4") == pytest.approx(2.45)


def test_odd_sides_are_extended_by_their_last_row_and_column(tmp_path):
    frame = np.zeros((15, 21, 3), np.uint8)
    frame[-1], frame[:, -1] = 255, 255
    path = write_video(tmp_path / "film.mov", [frame] * 10)
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    pixels = pixels_of(tmp_path / "clip.mp4")[0]
    assert pixels.shape == (16, 22, 3)
    assert apart(pixels[:15, :21], frame) < 3
    assert pixels[-1].min() > 240
    assert pixels[:, -1].min() > 240
    assert pixels[:-2, :-2].max() < 15


def test_transparent_parts_are_white_in_the_clip(tmp_path):
    frames = [np.dstack([coded(i, 16, 16), np.zeros((16, 16), np.uint8)]) for i in range(4)]
    clip_of(write_animation(tmp_path / "sticker.png", frames, 100), tmp_path / "clip.mp4", whole=True)
    assert all(pixels.min() > 250 for pixels in pixels_of(tmp_path / "clip.mp4"))


def test_a_turned_film_gives_an_upright_clip(tmp_path):
    frame = np.zeros((24, 32, 3), np.uint8)
    frame[:8, :8] = (255, 255, 255)
    path = write_video(tmp_path / "phone.mp4", [frame] * 10, codec="libx264rgb", pix_fmt="rgb24", options={"crf": "0"})
    rotate_display(path, 90)
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    pixels = pixels_of(tmp_path / "clip.mp4")[0]
    assert pixels.shape == (32, 24, 3)
    assert pixels[:7, -7:].min() > 235
    assert pixels[:16, :12].max() < 20


@pytest.mark.parametrize("tag", [None, 1, 6])
def test_colours_are_the_same_whatever_matrix_the_source_is_tagged_with(tmp_path, tag):
    path = write_video(
        tmp_path / "film.mp4",
        [np.full((32, 32, 3), (200, 40, 60), np.uint8)] * 10,
        codec="libx264",
        pix_fmt="yuv420p",
        colour_tag=tag,
    )
    clip_of(path, tmp_path / "clip.mp4", whole=True, way="encode")
    source, clip = pixels_of(path)[0], pixels_of(tmp_path / "clip.mp4")[0]
    assert apart(source, clip) < 2
    assert apart(clip[16:17, 16:17], np.array([[(200, 40, 60)]])) < 4


@pytest.mark.parametrize(
    ("matrix", "size", "options", "tag"),
    [
        ("bt709", (1280, 64), {}, TAGS["bt709"]),
        ("bt601", (112, 64), {}, TAGS["bt470bg"]),
        ("bt601", (112, 64), {"is_full": True}, TAGS["bt470bg"]),
        ("bt601", (1280, 64), {"tag": TAGS["bt601"]}, TAGS["bt601"]),
        ("bt709", (112, 64), {"tag": TAGS["bt709"], "is_full": True}, TAGS["bt709"]),
        ("bt2020", (112, 64), {"tag": TAGS["bt2020"], "pixel_format": "yuv420p10le"}, TAGS["bt2020"]),
        ("bt709", (1281, 63), {"pixel_format": "yuv444p"}, TAGS["bt709"]),
        ("bt601", (113, 64), {"pixel_format": "yuv444p"}, TAGS["bt709"]),
    ],
)
def test_an_encoded_clip_says_with_which_matrix_and_range_it_was_made(tmp_path, matrix, size, options, tag):
    path = write_patches(tmp_path / "film.mp4", picture_of(matrix, size, **options))
    clip_of(path, tmp_path / "clip.mp4", whole=True, way="encode")
    picture = next(Video(tmp_path / "clip.mp4").frames()).picture
    assert (picture.colorspace, picture.color_range) == (tag, LIMITED)
    # Without these two, Chromium ignores the matrix.
    assert (picture.color_primaries, picture.color_trc) == (1, 1)
    source, clip = RgbConverter().rgb(next(Video(path).frames()).picture), RgbConverter().rgb(picture)
    assert farthest(middles(clip), middles(source)) <= (4 if "pixel_format" in options else 2)


def test_the_primaries_and_the_transfer_of_a_source_stay_even_where_the_picture_is_turned(tmp_path):
    picture = picture_of("bt601", tag=TAGS["bt470bg"])
    path = write_patches(tmp_path / "film.mp4", picture, primaries=6)
    for degrees in (None, 90):
        if degrees:
            rotate_display(path, degrees)
        clip_of(path, tmp_path / "clip.mp4", whole=True, way="encode")
        with av.open(str(tmp_path / "clip.mp4")) as container:
            shown = next(container.decode(video=0))
        assert (shown.color_primaries, shown.color_trc) == (6, 6)
        assert shown.colorspace == (TAGS["bt709"] if degrees else TAGS["bt470bg"])


def test_pictures_that_are_tagged_otherwise_later_on_are_coded_like_the_first():
    converter = _Converter()
    first, later = picture_of("bt709", tag=TAGS["bt709"]), picture_of("bt601", tag=TAGS["bt601"])
    for index, picture in enumerate((first, later)):
        made = converter.encodable(Frame(index, index, 1, picture))
        assert (made.colorspace, made.color_range) == (TAGS["bt709"], LIMITED)
        assert farthest(middles(RgbConverter().rgb(made)), PATCHES) <= 6


def test_a_grey_film_of_limited_range_is_as_dark_as_a_clip(tmp_path):
    picture = av.VideoFrame(64, 64, "gray")
    picture.planes[0].update(bytes([60]) * picture.planes[0].buffer_size)
    picture.color_range = LIMITED
    path = write_patches(tmp_path / "film.mkv", picture, codec="ffv1")
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    assert apart(RgbConverter().rgb(next(Video(tmp_path / "clip.mp4").frames()).picture), np.full(3, 51)) <= 1


def test_a_full_range_source_is_neither_darker_nor_brighter_as_a_clip(tmp_path):
    path = write_video(
        tmp_path / "film.mp4",
        [np.full((32, 32, 3), (10, 128, 250), np.uint8)] * 10,
        codec="libx264",
        pix_fmt="yuvj420p",
    )
    clip_of(path, tmp_path / "clip.mp4", whole=True, way="encode")
    assert apart(pixels_of(path)[0], pixels_of(tmp_path / "clip.mp4")[0]) < 3


@pytest.mark.parametrize("degrees", [None, 90])
def test_pixels_that_are_not_square_keep_their_shape(tmp_path, degrees):
    path = write_video(
        tmp_path / "film.mp4",
        [coded(i, 32, 48) for i in range(10)],
        codec="libx264",
        pix_fmt="yuv420p",
        aspect=Fraction(4, 3),
    )
    if degrees:
        rotate_display(path, degrees)
    clip_of(path, tmp_path / "clip.mp4", whole=True, way="encode")
    assert Video(tmp_path / "clip.mp4").pixel_aspect() == (Fraction(3, 4) if degrees else Fraction(4, 3))


def test_ten_bits_become_eight(tmp_path):
    path = write_video(
        tmp_path / "film.mp4", [scenery(0, i) for i in range(10)], codec="libx264", pix_fmt="yuv420p10le"
    )
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    assert apart(pixels_of(path)[5], pixels_of(tmp_path / "clip.mp4")[5]) < 3


def test_a_clip_that_misses_frames_is_refused_and_leaves_no_file(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i) for i in range(25)])
    (segment,) = scan(path, whole=True)["segments"]
    wrong = {**segment, "end_frame": 40, "video_start_s": 0.0}
    with pytest.raises(MediaError) as caught:
        write_clip(path, ONLY, wrong, tmp_path / "out" / "clip.mp4")
    assert caught.value.code == "corrupt_frames"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named_as_such(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i) for i in range(25)])
    (segment,) = scan(path, whole=True)["segments"]
    (tmp_path / "clip.mp4").mkdir()
    with pytest.raises(MediaError) as caught:
        write_clip(path, ONLY, {**segment, "video_start_s": 0.0}, tmp_path / "clip.mp4")
    assert caught.value.code == "write_failed"
    assert not list(tmp_path.glob(".*tmp*"))


@pytest.mark.parametrize("way", WAYS)
def test_sound_that_nothing_can_decode_costs_no_picture(tmp_path, way):
    plain = write_video(
        tmp_path / "plain.mkv",
        [scenery(0, i) for i in range(100)],
        codec="libx264",
        pix_fmt="yuv420p",
        sound=beeps(4.0, 1.0),
        sound_codec="aac",
    )
    odd = tmp_path / "odd.mkv"
    odd.write_bytes(plain.read_bytes().replace(b"A_AAC", b"A_ZZZ"))
    segment = clip_of(odd, tmp_path / "clip.mp4", whole=True, way=way)
    assert segment["features"]["loudness_db"] is None
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert not container.streams.audio
        assert len(list(container.decode(video=0))) == 100


def test_a_film_that_counts_in_nanoseconds_is_encoded(tmp_path):
    plain = write_video(tmp_path / "plain.mp4", [barred(0, i) for i in range(80)], codec="mpeg4", pix_fmt="yuv420p")
    path = tmp_path / "film.mp4"
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(plain), "-c", "copy", "-video_track_timescale", "1000000000"]
    subprocess.run([*command, str(path)], check=True)
    segment = clip_of(path, tmp_path / "clip.mp4", whole=True)
    assert segment["end_pts"] - segment["start_pts"] > 2**31
    assert stamps_of(tmp_path / "clip.mp4") == pytest.approx([n / 25 for n in range(80)], abs=1e-6)


def drawn_film(path, delay_ms=40, size=(64, 96)):
    return write_animation(path, [scenery(index // 6, index, *size) for index in range(12)], delay_ms)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_gives_the_same_bytes_whenever_it_is_encoded(tmp_path, suffix):
    path = drawn_film(tmp_path / f"sticker{suffix}")
    for name in ("one.mp4", "other.mp4"):
        clip_of(path, tmp_path / name, whole=True)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


@pytest.mark.parametrize("size", [(64, 96), (63, 95)])
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_the_clip_of_an_animation_looks_as_it_does_over_white(tmp_path, suffix, size):
    height, width = size
    shares = np.zeros((*size, 1), np.uint8)
    # GIF has no half transparent pixels.
    shares[8:40, 8:60], shares[20:30, 20:40] = 255, 255 if suffix == ".gif" else 128
    pictures = [np.dstack([scenery(index // 6, index, *size), shares]) for index in range(12)]
    path = write_animation(tmp_path / f"sticker{suffix}", pictures, 40)
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    converter = RgbConverter()
    wanted = [converter.rgb(frame.picture) for frame in Video(path).frames()]
    shown = pixels_of(tmp_path / "clip.mp4")
    assert len(shown) == len(wanted) == 12
    for found, picture in zip(shown, wanted, strict=True):
        assert found.shape == (height + height % 2, width + width % 2, 3)
        assert apart(found[:height, :width], picture) < 4
        assert found[0, 0].min() > 250


def test_pictures_of_an_animation_that_are_shown_for_longer_are_coded_finer():
    steps_s = (0.001, 0.01, 0.03, 0.04, 0.08, 1.0, 30.0)
    assert [_drawn_options(step)["qp"] for step in steps_s] == ["26", "26", "22", "21", "19", "10", "10"]


def test_a_film_is_coded_by_the_rate_factor_and_an_animation_by_a_quantiser(tmp_path):
    drawn = drawn_film(tmp_path / "sticker.gif")
    film = write_video(tmp_path / "film.mkv", [scenery(0, index) for index in range(12)], codec="ffv1", pix_fmt="bgra")
    said = []
    for path in (drawn, film):
        clip_of(path, tmp_path / "clip.mp4", whole=True)
        said.append((tmp_path / "clip.mp4").read_bytes())
    assert [b"rc=cqp" in bytes_of_clip for bytes_of_clip in said] == [True, False]
    assert [b"crf=18.0" in bytes_of_clip for bytes_of_clip in said] == [False, True]
