"""The section on generated videos, of planted generators."""

from pathlib import Path

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.report.build import build_report
from emovid_assets.report.generator_sentences import finding, trial_told
from emovid_assets.report.sections.generation import _best as best
from emovid_assets_tests.assets.homes import all_rows
from emovid_assets_tests.drawing.reading import Document, read
from emovid_assets_tests.generation.planted_home import plant_generators
from emovid_assets_tests.report.browser import measure
from emovid_assets_tests.report.planting import plant_library
from emovid_assets_tests.report.test_page import reading_of
from emovid_assets_tests.sql.planting import derive_all, plant

TITLES = (
    "Generators, measured on this dataset",
    "What may be concluded",
    "Before and after training",
    "Emotions asked for, and recognised",
    "Videos of the same prompts",
)

SETTINGS = """\
[generation]
common_fps = 4.0
[[generation.models]]
name = "wan"
task = "t2v"
model = "models/wan"
seeds = [0, 1]
adapters = [{name = "light", file = "models/light.safetensors", weight = 0.5}]
is_trial = true
[[generation.models]]
name = "other"
task = "i2v"
model = "models/other"
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    plant_library(home)
    plant_generators(home)
    (home / "emovid.toml").write_text(SETTINGS, encoding="utf-8")
    derive_all(home)
    return build_report(Home(home)).path


@pytest.fixture(scope="module")
def page(report: Path) -> Document:
    return read(report.read_text(encoding="utf-8"))


def test_the_table_says_who_is_right_how_often_and_what_is_a_trial(page: Document) -> None:
    reading = reading_of(page, TITLES[0])
    assert (
        "Text to video: steady with an adapter shows the emotion asked for in the largest share of its videos, 78 of 96"
        in reading
    )
    best_t2v, best_i2v = reading.split("Image to video: ")
    assert "%) (trial)." in best_t2v
    assert best_i2v.startswith("first and second show the emotion asked for in equally many of their videos, ")
    assert "%. What is marked" in best_i2v
    assert "marked “trial”" in reading


def leader(name: str, share: float, hits: int, videos: int, *, is_of_characters: bool = False) -> dict[str, object]:
    counts = {"ea_8": share, "ea_8_hit_count": hits, "video_count": videos}
    return {"generator": name, "task": "I2V", "is_trial": False, "is_of_characters": is_of_characters, **counts}


def test_stickers_of_characters_are_not_held_against_videos_of_the_benchmark() -> None:
    few = leader("stickers", 50.0, 4, 8, is_of_characters=True)
    of_benchmark = [leader("wan", 20.0, 8, 40), leader("cog", 10.0, 8, 80)]
    told = best([*of_benchmark, few])
    assert told.startswith(
        "Image to video: wan shows the emotion asked for in the largest share of its videos, 8 of 40 "
    )
    assert best([few]).startswith(
        "Image to video: stickers shows the emotion asked for in a share of its videos, 4 of 8 "
    )


def test_the_sentences_say_what_may_be_concluded_and_what_not(page: Document) -> None:
    assert "is distinguishable" in reading_of(page, TITLES[1]) or "are distinguishable" in reading_of(page, TITLES[1])
    assert "after correction (in part trial)." in reading_of(page, TITLES[1])
    marks = {one.text.rpartition(" distinguishable")[2] for one in page.named("summary") if " of " in one.text}
    assert marks == {"", ", in part trial"}
    said = [one.text for one in page.named("li") if "videos that both have" in one.text]
    told = next(
        one
        for one in said
        if one.startswith("steady with an adapter is recognised as the emotion") and "than steady:" in one
    )
    assert "of 96 videos that both have, 18 are right in steady with an adapter alone and 0 in steady alone" in told
    assert told.endswith("after correction for 3 pairs: distinguishable.")
    trial = next(one for one in said if "wild<b>" in one)
    assert trial.endswith("(trial: says nothing of any model).")
    equal = next(one for one in said if one.startswith("first and second are equal in EA-8"))
    assert equal.endswith("p = 1.000: not distinguishable.")


def test_every_number_of_a_trial_is_marked(page: Document) -> None:
    row = next(line for line in page.named("tr") if line.text.startswith("wild<b>"))
    cells = [one.text for one in row.named("td") if any(letter.isdigit() for letter in one.text)]
    assert len(cells) == 8
    assert [("trial" in one) for one in cells[1:]] == [True] * 7


@pytest.mark.parametrize(
    ("marks", "told"),
    [((False, False), ""), ((True, False), " (in part trial)"), ((True, True), " (trial: says nothing of any model)")],
)
def test_a_sentence_of_several_rows_says_how_many_of_them_are_trials(marks: tuple[bool, ...], told: str) -> None:
    assert trial_told([{"is_trial": mark} for mark in marks]) == told


def test_the_count_of_what_is_recognised_says_how_many_of_the_videos_are_trials(page: Document) -> None:
    assert reading_of(page, TITLES[3]).startswith("Of 480 videos (96 of them trial) ")


def test_strips_are_of_the_same_prompts_for_all_generators_of_a_task(page: Document) -> None:
    prompts = page.of_class("prompt")
    assert len(prompts) == 3 * 2 * 2
    names = [one.text for one in page.of_class("strip-name")]
    assert names[:3] == ["steady", "steady with an adapter", "wild<b>, trial"]
    assert len(page.of_class("strip")) == len(names) == 3 * 2 * 5


def test_settings_of_generators_are_listed_as_they_are_written_a_line_each(page: Document) -> None:
    row = next(line for line in page.named("tr") if line.text.startswith("generation.models"))
    assert [one.text for one in row.named("div")] == [
        'name = "wan", task = "t2v", model = "models/wan", seeds = [0, 1], '
        'adapters = [{name = "light", file = "models/light.safetensors", weight = 0.5}], is_trial = true',
        'name = "other", task = "i2v", model = "models/other"',
        "[]",
    ]
    assert any(line.text.startswith("generation.common_fps") and "4.0" in line.text for line in page.named("tr"))


def test_a_library_without_generated_videos_has_no_such_section(tmp_path: Path) -> None:
    plant_library(tmp_path)
    derive_all(tmp_path)
    text = build_report(Home(tmp_path)).path.read_text(encoding="utf-8")
    assert not any(title in text for title in (*TITLES, "Generated videos"))


def test_what_an_adapter_gained_and_cost_is_said_in_a_sentence_and_a_table(page: Document) -> None:
    reading = reading_of(page, TITLES[2])
    assert reading.startswith(
        "steady with an adapter is right in 18 more of 96 videos than steady (18 gained, 0 lost; p < 0.001); it cost "
    )
    lines = [one.text for one in page.named("tr") if one.text.startswith("EA-8+")]
    assert len(lines) == 1
    assert lines[0].endswith("better")


def test_where_no_generator_has_an_adapter_nothing_is_said_of_before_and_after(tmp_path: Path) -> None:
    plant_library(tmp_path)
    plant_generators(tmp_path)
    videos = [{**row, "adapters": []} for row in all_rows(tmp_path, "generated_videos")]
    plant(tmp_path, "generated_videos", videos)
    derive_all(tmp_path)
    text = build_report(Home(tmp_path)).path.read_text(encoding="utf-8")
    assert TITLES[1] in text
    assert TITLES[2] not in text


@pytest.mark.parametrize("width_px", [390, 1280])
def test_nothing_sticks_out(report: Path, width_px: int) -> None:
    seen = measure(report, width_px)
    assert seen["scrollWidth"] <= seen["width"]
    assert (seen["wide"], seen["clipped"], seen["broken"], seen["console"]) == ([], [], 0, [])


def row(**given: object) -> dict[str, object]:
    known = {"generator_a": "a", "generator_b": "b", "metric": "caption_cosine", "difference": 0.01, "low": -0.002}
    known |= {"high": 0.022, "p": 0.04, "p_adjusted": 0.4, "family_count": 10, "pair_count": 240, "is_trial": False}
    return {**known, "only_a_count": None, "only_b_count": None, **given}


def test_a_sentence_names_the_better_one_first_with_the_interval_from_its_side() -> None:
    assert finding(row()) == (
        "b is nearer to its captions than a: by 0.0100 [−0.0020, 0.0220] on 240 videos that both have; p = 0.040, "
        "0.400 after correction for 10 pairs: not distinguishable."
    )
    assert finding(
        row(metric="flicker_common", difference=-0.01, low=-0.02, high=-0.001, p=0.0001, p_adjusted=0.001)
    ) == (
        "b changes less from frame to frame, at common settings, than a: by 0.0100 [0.0010, 0.0200] on 240 videos that "
        "both have; p < 0.001, 0.001 after correction for 10 pairs: distinguishable."
    )
    assert finding(row(metric="ea8", difference=-0.05, only_a_count=20, only_b_count=8, family_count=1)) == (
        "a is recognised as the emotion asked for more often than b: of 240 videos that both have, 20 are right in a "
        "alone and 8 in b alone; p = 0.040: not distinguishable."
    )
