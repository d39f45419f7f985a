"""Figures show their numbers: lengths, places and strengths are read back from the SVG."""

import base64
import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.drawing.charts import bars, curve, heat, intervals, scatter, wheel
from emovid_assets.drawing.charts.training import training_curves
from emovid_assets.drawing.markup import Markup
from emovid_assets.drawing.svg import size_of, standalone, ticks
from emovid_assets_tests.drawing.reading import Document, read


def drawn(figure: Markup) -> Document:
    return read(figure)


def of_colour(document: Document, name: str, colour: str) -> list[dict[str, str]]:
    return [one.attributes for one in document.named(name) if colour in one.attributes.get("style", "")]


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    entries = [bars.Bar("a", 0.5, "50 %", "red"), bars.Bar("b", 0.2, "20 %", "blue"), bars.Bar("c", 0, "0 %", "lime")]
    document = drawn(bars.bars("s", "title", "what it shows", entries))
    width = {name: float(of_colour(document, "rect", name)[0]["width"]) for name in ("red", "blue", "lime")}
    assert width["blue"] / width["red"] == pytest.approx(0.4, abs=0.001)
    assert width["lime"] == 0
    assert {"a", "b", "c", "50 %", "20 %", "0 %"} <= {one.text for one in document.named("text")}


def test_a_cell_is_as_strong_as_its_value_and_a_null_is_an_empty_frame() -> None:
    document = drawn(
        heat.heat_map("s", "t", "d", ["r"], ["a", "b", "c"], [[0.5, None, 0.0]], [["50", "", ""]], highest=1.0)
    )
    assert [one.attributes["fill-opacity"] for one in document.of_class("heat")] == ["0.5"]
    assert len(document.of_class("track")) == 2
    assert len(document.of_class("empty")) == 1


def test_writing_in_a_strong_cell_changes_its_colour() -> None:
    document = drawn(heat.heat_map("s", "t", "d", ["r"], ["a", "b"], [[0.9, 0.1]], [["90", "10"]]))
    assert [one.text for one in document.of_class("on-heat")] == ["90"]


def test_no_line_crosses_a_bin_without_clips() -> None:
    shares = [0.2, 0.4, None, 0.6, None, 0.8, 1.0]
    bins = [
        curve.Bin(place / 10, 0 if share is None else 5, share, share and share - 0.1, share and share)
        for place, share in enumerate(shares)
    ]
    document = drawn(curve.curve("s", "t", "d", bins, across="brightness", up="share", reference=0.5))
    lines = [one.attributes["points"].split() for one in document.of_class("curve")]
    assert [len(points) for points in lines] == [2, 2]
    assert len(document.of_class("dot")) == 5


def test_an_interval_reaches_from_its_low_to_its_high_end_around_its_value() -> None:
    one = intervals.Estimate("pair", 0.5, 0.25, 1.0, "red")
    document = drawn(intervals.intervals("s", "t", "d", [one], axis="kappa"))
    (reach,), (dot,) = of_colour(document, "line", "red"), of_colour(document, "circle", "red")
    low, high, middle = float(reach["x1"]), float(reach["x2"]), float(dot["cx"])
    assert (middle - low) / (high - low) == pytest.approx(1 / 3, abs=0.001)


def test_a_value_that_is_not_defined_is_said_so() -> None:
    document = drawn(intervals.intervals("s", "t", "d", [intervals.Estimate("a", None, None, None, "red")], axis="k"))
    assert "not defined" in document.text


def test_areas_of_the_wheel_are_numbers_of_clips() -> None:
    places = [wheel.Place("awe", 7, 4, 400), wheel.Place("fear", 3, 6, 100)]
    document = drawn(wheel.wheel("s", "t", "d", places, 5.0))
    radius = {name: float(of_colour(document, "circle", f"--e-{name}")[0]["r"]) for name in ("awe", "fear")}
    assert (radius["awe"] / radius["fear"]) ** 2 == pytest.approx(4, abs=0.01)


def test_both_axes_of_a_map_have_one_scale_and_up_is_up() -> None:
    window = scatter.Window([(0, 0), (10, 5)], 200)
    left, right, high = window.at((0, 0)), window.at((10, 0)), window.at((0, 5))
    assert right[0] - left[0] == pytest.approx(2 * (left[1] - high[1]))
    assert high[1] < left[1]


def test_a_map_of_one_clip_is_drawn() -> None:
    document = drawn(scatter.scatter("s", "t", "d", {"movie": [(3.0, 3.0)]}, {"movie": "red"}))
    assert "movie 1" in document.text


@pytest.mark.parametrize(("count", "width"), [(10, "9.2"), (1000, "4.6"), (2000, "4.6")])
def test_dots_are_larger_where_there_are_few(count: int, width: str) -> None:
    points = [(float(n), float(n % 7)) for n in range(count)]
    drawing = str(scatter.scatter("s", "t", "d", {"movie": points}, {"movie": "red"}))
    assert f"stroke-width:{width}" in drawing.partition("</g>")[0]


def test_the_small_maps_share_one_drawing_of_all_points() -> None:
    points = [(float(n), float(n % 7)) for n in range(50)]
    figures = scatter.small_maps("m", {"a": points[:5], "b": points[5:8]}, points, {"a": "red", "b": "blue"})
    assert [one.count("h0") for one in map(str, figures)] == [55, 3]
    assert 'href="#m-all"' in figures[1]


@pytest.mark.parametrize(
    "figure",
    [
        bars.bars("s", "<b>", "<i>", [bars.Bar("<u>", 1, "<s>", "red")]),
        heat.heat_map("s", "<b>", "<i>", ["<u>"], ["<s>"], [[1.0]], [["<q>"]]),
        intervals.intervals("s", "<b>", "<i>", [intervals.Estimate("<u>", 1, 0, 1, "red")], axis="<s>"),
    ],
    ids=["bars", "heat map", "intervals"],
)
def test_a_figure_has_a_title_and_a_description_and_escapes_what_it_is_given(figure: Markup) -> None:
    document = drawn(figure)
    (svg,) = document.named("svg")
    ids = {one.attributes["id"]: one.text for one in document.named("title", "desc") if "id" in one.attributes}
    assert [ids[name] for name in svg.attributes["aria-labelledby"].split()] == ["<b>", "<i>"]
    assert {one.name for one in document.elements}.isdisjoint({"b", "i", "u", "s", "q"})


def test_ticks_of_a_range_without_zero_are_round_and_within() -> None:
    assert ticks(2.3, 9.1, 4) == [4, 6, 8]
    assert str(ticks(0, 3)[0]) == "0.0"


@given(st.floats(0, 1e4), st.floats(0.01, 1e4), st.integers(2, 9))
def test_ticks_are_round_few_and_within_and_hold_zero(below: float, above: float, wanted: int) -> None:
    found = ticks(-below, above, wanted)
    assert 0 in found
    assert 1 <= len(found) <= wanted + 1
    assert all(-below - 1e-6 <= tick <= above + 1e-6 for tick in found)
    steps: Any = [f"{after - before:.6e}" for before, after in itertools.pairwise(found)]
    assert all(re.match(r"^[125]\.0+e|^9\.9+|^1\.9+|^4\.9+", step) for step in steps)


def test_a_figure_can_stand_alone_with_its_own_colours() -> None:
    drawing = bars.bars("s", "t", "d", [bars.Bar("a", 1, "1", "var(--e-awe)")])
    address = standalone(drawing)
    head, data = address.split(",", 1)
    assert head == "data:image/svg+xml;base64"
    document = read(base64.b64decode(data).decode())
    (style,) = document.named("style")
    assert "--e-awe:" in style.text
    assert "@media" not in style.text
    width, height = (float(document.elements[0].attributes[side]) for side in ("width", "height"))
    assert (width, height) == tuple(side + 16 for side in size_of(drawing))
    assert [one.text for one in document.named("title")] == ["t"], "an image answers no pointer: no notes"


def test_a_training_is_drawn_with_a_point_an_evaluation_and_says_where_it_was_kept() -> None:
    drawing = training_curves(
        "t",
        "Training",
        [0, 1, 2],
        {"accuracy": [0.1, 0.6, 0.5], "macro F1": [0.05, 0.55, 0.5]},
        [None, 2.5, 1.5],
        best=1,
    )
    page = read(drawing)
    assert len(page.named("circle")) == 3 + 3 + 2
    assert len(page.named("polyline")) == 3
    (said,) = page.named("desc")
    assert said.text == "accuracy 0.10 at first, 0.60 where it was kept; macro F1 0.05 at first, 0.55 where it was kept"


def test_a_training_that_has_only_begun_is_drawn_too() -> None:
    page = read(training_curves("t", "Training", [0], {"accuracy": [0.1], "macro F1": [0.1]}, [None], best=0))
    assert len(page.named("circle")) == 2
    assert page.named("polyline") == []
