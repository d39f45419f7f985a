"""Level and spectrum of sounds that are known."""

from itertools import pairwise, product

import numpy as np
import pytest

from emovid_assets.core.video.sound import (
    ANALYSIS_RATE_HZ,
    BAND_EDGES_HZ,
    FLOOR_DB,
    interval_features,
    read_sound,
    silent_features,
)
from emovid_assets_tests.media.making import SOUND_RATE, beeps, coded, write_video
from emovid_assets_tests.media.scanning import first_tracks


def film(path, sound, **options):
    seconds = 4
    return write_video(path, [coded(i, 16, 16) for i in range(25 * seconds)], sound=sound, **options)


def heard(path, *intervals, video_start_s=0.0):
    return interval_features(path, first_tracks(path), intervals, video_start_s).intervals


def measured(path, start_s, end_s):
    (sound,) = heard(path, (start_s, end_s))
    return sound.features


def samples_of(path, start_s, end_s, video_start_s=0.0, **options):
    return read_sound(path, first_tracks(path), start_s, end_s, video_start_s, **options)


def tone(hertz, seconds=4.0, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE)).astype(
        np.float32
    )


@pytest.mark.parametrize("hertz", [60, 180, 440, 900, 1500, 3000, 5000, 7000])
def test_a_tone_has_its_level_its_pitch_and_its_band(tmp_path, hertz):
    features = measured(film(tmp_path / "film.mov", tone(hertz)), 0.5, 3.5)
    assert features["loudness_db"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.5)
    assert features["loudness_sd_db"] < 0.5
    assert features["spectral_centroid_hz"] == pytest.approx(hertz, rel=0.05)
    assert features["silence_share"] == 0
    band = np.searchsorted(BAND_EDGES_HZ, hertz, side="right") - 1
    assert np.argmax(features["band_shares"]) == band
    assert sum(features["band_shares"]) == pytest.approx(1)


def test_silence_is_at_the_floor(tmp_path):
    features = measured(film(tmp_path / "film.mov", np.zeros(4 * SOUND_RATE, np.float32)), 0, 4)
    assert (features["loudness_db"], features["silence_share"], features["band_shares"]) == (FLOOR_DB, 1.0, [])


def test_a_second_of_sound_in_four_is_three_quarters_of_silence(tmp_path):
    path = film(tmp_path / "film.mov", beeps(4, 1.0, length_s=1.0))
    shares = [sound.features["silence_share"] for sound in heard(path, (0, 1), (1, 2), (2.1, 4))]
    assert shares == [1, 0, 1]
    assert measured(path, 0, 4)["silence_share"] == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("interval", [(10, 12), (1.0, 1.04)])
def test_an_interval_behind_the_sound_or_without_a_window_has_no_values(tmp_path, interval):
    (sound,) = heard(film(tmp_path / "film.mov", beeps(4, 1.0)), interval)
    assert sound.features == silent_features()
    assert sound.has_audio == (interval[0] < 4)


def test_a_file_without_audio_has_no_values_and_no_samples(tmp_path):
    path = write_video(tmp_path / "film.mov", [coded(i) for i in range(25)])
    (sound,) = heard(path, (0, 1))
    assert (sound.features, sound.has_audio, sound.sound_missing_s) == (silent_features(), False, None)
    assert samples_of(path, 0, 1) is None


@pytest.mark.parametrize("codec", ["pcm_s16le", "aac"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 4.0), (1.0, 3.0), (1.237, 2.001)])
def test_samples_of_an_interval_are_exactly_those(tmp_path, codec, start, end):
    path = film(tmp_path / "film.mov", beeps(4, 0.5, 1.5, 2.5), sound_codec=codec)
    sound = samples_of(path, start, end)
    expected = beeps(4, 0.5, 1.5, 2.5)[round(start * SOUND_RATE) : round(end * SOUND_RATE)]
    assert sound.samples.shape == (1, round((end - start) * SOUND_RATE))
    assert np.abs(sound.samples[0] - expected[: sound.samples.shape[1]]).mean() < (1e-4 if codec != "aac" else 5e-3)


def test_what_lies_behind_the_end_of_the_sound_is_silent(tmp_path):
    path = film(tmp_path / "film.mov", tone(440, 2.0))
    sound = samples_of(path, 1.0, 4.0)
    assert np.abs(sound.samples[0, : SOUND_RATE // 2]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(sound.samples[0, SOUND_RATE + 2000 :]).max() == 0
    assert samples_of(path, 3.0, 4.0) is None
    # Near enough to be decoded for what a resampler looks at, and still behind.
    assert samples_of(path, 2.0, 3.0) is None
    assert samples_of(path, 2.02, 3.0) is None


def recounted(samples):
    """The columns of a sound at 16 kHz by their definition, a window of 50 ms after the other."""
    windows = [samples[first : first + 800].astype(np.float64) for first in range(0, len(samples) - 799, 800)]
    levels = np.array([10 * np.log10(max(1e-8, (window**2).mean())) for window in windows])
    power = sum(np.abs(np.fft.rfft(window * np.hanning(800))) ** 2 for window in windows)
    hertz = np.arange(401) * 20
    edges = [0, 125, 250, 500, 1000, 2000, 4000, 6000, 9000]
    return {
        "loudness_db": levels.mean(),
        "loudness_sd_db": levels.std(),
        "spectral_centroid_hz": (power * hertz).sum() / power.sum(),
        "silence_share": (levels < -60).mean(),
        "band_shares": [power[(low <= hertz) & (hertz < high)].sum() / power.sum() for low, high in pairwise(edges)],
    }


def restless(seconds):
    """Whole numbers (n,) of 16 bits at 16 kHz: noise whose level leaps with every 7 ms, and 0.3 s of hush. Moved by a
    single sample it has other features."""
    chance = np.random.default_rng(5)
    count = round(seconds * ANALYSIS_RATE_HZ)
    levels = np.repeat(10 ** -chance.uniform(0.2, 3, count // 112 + 1), 112)[:count]
    levels[ANALYSIS_RATE_HZ : ANALYSIS_RATE_HZ + 4800] = 1e-4
    return np.round(chance.uniform(-1, 1, count) * levels * 32767)


INTERVALS_S = [(0.0, 0.7), (0.7, 1.9), (2.0, 2.45), (2.45, 5.137), (5.5, 6.0)]


CLOCKS = [
    *product(("mov", "mkv", "nut"), ((0, 0.0), (25, 1.0), (25, 1.256), (25, 0.488))),
    # It has no stamps: everything begins with its first sample.
    ("avi", (0, 0.0)),
]


@pytest.mark.parametrize(("suffix", "begins"), CLOCKS)
def test_what_is_measured_is_the_very_samples_of_the_interval_by_whichever_clock_they_are_stamped(
    tmp_path, suffix, begins
):
    first_frame, sound_start_s = begins
    numbers = restless(4.6)
    # 64 ms of sound in a packet, 40 ms of picture: also Matroska stamps both exactly, in milliseconds.
    path = write_video(
        tmp_path / f"film.{suffix}",
        [coded(i, 16, 16) for i in range(150)],
        pts=range(first_frame, first_frame + 150),
        codec="mpeg4",
        pix_fmt="yuv420p",
        # Half a step more: the writer cuts off what is behind the point.
        sound=(numbers + np.sign(numbers) / 2) / 32767,
        sound_rate=ANALYSIS_RATE_HZ,
        sound_start_s=sound_start_s,
    )
    video_start_s = first_frame / 25
    line = np.zeros(10 * ANALYSIS_RATE_HZ, np.float32)
    at = round(sound_start_s * ANALYSIS_RATE_HZ)
    line[at : at + len(numbers)] = numbers / 32768
    for (start_s, end_s), sound in zip(
        INTERVALS_S, heard(path, *INTERVALS_S, video_start_s=video_start_s), strict=True
    ):
        first, count = (round(s * ANALYSIS_RATE_HZ) for s in (start_s + video_start_s, end_s - start_s))
        expected = line[first : first + count]
        present = max(0, min(first + count, at + len(numbers)) - max(first, at))
        assert sound.has_audio == (present > 0)
        read = samples_of(path, start_s, end_s, video_start_s, rate_hz=ANALYSIS_RATE_HZ)
        if not present:
            assert (read, sound.sound_missing_s, sound.features) == (None, None, silent_features())
            continue
        assert sound.sound_missing_s == pytest.approx((count - present) / ANALYSIS_RATE_HZ, abs=1e-9)
        assert np.abs(read.samples[0] - expected).max() < 1e-6
        own, theirs = sound.features, recounted(expected)
        assert own.keys() == theirs.keys()
        for name, value in theirs.items():
            assert own[name] == pytest.approx(value, rel=1e-5), name


@pytest.mark.parametrize("late", [0, 1, 7, 12_347])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_tone_of_another_rate_keeps_its_phase_wherever_reading_begins(tmp_path, rate, late):
    wave = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(3 * rate) / rate)
    # NUT stamps sound by its samples; QuickTime begins a track on a whole millisecond.
    options = {"codec": "mpeg4", "pix_fmt": "yuv420p", "sound_rate": rate, "sound_start_s": late / rate}
    path = film(tmp_path / "film.nut", wave, **options)
    for start_s in (0.5, 1.237, 2.5):
        sound = samples_of(path, start_s, start_s + 0.25, rate_hz=ANALYSIS_RATE_HZ)
        at_s = (round(start_s * ANALYSIS_RATE_HZ) + np.arange(4000)) / ANALYSIS_RATE_HZ
        # A twentieth of a sample beside its place it would be wrong by this much.
        assert sound.samples[0] == pytest.approx(0.5 * np.sin(2 * np.pi * 1000 * (at_s - late / rate)), abs=0.01)
