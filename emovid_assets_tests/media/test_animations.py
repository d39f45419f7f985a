"""Stickers as their senders see them: how long each picture is shown, and what is seen of it over white.

Pillow judges GIF and WebP; PNG is judged by `stickers`, since Pillow draws some of it wrong. AVIF is read by Pillow, so
what was drawn is the judge. `EMOVID_STICKERS=2000 python -m pytest emovid_assets_tests/media/test_animations.py` draws
more at random than CI does, `EMOVID_FIRST_SEED` others.
"""

import os
import re
import struct
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from emovid_assets.core.video.animations import shown_delay
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.probe import Limits, probe_file
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter
from emovid_assets_tests.media.making import coded, scenery, write_animation, write_video
from emovid_assets_tests.media.scanning import clip_of, probe
from emovid_assets_tests.media.stickers import (
    APPLICATION,
    CLEAR,
    COMMENT,
    CONTROL,
    OVER,
    PLAIN_TEXT,
    REPLACE,
    TAILS,
    Picture,
    apng,
    gif,
    seen_of_apng,
    seen_of_gif,
)

STICKERS = int(os.environ.get("EMOVID_STICKERS", "12"))
FIRST_SEED = int(os.environ.get("EMOVID_FIRST_SEED", "0"))
SHORT = Fraction(1, 100)
PALETTE = np.random.default_rng(0).integers(0, 256, (256, 3), np.uint8)
PNG_DELAYS = [(0, 0), (0, 100), (1, 1000), (1, 100), (11, 1000), (1, 60), (1, 30), (7, 90), (60000, 1000), (1, 7)]


def code_of(path, **limits):
    with pytest.raises(MediaError) as caught:
        probe_file(path, Limits(**limits))
    return caught.value.code


def frames_of(path):
    return list(Video(path).frames())


def seen_in(path):
    """Every frame over white, as the rest of the pipeline reads it."""
    converter = RgbConverter()
    return [converter.rgb(frame.picture).astype(float) for frame in frames_of(path)]


def judged_by_pillow(path):
    """Every frame over white, and the delays in milliseconds as the file has them."""
    frames, delays = [], []
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            rgba = np.asarray(image.convert("RGBA")).astype(float)
            delays.append(image.info.get("duration", 0))
            frames.append(rgba[..., :3] * rgba[..., 3:] / 255 + 255 - rgba[..., 3:])
    return frames, delays


def assert_times(path, delays):
    """`delays`: seconds as shown. PNG's are rounded to ticks of 10 µs, one by one."""
    facts, frames, tolerance = probe(path), frames_of(path), 1e-5 * len(delays)
    assert facts.frame_count == len(frames) == len(delays)
    assert facts.duration_s == pytest.approx(float(sum(delays)), abs=tolerance)
    tick = float(frames[0].picture.time_base)
    starts = [float(sum(delays[:number])) for number in range(len(delays))]
    assert [frame.pts * tick for frame in frames] == pytest.approx(starts, abs=tolerance)
    assert [frame.duration * tick for frame in frames] == pytest.approx([float(d) for d in delays], abs=1e-5)


def largest_difference(found, wanted):
    assert len(found) == len(wanted)
    return max(np.abs(one - other).max() for one, other in zip(found, wanted, strict=True))


def as_shown(delay):
    return delay if delay > SHORT else Fraction(1, 10)


# AVIF has no pictures that last nothing.
SHORT_DELAYS = [(suffix, delay) for suffix in ("gif", "webp", "png", "avif") for delay in (0, 1, 5, 10)]
SHORT_DELAYS.remove(("avif", 0))


@pytest.mark.parametrize(("suffix", "delay_ms"), SHORT_DELAYS)
def test_a_delay_of_at_most_ten_milliseconds_lasts_a_tenth_of_a_second(tmp_path, suffix, delay_ms):
    path = write_animation(tmp_path / f"sticker.{suffix}", [coded(i) for i in range(12)], delay_ms)
    assert_times(path, [Fraction(1, 10)] * 12)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "avif"])
def test_longer_delays_stay_beside_short_ones(tmp_path, suffix):
    delays_ms = [40, 10, 20, 1000, 70, 10]
    path = write_animation(tmp_path / f"sticker.{suffix}", [coded(i) for i in range(6)], delays_ms)
    assert_times(path, [as_shown(Fraction(delay, 1000)) for delay in delays_ms])
    assert probe(path).is_vfr


def test_eleven_milliseconds_are_not_short():
    assert shown_delay(11, Fraction(1, 1000)) == 11
    assert shown_delay(10, Fraction(1, 1000)) == 100
    assert shown_delay(1001, Fraction(1, 100_000)) == 1001
    assert shown_delay(1000, Fraction(1, 100_000)) == 10_000
    assert shown_delay(1, Fraction(1, 100)) == 10


@pytest.mark.parametrize("count", [10, 19, 20, 40])
@pytest.mark.parametrize("tail", [*TAILS, COMMENT * 3, b"".join(TAILS)])
def test_blocks_behind_the_last_picture_of_a_gif_are_no_pictures(tmp_path, count, tail):
    path = write_animation(tmp_path / "sticker.gif", [coded(i) for i in range(count)], 50)
    data = path.read_bytes()
    assert data.endswith(b";")
    path.write_bytes(data[:-1] + tail + b";")
    wanted, delays = judged_by_pillow(path)
    assert_times(path, [Fraction(delay, 1000) for delay in delays])
    assert len(wanted) == count
    assert largest_difference(seen_in(path), wanted) == 0


@pytest.mark.parametrize("version", [b"GIF87a", b"GIF89a"])
def test_pictures_of_a_gif_that_say_nothing_of_their_delay_are_pictures(tmp_path, version):
    size, pictures, _, _ = random_gif(np.random.default_rng(3))
    path = tmp_path / "sticker.gif"
    data = gif(size, pictures, PALETTE)
    path.write_bytes(version + re.sub(rb"\x21\xf9\x04.{4}\0", b"", data, flags=re.DOTALL)[6:])
    assert b"\x21\xf9" not in path.read_bytes()
    wanted, _ = judged_by_pillow(path)
    assert_times(path, [Fraction(1, 10)] * len(pictures))
    assert largest_difference(seen_in(path), wanted) == 0


def test_a_gif_that_is_joined_to_another_shows_the_first(tmp_path):
    first = write_animation(tmp_path / "first.gif", [coded(i) for i in range(5)], 50).read_bytes()
    second = write_animation(tmp_path / "second.gif", [coded(i) for i in range(5, 12)], 50).read_bytes()
    path = tmp_path / "both.gif"
    path.write_bytes(first + second)
    wanted, _ = judged_by_pillow(path)
    assert len(wanted) == 5
    assert_times(path, [Fraction(1, 20)] * 5)


@pytest.mark.parametrize("block", [COMMENT, APPLICATION, CONTROL, PLAIN_TEXT])
def test_blocks_between_the_pictures_of_a_gif_change_nothing(tmp_path, block):
    path = write_animation(tmp_path / "sticker.gif", [coded(i) for i in range(20)], 50)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x21\xf9\x04", block + b"\x21\xf9\x04"))
    wanted, delays = judged_by_pillow(path)
    assert_times(path, [Fraction(delay, 1000) for delay in delays])
    assert largest_difference(seen_in(path), wanted) == 0


def random_gif(random):
    width, height, count = *map(int, random.integers(1, 40, 2)), int(random.integers(2, 41))
    # Without a transparent colour readers disagree on what a cleared place looks like.
    transparent = int(random.integers(0, 8))
    pictures = [
        Picture(
            random.integers(0, 8 if random.random() < 0.8 else 256, (high, wide), np.uint8),
            left,
            top,
            delay=int(random.choice([0, 1, 2, 3, 10, 100, 6000])),
            disposal=int(random.integers(0, 3)),
        )
        for wide, high, left, top in places(random, width, height, count)
    ]
    tail = b"".join(TAILS[number] for number in random.integers(0, len(TAILS), random.integers(0, 4)))
    return (width, height), pictures, transparent, tail


def places(random, width, height, count):
    """Sizes and places of pictures within a canvas that the first one fills."""
    for number in range(count):
        if number == 0 or random.random() < 0.3:
            yield width, height, 0, 0
        else:
            wide, high = int(random.integers(1, width + 1)), int(random.integers(1, height + 1))
            yield wide, high, int(random.integers(0, width - wide + 1)), int(random.integers(0, height - high + 1))


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + STICKERS))
def test_a_random_gif_is_seen_as_pillow_and_its_standard_say(tmp_path, seed):
    size, pictures, transparent, tail = random_gif(np.random.default_rng(seed))
    path = tmp_path / "sticker.gif"
    path.write_bytes(gif(size, pictures, PALETTE, transparent=transparent, tail=tail))
    wanted, delays = judged_by_pillow(path)
    assert delays == [10 * picture.delay for picture in pictures]
    assert_times(path, [as_shown(Fraction(delay, 1000)) for delay in delays])
    found = seen_in(path)
    assert largest_difference(found, wanted) == 0
    assert largest_difference(found, seen_of_gif(size, pictures, PALETTE, transparent)) < 1e-9


def random_apng(random):
    width, height, count = *map(int, random.integers(1, 40, 2)), int(random.integers(2, 41))
    channels, form = int(random.integers(1, 5)), (np.uint8, np.uint16)[int(random.integers(0, 2))]
    largest = np.iinfo(form).max
    hidden = None
    if channels in (1, 3) and random.random() < 0.4:
        hidden = [int(value) for value in random.integers(0, largest + 1, channels)]
    pictures = []
    for wide, high, left, top in places(random, width, height, count):
        pixels = random.integers(0, largest + 1, (high, wide, channels)).astype(form)
        if channels in (2, 4):
            pixels[random.random((high, wide)) < 0.3, -1] = 0
            pixels[random.random((high, wide)) < 0.3, -1] = largest
        if hidden:
            pixels[random.random((high, wide)) < 0.3] = hidden
        delay = PNG_DELAYS[int(random.integers(0, len(PNG_DELAYS)))]
        pictures.append(Picture(pixels, left, top, delay, int(random.integers(0, 3)), int(random.integers(0, 2))))
    return (width, height), pictures, hidden


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + STICKERS))
def test_a_random_png_of_8_or_16_bits_is_seen_as_its_standard_says(tmp_path, seed):
    size, pictures, hidden = random_apng(np.random.default_rng(seed))
    path = tmp_path / "sticker.png"
    path.write_bytes(apng(size, pictures, transparent=hidden))
    assert (probe(path).container, probe(path).video_codec) == ("apng", "apng")
    assert_times(path, [as_shown(Fraction(over, under or 100)) for over, under in (p.delay for p in pictures)])
    # Between frames the canvas is held in as many bits as the file has.
    assert largest_difference(seen_in(path), seen_of_apng(size, pictures, hidden)) < 2


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + STICKERS))
def test_a_random_webp_is_seen_as_pillow_says(tmp_path, seed):
    random = np.random.default_rng(seed)
    width, height, count = *map(int, random.integers(1, 40, 2)), int(random.integers(2, 41))
    frames = [random.integers(0, 256, (height, width, 4), np.uint8) for _ in range(count)]
    delays_ms = [int(delay) for delay in random.choice([0, 1, 9, 10, 11, 16, 30, 100, 60_000], count)]
    path = write_animation(tmp_path / "sticker.webp", frames, delays_ms)
    wanted, delays = judged_by_pillow(path)
    assert delays == delays_ms
    assert_times(path, [as_shown(Fraction(delay, 1000)) for delay in delays])
    assert largest_difference(seen_in(path), wanted) <= 0.5


def test_a_png_whose_opaque_pictures_are_cleared_shows_white_there(tmp_path):
    red, blue = np.full((8, 8, 3), (255, 0, 0), np.uint8), np.full((2, 2, 3), (0, 0, 255), np.uint8)
    pictures = [Picture(red, delay=(1, 10), disposal=CLEAR), Picture(blue, 3, 3, (1, 10))]
    path = tmp_path / "sticker.png"
    path.write_bytes(apng((8, 8), pictures))
    second = seen_in(path)[1]
    assert second[0, 0].tolist() == [255, 255, 255]
    assert second[3, 3].tolist() == [0, 0, 255]


def test_a_picture_that_only_old_programs_show_is_no_frame_of_a_png(tmp_path):
    pixels = [np.full((4, 4, 3), value, np.uint8) for value in (10, 90, 170)]
    path = tmp_path / "sticker.png"
    data = apng((4, 4), [Picture(grey, delay=(1, 10), blending=REPLACE) for grey in pixels])
    control = data.index(b"fcTL") - 4
    data = data[:control] + data[control + 38 :]
    path.write_bytes(data.replace(struct.pack(">2I", 3, 0), struct.pack(">2I", 2, 0)))
    assert [int(frame[0, 0, 0]) for frame in seen_in(path)] == [90, 170]
    assert probe(path).frame_count == 2


def test_a_png_picture_that_reaches_beyond_its_canvas_is_damage(tmp_path):
    grey = np.full((4, 4, 3), 90, np.uint8)
    path = tmp_path / "sticker.png"
    path.write_bytes(apng((4, 4), [Picture(grey, delay=(1, 10)), Picture(grey, 2, 0, delay=(1, 10))]))
    with pytest.raises(MediaError) as caught:
        frames_of(path)
    assert caught.value.code == "corrupt_frames"


@pytest.fixture(scope="module")
def avif(tmp_path_factory):
    """Twelve flat pictures, the left half of each transparent."""
    path = tmp_path_factory.mktemp("avif") / "sticker.avif"
    frames = []
    for number in range(12):
        rgba = np.full((32, 64, 4), (20 * number, 255 - 20 * number, 80, 255), np.uint8)
        rgba[:, :32, 3] = 0
        frames.append(rgba)
    return write_animation(path, frames, [40, 5, 100, *[50] * 9], quality=95, subsampling="4:4:4")


def test_animated_avif_is_an_animation_with_delays_and_transparency(avif):
    facts = probe(avif)
    assert (facts.container, facts.video_codec, facts.width_px, facts.height_px) == ("avif", "av1", 64, 32)
    assert_times(avif, [Fraction(delay, 1000) for delay in (40, 100, 100, *[50] * 9)])
    for number, frame in enumerate(seen_in(avif)):
        assert np.abs(frame[:, 40:] - (20 * number, 255 - 20 * number, 80)).max() < 6
        assert frame[:, :24].min() > 250


def test_a_clip_is_made_of_animated_avif(avif, tmp_path):
    segment = clip_of(avif, tmp_path / "clip.mp4", whole=True)
    assert segment["end_frame"] == 12
    assert probe(tmp_path / "clip.mp4").frame_count == 12


def test_a_still_avif_is_a_picture(tmp_path):
    path = tmp_path / "still.avif"
    Image.fromarray(coded(1)).save(path)
    assert code_of(path) == "single_image"


@pytest.mark.parametrize("share", [0.1, 0.4, 0.9, 0.99])
def test_a_part_of_an_animated_avif_is_truncated(avif, tmp_path, share):
    data = avif.read_bytes()
    path = tmp_path / "cut.avif"
    path.write_bytes(data[: int(len(data) * share)])
    assert code_of(path) == "truncated"


def test_an_avif_that_claims_large_or_many_pictures_is_refused_before_one_is_decoded(avif, tmp_path):
    data = avif.read_bytes()
    path = tmp_path / "bomb.avif"
    entry = data.index(b"av01", data.index(b"moov")) + 28
    assert struct.unpack_from(">2H", data, entry) == (64, 32)
    path.write_bytes(data[:entry] + struct.pack(">2H", 65000, 65000) + data[entry + 4 :])
    with pytest.raises(MediaError, match="65000×65000"):
        probe(path)
    times = data.index(b"stts") + 12
    path.write_bytes(data[:times] + struct.pack(">I", 4_000_000_000) + data[times + 4 :])
    assert code_of(path) == "too_large"
    assert code_of(avif, max_animation_pixels=12 * 64 * 32 - 1) == "too_large"


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_a_transparent_webm_is_seen_over_white(tmp_path, codec):
    frames = []
    for number in range(8):
        rgba = np.dstack([scenery(0, number), np.full((48, 64), 255, np.uint8)])
        rgba[:, :32, 3] = 0
        frames.append(rgba)
    options = {"auto-alt-ref": "0", "crf": "10", "b": "1M"}
    path = write_video(tmp_path / "sticker.webm", frames, codec=codec, pix_fmt="yuva420p", options=options)
    found = seen_in(path)
    assert len(found) == 8
    assert min(frame[:, :28].min() for frame in found) > 245
    assert max(np.abs(frame[4:, 36:].mean((0, 1)) - frames[0][4:, 36:, :3].mean((0, 1))).max() for frame in found) < 8


def test_pictures_blended_with_what_is_half_transparent_below_keep_both(tmp_path):
    pale = np.full((4, 4, 4), (255, 0, 0, 128), np.uint8)
    over = np.full((4, 4, 4), (0, 0, 255, 128), np.uint8)
    path = tmp_path / "sticker.png"
    pictures = [Picture(pale, delay=(1, 10)), Picture(over, delay=(1, 10), disposal=CLEAR, blending=OVER)]
    path.write_bytes(apng((4, 4), pictures))
    # White under half of red under half of blue.
    assert seen_in(path)[1][0, 0] == pytest.approx([127, 63.5, 191], abs=2)
