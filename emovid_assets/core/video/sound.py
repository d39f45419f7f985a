"""The sound of an interval: its samples, and their level and spectrum.

Belongs here: what is asked of the sound of a file, and what is measured on samples. Does not belong here: decoding, and
where the samples lie (`sound_placing`). Times are seconds from the first *video* frame, as everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.reading import open_container
from emovid_assets.core.video.sound_placing import Faults, Piece, resampled, seek_before, sound_pieces
from emovid_assets.core.video.streams import Tracks

ANALYSIS_RATE_HZ = 16_000
WINDOW_S = 0.05
WINDOW = int(ANALYSIS_RATE_HZ * WINDOW_S)
FLOOR_DB = -80.0
SILENCE_DB = -60.0
BATCH = 40 * WINDOW
"""Two seconds are analysed at a time; ten take four times as long, as memory of that size is fetched anew each time."""
BAND_EDGES_HZ = (0, 125, 250, 500, 1000, 2000, 4000, 6000, 8000)
TAPER = np.hanning(WINDOW).astype(np.float32)
FREQUENCIES_HZ = np.fft.rfftfreq(WINDOW, 1 / ANALYSIS_RATE_HZ)


@dataclass(frozen=True)
class IntervalSound:
    """`has_audio`: a sample of the track lies in the interval. `sound_missing_s`: how much of it the track leaves
    empty, where silence stands; null without sound. `features`: columns of `clip_features`."""

    features: dict[str, Any]
    has_audio: bool
    sound_missing_s: float | None


@dataclass(frozen=True)
class FilmSound:
    """The sound of intervals, and how many packets of the track could not be decoded."""

    intervals: list[IntervalSound]
    fault_count: int


@dataclass(frozen=True)
class Sound:
    """float32 samples (channels, n) at `rate_hz`; one or two channels."""

    samples: np.ndarray
    rate_hz: int


def silent_features() -> dict[str, Any]:
    """The columns of `clip_features` where there is no sound to measure."""
    return {
        "loudness_db": None,
        "loudness_sd_db": None,
        "spectral_centroid_hz": None,
        "silence_share": None,
        "band_shares": [],
    }


def features(samples: np.ndarray) -> dict[str, Any]:
    """Columns of `clip_features` from float32 samples (n,) of one channel at 16 kHz.

    Windows of 50 ms are counted from the first sample. What is left behind the last whole one does not count; nulls
    where there is none.
    """
    meter = _Meter()
    for first in range(0, len(samples), BATCH):
        meter.add(samples[first : first + BATCH])
    return meter.features()


def interval_features(
    path: Path, tracks: Tracks, intervals: Sequence[tuple[float, float]], video_start_s: float
) -> FilmSound:
    """The sound of each interval (start, end in s), which ascend and do not overlap, from one walk through the film.

    Holds two seconds of samples, and a level per 50 ms of the interval that is being measured.
    """
    gauges = [_Gauge(*_places(start_s, end_s, video_start_s, ANALYSIS_RATE_HZ)) for start_s, end_s in intervals]
    faults = Faults()
    if tracks.audio_index is not None and gauges:
        spans = [(start_s + video_start_s, end_s + video_start_s) for start_s, end_s in intervals]
        open_from = 0
        with open_container(path) as container:
            pieces = sound_pieces(container, tracks, spans, faults)
            for at, block in resampled(pieces, ANALYSIS_RATE_HZ, 1):
                while open_from < len(gauges) and gauges[open_from].end <= at:
                    gauges[open_from].close()
                    open_from += 1
                for gauge in gauges[open_from:]:
                    if gauge.start >= at + block.shape[1]:
                        break
                    gauge.add(at, block[0])
    return FilmSound([gauge.close() for gauge in gauges], faults.count)


def read_sound(
    path: Path,
    tracks: Tracks,
    start_s: float,
    end_s: float,
    video_start_s: float,
    *,
    rate_hz: int | None = None,
    channels: int | None = None,
) -> Sound | None:
    """Exactly the samples of [start, end), silence where some are missing. Null where the interval has no sound.

    Without a rate, 44,100 Hz where the interval begins with it and 48,000 Hz elsewhere; without a number of channels,
    one where all its sound has one.
    """
    if tracks.audio_index is None:
        return None
    span = (start_s + video_start_s, end_s + video_start_s)
    with ExitStack() as stack:
        container = stack.enter_context(open_container(path))
        if not seek_before(container, tracks, span[0]):
            container = stack.enter_context(open_container(path))
        pieces = sound_pieces(container, tracks, [span], Faults())
        first = next(pieces, None)
        if first is None:
            return None
        rate = rate_hz or (44_100 if first.frame.sample_rate == 44_100 else 48_000)
        start, end = _places(start_s, end_s, video_start_s, rate)
        samples = np.zeros((channels or 1, end - start), np.float32)
        is_heard = False
        for at, block in resampled(_again(first, pieces), rate, channels or 2):
            low, high = max(at, start), min(at + block.shape[1], end)
            if low < high:
                if len(block) > len(samples):
                    samples = np.repeat(samples, len(block), axis=0)
                samples[:, low - start : high - start] = block[:, low - at : high - at]
                is_heard = True
    return Sound(samples, rate) if is_heard else None


def clip_sound(path: Path, tracks: Tracks, segment: Mapping[str, Any], *, rate_hz: int | None = None) -> Sound | None:
    """What a clip file carries: sound exactly where the scan heard some, be it silence where a seek finds none.

    `rate_hz` as in `read_sound`.
    """
    if tracks.audio_index is None or not segment["has_audio"]:
        return None
    start_s, end_s = segment["start_s"], segment["end_s"]
    sound = read_sound(path, tracks, start_s, end_s, segment["video_start_s"], rate_hz=rate_hz)
    rate_hz = rate_hz or 48_000
    return sound or Sound(np.zeros((1, round((end_s - start_s) * rate_hz)), np.float32), rate_hz)


def _again(first: Piece, others: Iterator[Piece]) -> Iterator[Piece]:
    yield first
    yield from others


def _places(start_s: float, end_s: float, video_start_s: float, rate_hz: int) -> tuple[int, int]:
    """First sample of the interval and the one behind its last, counted from stamp zero."""
    start = round((start_s + video_start_s) * rate_hz)
    return start, start + round((end_s - start_s) * rate_hz)


class _Meter:
    """Sums over the windows of an interval; samples come in batches, of which only the last may hold half a window."""

    def __init__(self) -> None:
        self._levels: list[np.ndarray] = []
        self._power = np.zeros(len(FREQUENCIES_HZ))

    def add(self, samples: np.ndarray) -> None:
        windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
        if not len(windows):
            return
        spectrum = np.fft.rfft(windows * TAPER, axis=1)
        for part in (spectrum.real, spectrum.imag):
            self._power += np.einsum("ij,ij->j", part, part)
        power = np.einsum("ij,ij->i", windows, windows).astype(np.float64) / WINDOW
        self._levels.append(10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10))))

    def features(self) -> dict[str, Any]:
        if not self._levels:
            return silent_features()
        level = np.concatenate(self._levels)
        total = float(self._power.sum())
        bands = np.add.reduceat(self._power, np.searchsorted(FREQUENCIES_HZ, BAND_EDGES_HZ[:-1]))
        return {
            "loudness_db": float(level.mean()),
            "loudness_sd_db": float(level.std()),
            "spectral_centroid_hz": float((self._power * FREQUENCIES_HZ).sum() / total) if total > 0 else 0.0,
            "silence_share": float((level < SILENCE_DB).mean()),
            "band_shares": (bands / total).tolist() if total > 0 else [],
        }


@dataclass
class _Gauge:
    """The measurement of one interval, [start, end) in samples, as its blocks come in ascending order."""

    start: int
    end: int
    _held_from: int = 0
    _sample_count: int = 0
    _held: np.ndarray | None = None
    _meter: _Meter = field(default_factory=_Meter)
    _result: IntervalSound | None = None

    def add(self, at: int, block: np.ndarray) -> None:
        if self._held is None:
            self._held_from, self._held = self.start, np.zeros(BATCH, np.float32)
        low, high = max(at, self.start), min(at + len(block), self.end)
        self._sample_count += max(0, high - low)
        while low < high:
            self._advance(low)
            stop = min(high, self._held_from + BATCH)
            self._held[low - self._held_from : stop - self._held_from] = block[low - at : stop - at]
            low = stop

    def _advance(self, place: int) -> None:
        """Measures what is held until the batch holds `place`."""
        assert self._held is not None
        while place >= self._held_from + BATCH:
            self._meter.add(self._held)
            self._held[:] = 0
            self._held_from += BATCH

    def close(self) -> IntervalSound:
        """The result; it may be asked for more than once."""
        if self._result is None:
            if self._sample_count and self._held is not None:
                self._advance(self.end - 1)
                self._meter.add(self._held[: self.end - self._held_from])
            self._held = None
            missing_s = (self.end - self.start - self._sample_count) / ANALYSIS_RATE_HZ
            has_audio = self._sample_count > 0
            self._result = IntervalSound(self._meter.features(), has_audio, missing_s if has_audio else None)
            self._meter = _Meter()
        return self._result
