"""Stamps that repeat, stray, leap or begin anew: every picture is there once, in order, at a time that makes sense.

`EMOVID_STAMP_EXAMPLES` sets how many random files are tried.
"""

import os
import subprocess
from itertools import islice, pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imageio_ffmpeg import get_ffmpeg_exe

from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.shown import is_shown
from emovid_assets.core.video.stamps import InOrder, ascended, ascending, is_variable, last_duration
from emovid_assets_tests.media.making import SOUND_RATE, beeps, scenery, write_hiding_vp8, write_video
from emovid_assets_tests.media.matroska import blocks, restamp
from emovid_assets_tests.media.scanning import clip_of, cut_frames, planes, probe, scan, segment_of, whole

EXAMPLES = int(os.environ.get("EMOVID_STAMP_EXAMPLES", "25"))
H264 = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"preset": "ultrafast", "crf": "20"}}
VP8 = {"codec": "libvpx", "pix_fmt": "yuv420p", "options": {"deadline": "realtime", "cpu-used": "8"}}
FRAMES = [scenery(index // 60, index) for index in range(150)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stamps")


@pytest.fixture(scope="module")
def films(folder):
    """150 pictures, 40 ms apart, once without and once with pictures that refer to later ones."""
    plain = write_video(folder / "plain.webm", FRAMES, **VP8)
    options = {"preset": "fast", "bf": "3", "g": "40", "crf": "20"}
    return {"vp8": plain, "h264": write_video(folder / "reordered.mkv", FRAMES, **H264 | {"options": options})}


@pytest.fixture(scope="module")
def pictures(films):
    """Digests of the pictures, by FFmpeg's own tool's order: it decodes what was not restamped."""
    found = {codec: [planes(frame) for frame in whole(path)] for codec, path in films.items()}
    assert [len(by_command(path)) for path in films.values()] == [150, 150]
    return found


def by_command(path):
    """Digests of the pictures that FFmpeg's own tool decodes, in its order."""
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough"]
    said = subprocess.run([*command, "-f", "framemd5", "-"], capture_output=True, text=True, check=False).stdout
    return [line.split(",")[-1].strip() for line in said.splitlines() if line and not line.startswith("#")]


def stories_of(path):
    """(count, length in s) as the probe and as the scan tell them."""
    facts = probe(path)
    scanned = scan(path, whole=True, tracks=facts.tracks)
    (segment,) = scanned["segments"]
    return (facts.frame_count, facts.duration_s), (scanned["frame_count"], segment["duration_s"])


def assert_clip_is(path, target, count, length_s, *, tracks=None):
    """The file of the whole film as one clip: all pictures, at most a tick longer or shorter."""
    clip_of(path, target, whole=True, tracks=tracks or probe(path).tracks)
    with av.open(str(target)) as container:
        assert sum(1 for _ in container.decode(video=0)) == count
        video = container.streams.video[0]
        assert float(video.duration * video.time_base) == pytest.approx(length_s, abs=2e-3)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@pytest.mark.parametrize(
    "change",
    [
        {70: 69 * 40},
        {70: 70 * 40 - 85},
        {70: 71 * 40, 71: 70 * 40},
        {70: 70 * 40 + 3000},
        {70: 70 * 40 - 2500},
        {149: 148 * 40},
        {0: 40},
    ],
    ids=["equal", "85 ms back", "swapped", "3 s ahead", "2.5 s back", "the last", "the first"],
)
def test_a_wrong_stamp_costs_neither_a_picture_nor_the_length(films, tmp_path, codec, change):
    path = restamp(films[codec], tmp_path / films[codec].name, change)
    probed, scanned = stories_of(path)
    assert probed[0] == scanned[0] == 150
    assert probed[1] == pytest.approx(scanned[1], abs=1e-3)
    assert scanned[1] == pytest.approx(6.0, abs=0.05)
    assert [planes(frame) for frame in whole(path, probe(path).tracks)] == [
        planes(frame) for frame in whole(films[codec])
    ]
    assert_clip_is(path, tmp_path / "clip.mp4", 150, scanned[1])


@pytest.mark.parametrize("suffix", ["ts", "vob"])
def test_parts_that_were_joined_go_on_where_the_part_before_ended(tmp_path, suffix):
    options = {"codec": "mpeg2video", "pix_fmt": "yuv420p"} if suffix == "vob" else H264
    sound = "mp2" if suffix == "vob" else "aac"
    part = write_video(tmp_path / f"a.{suffix}", FRAMES, **options, sound=beeps(6.0, 1.0, 4.0), sound_codec=sound)
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(part.read_bytes() * 2)
    assert stories_of(path) == ((300, pytest.approx(12.0)), (300, pytest.approx(12.0)))
    cuts = cut_frames(scan(path, minimum=1.0, tracks=probe(path).tracks))
    assert cuts == [60, 120, 150, 210, 270]
    # Written from the second part, where the file's own stamps are those of the first.
    frames = whole(path, probe(path).tracks)
    segment = segment_of(frames, 210, 270)
    write_clip(path, probe(path).tracks, segment, tmp_path / "clip.mp4")
    shown = [planes(frame) for frame in Video(tmp_path / "clip.mp4").frames()]
    assert len(shown) == 60
    with av.open(str(tmp_path / "clip.mp4")) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    # The clip begins 2.4 s into the second part, whose second tone is at 4.0 s.
    loud = np.flatnonzero(np.abs(samples) > 0.1)[0] / SOUND_RATE
    assert loud == pytest.approx(1.6, abs=0.03)


def test_a_pause_of_the_pictures_alone_is_no_join(tmp_path):
    path = tmp_path / "pause.ts"
    write_video(
        path,
        FRAMES,
        **H264,
        pts=[index + (300 if index >= 75 else 0) for index in range(150)],
        sound=beeps(18.0, 1.0),
        sound_codec="aac",
    )
    facts = probe(path)
    assert (facts.frame_count, facts.tracks.is_seekable) == (150, True)
    assert facts.duration_s == pytest.approx(18.0)


@pytest.mark.parametrize(
    ("codec", "options", "pts"),
    [
        ("libx264", {"bf": "3", "preset": "fast"}, range(150)),
        ("mpeg4", {"bf": "2"}, range(150)),
        ("mpeg4", {}, [index for index in range(188) if index % 5][:150]),
        ("mjpeg", {}, [index for index in range(188) if index % 5][:150]),
        ("mpeg4", {}, [*range(18), *range(19, 151)]),
    ],
)
def test_an_avi_is_whole_whatever_stamps_are_guessed_for_it(tmp_path, codec, options, pts):
    form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_video(tmp_path / "film.avi", FRAMES, codec=codec, pix_fmt=form, options=options, pts=list(pts))
    # The file counts from its first chunk, be it empty.
    length_s = (max(pts) + 1) / 25
    assert stories_of(path) == ((150, pytest.approx(length_s)), (150, pytest.approx(length_s)))
    assert_clip_is(path, tmp_path / "clip.mp4", 150, length_s)


@pytest.mark.parametrize(("codec", "options"), [("libx264", {"bf": "3", "preset": "fast"}), ("mpeg4", {"bf": "2"})])
def test_a_pause_in_an_avi_lies_between_the_pictures_where_it_was(tmp_path, codec, options):
    stamps = [index + (60 if index >= 75 else 0) for index in range(150)]
    path = write_video(tmp_path / "pause.avi", FRAMES, codec=codec, pix_fmt="yuv420p", options=options, pts=stamps)
    frames = whole(path)
    assert [frame.pts - frames[0].pts for frame in frames] == stamps
    assert [frame.pts for frame in Video(path, start_pts=frames[73].pts).frames()] == [f.pts for f in frames[73:]]
    assert probe(path).duration_s == scan(path, whole=True)["segments"][-1]["end_s"] == 210 / 25


def test_pictures_that_only_serve_others_are_not_counted(tmp_path):
    path = write_hiding_vp8(tmp_path / "film.webm", [frame[:48, :64] for frame in FRAMES[:120]], fps=24)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert sum(is_shown("vp8", packet) for packet in packets) == 120 < len(packets)
    facts = probe(path)
    assert (facts.frame_count, facts.is_vfr) == (120, False)
    assert facts.fps == pytest.approx(24, abs=0.01)
    assert scan(path, whole=True, tracks=facts.tracks)["frame_count"] == 120


def test_a_superframe_of_vp9_is_one_picture(tmp_path):
    options = {"cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "16"}
    path = write_video(tmp_path / "film.webm", FRAMES[:60], codec="libvpx-vp9", pix_fmt="yuv420p", options=options)
    assert (probe(path).frame_count, len(by_command(path))) == (60, 60)


def test_the_last_picture_before_a_pause_lasts_until_the_cut(tmp_path):
    pts = [*range(88), *range(125, 187)]
    path = write_video(tmp_path / "film.mkv", FRAMES, codec="mpeg4", pix_fmt="yuv420p", pts=pts)
    frames = whole(path)
    segment = segment_of(frames, 0, 88)
    assert segment["end_s"] == 5.0
    written = write_clip(path, probe(path).tracks, segment | {"has_audio": False}, tmp_path / "clip.mp4")
    assert written.duration_s == pytest.approx(5.0)
    assert len(by_command(tmp_path / "clip.mp4")) == 88


STAMPS = st.lists(
    st.tuples(
        st.integers(0, 149),
        st.sampled_from(("equal", "back", "swap", "ahead", "gap")),
        st.integers(1, 3000),
    ),
    max_size=6,
)


def changed(stamps, changes):
    """The stamps with some repeated, moved back, swapped or ahead, and with pauses."""
    made = list(stamps)
    for at, kind, amount in changes:
        if kind == "equal" and at:
            made[at] = made[at - 1]
        elif kind == "back":
            made[at] = max(0, made[at] - amount % 100)
        elif kind == "swap" and at:
            made[at], made[at - 1] = made[at - 1], made[at]
        elif kind == "ahead":
            made[at] += amount
        elif kind == "gap":
            made[at:] = [stamp + amount for stamp in made[at:]]
    return made


@settings(max_examples=EXAMPLES, deadline=None, derandomize="EMOVID_STAMP_EXAMPLES" not in os.environ)
@given(codec=st.sampled_from(("vp8", "h264")), changes=STAMPS)
def test_random_stamps_lose_no_picture_and_all_readings_agree(films, folder, pictures, codec, changes):
    film = films[codec]
    before = [block.stamp_ms for block in blocks(film.read_bytes())]
    after = changed(before, changes)
    path = restamp(film, folder / f"random{film.suffix}", dict(enumerate(after)))
    facts = probe(path)
    frames = whole(path, facts.tracks)
    assert [planes(frame) for frame in frames] == pictures[codec]
    made = [frame.pts for frame in frames]
    assert all(a < b for a, b in pairwise(made))
    assert facts.frame_count == len(made) == 150
    scanned = scan(path, whole=True, minimum=0.0, tracks=facts.tracks)
    (segment,) = scanned["segments"]
    if codec == "vp8":
        assert segment["duration_s"] == pytest.approx(facts.duration_s)
        if facts.tracks.is_seekable:
            # A stamp behind all before it and before all behind it is left alone.
            ahead = np.maximum.accumulate([-1, *after[:-1]])
            behind = np.minimum.accumulate([*after[1:], 1 << 40][::-1])[::-1]
            free = [at for at, stamp in enumerate(after) if ahead[at] + 150 < stamp < behind[at]]
            assert [made[at] for at in free] == [after[at] for at in free]
    # Any part of it can be sought and is as it was read from the beginning.
    at = changes[0][0] if changes else 75
    found = list(islice(Video(path, facts.tracks, start_pts=made[at]).frames(), 3))
    assert [(frame.pts, planes(frame)) for frame in found] == [
        (stamp, picture) for stamp, picture in zip(made[at : at + 3], pictures[codec][at : at + 3], strict=True)
    ]


@settings(max_examples=EXAMPLES * 4, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=1, max_size=40))
def test_stamps_ascend_whatever_they_were(stamps):
    made = [stamped.pts for stamped in ascending((stamp, 1, None) for stamp in stamps)]
    assert len(made) == len(stamps)
    assert all(a < b for a, b in pairwise(made))
    if None not in stamps and all(a < b for a, b in pairwise(stamps)):
        assert made == stamps


@settings(max_examples=EXAMPLES * 4, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=40))
def test_the_probe_counts_the_same_stamps_in_any_order(stamps):
    made = ascended(np.array(stamps, np.int64), is_reordered=True).tolist()
    assert len(set(made)) == len(made) == len(stamps)
    assert made == sorted(made)
    assert made[0] == min(stamps)
    in_order = ascended(np.array(stamps, np.int64), is_reordered=False).tolist()
    assert in_order == [stamped.pts for stamped in ascending((stamp, 1, None) for stamp in stamps)]


def test_the_last_picture_is_shown_as_declared_or_for_a_usual_step():
    even = np.arange(10) * 40
    assert [last_duration(declared, even) for declared in (0, 1, 39, 40, 500)] == [40, 40, 39, 40, 500]
    assert last_duration(0, np.array([0, 40, 80, 2080])) == 40
    assert last_duration(0, np.array([7])) == 1


def test_a_rate_varies_where_rounding_does_not_explain_it():
    assert not is_variable(np.array([0, 33, 67, 100, 133]))
    assert is_variable(np.array([0, 40, 80, 160, 200]))
    assert is_variable(np.array([0, 1, 2, 4, 5]))


def test_a_packet_without_a_picture_moves_no_other_stamp():
    order, made = InOrder(), []
    for stamp, is_picture in ((0, False), (1, True), (2, True), (3, False), (4, True), (5, True)):
        order.packet(stamp)
        if is_picture:
            made.append(order.picture(is_flushed=False))
    made.append(order.picture(is_flushed=True))
    assert made == [0, 1, 3, 4, 5]


def test_a_stamp_that_is_wanted_by_two_is_given_to_the_first():
    made = [stamped.pts for stamped in ascending((stamp, 1, None) for stamp in (0, 40, 40, 40, 42))]
    assert made == [0, 40, 41, 42, 43]
