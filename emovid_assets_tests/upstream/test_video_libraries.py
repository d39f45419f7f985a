"""What we rely on in PySceneDetect, PyAV and SQLite; these fail first where a new release differs."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode
from scenedetect.common import Timecode
from scenedetect.scene_manager import compute_downscale_factor

from emovid_assets_tests.media.making import coded, write_animation, write_video


def reports(detector, levels, fps=25, step=1):
    """(frame reported, frame that reported it) over flat grey frames of the given levels."""
    found = []
    for index, level in enumerate(levels):
        stamp = Timecode(pts=index * step, time_base=Fraction(1, fps * step))
        timecode = FrameTimecode(stamp, fps=Fraction(fps))
        frame = np.full((32, 32, 3), level, np.uint8)
        found += [(cut.pts // step, index) for cut in detector.process_frame(timecode, frame)]
    return found


def levels_with_cuts(count, cuts):
    scene = np.zeros(count, int)
    for cut in cuts:
        scene[cut:] += 1
    return np.where(scene % 2, 230, 20)


@pytest.mark.parametrize("make", [AdaptiveDetector, ContentDetector])
@pytest.mark.parametrize("seed", range(6))
def test_a_cut_is_reported_within_the_event_buffer(make, seed):
    random = np.random.default_rng(seed)
    cuts = np.cumsum(random.integers(2, 40, 30))
    detector = make()
    found = reports(detector, levels_with_cuts(int(cuts[-1]) + 60, cuts))
    assert len(found) > 3
    assert max(at - cut for cut, at in found) <= detector.event_buffer_length
    assert {cut for cut, _ in found} <= set(cuts.tolist())
    assert [cut for cut, _ in found] == sorted(cut for cut, _ in found)


def test_the_adaptive_detector_looks_two_frames_back_and_content_as_far_as_its_shortest_scene():
    assert AdaptiveDetector().event_buffer_length == 2
    assert ContentDetector(min_scene_len=9).event_buffer_length == 9
    assert reports(AdaptiveDetector(), levels_with_cuts(60, [30])) == [(30, 32)]
    assert reports(ContentDetector(), levels_with_cuts(60, [30])) == [(30, 30)]


@pytest.mark.parametrize("make", [AdaptiveDetector, ContentDetector])
def test_nothing_is_reported_after_the_last_frame(make):
    detector = make()
    reports(detector, levels_with_cuts(60, [30]))
    assert detector.post_process(FrameTimecode(59, fps=25.0)) == []


def test_the_content_detector_counts_its_delay_by_time_at_the_nominal_rate():
    # 50 frames a second under a nominal rate of 25: 15 frames of delay become 30.
    detector, found = ContentDetector(), []
    for index, level in enumerate(levels_with_cuts(160, [40, 48, 56, 64, 72, 80])):
        timecode = FrameTimecode(Timecode(pts=index, time_base=Fraction(1, 50)), fps=Fraction(25))
        frame = np.full((32, 32, 3), level, np.uint8)
        found += [(cut.pts, index) for cut in detector.process_frame(timecode, frame)]
    cut, reported = found[-1]
    assert (cut, reported - cut > detector.event_buffer_length) == (80, True)


@pytest.mark.parametrize(("width", "factor"), [(255, 1), (256, 1), (480, 1.875), (1920, 7.5)])
def test_pictures_are_scaled_down_to_256_pixels(width, factor):
    assert compute_downscale_factor(width) == pytest.approx(factor)


def test_pyav_gives_gif_and_apng_their_delays(tmp_path):
    for suffix in ("gif", "png"):
        path = write_animation(tmp_path / f"a.{suffix}", [coded(i) for i in range(3)], [100, 300, 50])
        with av.open(str(path)) as container:
            stamps = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
        assert stamps == pytest.approx([0, 0.1, 0.4])


def test_pyav_cannot_decode_animated_webp(tmp_path):
    path = write_animation(tmp_path / "a.webp", [coded(i) for i in range(3)], 100)
    count = 0
    with contextlib.suppress(av.error.FFmpegError, IndexError), av.open(str(path)) as container:
        count = len(list(container.decode(video=0)))
    assert count < 3


def test_only_libvpx_decodes_the_alpha_plane_of_webm(tmp_path):
    frames = [np.dstack([coded(i, 64, 64), np.zeros((64, 64), np.uint8)]) for i in range(3)]
    path = write_video(
        tmp_path / "a.webm", frames, codec="libvpx-vp9", pix_fmt="yuva420p", options={"auto-alt-ref": "0"}
    )
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.metadata["alpha_mode"] == "1"
        assert next(container.decode(stream)).format.name == "yuv420p"
    with av.open(str(path)) as container:
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        packet = next(container.demux(video=0))
        assert decoder.decode(packet)[0].format.name == "yuva420p"


def test_a_killed_sqlite_writer_keeps_what_it_committed(tmp_path):
    script = (
        "import os, signal, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA journal_mode=WAL'); db.execute('PRAGMA synchronous=NORMAL')\n"
        "db.execute('CREATE TABLE t (x)')\n"
        "for x in range(100): db.execute('INSERT INTO t VALUES (?)', (x,))\n"
        "db.execute('BEGIN'); db.execute('INSERT INTO t VALUES (-1)')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = subprocess.run([sys.executable, "-c", script, str(tmp_path / "db")], check=False)
    assert process.returncode == -9
    rows = sqlite3.connect(tmp_path / "db").execute("SELECT x FROM t").fetchall()
    assert [x for (x,) in rows] == list(range(100))


def test_a_reader_of_a_wal_database_does_not_wait_for_a_writer(tmp_path):
    writer = sqlite3.connect(tmp_path / "db", isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE t (x)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")
    seen = []

    def read():
        seen.append(sqlite3.connect(tmp_path / "db", timeout=0.1).execute("SELECT count(*) FROM t").fetchone())

    reader = threading.Thread(target=read)
    reader.start()
    reader.join()
    writer.execute("COMMIT")
    assert seen == [(0,)]
