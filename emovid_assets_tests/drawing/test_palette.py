"""The colours can be told apart, also by those who do not see all of them, and stand out from the ground."""

import itertools

import numpy as np
import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.palette import DARK, DOMAIN_COLOURS, EMOTION_COLOURS, LIGHT, emotion_colour, variables

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
# Ottosson's OKLab, in which 0.02 is a difference that one just sees.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
GROUND = {LIGHT: "#ffffff", DARK: "#14181f"}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(colour: str, sight: str) -> np.ndarray:
    return np.cbrt(np.clip(np.array(SIGHT[sight]) @ linear(colour), 0, 1) @ TO_CONES.T) @ TO_LAB.T


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("colours", [EMOTION_COLOURS, DOMAIN_COLOURS], ids=["emotions", "domains"])
def test_any_two_colours_differ_to_every_eye(colours: dict[str, tuple[str, str]], theme: int, sight: str) -> None:
    for one, other in itertools.combinations(colours, 2):
        distance = np.linalg.norm(lab(colours[one][theme], sight) - lab(colours[other][theme], sight))
        assert distance > 0.06, (one, other)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_has_a_contrast_of_three_to_the_ground(theme: int) -> None:
    ground = luminance(GROUND[theme])
    for name, colours in {**EMOTION_COLOURS, **DOMAIN_COLOURS}.items():
        high, low = sorted((luminance(colours[theme]), ground), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3, name


def test_every_emotion_and_domain_has_its_variable_in_both_themes() -> None:
    assert list(EMOTION_COLOURS) == list(EMOTION_NAMES)
    assert list(DOMAIN_COLOURS) == list(DOMAINS)
    for theme in (LIGHT, DARK):
        assert all(f"--e-{name}:{EMOTION_COLOURS[name][theme]};" in variables(theme) for name in EMOTION_NAMES)


def test_what_is_no_emotion_is_grey() -> None:
    assert emotion_colour("awe") == "var(--e-awe)"
    assert emotion_colour("no_specific_emotion") == emotion_colour(None) == "var(--other)"
