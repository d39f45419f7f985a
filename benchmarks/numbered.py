"""Pictures that say their number and sound that says its time, through any encoder.

Belongs here: drawing both and reading them again, with numpy alone. Does not belong here: files.
"""

import numpy as np

CELLS = 10
HEIGHT, WIDTH = 96, 160
SOUND_RATE = 48_000
BEEP_EVERY_S, BEEP_S = 0.4, 0.06
LOWEST_HZ, STEP_HZ = 500, 100
QUIET_S = 0.02
LOUD = 0.1


def barcode(number: int) -> np.ndarray:
    """uint8 (height, width, 3): ten columns, black or light, above a texture that drifts."""
    columns = [230 * (number >> bit & 1) for bit in range(CELLS)]
    row = np.repeat(np.array(columns, np.uint8), WIDTH // CELLS)
    picture = np.repeat(np.broadcast_to(row, (HEIGHT, WIDTH))[:, :, None], 3, axis=2)
    texture = np.random.default_rng(0).integers(0, 256, (8, WIDTH, 3), np.uint8)
    picture[-16:] = np.roll(np.repeat(texture, 2, axis=0), 2 * number, axis=1)
    return picture


def number_in(picture: np.ndarray) -> int:
    """The number of a picture, (height, width) or (height, width, 3), by its middle row."""
    row = picture[picture.shape[0] // 2]
    levels = row if row.ndim == 1 else row[:, 1]
    return number_of([int(levels[int((bit + 0.5) * len(levels) / CELLS)]) for bit in range(CELLS)])


def number_of(levels: list[int]) -> int:
    return sum((level > 115) << bit for bit, level in enumerate(levels))


def beeps(seconds: float) -> np.ndarray:
    """float32 (n,): a beep every 0.4 s, each 100 Hz above the one before."""
    samples = np.zeros(round(seconds * SOUND_RATE), np.float32)
    for beep in range(int(seconds / BEEP_EVERY_S)):
        first = round(beep * BEEP_EVERY_S * SOUND_RATE)
        at = np.arange(round(BEEP_S * SOUND_RATE)) / SOUND_RATE
        samples[first : first + len(at)] = 0.5 * np.sin(2 * np.pi * (LOWEST_HZ + STEP_HZ * beep) * at)
    return samples


def heard(samples: np.ndarray, rate: int) -> tuple[int, float] | None:
    """The number of the first beep that begins after silence, and when it begins in s. Null where there is none."""
    loud = np.flatnonzero(np.abs(samples) > LOUD)
    quiet = int(QUIET_S * rate)
    starts = [int(now) for before, now in zip([0, *loud], loud, strict=False) if now - before >= quiet]
    if not starts:
        return None
    piece = samples[starts[0] + int(0.005 * rate) : starts[0] + int(0.055 * rate)]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), n=rate))
    return round((int(spectrum.argmax()) - LOWEST_HZ) / STEP_HZ), starts[0] / rate
