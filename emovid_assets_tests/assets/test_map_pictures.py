"""The pictures of the map show each clip and each group, and the plot of neighbours each share beside chance."""

from typing import Any

import numpy as np
import pytest

from emovid_assets.assets.pictures import NOTHING, domain_map, emotion_map, separability_plot
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.separability import separability
from emovid_assets_tests.assets.pictures_read import chart, charts


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


def dots(path: dict[str, str]) -> int:
    return path["d"].count("M")


@pytest.mark.parametrize("count", [1, 2, 90, 3000])
def test_a_map_by_domain_shows_every_domain_in_its_colour_with_its_count(count: int) -> None:
    shown = points(count)
    drawn = chart(domain_map(shown))
    for domain in DOMAINS:
        here = sum(row["domain"] == domain for row in shown)
        dots_of_it, key = drawn.all("path", colour=f"--d-{domain})")
        # Clips that fall on one px are one dot.
        assert 0.98 * here <= dots(dots_of_it) <= here
        assert dots(key) == 1
        assert f"{domain} {here:,}" in drawn.texts()
    assert drawn.texts()[0] == "Clips by domain: t-SNE of the embeddings"


@pytest.mark.parametrize(("width", "height"), [(20, 20), (20, 10), (90, 1), (1, 90)])
def test_a_map_is_as_high_as_its_points_ask_for_and_never_a_tower(width: float, height: float) -> None:
    drawn = chart(domain_map(points(400, width, height)))
    assert drawn.size[0] == 656
    assert drawn.size[1] == pytest.approx(26 + 22 + 16 + 14 + 606 * min(1, height / width), abs=8)


def test_a_map_by_emotion_has_eight_small_maps_on_the_map_of_all() -> None:
    shown = points(90)
    drawn = chart(emotion_map(shown))
    texts = drawn.texts()
    for name in EMOTION_NAMES:
        (own,) = drawn.all("path", colour=f"--e-{name})")
        here = sum(row["emotion"] == name for row in shown)
        assert dots(own) == here
        assert f"{name}, n = {here}" in texts
    (everything,) = [path for path in drawn.all("path") if "id" in path]
    assert dots(everything) == 90
    assert [one["href"] for one in drawn.all("use")] == [f"#{everything['id']}"] * 7
    places = [one["transform"] for one in drawn.all("g") if "class" not in one][1:]
    assert len(set(places)) == len(places) == 8


def test_five_thousand_points_are_a_tenth_of_a_megabyte_at_most() -> None:
    assert len(str(domain_map(points(5000)).value)) < 100_000
    assert len(str(emotion_map(points(5000)).value)) < 150_000


def test_points_all_in_one_place_are_drawn() -> None:
    one_place = [row | {"x": 0.0, "y": 0.0} for row in points(12)]
    for picture in (domain_map(one_place), emotion_map(one_place)):
        assert not any("nan" in path["d"] for path in chart(picture).all("path"))


def test_the_plot_of_neighbours_has_a_line_for_each_group_with_neighbours_beside_chance() -> None:
    shown = points(60)
    vectors = np.array([(row["x"], row["y"]) for row in shown])
    domains = [row["domain"] for row in shown]
    sources = [str(number) for number in range(60)]
    rows = [{"grouping": "domain", **row} for row in separability(vectors, domains, sources, neighbours=5, seed="s")]
    drawn = chart(separability_plot(rows))
    (axis,) = drawn.all("line", kind="axis")
    zero = float(axis["x1"])
    grid = [float(one["x1"]) for one in drawn.all("line", kind="grid")]
    unit = max(grid) - zero
    strokes, circles = drawn.all("line", kind="reference"), drawn.all("circle")
    assert len(rows) == 4
    # The legend has one of each, before the others.
    for row, stroke, circle in zip(rows, strokes[1:], circles[1:], strict=True):
        assert (float(circle["cx"]) - zero) / unit == pytest.approx(row["purity"], abs=0.001)
        assert (float(stroke["x1"]) - zero) / unit == pytest.approx(row["chance_purity"], abs=0.001)
    assert {"all domains", *DOMAINS, "measured", "by chance"} <= set(drawn.texts())
    assert "share of the 5 nearest clips of other" in drawn.texts()
    without = [row | {"purity": None} for row in rows]
    assert separability_plot(without) == NOTHING
    twice = charts(separability_plot(rows + [row | {"grouping": "emotion"} for row in rows]))
    assert [one.texts()[0] for one in twice] == ["neighbours by domain", "neighbours by emotion"]


def test_nothing_to_show_is_said_in_words() -> None:
    assert domain_map([]) == emotion_map([]) == separability_plot([]) == NOTHING
