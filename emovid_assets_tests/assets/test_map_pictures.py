"""The pictures of the map are real PNGs of the expected size that show each clip and each group."""

import base64
import io
from typing import Any

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from emovid_assets.assets.pictures import DOMAIN_COLOURS, NOTHING, domain_map, emotion_map, separability_plot
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.separability import separability


def points(count: int, width: float = 20.0, height: float = 20.0) -> list[dict[str, Any]]:
    random = np.random.default_rng(0)
    return [
        {
            "x": random.uniform(0, width),
            "y": random.uniform(0, height),
            "domain": DOMAINS[number % 3],
            "emotion": EMOTION_NAMES[number % 8] if number % 9 else None,
        }
        for number in range(count)
    ]


def opened(picture: dg.MetadataValue) -> Image.Image:
    head, _, data = str(picture.value).partition("base64,")
    assert head.startswith("![")
    image = Image.open(io.BytesIO(base64.b64decode(data.removesuffix(")"), validate=True)))
    image.load()
    assert image.format == "PNG"
    return image.convert("RGB")


def share_of(image: Image.Image, colour: str) -> float:
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    # Dots are not quite opaque.
    return float((np.abs(np.asarray(image, int) - wanted).max(axis=2) < 45).mean())


@pytest.mark.parametrize("count", [1, 2, 90, 3000])
def test_a_map_by_domain_shows_every_domain_in_its_colour(count: int) -> None:
    shown = points(count)
    image = opened(domain_map(shown))
    assert image.width == 660
    assert 250 <= image.height <= 550
    for colour in DOMAIN_COLOURS.values():
        assert share_of(image, colour) > 0.0001


@pytest.mark.parametrize(("width", "height", "expected"), [(20, 20, 550), (20, 10, 300), (90, 1, 250), (1, 90, 550)])
def test_a_map_is_as_high_as_its_points_ask_for_within_limits(width: float, height: float, expected: int) -> None:
    assert opened(domain_map(points(400, width, height))).height == pytest.approx(expected, abs=8)


@pytest.mark.parametrize("count", [1, 90])
def test_a_map_by_emotion_has_eight_small_maps(count: int) -> None:
    image = opened(emotion_map(points(count)))
    assert image.width == 880
    if count > 8:
        # In each of the eight fields something is drawn in the colour of its polarity.
        pixels = np.asarray(image, int)
        for row, (red, blue) in enumerate(((42, 181), (194, 63))):
            half = pixels[30:][row * (image.height - 30) // 2 :][: (image.height - 30) // 2]
            is_it = (np.abs(half[:, :, 0] - red) < 12) & (np.abs(half[:, :, 2] - blue) < 12)
            assert [is_it[:, field * 220 : field * 220 + 220].any() for field in range(4)] == [True] * 4


def test_points_all_in_one_place_are_drawn() -> None:
    one_place = [row | {"x": 0.0, "y": 0.0} for row in points(12)]
    assert opened(domain_map(one_place)).size == (660, 550)
    assert opened(emotion_map(one_place)).width == 880


def test_the_plot_of_neighbours_has_a_line_for_each_group_with_neighbours() -> None:
    shown = points(60)
    vectors = np.array([(row["x"], row["y"]) for row in shown])
    domains = [row["domain"] for row in shown]
    sources = [str(number) for number in range(60)]
    rows = [{"grouping": "domain", **row} for row in separability(vectors, domains, sources, neighbours=5, seed="s")]
    assert opened(separability_plot(rows)).size == (660, 196)
    without = [row | {"purity": None} for row in rows]
    assert separability_plot(without) == NOTHING


def test_nothing_to_show_is_said_in_words() -> None:
    assert domain_map([]) == emotion_map([]) == separability_plot([]) == NOTHING
