"""How each emotion looks, moves and sounds in the demo library.

Belongs here: the numbers per emotion (colour, motion, particles, sound) and one random draw from them.
Does not belong here: drawing, synthesis, files.

A draw is noisy on purpose. Colour, motion and sound are jittered and each of them is now and then taken
from another emotion, so that a classifier of these signals does well and still errs, as on real videos.
"""

import colorsys
from dataclasses import dataclass, replace

import numpy as np

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES

Rgb = tuple[int, int, int]

BORROWED_COLOUR_SHARE = 0.12
BORROWED_MOTION_SHARE = 0.12
BORROWED_SOUND_SHARE = 0.12

PARTICLES = ("bubbles", "stars", "petals", "confetti", "embers", "flies", "fog", "rain")


@dataclass(frozen=True)
class Colouring:
    """Centre of the palette: hues in degrees, saturation and value in [0, 1]."""

    hue: float
    hue_spread: float
    second_hue: float
    accent_hue: float
    saturation: float
    value: float


@dataclass(frozen=True)
class Motion:
    """`speed` scales every movement, `shake_px` is the unrest of the camera, `bounce` that of bodies."""

    speed: float
    shake_px: float
    bounce: float
    particles: str
    particle_count: int


@dataclass(frozen=True)
class SoundMood:
    """Parameters of the synthesis; frequencies in Hz, level in dB of full scale."""

    tonic_hz: float
    degrees: tuple[float, ...]
    notes_hz: float
    legato: float
    brightness: float
    pad: float
    noise: float
    noise_smoothing: int
    tremolo_hz: float
    drive: float
    glide: float
    level_db: float


@dataclass(frozen=True)
class Mood:
    """Everything that one emotion prescribes."""

    colouring: Colouring
    motion: Motion
    sound: SoundMood


@dataclass(frozen=True)
class Palette:
    """Colours of one scene, 8-bit RGB."""

    sky_top: Rgb
    sky_bottom: Rgb
    far: Rgb
    near: Rgb
    ground: Rgb
    accent: Rgb
    second: Rgb
    light: Rgb
    ink: Rgb


@dataclass(frozen=True)
class Draw:
    """One scene's share of chance: what it looks, moves and sounds like."""

    emotion: str
    palette: Palette
    motion: Motion
    sound: SoundMood


_MAJOR = (0.0, 4.0, 7.0, 9.0, 12.0)
_MINOR = (0.0, 3.0, 7.0, 8.0, 12.0)
_OPEN = (0.0, 7.0, 12.0, 19.0)
_CLUSTER = (0.0, 1.0, 6.0, 7.0, 13.0)

MOODS: dict[str, Mood] = {
    "amusement": Mood(
        Colouring(48, 16, 320, 190, 0.55, 0.92),
        Motion(1.2, 0.0, 1.0, "bubbles", 14),
        SoundMood(440, _MAJOR, 4.0, 0.45, 0.55, 0.10, 0.01, 4, 0.0, 1.0, 3.0, -20),
    ),
    "awe": Mood(
        Colouring(255, 20, 290, 48, 0.62, 0.48),
        Motion(0.35, 0.0, 0.15, "stars", 34),
        SoundMood(130, _OPEN, 0.8, 1.8, 0.35, 0.9, 0.02, 12, 0.2, 1.0, 0.0, -23),
    ),
    "contentment": Mood(
        Colouring(115, 26, 40, 345, 0.42, 0.82),
        Motion(0.45, 0.0, 0.25, "petals", 10),
        SoundMood(262, _MAJOR, 1.4, 1.2, 0.22, 0.55, 0.01, 20, 0.1, 1.0, 0.0, -29),
    ),
    "excitement": Mood(
        Colouring(22, 18, 325, 55, 0.84, 0.93),
        Motion(2.0, 0.6, 1.2, "confetti", 34),
        SoundMood(587, _MAJOR, 7.5, 0.6, 0.75, 0.2, 0.05, 1, 0.0, 1.6, 0.0, -14),
    ),
    "anger": Mood(
        Colouring(2, 12, 18, 30, 0.86, 0.50),
        Motion(1.8, 1.8, 0.6, "embers", 30),
        SoundMood(82, _CLUSTER, 5.0, 0.8, 0.85, 0.5, 0.22, 3, 0.0, 5.0, 0.0, -13),
    ),
    "disgust": Mood(
        Colouring(78, 14, 42, 285, 0.62, 0.44),
        Motion(0.8, 0.0, 0.35, "flies", 12),
        SoundMood(147, _CLUSTER, 2.4, 0.9, 0.5, 0.25, 0.10, 10, 6.0, 2.2, -7.0, -21),
    ),
    "fear": Mood(
        Colouring(212, 18, 260, 105, 0.55, 0.22),
        Motion(1.1, 1.1, 0.3, "fog", 9),
        SoundMood(196, _CLUSTER, 1.8, 1.4, 0.6, 0.7, 0.07, 30, 9.0, 1.2, 5.0, -23),
    ),
    "sadness": Mood(
        Colouring(216, 16, 200, 30, 0.26, 0.46),
        Motion(0.45, 0.0, 0.12, "rain", 32),
        SoundMood(208, _MINOR, 0.9, 1.6, 0.2, 0.5, 0.03, 8, 0.0, 1.0, -2.0, -30),
    ),
}


def hsv(hue_deg: float, saturation: float, value: float) -> Rgb:
    """8-bit RGB of a colour; saturation and value are clipped to [0, 1]."""
    clipped = (min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    red, green, blue = colorsys.hsv_to_rgb(hue_deg % 360 / 360, *clipped)
    return round(red * 255), round(green * 255), round(blue * 255)


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """`first` where `share` is 0, `second` where it is 1, linear between."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def neighbours(emotion: str) -> list[str]:
    """The other emotions of the same polarity."""
    polarity = EMOTION_BY_NAME[emotion].polarity
    return [name for name in EMOTION_NAMES if name != emotion and EMOTION_BY_NAME[name].polarity == polarity]


def _mood_or_another(rng: np.random.Generator, emotion: str, share: float) -> Mood:
    """The emotion's mood; with probability `share` another's, more often one of the same polarity."""
    is_borrowed, is_near = rng.random() < share, rng.random() < 0.65
    others = neighbours(emotion) if is_near else [name for name in EMOTION_NAMES if name != emotion]
    other = others[int(rng.integers(len(others)))]
    return MOODS[other if is_borrowed else emotion]


def _palette(rng: np.random.Generator, colouring: Colouring) -> Palette:
    hue = rng.normal(colouring.hue, colouring.hue_spread)
    second = rng.normal(colouring.second_hue, colouring.hue_spread)
    accent = rng.normal(colouring.accent_hue, 18)
    saturation = float(np.clip(rng.normal(colouring.saturation, 0.13), 0.06, 1.0))
    value = float(np.clip(colouring.value * rng.normal(1.0, 0.18), 0.12, 1.0))
    # Whether the ground is lighter or darker than the sky decides much of a picture's structure.
    is_ground_light = rng.random() < 0.35
    ground_value = value * (1.12 if is_ground_light else 0.62)
    sky_value = value * (0.62 if is_ground_light else 0.95)
    return Palette(
        sky_top=hsv(hue, saturation, sky_value * 0.82),
        sky_bottom=hsv(hue + rng.uniform(-22, 22), saturation * 0.7, sky_value * 1.15),
        far=hsv(hue + rng.uniform(-18, 18), saturation * 0.85, sky_value * rng.uniform(0.6, 0.8)),
        near=hsv(second, saturation * 0.85, ground_value * 0.75),
        ground=hsv(hue + rng.uniform(-25, 25), saturation * 0.9, ground_value),
        accent=hsv(accent, 0.75, min(1.0, value + 0.35)),
        second=hsv(second, min(1.0, saturation + 0.1), min(1.0, value + 0.2)),
        light=hsv(accent, 0.18, min(1.0, value + 0.45)),
        ink=hsv(hue, 0.5, 0.13),
    )


def draw_mood(rng: np.random.Generator, emotion: str) -> Draw:
    """One noisy realisation of an emotion: palette, motion and sound of a scene, a short or a sticker.

    Raises KeyError for a word that is not one of the eight emotions.
    """
    colouring = _mood_or_another(rng, emotion, BORROWED_COLOUR_SHARE).colouring
    motion = _mood_or_another(rng, emotion, BORROWED_MOTION_SHARE).motion
    sound = _mood_or_another(rng, emotion, BORROWED_SOUND_SHARE).sound
    return Draw(
        emotion=emotion,
        palette=_palette(rng, colouring),
        motion=replace(
            motion,
            speed=motion.speed * float(rng.lognormal(0, 0.3)),
            particle_count=max(4, round(motion.particle_count * float(rng.uniform(0.5, 1.3)))),
        ),
        sound=replace(
            sound,
            tonic_hz=sound.tonic_hz * 2 ** float(rng.normal(0, 0.35)),
            notes_hz=sound.notes_hz * float(rng.lognormal(0, 0.3)),
            brightness=float(np.clip(rng.normal(sound.brightness, 0.12), 0.05, 0.95)),
            noise=sound.noise * float(rng.lognormal(0, 0.5)),
            level_db=float(np.clip(rng.normal(sound.level_db, 4.0), -42, -8)),
        ),
    )
