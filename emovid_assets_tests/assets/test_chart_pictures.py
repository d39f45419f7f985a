"""The charts of metadata show the numbers that they are given: heights, places and texts are read back."""

import html
import itertools

import dagster as dg
import pytest

from emovid_assets.assets.pictures import (
    MOST_DOTS,
    NOTHING,
    agreement_matrix,
    bars,
    colour_swatches,
    confusion_matrix,
    histogram,
)
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets_tests.assets.pictures_read import chart


def swatch(hue_deg: float | None, colourfulness: float = 0.5, brightness: float = 1.0) -> dict[str, float | None]:
    return {"hue_chromatic_deg": hue_deg, "colorfulness_mean": colourfulness, "brightness_mean": brightness}


def test_bars_of_a_histogram_are_as_high_as_their_counts_and_stand_where_the_values_lie() -> None:
    drawn = chart(histogram([0.02] * 2 + [0.5] * 4 + [0.99], "mean V", limits=(0, 1)))
    bins = drawn.all("rect", kind="bin")
    assert len(bins) == 24
    heights = [float(one["height"]) for one in bins]
    assert [place for place, height in enumerate(heights) if height] == [0, 12, 23]
    assert heights[0] / heights[12] == pytest.approx(0.5)
    assert heights[23] / heights[12] == pytest.approx(0.25)
    assert {"mean V, n\u00a0=\u00a07", "count", "0", "4", "0.2", "1"} <= set(drawn.texts())


@pytest.mark.parametrize("values", [[3.0], [0.0] * 5, [1e-9, 2e-9], [5.0, 100_000.0]])
def test_a_histogram_of_any_values_is_drawn_and_holds_them_all(values: list[float]) -> None:
    drawn = chart(histogram(values, "segment length (s)"))
    assert sum(float(one["height"]) > 0 for one in drawn.all("rect", kind="bin")) == len(set(values))
    assert not any("nan" in value for one in drawn.all("rect") for value in one.values())


def test_bars_are_as_long_as_counts_and_every_emotion_has_one() -> None:
    drawn = chart(bars({"awe": 30, "fear": 12}, "final labels"))
    width = {name: float(drawn.all("rect", colour=f"--e-{name})")[0]["width"]) for name in EMOTION_NAMES}
    assert width["fear"] / width["awe"] == pytest.approx(0.4, abs=0.001)
    assert [name for name, value in width.items() if value] == ["awe", "fear"]
    assert drawn.texts()[0] == drawn.alternative == "final labels"
    numbers = {"awe": "30", "fear": "12"}
    assert drawn.texts()[1:] == [text for name in EMOTION_NAMES for text in (name, numbers.get(name, "0"))]


def test_cells_of_a_confusion_matrix_hold_their_counts_and_zeros_stay_empty() -> None:
    matrix = [[0] * 9 for _ in range(9)]
    matrix[0][0], matrix[1][0], matrix[8][3] = 1200, 300, 7
    drawn = chart(confusion_matrix(matrix, "majority of the others", "ann", HUMAN_CHOICES))
    written = [text for text in drawn.texts() if text.isdigit()]
    assert written == ["1200", "300", "7"]
    strengths = [float(one["fill-opacity"]) for one in drawn.all("rect", kind="heat")]
    assert strengths == pytest.approx([1, 0.25, 7 / 1200], abs=0.006)
    cells = drawn.all("rect", kind="track")
    assert len(cells) == 81
    assert min(float(one["width"]) for one in cells) >= 4 * 7.2, "four digits have room"
    assert {"majority of the others ↓", "ann →", "majority of the others by ann"} <= set(drawn.texts())


def test_a_matrix_of_kappas_is_symmetric_with_an_empty_diagonal_and_no_cell_for_what_is_not_defined() -> None:
    pairs = [
        {"rater_a": "b", "rater_b": "a", "kappa": 0.5},
        {"rater_a": "a", "rater_b": "c", "kappa": -0.25},
        {"rater_a": "b", "rater_b": "c", "kappa": None},
    ]
    drawn = chart(agreement_matrix(pairs))
    assert [text for text in drawn.texts() if "0." in text] == ["0.50", "−0.25", "0.50", "−0.25"]
    assert len(drawn.all("rect", kind="empty")) == 5
    (strength,) = {one["fill-opacity"] for one in drawn.all("rect", kind="heat")}
    assert strength == "0.5"


def test_thirty_raters_with_long_names_have_room_for_their_kappas() -> None:
    names = [f"annotator-of-the-second-round-{number:02}" for number in range(30)]
    pairs = [{"rater_a": one, "rater_b": other, "kappa": 0.25} for one, other in itertools.combinations(names, 2)]
    drawn = chart(agreement_matrix(pairs))
    cells = drawn.all("rect", kind="track")
    assert len(cells) == 30 * 29
    assert min(float(one["width"]) for one in cells) >= 4 * 7.2
    assert max(float(one["x"]) + float(one["width"]) for one in cells) < drawn.size[0]


def test_a_name_with_brackets_does_not_end_the_image() -> None:
    drawn = chart(confusion_matrix([[1] * 8] * 8, "people", "a](x)\n[b\\"))
    assert html.unescape(drawn.alternative) == "people by a](x) [b\\"
    assert not set(drawn.alternative) & set("[]\\")


def test_a_clip_lies_at_its_hue_and_saturation_in_its_own_colour() -> None:
    drawn = chart(colour_swatches([swatch(0, 1.0), swatch(90, 0.5), swatch(240, 0.0, 0.0), swatch(None)]))
    red, green, black = [one for one in drawn.all("circle") if "fill" in one]
    assert [one["fill"] for one in (red, green, black)] == ["#ff0000", "#bfff80", "#000000"]
    centre_x, centre_y = float(black["cx"]), float(black["cy"])
    radius = max(float(one["r"]) for one in drawn.all("circle", kind="ring"))
    assert (float(red["cx"]) - centre_x, float(red["cy"]) - centre_y) == pytest.approx((radius, 0))
    assert (float(green["cx"]) - centre_x, float(green["cy"]) - centre_y) == pytest.approx((0, -radius / 2))
    assert "3 clips" in drawn.texts()


def test_of_very_many_clips_the_circle_of_hues_shows_some_and_says_so() -> None:
    picture = colour_swatches([swatch(number % 360) for number in range(22_758)])
    drawn = chart(picture)
    assert len([one for one in drawn.all("circle") if "fill" in one]) == MOST_DOTS
    assert "400 of 22,758 clips" in drawn.texts()
    assert len(str(picture.value)) < 50_000


def test_every_chart_brings_a_light_ground_of_its_own_size() -> None:
    drawn = chart(bars({"awe": 1}, "final labels"))
    ground = drawn.all("rect")[0]
    assert (float(ground["width"]), float(ground["height"]), ground["style"]) == (*drawn.size, "fill:#ffffff")


@pytest.mark.parametrize(
    "picture",
    [
        histogram([], "x"),
        bars({}, "x"),
        bars({"awe": 0}, "x"),
        confusion_matrix([[0]], "a", "b", ["x"]),
        agreement_matrix([]),
        colour_swatches([swatch(None)]),
    ],
)
def test_nothing_to_show_is_said_in_words(picture: dg.MetadataValue) -> None:
    assert picture == NOTHING
