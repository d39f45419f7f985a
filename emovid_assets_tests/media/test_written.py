"""What the index of a clip file says is what its decoder shows."""

import subprocess
from fractions import Fraction

import av
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from emovid_assets.core.video import clip_file
from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.mp4 import Shown, set_edits
from emovid_assets.core.video.rgb import colour_rule
from emovid_assets.core.video.written import read_written
from emovid_assets_tests.media.making import beeps, rotate_display, scenery, write_animation, write_video
from emovid_assets_tests.media.scanning import WAYS, clip_of, first_tracks, segment_of, whole
from emovid_assets_tests.media.test_clip_file import length_of

LONG_GOP = {"g": "60", "bf": "3", "b-pyramid": "normal", "sc_threshold": "0"}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """H.264 with B-frames, a key frame every 60 frames, sound, turned by a quarter: 64×48 coded, 48×64 shown."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    frames = [scenery(0, index) for index in range(100)]
    write_video(
        path,
        frames,
        codec="libx264",
        pix_fmt="yuv420p",
        options=LONG_GOP,
        sound=beeps(4.0, 1.0),
        sound_codec="aac",
    )
    rotate_display(path, 90)
    return path, whole(path)


def held(path):
    """How many pictures the file holds, shown or not."""
    with av.open(str(path), options={"ignore_editlist": "1"}) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


@pytest.mark.parametrize(
    ("first", "end", "hidden"),
    [(0, 100, 0), (60, 100, 0), (20, 50, "before"), (20, 49, "both"), (0, 49, "behind")],
)
def test_a_copied_clip_counts_what_its_edit_list_hides_before_and_behind_it(film, tmp_path, first, end, hidden):
    path, frames = film
    target = tmp_path / "clip.mp4"
    clip = write_clip(path, first_tracks(path), segment_of(frames, first, end), target, way="copy")
    written = read_written(target)
    assert clip.how == "copied"
    assert written.frame_count == len(whole(target)) == end - first
    assert clip.hidden_frame_count == written.hidden_frame_count == held(target) - (end - first)
    assert bool(written.hidden_frame_count) == bool(hidden)
    assert written.duration_s == pytest.approx((end - first) / 25, abs=1e-3)
    assert (written.width_px, written.height_px) == (48, 64), "as displayed"
    assert (written.video_codec, written.audio_codec) == ("h264", "aac")


def test_an_encoded_clip_hides_nothing_and_its_odd_sides_are_even(tmp_path):
    path = tmp_path / "odd.gif"
    write_animation(path, [scenery(0, index, 47, 63) for index in range(12)], 100)
    clip_of(path, tmp_path / "clip.mp4", whole=True)
    written = read_written(tmp_path / "clip.mp4")
    assert (written.frame_count, written.hidden_frame_count, written.duration_s) == (12, 0, pytest.approx(1.2))
    assert (written.width_px, written.height_px) == (64, 48)
    assert (written.video_codec, written.audio_codec) == ("h264", None)


def test_the_last_picture_of_an_encoded_clip_stays_until_the_cut_over_a_pause_that_the_packets_deny(tmp_path):
    path = tmp_path / "pause.mkv"
    # Matroska names one duration for all pictures here, and says nothing of the one that rests.
    pause = "testsrc=s=64x48:r=25:d=5,setpts='if(gte(N,88),PTS+37*0.04/TB,PTS)'"
    command = [get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", pause, "-c:v", "mpeg4", "-fps_mode", "passthrough"]
    subprocess.run([*command, str(path)], check=True)
    frames = whole(path)
    segment = segment_of(frames, 0, 88)
    assert segment["end_s"] == 5.0
    clip = write_clip(path, first_tracks(path), segment, tmp_path / "clip.mp4")
    assert (clip.encoding_reason, clip.duration_s) == ("codec", 5.0)
    assert length_of(tmp_path / "clip.mp4") == 5.0


def test_an_encoded_file_that_is_not_the_clip_is_refused(film, tmp_path, monkeypatch):
    path, frames = film
    segment = segment_of(frames, 0, 50)

    def encode_too_short(path, tracks, segment, sound, target):
        part = segment_of(frames, 0, 49)
        count = encode(path, tracks, part, sound, target)
        return count + 1

    encode = clip_file._encode
    monkeypatch.setattr(clip_file, "_encode", encode_too_short)
    with pytest.raises(MediaError, match=r"shows 49 frames in 1\.960 s, the clip has 50 in 2\.000 s") as caught:
        write_clip(path, first_tracks(path), segment, tmp_path / "clip.mp4", way="encode")
    assert caught.value.code == "not_the_clip"
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_clip_file_cannot_be_read_as_one(film, tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no film", encoding="utf-8")
    matroska = write_video(tmp_path / "film.mkv", [scenery(0, n) for n in range(3)], codec="libx264", pix_fmt="yuv420p")
    cut_off = tmp_path / "cut_off.mp4"
    cut_off.write_bytes(film[0].read_bytes()[:2000])
    said = {
        text: "Invalid data",
        matroska: "has no index",
        cut_off: "Invalid data",
        tmp_path / "gone.mp4": "No such file",
    }
    for path, words in said.items():
        with pytest.raises(ValueError, match=words):
            read_written(path)


def test_an_edit_that_shows_less_is_seen(film, tmp_path):
    path, frames = film
    target = tmp_path / "clip.mp4"
    write_clip(path, first_tracks(path), segment_of(frames, 0, 100), target)
    set_edits(target, {"vide": Shown(None, Fraction(3)), "soun": Shown(None, Fraction(3))})
    written = read_written(target)
    assert (written.frame_count, written.hidden_frame_count) == (75, 25)
    assert written.lasts(3.0)
    assert not written.lasts(4.0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("size", "tag"), [((48, 64), None), ((48, 64), 1), ((640, 64), None)])
def test_the_colour_rule_of_a_clip_file_is_known_before_a_picture_is_decoded(tmp_path, size, tag, way):
    path = tmp_path / "film.mp4"
    frames = [scenery(0, index, *size) for index in range(4)]
    write_video(path, frames, codec="libx264", pix_fmt="yuv420p", colour_tag=tag)
    segment = segment_of(whole(path), 0, 4)
    clip = write_clip(path, first_tracks(path), segment, tmp_path / "clip.mp4", way=way)
    rule = colour_rule(whole(tmp_path / "clip.mp4")[0].picture)
    assert (clip.colour_matrix, clip.is_colour_tagged) == (rule.matrix, rule.is_tagged)
    assert clip.is_colour_tagged == (tag is not None or way == "encode")
    assert clip.colour_matrix == ("bt601" if size == (48, 64) and tag is None else "bt709")
