"""Frames that are sought are those that reading from the beginning gives."""

from itertools import islice

import av
import numpy as np
import pytest

from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.streams import ONLY
from emovid_assets_tests.media.making import scenery, write_animation, write_video
from emovid_assets_tests.media.scanning import planes, segment_of, whole

FRAMES = [scenery(index // 40, index, 96, 128) for index in range(100)]
H264 = {"codec": "libx264", "pix_fmt": "yuv420p"}
MPEG2 = {"codec": "mpeg2video", "pix_fmt": "yuv420p", "options": {"g": "12", "bf": "2", "qmax": "2"}}
FILMS = {
    "ts": H264 | {"options": {"g": "25", "bf": "2"}},
    "one_key_frame.ts": H264 | {"options": {"g": "250", "bf": "2", "sc_threshold": "0"}},
    "open.mp4": H264 | {"options": {"g": "25", "bf": "3", "x264-params": "open-gop=1"}},
    "rolling.mkv": H264 | {"options": {"g": "25", "x264-params": "intra-refresh=1"}},
    "mpeg2.ts": MPEG2,
    "mpg": MPEG2,
    "avi": {"codec": "mpeg4", "pix_fmt": "yuv420p", "options": {"g": "30", "bf": "2"}},
}


@pytest.mark.parametrize("name", FILMS)
def test_a_frame_that_is_sought_and_those_behind_it_are_as_read_from_the_beginning(tmp_path, name):
    path = write_video(tmp_path / f"film.{name}", FRAMES, **FILMS[name])
    frames = whole(path)
    seen = [(frame.pts, planes(frame)) for frame in frames]
    for first in range(1, len(frames), 6):
        found = islice(Video(path, start_pts=frames[first].pts).frames(), 8)
        assert [(frame.pts, planes(frame)) for frame in found] == seen[first : first + 8], first


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_frames_of_animations_are_drawn_over_all_frames_before_them(tmp_path, suffix):
    path = write_animation(tmp_path / f"sticker.{suffix}", FRAMES[:30], 100)
    frames = whole(path)
    for first in range(1, len(frames), 4):
        found = list(Video(path, start_pts=frames[first].pts).frames())
        assert [frame.pts for frame in found] == [frame.pts for frame in frames[first:]]
        for one, other in zip(found, frames[first:], strict=True):
            assert np.array_equal(one.picture.to_ndarray(format="rgb24"), other.picture.to_ndarray(format="rgb24"))


def test_a_clip_of_a_transport_stream_with_one_key_frame_is_written_from_its_third_frame(tmp_path):
    path = write_video(tmp_path / "film.ts", FRAMES, **FILMS["one_key_frame.ts"])
    segment = segment_of(whole(path), 3, 100)
    assert write_clip(path, ONLY, segment, tmp_path / "clip.mp4").encoding_reason == "container"
    assert len(whole(tmp_path / "clip.mp4")) == 97


def test_pictures_of_a_palette_keep_their_colours_wherever_reading_begins(tmp_path):
    path = tmp_path / "film.avi"
    palette = np.dstack([np.full(256, 255), *np.random.default_rng(1).integers(0, 256, (3, 256))])[0].astype(np.uint8)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "pal8"
        for index in range(30):
            places = np.full((48, 64), index, np.uint8)
            picture = av.VideoFrame.from_ndarray((places, palette), format="pal8")
            picture.pts = index
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    found = [frame.picture.to_ndarray(format="rgb24")[0, 0] for frame in Video(path, start_pts=12).frames()]
    assert np.array_equal(found, palette[12:30, 1:])
