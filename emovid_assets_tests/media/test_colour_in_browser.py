"""Colours in Chromium: its canvas shows untagged sources and encoded clips with the colours measured on the source."""

import numpy as np
import pytest

from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter, upright
from emovid_assets_tests.browser import CHROMIUM
from emovid_assets_tests.media.browser import colours_on_canvas
from emovid_assets_tests.media.making import rotate_display, write_video
from emovid_assets_tests.media.patches import TAGS, farthest, middles, picture_of, write_patches
from emovid_assets_tests.media.scanning import clip_of

pytestmark = [pytest.mark.integration, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]

SEEN = ((200, 60, 40), (128, 128, 128), (250, 250, 250), (10, 10, 10), (30, 120, 130))
"""Chromium's own conversion is off by up to eight levels of blue on purer colours, by four on these; another matrix
is off by twelve."""
MARGIN = 4


def measured(path):
    frame = next(Video(path).frames())
    return middles(upright(RgbConverter().rgb(frame.picture), frame.rotation), len(SEEN))


def test_an_untagged_source_has_the_colours_that_a_browser_shows(tmp_path):
    films = [
        write_patches(tmp_path / "hd.mp4", picture_of("bt709", (1280, 720), patches=SEEN)),
        write_patches(tmp_path / "portrait.mp4", picture_of("bt709", (720, 1280), patches=SEEN)),
        write_patches(tmp_path / "sd.mp4", picture_of("bt601", (320, 180), patches=SEEN)),
    ]
    for path, shown in zip(films, colours_on_canvas(films, len(SEEN)), strict=True):
        assert farthest(shown, measured(path)) <= MARGIN, path.name
        assert farthest(shown, SEEN) <= MARGIN, path.name


def test_encoded_clips_show_the_colours_of_their_source(tmp_path):
    def of(name, matrix, size=(320, 180), **options):
        return write_patches(tmp_path / f"{name}.mp4", picture_of(matrix, size, patches=SEEN, **options))

    turned = of("turned", "bt709", (1280, 720))
    rotate_display(turned, 180)
    odd = np.repeat(np.array(SEEN, np.uint8)[None], 91, axis=0).repeat(33, axis=1)
    films = [
        of("untagged_hd", "bt709", (1280, 576)),
        of("untagged_sd", "bt601"),
        of("sd_in_709", "bt709", tag=TAGS["bt709"]),
        of("hd_in_601", "bt601", (1280, 720), tag=TAGS["bt601"]),
        of("pal", "bt601", tag=TAGS["bt470bg"]),
        of("bt2020", "bt2020", tag=TAGS["bt2020"]),
        of("full", "bt709", is_full=True, tag=TAGS["bt709"]),
        of("untagged_full", "bt601", is_full=True),
        of("ten_bits", "bt709", pixel_format="yuv420p10le", tag=TAGS["bt709"]),
        turned,
        write_video(tmp_path / "odd.mov", [odd] * 10),
    ]
    clips = []
    for path in films:
        clips.append(tmp_path / f"clip_of_{path.stem}.mp4")
        clip_of(path, clips[-1], whole=True, way="encode")
    for path, clip, shown in zip(films, clips, colours_on_canvas(clips, len(SEEN)), strict=True):
        expected = SEEN[::-1] if path is turned else SEEN
        assert farthest(measured(clip), measured(path)) <= (4 if path.stem == "ten_bits" else 2), path.name
        assert farthest(shown, expected) <= MARGIN, path.name
