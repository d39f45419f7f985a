"""Sound synthesised from a mood's parameters.

Belongs here: samples. Does not belong here: encoding them.
"""

import numpy as np
import numpy.typing as npt

from emovid_assets.demo.moods import SoundMood

SAMPLE_RATE_HZ = 16_000

Samples = npt.NDArray[np.float32]


def _tone(frequency_hz: float, times: Samples, brightness: float, glide: float) -> Samples:
    """Harmonics with weights brightness^k; `glide` is the rise in semitones from the first sample to the last."""
    length = float(times[-1]) + 1e-6
    bent = times if glide == 0 else times * (1 + (2 ** (glide / 12) - 1) * times / (2 * length))
    angle = (2 * np.pi * frequency_hz) * bent
    total = np.sin(angle)
    weight = 1.0
    for harmonic in range(2, 6):
        weight *= brightness
        if weight < 0.05 or harmonic * frequency_hz > SAMPLE_RATE_HZ * 0.45:
            break
        total += weight * np.sin(harmonic * angle)
    return total.astype(np.float32)


def synthesise(rng: np.random.Generator, mood: SoundMood, sample_count: int) -> Samples:
    """Mono samples in [-1, 1], `sample_count` of them at SAMPLE_RATE_HZ, with the mood's RMS level.

    Notes, a sustained chord, noise, tremolo and overdrive are added up in the mood's proportions.
    """
    times: Samples = np.arange(sample_count, dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)
    signal = np.zeros(sample_count, dtype=np.float32)
    step = 1.0 / mood.notes_hz
    start = 0.0
    while start * SAMPLE_RATE_HZ < sample_count:
        first = int(start * SAMPLE_RATE_HZ)
        length = min(int(step * mood.legato * SAMPLE_RATE_HZ), sample_count - first)
        if length > 32:
            local = times[:length]
            pitch = mood.tonic_hz * 2 ** (mood.degrees[int(rng.integers(len(mood.degrees)))] / 12)
            envelope = np.minimum(local * 60, 1) * np.exp(-local * 2.2 / (step * mood.legato))
            signal[first : first + length] += _tone(pitch, local, mood.brightness, mood.glide) * envelope
        start += step * float(rng.uniform(0.85, 1.15))
    if mood.pad > 0:
        swell = 0.75 + 0.25 * np.sin(2 * np.pi * (0.23 * times + rng.random()))
        for degree in mood.degrees[:3]:
            pitch = mood.tonic_hz / 2 * 2 ** (degree / 12) * float(rng.normal(1, 0.003))
            signal += 0.4 * mood.pad * swell * _tone(pitch, times, mood.brightness * 0.7, 0.0)
    if mood.noise > 0:
        noise = rng.standard_normal(sample_count, dtype=np.float32)
        width = mood.noise_smoothing
        if width > 1:
            total = np.cumsum(noise, dtype=np.float64)
            noise[width:] = (total[width:] - total[:-width]) / np.sqrt(width)
        signal += (3 * mood.noise) * noise
    if mood.tremolo_hz > 0:
        signal *= 0.65 + 0.35 * np.sin(2 * np.pi * mood.tremolo_hz * times)
    if mood.drive > 1:
        signal = np.tanh(mood.drive * signal)
    fade = np.minimum(1, np.minimum(times, times[::-1]) * 40)
    signal = signal * fade
    rms = float(np.sqrt(np.mean(np.square(signal)))) + 1e-9
    return np.clip(signal * (10 ** (mood.level_db / 20) / rms), -0.98, 0.98).astype(np.float32)
