"""Steps work on the file that was hashed and on no other."""

import os

import numpy as np
import pytest
from PIL import Image

from emovid_assets.core.video.errors import MediaError
from emovid_assets.resources import media_steps
from emovid_assets_tests.media.making import scenery, write_video

FRAMES = [scenery(index // 60, index) for index in range(120)]
SETTINGS = {
    "detector": {"name": "content", "threshold": 27.0},
    "frame_stride": 20,
    "min_duration_s": 1.0,
    "max_duration_s": 30.0,
    "is_whole": False,
}
TRACKS = {"video_index": 0, "audio_index": None, "shifts": []}
CHANGES = "frame_changes/movie.npy"


FADE = [np.full((48, 64, 3), 4 * index, np.uint8) for index in range(5)]


def first_frame_of(folder, frames):
    write_video(folder / "clip.mov", frames)
    found = media_steps.first_frame({"path": str(folder / "clip.mov"), "home": str(folder), "png_path": "first.png"})
    return found["first_frame_index"], found["first_frame_path"]


def test_the_first_frame_is_the_first_that_shows_something(tmp_path):
    assert first_frame_of(tmp_path, FRAMES[:3]) == (0, "first.png")
    assert first_frame_of(tmp_path, [*FADE, *FRAMES[:3]]) == (5, "first.png")
    with Image.open(tmp_path / "first.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), FRAMES[0])


def test_a_clip_of_one_colour_has_no_first_frame(tmp_path):
    assert first_frame_of(tmp_path, FADE) == (None, None)
    assert not (tmp_path / "first.png").exists()


def stamp_of(path):
    status = path.stat()
    return {"size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


@pytest.fixture
def film(tmp_path):
    return write_video(tmp_path / "film.mov", FRAMES)


def arguments(home, film, stamp):
    common = {"path": str(film), "home": str(home), "stamp": stamp, "tracks": TRACKS}
    scan = common | {
        "source_id": "movie-0123456789abcdef",
        "thumbnail_folder": "thumbnails",
        "frame_count": 120,
        "changes_path": CHANGES,
        "trim_s": None,
        "settings": SETTINGS,
    }
    place = {"start_s": 0.0, "end_s": 2.4, "start_frame": 0, "end_frame": 60, "start_pts": 0, "video_start_s": 0.0}
    place |= {"has_audio": False, "has_mended_stamps": False}
    clip = common | {"source_sha256": "", "segment": place, "stem": "clip", "clip_files": "exact"}
    return scan, clip


def test_a_film_that_was_replaced_is_neither_scanned_nor_cut_and_leaves_no_changes(tmp_path, film):
    stamp = stamp_of(film)
    os.utime(film, ns=(0, stamp["mtime_ns"] + 1))
    scan, clip = arguments(tmp_path, film, stamp)
    for step, values in ((media_steps.scan, scan), (media_steps.clip_file, clip)):
        with pytest.raises(MediaError) as raised:
            step(values)
        assert raised.value.code == "replaced"
    assert not (tmp_path / CHANGES).exists()
    assert not (tmp_path / "clip.mp4").exists()


def test_a_clip_has_one_file_whatever_it_was_called_before(tmp_path):
    film = write_video(tmp_path / "film.webm", FRAMES, codec="libvpx", pix_fmt="yuv420p", options={"cpu-used": "8"})
    _, clip = arguments(tmp_path, film, None)
    clip["segment"] |= {"end_pts": 2400}
    for way, suffix in (("encode", ".mp4"), ("exact", ".webm"), ("encode", ".mp4")):
        made = media_steps.clip_file(clip | {"clip_files": way})
        assert (made["media_path"], made["files"]) == (f"clip{suffix}", [f"clip{suffix}"])
        assert [path.name for path in tmp_path.glob("clip*")] == [f"clip{suffix}"]
        assert made["size_bytes"] == (tmp_path / f"clip{suffix}").stat().st_size


def test_a_film_that_is_replaced_while_it_is_scanned_leaves_no_changes_under_its_name(tmp_path, film, monkeypatch):
    whole = media_steps.scan_source

    def scanned_and_replaced(*positional, **named):
        result = whole(*positional, **named)
        assert (tmp_path / CHANGES).exists()
        film.write_bytes(film.read_bytes() + b" ")
        return result

    monkeypatch.setattr(media_steps, "scan_source", scanned_and_replaced)
    scan, _ = arguments(tmp_path, film, stamp_of(film))
    with pytest.raises(MediaError) as raised:
        media_steps.scan(scan)
    assert raised.value.code == "replaced"
    assert not (tmp_path / CHANGES).exists()
