"""Pictures as RGB: with the matrix and range that a viewer sees them with, and every column of them.

`EMOVID_EVERY_WIDTH=1 EMOVID_PROCESSES=10 python -m pytest emovid_assets_tests/media/test_rgb.py` looks at more than CI.
"""

import os
import subprocess
import sys

import av
import cv2
import numpy as np
import pytest

from emovid_assets.core.colour import ColourCounter, ColourSums, colour_attributes
from emovid_assets.core.video.changes import ChangeMeter, Shrinker
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter, colour_rule, white_below
from emovid_assets.core.video.rgb import over_white as laid_over_white
from emovid_assets.core.video.sampled import sampled_frames, small_frames
from emovid_assets_tests.media.making import rotate_display, write_video
from emovid_assets_tests.media.patches import (
    FULL,
    LIMITED,
    PATCHES,
    TAGS,
    WEIGHTS,
    farthest,
    middles,
    picture_of,
    write_patches,
)
from emovid_assets_tests.media.reference import as_seen, differences, over_white, reference_of
from emovid_assets_tests.media.scanning import scan

SWSCALE = {"yuv420p": 4, "yuvj420p": 3, "yuv422p": 4, "yuva420p": 3, "yuv444p": 2, "yuv420p10le": 4, "yuv444p10le": 1}
"""How far libswscale's fixed point is off, of 255."""
UNKNOWN_TAGS = (3, 8, 10, 11, 12, 14)
"""Reserved, YCgCo, BT.2020 with constant luminance, ST 2085, by primaries, ICtCp."""


def first_picture(path):
    return next(Video(path).frames()).picture


def rgb_of(path):
    frame = next(Video(path).frames())
    return RgbConverter().rgb(frame.picture)


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((1278, 576), "bt601"),
        ((1280, 576), "bt709"),
        ((1280, 2), "bt709"),
        ((720, 576), "bt601"),
        ((720, 577), "bt709"),
        ((720, 578), "bt709"),
        ((720, 1280), "bt709"),
        ((576, 576), "bt601"),
        ((64, 48), "bt601"),
    ],
)
@pytest.mark.parametrize("tag", [0, 2, *UNKNOWN_TAGS])
def test_an_untagged_picture_is_read_by_its_size_as_coded(size, matrix, tag):
    picture = av.VideoFrame(*size, "yuv420p")
    picture.colorspace = tag
    assert colour_rule(picture) == (matrix, False, False)


@pytest.mark.parametrize("size", [(64, 48), (1280, 720)])
@pytest.mark.parametrize("name", TAGS)
def test_a_tag_counts_whatever_the_size(name, size):
    picture = av.VideoFrame(*size, "yuv420p10le")
    picture.colorspace = TAGS[name]
    assert colour_rule(picture) == ("bt601" if name == "bt470bg" else name, False, True)


@pytest.mark.parametrize(
    ("pixel_format", "tag", "is_full"),
    [
        ("yuv420p", 0, False),
        ("yuv420p", LIMITED, False),
        ("yuv420p", FULL, True),
        ("yuvj420p", 0, True),
        ("yuvj444p", LIMITED, True),
        ("yuv444p10le", FULL, True),
        ("gray", 0, True),
        ("gray", LIMITED, False),
        ("gray10le", FULL, True),
        ("rgb24", LIMITED, True),
        ("pal8", 0, True),
    ],
)
def test_the_range_is_the_tagged_one_and_limited_where_nothing_is_said(pixel_format, tag, is_full):
    picture = av.VideoFrame(64, 48, pixel_format)
    picture.color_range = tag
    assert colour_rule(picture).is_full_range is is_full


@pytest.mark.parametrize(
    ("pixel_format", "matrix"),
    [("rgb24", "rgb"), ("bgra", "rgb"), ("gbrap10le", "rgb"), ("pal8", "rgb"), ("gray10le", "grey"), ("ya8", "grey")],
)
def test_pictures_without_a_matrix_have_nothing_to_guess(pixel_format, matrix):
    rule = colour_rule(av.VideoFrame(1280, 720, pixel_format))
    assert (rule.matrix, rule.is_tagged) == (matrix, True)


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("pixel_format", SWSCALE)
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_tagged_patches_have_the_colours_of_their_matrix(matrix, pixel_format, is_full):
    is_full = is_full or pixel_format.startswith("yuvj")
    picture = picture_of(matrix, is_full=is_full, tag=TAGS[matrix], pixel_format=pixel_format)
    converter, margin = RgbConverter(), SWSCALE[pixel_format]
    assert farthest(middles(converter.rgb(picture)), PATCHES) <= margin
    assert farthest(middles(np.dstack(converter.planes(picture))), PATCHES) <= margin
    assert farthest(middles(converter.rgb(picture, (56, 32))), PATCHES) <= margin


@pytest.mark.parametrize(("size", "matrix"), [((1278, 576), "bt601"), ((1280, 576), "bt709"), ((720, 578), "bt709")])
@pytest.mark.parametrize("tag", [2, 8])
def test_untagged_patches_have_the_colours_of_the_matrix_for_their_size(size, matrix, tag):
    picture = picture_of(matrix, size)
    picture.colorspace = tag
    converter = RgbConverter()
    for rgb in (converter.rgb(picture), np.dstack(converter.planes(picture)), converter.rgb(picture, (112, 48))):
        assert farthest(middles(rgb), PATCHES) <= SWSCALE["yuv420p"]


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (848, 480)])
def test_common_sizes_are_converted_without_a_detour(size, monkeypatch):
    converter = RgbConverter()
    picture = av.VideoFrame(*size, "yuv420p")
    converter.planes(picture)
    monkeypatch.setattr(cv2, "split", None)
    assert len(converter.planes(picture)) == 3


def test_a_transparent_picture_changes_by_its_tags_alone():
    """Cuts are found in what PySceneDetect sees, BT.601 where nothing is said; colours are what a viewer sees."""
    picture = picture_of("bt601", (1280, 64), pixel_format="yuva420p")
    shrunk = Shrinker(picture, RgbConverter())(picture)[..., ::-1]
    assert farthest(middles(shrunk), PATCHES) <= SWSCALE["yuva420p"]
    assert farthest(middles(RgbConverter().rgb(picture)), PATCHES) > 2 * SWSCALE["yuva420p"]


def test_a_matrix_that_libswscale_refuses_stops_neither_colours_nor_changes():
    for tag in UNKNOWN_TAGS:
        picture, plain = picture_of("bt601", (320, 180)), picture_of("bt601", (320, 180))
        picture.colorspace = tag
        expected = cv2.resize(plain.to_ndarray(format="bgr24"), (256, 144), interpolation=cv2.INTER_LINEAR)
        assert np.array_equal(Shrinker(picture, RgbConverter())(picture)[..., :3], expected)
        assert np.array_equal(RgbConverter().rgb(picture), plain.to_ndarray(format="rgb24"))


@pytest.mark.parametrize(("color_range", "expected"), [(0, 60), (LIMITED, 51), (FULL, 60)])
@pytest.mark.parametrize(("pixel_format", "level"), [("gray", 60), ("gray10le", 240)])
def test_a_grey_picture_of_limited_range_is_as_dark_as_the_same_picture_with_colours(
    pixel_format, level, color_range, expected
):
    picture = av.VideoFrame(64, 48, pixel_format)
    kind = np.uint8 if pixel_format == "gray" else np.uint16
    picture.planes[0].update(np.full(picture.planes[0].buffer_size // kind().itemsize, level, kind).tobytes())
    picture.color_range = color_range
    converter = RgbConverter()
    assert np.unique(converter.rgb(picture)).tolist() == [expected]
    assert np.unique(converter.planes(picture)).tolist() == [expected]


@pytest.mark.parametrize("degrees", [None, 90])
def test_an_untagged_film_of_high_definition_is_measured_with_bt_709(tmp_path, degrees):
    path = write_patches(tmp_path / "film.mp4", picture_of("bt709", (1280, 720), patches=PATCHES[:1]))
    if degrees:
        rotate_display(path, degrees)
    (segment,) = scan(path, whole=True, thumbnails=tmp_path)["segments"]
    row = colour_attributes(ColourSums(*segment["colour"]))
    assert row["hue"] == 7
    assert row["brightness_mean"] == pytest.approx(0.780, abs=0.001)
    shown = [
        cv2.imread(str(tmp_path / f"{segment['clip_id']}.jpg"))[..., ::-1],
        *sampled_frames(path, [0.0]),
        *(rgb for _, rgb in small_frames(path, [0.0], 64)),
    ]
    for rgb in shown:
        assert farthest(middles(rgb, 1), PATCHES[:1]) <= 3


@pytest.mark.parametrize(("matrix", "size"), [("bt709", (112, 64)), ("bt601", (1280, 720))])
@pytest.mark.parametrize("is_full", [False, True])
def test_a_film_is_measured_with_its_tags(tmp_path, matrix, size, is_full):
    picture = picture_of(matrix, size, is_full=is_full, tag=TAGS[matrix])
    path = write_patches(tmp_path / "film.mp4", picture)
    assert colour_rule(first_picture(path)) == (matrix, is_full, True)
    assert farthest(middles(rgb_of(path)), PATCHES) <= 3


@pytest.mark.parametrize("tag", [None, TAGS["bt709"]])
def test_a_film_has_the_same_colours_in_every_container(tmp_path, tag):
    picture = picture_of("bt709" if tag else "bt601", tag=tag)
    found = [rgb_of(write_patches(tmp_path / f"film.{suffix}", picture)) for suffix in ("mp4", "mkv", "ts", "mov")]
    assert all(np.array_equal(rgb, found[0]) for rgb in found)
    assert farthest(middles(found[0]), PATCHES) <= 3


def test_a_container_may_say_what_the_codec_does_not(tmp_path):
    picture = picture_of("bt709", tag=TAGS["bt709"])
    for suffix, is_tagged in (("mkv", True), ("avi", False)):
        path = write_patches(tmp_path / f"film.{suffix}", picture, codec="ffv1")
        assert colour_rule(first_picture(path)).is_tagged is is_tagged


# Every width

WIDTHS = range(320, 1921, 2)
FEW = {320, 322, 360, 424, 426, 640, 848, 850, 852, 854, 1080, 1278, 1280, 1366, 1920}
ODD = (321, 323, 325, 327, 329, 331, 333, 335, 853, 1365)
IS_EVERY = bool(os.environ.get("EMOVID_EVERY_WIDTH"))
WIDE = [width for width in WIDTHS if IS_EVERY or width in FEW]
FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "nv12", "yuva420p")


def noise(width, height, pixel_format, seed):
    """Every sample by chance; `seed` 0 gives a flat picture."""
    picture = av.VideoFrame(width, height, pixel_format)
    random = np.random.default_rng(seed)
    for plane in picture.planes:
        top, kind = (1024, np.uint16) if "10" in pixel_format else (256, np.uint8)
        samples = random.integers(0, top if seed else 1, plane.buffer_size // kind().itemsize, kind)
        plane.update(samples.tobytes())
    return picture


def sums_of(*pictures):
    counter = ColourCounter()
    for rgb in pictures:
        counter.add(rgb)
    return counter.sums()


def plainly_shrunk(picture):
    """What PySceneDetect looks at."""
    width, height = picture.width, picture.height
    factor = max(1, max(width, height) / 256)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    bgr = picture.to_ndarray(format="bgr24")
    return cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR) if factor > 1 else bgr


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("height", [48, 33])
def test_every_column_is_measured_behind_a_flat_first_picture(pixel_format, height):
    wrong = set()
    for width in (*WIDE, *ODD):
        converter, counter = RgbConverter(), ColourCounter()
        pictures = [noise(width, height, pixel_format, seed) for seed in (0, 1, 2)]
        shrink = Shrinker(pictures[0], converter)
        expected = [as_seen(picture) for picture in pictures]
        for picture, rgb in zip(pictures, expected, strict=True):
            counter.add_planes(*converter.planes(picture))
            if not np.array_equal(converter.rgb(picture), rgb):
                wrong.add(width)
            if "a" not in pixel_format and not np.array_equal(shrink(picture)[..., :3], plainly_shrunk(picture)):
                wrong.add(width)
        if counter.sums() != sums_of(*expected):
            wrong.add(width)
    assert wrong == set()


@pytest.mark.parametrize(("width", "height"), [(768, 432), (1280, 720), (690, 1280), (432, 768), (354, 768)])
def test_pictures_of_which_only_some_rows_are_converted_have_every_column(width, height):
    pictures = [noise(width, height, "yuv420p", seed) for seed in (0, 1, 2)]
    shrink = Shrinker(pictures[0], RgbConverter())
    for picture in pictures:
        assert np.array_equal(shrink(picture)[..., :3], plainly_shrunk(picture))


def test_the_last_columns_of_a_transparent_picture_are_its_own():
    for width in range(64, 96):
        converter = RgbConverter()
        for seed in (0, 1, 2):
            picture = noise(width, 48, "yuva420p", seed)
            colours, (*_, alpha) = picture.to_ndarray(format="rgb24"), picture.planes
            shares = np.frombuffer(alpha, np.uint8).reshape(-1, alpha.line_size)[:, :width]
            expected = over_white(np.dstack([colours, shares]))
            assert farthest(converter.rgb(picture), expected) <= (0 if width % 2 == 0 else 1), width


def test_every_colour_under_every_alpha_is_laid_over_white_to_the_nearest_level():
    levels = np.arange(256, dtype=np.uint8)
    for shift in range(3):
        # An odd width, so that the last pixels of a row are reckoned by themselves.
        colours, alpha = (some[:, : 256 - shift] for some in np.meshgrid(np.roll(levels, shift), levels))
        colours = np.ascontiguousarray(np.dstack([colours, colours[:, ::-1], 255 - colours]))
        expected = over_white(np.dstack([colours, alpha]))
        assert np.array_equal(laid_over_white(colours, np.ascontiguousarray(alpha)), expected)


@pytest.mark.parametrize(
    ("hidden", "as_it_is"),
    [
        ((255, 255, 255, 0), True),
        ((9, 8, 7, 255), True),
        ((255, 255, 254, 0), False),
        ((0, 0, 0, 0), False),
        ((255, 255, 255, 1), False),
        ((255, 255, 255, 254), False),
        ((40, 0, 200, 127), False),
    ],
)
@pytest.mark.parametrize("width", [61, 64, 330])
def test_pictures_of_four_bytes_are_seen_over_white_whatever_they_hide(width, hidden, as_it_is):
    pixels = np.random.default_rng(width).integers(0, 256, (48, width, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[20:, width - 1] = hidden
    picture = av.VideoFrame.from_ndarray(pixels, format="bgra")
    expected = over_white(pixels[..., [2, 1, 0, 3]])
    converter = RgbConverter()
    assert (white_below(picture) is not None) == as_it_is
    assert np.array_equal(converter.rgb(picture), expected)
    assert np.array_equal(np.dstack(converter.planes(picture)), expected)
    assert np.array_equal(converter.as_tagged(picture)[..., :3], expected[..., ::-1])


MEASURE = """
import sys
from pathlib import Path
from emovid_assets_tests.media.scanning import scan
from emovid_assets.core.video.changes import read_changes
changes = Path(sys.argv[2])
scanned = scan(Path(sys.argv[1]), whole=True, changes=changes)
print([segment["colour"] for segment in scanned["segments"]], read_changes(changes))
"""


def test_a_film_with_a_flat_first_picture_gives_the_same_in_every_process(tmp_path):
    """360 × 640: 12 black frames, then one picture of blocks. What lies in memory is another byte in each process."""
    random = np.random.default_rng(1)
    blocks = np.kron(random.integers(0, 256, (32, 18, 3), np.uint8), np.ones((20, 20, 1), np.uint8))
    frames = [np.zeros_like(blocks)] * 12 + [blocks] * 60
    options = {"preset": "ultrafast", "crf": "10"}
    path = write_video(tmp_path / "film.mp4", frames, fps=24, codec="libx264", pix_fmt="yuv420p", options=options)
    count = int(os.environ.get("EMOVID_PROCESSES", "3"))
    running = [
        subprocess.Popen(
            [sys.executable, "-c", MEASURE, str(path), str(tmp_path / f"{number}.npy")],
            env={**os.environ, "MALLOC_PERTURB_": str(37 * number + 1)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    printed = {process.communicate()[0] for process in running}
    assert all(process.returncode == 0 for process in running)
    assert len(printed) == 1
    (segment,) = scan(path, whole=True)["segments"]
    expected = reference_of(as_seen(frame.picture) for frame in Video(path).frames() if frame.index % 20 == 0)
    assert differences(colour_attributes(ColourSums(*segment["colour"])), expected) == {}
    shrunk = [cv2.cvtColor(plainly_shrunk(f.picture), cv2.COLOR_BGR2HSV).astype(int) for f in Video(path).frames()]
    meter = None
    for frame in Video(path).frames():
        meter = meter or ChangeMeter(Shrinker(frame.picture, RgbConverter()))
        before = shrunk[max(0, frame.index - 1)]
        assert list(meter.measure(frame.picture)) == np.abs(shrunk[frame.index] - before).sum(axis=(0, 1)).tolist()


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_a_picture_that_is_resized_for_comparing_is_whole_and_as_red_green_and_blue_as_any(pixel_format):
    for size in ((832, 480), (854, 480), (640, 360), (96, 64)):
        for width in (444, 341, 386, 388):
            converter = RgbConverter()
            for seed in (1, 2):
                picture = noise(*size, pixel_format, seed)
                found, plain = converter.compared(picture, (width, 256)), converter.rgb(picture, (width, 256))
                assert (found[..., 3] == 255).all()
                # The two ways of libswscale round their colour differences in other places.
                assert farthest(found[..., 2::-1], plain) <= 6, (size, width)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuva420p", "rgb24", "gray"])
def test_a_picture_that_stays_as_large_or_needs_more_care_is_compared_as_it_is_seen(pixel_format):
    picture = noise(66, 48, pixel_format, 1)
    converter = RgbConverter()
    for size in ((66, 48),) if pixel_format == "yuv420p" else ((66, 48), (120, 90)):
        assert np.array_equal(converter.compared(picture, size), converter.rgb(picture, size))
