"""Time comes from presentation stamps, counted from the first picture, wherever in the container that lies."""

from fractions import Fraction

import av
import pytest

from emovid_assets.core.video.errors import MediaError
from emovid_assets_tests.media.making import beeps, pixels_of, scenery, write_animation, write_video
from emovid_assets_tests.media.scanning import CONTENT, cut_frames, probe, scan

CUTS = (50, 120)
FRAMES = [scenery(sum(index >= cut for cut in CUTS), index) for index in range(180)]
H264 = {"codec": "libx264", "pix_fmt": "yuv420p", "options": {"g": "25", "bf": "2"}}
UNMOVED = {"avoid_negative_ts": "disabled", "movflags": "faststart"}
"""Muxer options: samples before zero are kept behind an edit list, and the index stands before them."""


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_pictures_that_start_0_834_s_after_the_sound_shift_no_cut(tmp_path, suffix):
    millisecond = Fraction(1, 1000)
    plain = write_video(tmp_path / f"plain.{suffix}", FRAMES, **H264)
    late = write_video(
        tmp_path / f"late.{suffix}",
        FRAMES,
        **H264,
        pts=[834 + 40 * index for index in range(180)],
        time_base=millisecond,
        last_duration=40,
        sound=beeps(8.0, 1.0),
        sound_codec="aac",
    )
    with av.open(str(late)) as container:
        first = next(container.decode(video=0))
        assert float(first.time) == pytest.approx(0.834, abs=1e-3)
    scanned = [scan(path, detector=CONTENT, minimum=1.0) for path in (plain, late)]
    assert [cut_frames(result) for result in scanned] == [list(CUTS)] * 2
    for result in scanned:
        starts = [segment["start_s"] for segment in result["segments"]]
        assert starts == pytest.approx([0.0, 2.0, 4.8], abs=1e-3)
        assert result["segments"][-1]["end_s"] == pytest.approx(7.2, abs=2e-3)
    assert scanned[1]["video_start_s"] == pytest.approx(0.834, abs=1e-3)
    assert probe(late).duration_s == pytest.approx(7.2, abs=2e-3)


def test_what_an_edit_list_hides_is_neither_counted_nor_measured(tmp_path):
    plain = write_video(tmp_path / "plain.mp4", FRAMES, **H264)
    edited, hidden = tmp_path / "edited.mp4", 30
    with av.open(str(plain)) as source, av.open(str(edited), "w", options=UNMOVED) as output:
        video = source.streams.video[0]
        stream = output.add_stream_from_template(video)
        shift = round(hidden / 25 / video.time_base)
        for packet in source.demux(video):
            if packet.dts is None:
                continue
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
            output.mux(packet)
    facts, scanned = probe(edited), scan(edited, detector=CONTENT, minimum=0.2)
    assert facts.frame_count == scanned["frame_count"] == len(pixels_of(edited)) == 180 - hidden
    assert facts.duration_s == pytest.approx((180 - hidden) / 25, abs=1e-3)
    assert cut_frames(scanned) == [cut - hidden for cut in CUTS]
    assert scanned["segments"][1]["start_s"] == pytest.approx((CUTS[0] - hidden) / 25, abs=1e-3)
    edited.write_bytes(edited.read_bytes()[: round(edited.stat().st_size * 0.6)])
    with pytest.raises(MediaError, match="The index declares 180 samples"):
        probe(edited)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_is_as_long_as_its_delays_and_a_zero_delay_is_a_tenth_of_a_second(tmp_path, suffix):
    delays = [100, 250, 40, 1500]
    path = write_animation(tmp_path / f"sticker.{suffix}", FRAMES[:4], delays)
    facts = probe(path)
    assert (facts.frame_count, facts.is_vfr) == (4, True)
    assert facts.duration_s == pytest.approx(1.89)
    assert scan(path, whole=True)["segments"][0]["duration_s"] == pytest.approx(1.89)
    still = write_animation(tmp_path / f"quick.{suffix}", FRAMES[:4], 0)
    assert probe(still).duration_s == pytest.approx(scan(still, whole=True)["segments"][0]["duration_s"])
    if suffix != "png":
        assert probe(still).duration_s == pytest.approx(0.4)


def test_an_endless_loop_is_played_once(tmp_path):
    path = write_animation(tmp_path / "sticker.gif", FRAMES[:5], 100)
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in path.read_bytes()
    assert probe(path).frame_count == scan(path, whole=True)["frame_count"] == 5
