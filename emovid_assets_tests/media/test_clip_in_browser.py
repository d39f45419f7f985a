"""Clips in Chromium: what is on the screen at the first frame, while playing, at the end and after a seek."""

import pytest

from benchmarks.numbered import CELLS, barcode
from emovid_assets.core.video.clip_file import write_clip
from emovid_assets_tests.browser import CHROMIUM
from emovid_assets_tests.media.browser import watch
from emovid_assets_tests.media.making import beeps, write_video
from emovid_assets_tests.media.scanning import first_tracks, segment_of, whole

pytestmark = [pytest.mark.integration, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]


def number_of(step):
    return sum((level > 115) << bit for bit, level in enumerate(step["cells"]))


def numbers(seen, name):
    return [number_of(step) for step in seen["steps"] if step["name"] == name]


@pytest.fixture(scope="module", params=["libx264", "libvpx-vp9"])
def film(request, tmp_path_factory):
    """300 numbered frames at 25 Hz, a key frame every 125; H.264 with B-frames that refer to each other, and sound."""
    folder = tmp_path_factory.mktemp("film")
    pictures = [barcode(index) for index in range(300)]
    if request.param == "libx264":
        path, sound = folder / "film.mp4", beeps(12.0, 1.0, 5.0)
        options = {"g": "125", "bf": "3", "b-pyramid": "normal", "sc_threshold": "0"}
    else:
        path, sound = folder / "film.webm", None
        options = {"g": "125", "deadline": "realtime", "cpu-used": "8"}
    write_video(path, pictures, codec=request.param, pix_fmt="yuv420p", options=options, sound=sound, sound_codec="aac")
    return path, whole(path)


def test_chromium_shows_a_clip_of_vp8_from_its_first_frame_to_its_last(tmp_path):
    options = {"g": "25", "deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "1M"}
    pictures = [barcode(index) for index in range(60)]
    path = write_video(tmp_path / "film.webm", pictures, codec="libvpx", pix_fmt="yuv420p", options=options)
    clip = write_clip(path, first_tracks(path), segment_of(whole(path), 13, 48), tmp_path / "clip")
    assert (clip.how, clip.suffix) == ("joined", ".webm")
    seen = watch(tmp_path / "clip.webm", cells=CELLS, seeks=(0.0, 0.5, 34.5 / 25))
    assert numbers(seen, "loaded") == [13]
    assert numbers(seen, "ended") == [47]
    assert numbers(seen, "sought") == [13, 25, 47]
    assert {13, *numbers(seen, "played")} <= set(range(13, 48))
    assert seen["duration"] == pytest.approx(35 / 25, abs=0.001)


@pytest.mark.parametrize(
    ("way", "first", "end", "how"),
    [
        *(("copy", first, end, "copied") for first, end in ((100, 130), (101, 132), (250, 275))),
        ("exact", 100, 130, "joined"),
    ],
)
def test_chromium_shows_a_clip_from_its_first_frame_to_its_last(film, tmp_path, way, first, end, how):
    path, frames = film
    clip = write_clip(path, first_tracks(path), segment_of(frames, first, end), tmp_path / "clip.mp4", way=way)
    assert clip.how == how
    seen = watch(tmp_path / "clip.mp4", cells=CELLS, seeks=(0.0, 0.5, (end - first - 0.5) / 25))
    assert numbers(seen, "loaded") == [first]
    assert numbers(seen, "ended") == [end - 1]
    assert numbers(seen, "sought") == [first, first + 12, end - 1]
    played = numbers(seen, "played")
    assert {first, *played} <= set(range(first, end))
    for step in seen["steps"]:
        if step["name"] == "played":
            # A busy machine draws later than it was called: then a later picture, but none that is not due yet.
            assert step["mediaTime"] * 25 - 1.01 <= number_of(step) - first <= step["time"] * 25 + 1.01
    # Chromium counts pictures that it decodes for others and never shows: its clock may stand still on the last frame.
    assert -0.001 < seen["duration"] - (end - first) / 25 < 0.1
