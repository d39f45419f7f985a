"""Sound is where its stamps say, whatever is missing, damaged or changes on the way.

`EMOVID_SOUND_EXAMPLES=2000 python -m pytest emovid_assets_tests/media/test_sound_placing.py` looks longer than CI does.
"""

import os
import subprocess
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.probe import probe_file
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.sound import ANALYSIS_RATE_HZ, WINDOW, features, interval_features, read_sound
from emovid_assets_tests.media.holes import (
    FFMPEG,
    LEVELS,
    SCENE_S,
    TONES_HZ,
    envelope,
    heard_by_ffmpeg,
    heard_by_pyav,
    pitch,
    remuxed,
    with_damage,
    write_scenes,
    write_vorbis,
)
from emovid_assets_tests.media.scanning import WAYS, scan, segment_of, whole

EXAMPLES = int(os.environ.get("EMOVID_SOUND_EXAMPLES", "8"))
SCENES_S = [(SCENE_S * scene, SCENE_S * (scene + 1)) for scene in range(4)]
LOUDNESS_DB = [20 * np.log10(level / np.sqrt(2)) for level in LEVELS]


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """The film of four scenes by the codec of its sound; written once each."""
    folder = tmp_path_factory.mktemp("films")

    def written(codec, suffix="mp4"):
        path = folder / f"{codec}.{suffix}"
        if path.exists():
            return path
        return write_vorbis(path) if codec == "vorbis" else write_scenes(path, codec)

    return written


def reading(path):
    """The streams of a film and where its pictures begin."""
    tracks = probe_file(path).tracks
    first = next(Video(path, tracks).frames())
    return tracks, float(first.pts * first.picture.time_base)


def heard(path, intervals=SCENES_S):
    tracks, video_start_s = reading(path)
    return interval_features(path, tracks, intervals, video_start_s)


def samples_of(path, start_s, end_s, rate=ANALYSIS_RATE_HZ):
    tracks, video_start_s = reading(path)
    sound = read_sound(path, tracks, start_s, end_s, video_start_s, rate_hz=rate, channels=1)
    return np.zeros(round((end_s - start_s) * rate), np.float32) if sound is None else sound.samples[0]


def loudness(film_sound):
    return [sound.features["loudness_db"] for sound in film_sound.intervals]


def assert_scenes_have_their_tones(path, scenes=range(4), among=SCENES_S):
    for scene in scenes:
        start_s, end_s = among[scene]
        assert pitch(samples_of(path, start_s + 0.1, end_s - 0.1), ANALYSIS_RATE_HZ) == pytest.approx(
            TONES_HZ[scene], abs=1
        )


@pytest.mark.parametrize(
    ("codec", "suffix"), [("aac", "mp4"), ("aac", "mkv"), ("aac", "ts"), ("libmp3lame", "mkv"), ("pcm_s16le", "mkv")]
)
def test_what_follows_missing_packets_keeps_its_place(films, tmp_path, codec, suffix):
    source = films(codec, "mov" if codec == "pcm_s16le" else "mp4")
    path = remuxed(source, tmp_path / f"film.{suffix}", is_dropped=lambda _, at_s: 2.2 < at_s < 3.7)
    found = heard(path)
    assert [round(sound.sound_missing_s, 1) for sound in found.intervals] == [0, 1.5, 0, 0]
    assert [loudness(found)[scene] for scene in (0, 2, 3)] == pytest.approx(
        [LOUDNESS_DB[s] for s in (0, 2, 3)], abs=0.5
    )
    assert found.intervals[1].features["silence_share"] == pytest.approx(0.75, abs=0.03)
    assert_scenes_have_their_tones(path, (0, 2, 3))
    assert np.abs(samples_of(path, 2.35, 3.6)).max() == 0


def test_a_scene_without_any_packet_has_no_sound_and_says_so(films, tmp_path):
    path = remuxed(films("aac"), tmp_path / "film.mp4", is_dropped=lambda _, at_s: 1.9 < at_s < 4.1)
    found = heard(path)
    assert [sound.has_audio for sound in found.intervals] == [True, False, True, True]
    assert (found.intervals[1].sound_missing_s, loudness(found)[1]) == (None, None)


def test_damaged_packets_cost_their_own_stretch_and_are_counted(films, tmp_path):
    path = tmp_path / "film.mp4"
    damaged = with_damage(films("aac"), path, 2.5, 5.5)
    found = heard(path)
    assert damaged == 140
    assert 100 < found.fault_count <= damaged
    assert loudness(found)[0] == pytest.approx(LOUDNESS_DB[0], abs=0.5)
    assert loudness(found)[3] == pytest.approx(LOUDNESS_DB[3], abs=0.5)
    assert found.intervals[1].sound_missing_s == pytest.approx(1.5, abs=0.5)
    assert_scenes_have_their_tones(path, (0, 3))
    assert pitch(samples_of(path, 5.7, 6.0), ANALYSIS_RATE_HZ) == pytest.approx(TONES_HZ[2], abs=4)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_stamps_that_stray_and_come_back_leave_no_hole(films, tmp_path, suffix):
    def strays(number):
        return 0.011 if number % 40 in range(20, 29) else 0.0

    path = remuxed(films("aac"), tmp_path / f"film.{suffix}", strays=strays)
    steady = samples_of(films("aac"), 0, 8)
    assert [sound.sound_missing_s for sound in heard(path).intervals[:3]] == [0, 0, 0]
    # Not to the sample: in Matroska the whole track lies up to half a millisecond beside its place.
    levels, steady_levels = (envelope(some, ANALYSIS_RATE_HZ) for some in (samples_of(path, 0, 7.5), steady))
    assert np.abs(levels - steady_levels[: len(levels)]).max() < 0.02
    written = write_clip(path, probe_file(path).tracks, segment_of(whole(path), 60, 160), tmp_path / "clip.mp4")
    assert written.how == "joined"
    assert sound_packets_of(tmp_path / "clip.mp4") <= sound_packets_of(path)
    samples, rate = heard_by_pyav(tmp_path / "clip.mp4")
    expected = envelope(steady[round(2.4 * ANALYSIS_RATE_HZ) : round(6.4 * ANALYSIS_RATE_HZ)], ANALYSIS_RATE_HZ)
    assert np.abs(envelope(samples, rate)[: len(expected) - 3] - expected[: len(expected) - 3]).max() < 0.02


CHANGES = {
    "stereo to 5.1": [("ac3", 48_000, "stereo"), ("ac3", 48_000, "5.1")],
    "another rate": [("ac3", 48_000, "stereo"), ("ac3", 44_100, "stereo")],
    "AAC of another rate": [("aac", 48_000, "stereo"), ("aac", 44_100, "stereo")],
    "mono to stereo": [("aac", 48_000, "mono"), ("aac", 48_000, "stereo")],
    "MP3 to mono": [("libmp3lame", 48_000, "stereo"), ("libmp3lame", 44_100, "mono")],
}


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    """Transport streams whose sound changes after two scenes, as a broadcast's does; each is written once."""
    return cache(lambda change: written_in_parts(tmp_path_factory.mktemp("joined"), change))


def written_in_parts(folder, change):
    parts = []
    for number, (codec, rate, layout) in enumerate(CHANGES[change]):
        parts.append(folder / f"{number}.ts")
        scenes = (2 * number, 2 * number + 1)
        write_scenes(parts[-1], codec, rate=rate, layout=layout, scenes=scenes, start_s=1 + 2 * SCENE_S * number)
    path = folder / "film.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_a_change_of_the_sound_costs_neither_the_film_nor_the_sound(joined, tmp_path, change, suffix):
    if change == "AAC of another rate" and suffix != "ts":
        pytest.skip("a block of AAC does not say its rate, and the container keeps the first one")
    path = joined(change)
    if suffix != "ts":
        path = remuxed(path, tmp_path / f"film.{suffix}")
    tracks = probe_file(path).tracks
    assert probe_file(path).frame_count == 200
    assert_scenes_have_their_tones(path)
    assert [sound.sound_missing_s for sound in heard(path).intervals] == pytest.approx([0] * 4, abs=0.1)
    frames = whole(path, tracks)
    for scene in (1, 2):
        write_clip(path, tracks, segment_of(frames, 50 * scene, 50 * scene + 50), tmp_path / "clip.mp4")
        samples, rate = heard_by_pyav(tmp_path / "clip.mp4")
        assert pitch(samples[rate // 10 : -rate // 10], rate) == pytest.approx(TONES_HZ[scene], abs=2)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_packets_under_a_header_that_no_longer_holds_are_not_copied(joined, tmp_path, suffix):
    path = remuxed(joined("mono to stereo"), tmp_path / f"film.{suffix}")
    tracks, frames = probe_file(path).tracks, whole(path)
    for first, end, loss in ((10, 90, 0), (60, 140, 1), (120, 190, 1)):
        written = write_clip(path, tracks, segment_of(frames, first, end), tmp_path / "clip.mp4")
        assert (written.how, written.audio_codec) == ("joined", "aac")
        copied = sound_packets_of(tmp_path / "clip.mp4") & sound_packets_of(path)
        assert bool(copied) != bool(loss)


def sound_packets_of(path):
    import av

    with av.open(str(path)) as film:
        return {bytes(packet) for packet in film.demux(film.streams.audio[0]) if packet.size > 100}


@pytest.mark.parametrize(
    ("codec", "suffix"), [("aac", "mp4"), ("aac", "mkv"), ("libopus", "mkv"), ("libmp3lame", "mp4")]
)
@pytest.mark.parametrize("way", WAYS)
def test_a_clip_over_a_hole_plays_right_in_readers_that_count_samples(films, tmp_path, codec, suffix, way):
    path = remuxed(films(codec), tmp_path / f"film.{suffix}", is_dropped=lambda _, at_s: 2.5 < at_s < 3.5)
    frames, target = whole(path), tmp_path / "clip.mp4"
    tracks = probe_file(path).tracks
    written = write_clip(path, tracks, segment_of(frames, 25, 125), target, way=way)
    assert (written.how == "encoded") == (way == "encode")
    expected = envelope(samples_of(path, 1.0, 5.0), ANALYSIS_RATE_HZ)
    for played, rate in (heard_by_pyav(target), (heard_by_ffmpeg(target), 16_000), counted(target)):
        ours = envelope(played, rate)[: len(expected)]
        assert len(ours) >= len(expected) - 3
        assert np.abs(ours - expected[: len(ours)]).mean() < 0.01


def counted(path):
    """As readers hear it that put all blocks in a row."""
    import av

    with av.open(str(path)) as film:
        rate = film.streams.audio[0].rate
        blocks = [frame.to_ndarray()[0] for frame in film.decode(audio=0)]
    return np.concatenate(blocks), rate


def test_a_clip_has_a_sound_track_exactly_where_the_scan_heard_something(films, tmp_path):
    path = remuxed(films("aac"), tmp_path / "film.mp4", is_dropped=lambda _, at_s: 1.9 < at_s < 4.1)
    scanned = scan(path, tracks=probe_file(path).tracks, minimum=1.0)
    assert [segment["has_audio"] for segment in scanned["segments"]] == [True, False, True, True]
    for segment in scanned["segments"]:
        for way in WAYS:
            place = {**segment, "video_start_s": scanned["video_start_s"]}
            written = write_clip(path, probe_file(path).tracks, place, tmp_path / "clip.mp4", way=way)
            assert (written.audio_codec is not None) == segment["has_audio"]


def test_a_clip_whose_packets_lie_beside_it_gets_silence_where_sound_was_heard(films, tmp_path):
    path = remuxed(films("aac"), tmp_path / "film.mp4", is_dropped=lambda _, at_s: 1.9 < at_s < 4.1)
    segment = segment_of(whole(path), 60, 90)
    write_clip(path, probe_file(path).tracks, segment, tmp_path / "clip.mp4")
    samples, rate = heard_by_pyav(tmp_path / "clip.mp4")
    assert len(samples) == pytest.approx(1.2 * rate, abs=1024)
    assert np.abs(samples).max() == 0


@pytest.mark.parametrize("late_s", [-0.8, 0.0, 0.731])
@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "libopus"])
def test_one_film_sounds_alike_in_every_container(tmp_path, codec, late_s):
    source = write_scenes(tmp_path / "source.mp4", codec, start_s=1.0, sound_late_s=late_s)
    intervals = [(0, 1.9), (2, 4), (4, 5.5), (5.5, 7)]
    expected = heard(source, intervals)
    onset = np.argmax(np.abs(samples_of(source, 0.0, 3.0, 48_000)) > 0.02)
    for suffix in ("mkv", "ts", *(("mov",) if codec == "aac" else ())):
        path = remuxed(source, tmp_path / f"film.{suffix}")
        found = heard(path, intervals)
        assert loudness(found) == pytest.approx(loudness(expected), abs=0.1)
        for ours, theirs in zip(found.intervals, expected.intervals, strict=True):
            assert ours.features["spectral_centroid_hz"] == pytest.approx(
                theirs.features["spectral_centroid_hz"], rel=0.01
            )
            # FFmpeg hides what an Opus decoder needs to settle, 6.5 ms, in some containers only.
            assert ours.sound_missing_s == pytest.approx(theirs.sound_missing_s, abs=0.007)
        assert np.argmax(np.abs(samples_of(path, 0.0, 3.0, 48_000)) > 0.02) == pytest.approx(onset, abs=50)


CODECS = {
    "aac": ("mkv", "mp4", "ts"),
    "libmp3lame": ("mkv", "mp4", "ts"),
    "libopus": ("mkv", "mp4", "ts"),
    "ac3": ("mkv", "mp4", "ts"),
    "pcm_s16le": ("mkv", "mov"),
    "vorbis": ("mkv", "mp4"),
}


@st.composite
def broken_films(draw):
    codec = draw(st.sampled_from(sorted(CODECS)))
    return (
        codec,
        draw(st.sampled_from(CODECS[codec])),
        draw(st.lists(st.tuples(st.integers(0, 370), st.sampled_from([1, 1, 2, 7, 40, 90])), max_size=5)),
        draw(st.one_of(st.just(0.0), st.floats(0.0, 2.0))),
        sorted(draw(st.lists(st.floats(0.0, 8.0), min_size=2, max_size=6, unique_by=lambda at_s: round(at_s, 1)))),
    )


@given(broken_films())
@example(("vorbis", "mkv", [(0, 2)], 0.96875, [0.75, 1.0])).via("a seek that ends at the second packet of the sound")
@example(("vorbis", "mkv", [(0, 90)], 0.0, [1.0, 2.0])).via("a seek that ends at the second packet of the sound")
@example(("libopus", "mkv", [(132, 40)], 0.0, [0.0, 3.1875, 4.0])).via("a window of which a new decoder fills less")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_features_and_samples_of_any_interval_of_a_broken_film_agree(films, tmp_path, broken):
    codec, suffix, holes, late_s, cuts_s = broken
    path = tmp_path / f"film.{suffix}"
    dropped = {number for first, count in holes for number in range(first, first + count)}
    source = films(codec, {"pcm_s16le": "mov", "vorbis": "mkv"}.get(codec, "mp4"))
    remuxed(source, path, is_dropped=lambda number, _: number in dropped, sound_late_s=late_s)
    tracks, video_start_s = reading(path)
    intervals = list(pairwise(cuts_s))
    played, rate = heard_by_pyav(path)
    for (start_s, end_s), found in zip(
        intervals, interval_features(path, tracks, intervals, video_start_s).intervals, strict=True
    ):
        sound = read_sound(path, tracks, start_s, end_s, video_start_s, rate_hz=ANALYSIS_RATE_HZ, channels=1)
        assert (sound is not None) == found.has_audio
        if sound is None:
            continue
        own = features(sound.samples[0])
        assert (own["loudness_db"] is None) == (found.features["loudness_db"] is None)
        if own["loudness_db"] is not None:
            # A decoder that begins afresh fades in a little otherwise than a new one: a window behind each hole, which
            # may lie anywhere between silence at -80 dB and the tone.
            slack = len(holes) / (len(sound.samples[0]) // WINDOW)
            assert own["loudness_db"] == pytest.approx(found.features["loudness_db"], abs=0.02 + 50 * slack)
            assert own["silence_share"] == pytest.approx(found.features["silence_share"], abs=1e-6 + slack)
            assert own["spectral_centroid_hz"] == pytest.approx(
                found.features["spectral_centroid_hz"], rel=0.01 + slack
            )
        ours = envelope(samples_of(path, start_s, end_s, rate), rate)
        first = round((start_s + video_start_s) * rate)
        theirs = np.zeros(round((end_s - start_s) * rate), np.float32)
        there = played[first : first + len(theirs)]
        theirs[: len(there)] = there
        # Decoders that go on over a hole mix what was before into what comes after: ours begin afresh.
        differing = np.abs(ours - envelope(theirs, rate)) > 0.05
        assert differing.sum() <= 2 + 8 * len(holes)


@pytest.mark.parametrize("codec", ["aac", "libopus"])
def test_sound_of_eight_channels_is_heard_wherever_reading_begins(films, tmp_path, codec):
    path = tmp_path / "film.mkv"
    places = "|".join(f"{name}=c0" for name in ("FL", "FR", "FC", "BL", "BR", "SL", "SR"))
    command = [FFMPEG, "-v", "error", "-i", films("flac", "mkv"), "-c:v", "copy", "-af", f"pan=7.1|{places}"]
    subprocess.run([*command, "-c:a", codec, path], check=True)
    spans = [(start_s + 0.211, end_s - 0.3) for start_s, end_s in SCENES_S[1:]]
    assert_scenes_have_their_tones(path)
    for interval, span in zip(heard(path, spans).intervals, spans, strict=True):
        assert interval.features["loudness_db"] == pytest.approx(
            features(samples_of(path, *span))["loudness_db"], abs=0.01
        )


def test_channels_that_have_no_place_cost_the_sound_and_no_picture(films, tmp_path):
    path, samples = tmp_path / "film.mov", tmp_path / "nine.raw"
    samples.write_bytes(np.random.default_rng(9).integers(-9000, 9000, (48_000 * 8, 9), np.int16).tobytes())
    sound = ["-f", "s16le", "-ar", "48000", "-ch_layout", "9 channels", "-i", samples]
    maps = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "pcm_s16le"]
    subprocess.run([FFMPEG, "-v", "error", "-i", films("aac"), *sound, *maps, path], check=True)
    assert scan(path, tracks=probe_file(path).tracks)["frame_count"] == 200
    film = heard(path)
    assert film.fault_count > 0
    assert not any(interval.has_audio for interval in film.intervals)


def test_sound_that_begins_late_in_a_transport_stream_is_read_from_its_middle(tmp_path):
    source, path = write_scenes(tmp_path / "film.mkv"), tmp_path / "film.ts"
    # Pictures all the way: what FFmpeg looks at before it reads ends before the sound begins.
    inputs = ["-f", "lavfi", "-i", "color=s=64x48:r=25:d=15", "-itsoffset", "7", "-i", source]
    maps = ["-map", "0:v", "-c:v", "libx264", "-map", "1:a", "-c:a", "aac", "-b:a", "32k"]
    subprocess.run([FFMPEG, "-v", "error", *inputs, *maps, path], check=True)
    tracks, video_start_s = reading(path)
    span = (11.2, 12.8)
    sound = read_sound(path, tracks, *span, video_start_s, rate_hz=48_000)
    assert sound is not None
    assert pitch(sound.samples[0], 48_000) == pytest.approx(TONES_HZ[2], abs=3)
    film = heard(path, [span])
    assert film.intervals[0].features["loudness_db"] == pytest.approx(LOUDNESS_DB[2], abs=0.3)
