"""The sound of a file: level and spectrum over time, and the exact samples of an interval.

Belongs here: decoding audio. Times are seconds from the first *video* frame, as everywhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.reading import open_container
from emovid_assets.core.video.streams import Tracks

ANALYSIS_RATE_HZ = 16_000
WINDOW_S = 0.05
FLOOR_DB = -80.0
SILENCE_DB = -60.0
BATCH_WINDOWS = 200
"""Ten seconds are analysed at a time: numpy's calls then cost little, memory as little."""
BAND_EDGES_HZ = (0, 125, 250, 500, 1000, 2000, 4000, 6000, 8000)


@dataclass(frozen=True)
class SoundProfile:
    """Windows of 50 ms: start times (n,), level in dB of full scale (n,), centroid in Hz (n,), band energies (n, 8)."""

    start_s: np.ndarray
    level_db: np.ndarray
    centroid_hz: np.ndarray
    band_energy: np.ndarray

    def features(self, start_s: float, end_s: float) -> dict[str, Any]:
        """Columns of `clip_features` for the interval; nulls where no window lies in it."""
        inside = (self.start_s >= start_s - WINDOW_S / 2) & (self.start_s < end_s - WINDOW_S / 2)
        if not inside.any():
            return silent_features()
        level, energy = self.level_db[inside], self.band_energy[inside]
        weight = energy.sum(axis=1)
        total = float(weight.sum())
        return {
            "loudness_db": float(level.mean()),
            "loudness_sd_db": float(level.std()),
            "spectral_centroid_hz": float((self.centroid_hz[inside] * weight).sum() / total) if total > 0 else 0.0,
            "silence_share": float((level < SILENCE_DB).mean()),
            "band_shares": (energy.sum(axis=0) / total).tolist() if total > 0 else [],
        }


def silent_features() -> dict[str, Any]:
    """The same columns where there is no sound to measure."""
    return {
        "loudness_db": None,
        "loudness_sd_db": None,
        "spectral_centroid_hz": None,
        "silence_share": None,
        "band_shares": [],
    }


def sound_profile(path: Path, tracks: Tracks, video_start_s: float) -> SoundProfile | None:
    """Profile of the sound; null where nothing can be decoded.

    Holds eleven numbers per 50 ms, about 6 MB an hour, whatever the sample rate.
    """
    size = int(ANALYSIS_RATE_HZ * WINDOW_S)
    taper = np.hanning(size).astype(np.float32)
    frequency = np.fft.rfftfreq(size, 1 / ANALYSIS_RATE_HZ)
    edges = np.searchsorted(frequency, BAND_EDGES_HZ[:-1])
    first_s: float | None = None
    levels, centroids, bands = [], [], []
    for at_s, samples in _gathered(_mono_blocks(path, tracks), BATCH_WINDOWS * size):
        first_s = at_s if first_s is None else first_s
        windows = samples[: len(samples) // size * size].reshape(-1, size)
        if not len(windows):
            continue
        power = np.abs(np.fft.rfft(windows * taper, axis=1)) ** 2
        level = 10 * np.log10(np.maximum((windows.astype(np.float64) ** 2).mean(axis=1), 10 ** (FLOOR_DB / 10)))
        levels.append(level)
        centroids.append((power * frequency).sum(axis=1) / np.maximum(power.sum(axis=1), 1e-12))
        bands.append(np.add.reduceat(power, edges, axis=1))
    if not levels or first_s is None:
        return None
    level_db = np.concatenate(levels)
    return SoundProfile(
        start_s=first_s - video_start_s + WINDOW_S * np.arange(len(level_db)),
        level_db=level_db,
        centroid_hz=np.concatenate(centroids),
        band_energy=np.concatenate(bands),
    )


def _gathered(blocks: Iterable[tuple[float, np.ndarray]], count: int) -> Iterator[tuple[float, np.ndarray]]:
    """The same samples in blocks of `count`, the last one shorter; decoders give about a thousand at a time."""
    waiting: list[np.ndarray] = []
    waiting_count = 0
    start_s: float | None = None
    for at_s, block in blocks:
        start_s = at_s if start_s is None else start_s
        waiting.append(block)
        waiting_count += len(block)
        if waiting_count >= count:
            samples = np.concatenate(waiting)
            whole = len(samples) // count * count
            for offset in range(0, whole, count):
                yield start_s, samples[offset : offset + count]
            waiting, waiting_count = [samples[whole:]], len(samples) - whole
    if start_s is not None:
        yield start_s, np.concatenate(waiting)


def _audio_frames(container: Any, stream: Any, resampler: Any) -> Iterator[tuple[float, np.ndarray]]:
    """(start in s, samples (channels, n)) of a stream; packets that cannot be decoded are skipped."""
    import av

    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            # A damaged packet of sound must not cost the pictures; the gap stays silent.
            continue
        for frame in frames:
            yield from _blocks(resampler.resample(frame))
    # Blocks of a fixed size leave a rest in the resampler.
    yield from _blocks(resampler.resample(None))


def _blocks(frames: Iterable[Any]) -> Iterator[tuple[float, np.ndarray]]:
    for frame in frames:
        if frame.pts is not None:
            yield frame.pts * float(frame.time_base), frame.to_ndarray()


def _mono_blocks(path: Path, tracks: Tracks) -> Iterator[tuple[float, np.ndarray]]:
    from av.audio.resampler import AudioResampler

    if tracks.audio_index is None:
        return
    with open_container(path) as container:
        stream = container.streams[tracks.audio_index]
        resampler = AudioResampler(format="fltp", layout="mono", rate=ANALYSIS_RATE_HZ, frame_size=ANALYSIS_RATE_HZ)
        for at_s, samples in _audio_frames(container, stream, resampler):
            yield at_s, samples[0]


@dataclass(frozen=True)
class Sound:
    """float32 samples (channels, n) at `rate_hz`; one or two channels."""

    samples: np.ndarray
    rate_hz: int


def read_sound(path: Path, tracks: Tracks, start_s: float, end_s: float, video_start_s: float) -> Sound | None:
    """Exactly the samples of [start, end), silence where some are missing. Null where the interval has no sound."""
    import av
    from av.audio.resampler import AudioResampler

    if tracks.audio_index is None:
        return None
    with open_container(path) as container:
        stream = container.streams[tracks.audio_index]
        rate = 44_100 if stream.codec_context.sample_rate == 44_100 else 48_000
        channels = 1 if stream.codec_context.channels == 1 else 2
        samples = np.zeros((channels, round((end_s - start_s) * rate)), np.float32)
        resampler = AudioResampler(format="fltp", layout="mono" if channels == 1 else "stereo", rate=rate)
        # Decoders need a run-up after a seek; half a second is more than any codec's delay.
        target_s = max(0.0, start_s + video_start_s - 0.5)
        if target_s > 0:
            try:
                container.seek(int(target_s / stream.time_base), stream=stream, backward=True)
            except av.error.FFmpegError:
                container.seek(0)
        is_heard = False
        for at_s, block in _audio_frames(container, stream, resampler):
            offset = round((at_s - video_start_s - start_s) * rate)
            if offset >= samples.shape[1]:
                break
            first, last = max(0, offset), min(samples.shape[1], offset + block.shape[1])
            if first < last:
                samples[:, first:last] = block[:, first - offset : last - offset]
                is_heard = True
    return Sound(samples, rate) if is_heard else None
