"""What a reader is warned of, against the rule recounted here; and that a sound dataset warns of nothing."""

from typing import Any

import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.queries.named import read_named_queries
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import SQL_FOLDER, label

MODEL = "lab/model"


def codes(library: Library) -> list[str]:
    return [row["code"] for row in library.query("from dataset_warnings")]


def plant_labels(library: Library, human_count: int, model_count: int) -> None:
    names = [f"clip {n}" for n in range(human_count + model_count)]
    sources = ["human"] * human_count + ["vlm"] * model_count
    library.plant(
        "emotion_labels", [label(name, "movie", "awe", source) for name, source in zip(names, sources, strict=True)]
    )
    library.plant(
        "vlm_labels",
        [{"domain": "movie", "clip_id": name, "model_id": MODEL, "model_revision": "1"} for name in names],
    )


def plant_labeller(library: Library, right: int, held_out: int, baseline: float | None) -> None:
    accuracy = right / held_out if held_out else None
    row: dict[str, Any] = {"model_id": MODEL, "revision": "1", "held_out_clip_count": held_out}
    library.plant("emotion_labeller", [row | {"validation_accuracy": accuracy, "baseline_accuracy": baseline}])


def plant_cells(library: Library, per_cell: int, train_domains: tuple[str, ...] = DOMAINS) -> None:
    library.plant(
        "benchmark_split",
        [
            {"domain": domain, "clip_id": f"{domain} {emotion} {n}", "emotion": emotion, "split": "benchmark"}
            | {"group_id": f"{domain} {emotion} {n}"}
            for domain in DOMAINS
            for emotion in EMOTION_NAMES
            for n in range(per_cell)
        ]
        + [
            {"domain": domain, "clip_id": f"{domain} train", "split": "train", "group_id": f"{domain} train"}
            for domain in train_domains
        ],
    )


def test_an_empty_library_warns_of_nothing(library: Library) -> None:
    assert codes(library) == []


def test_a_dataset_with_full_cells_licences_and_a_good_labeller_warns_of_nothing(library: Library) -> None:
    plant_cells(library, 10)
    plant_labels(library, 30, 70)
    plant_labeller(library, 80, 100, 0.2)
    library.plant("source_videos", [{"domain": "movie", "source_id": "a", "license": "CC BY 4.0"}])
    library.plant("human_annotations", [{"domain": "movie", "clip_id": "a", "annotator_id": "anna"}])
    assert codes(library) == []


@pytest.mark.parametrize(
    ("right", "held_out", "baseline", "is_at_chance"),
    # Wilson's lower ends, by statsmodels: 10 of 80 0.069, 20 of 80 0.168, 3 of 4 0.301.
    [(10, 80, 0.125, True), (20, 80, 0.165, False), (20, 80, 0.170, True), (3, 4, 0.31, True), (3, 4, 0.29, False)],
)
def test_a_labeller_is_at_chance_where_its_interval_holds_the_baseline(
    library: Library, right: int, held_out: int, baseline: float, is_at_chance: bool
) -> None:
    plant_labels(library, 53, 27)
    plant_labeller(library, right, held_out, baseline)
    assert codes(library) == (["labeller_at_chance"] if is_at_chance else [])


def test_the_warning_says_how_many_labels_are_concerned_and_how_good_they_are(library: Library) -> None:
    plant_labels(library, 53, 27)
    plant_labeller(library, 10, 80, 0.125)
    (row,) = library.query("from dataset_warnings")
    assert (row["subject"], row["item_count"], row["total_count"]) == (MODEL, 27, 80)
    assert row["message"] == (
        "27 of 80 labels are by lab/model, which is not shown to be better than always answering the most frequent "
        "label: it is right on 12.5 % of 80 held-out clips, that answer on 12.5 %."
    )


def test_a_labeller_whose_labels_nobody_uses_is_no_warning(library: Library) -> None:
    plant_labels(library, 80, 0)
    plant_labeller(library, 10, 80, 0.125)
    assert codes(library) == []


def test_labels_of_a_labeller_that_was_never_measured_are_named(library: Library) -> None:
    plant_labels(library, 0, 5)
    plant_labeller(library, 0, 0, None)
    (row,) = library.query("from dataset_warnings")
    assert (row["code"], row["item_count"]) == ("labeller_not_measured", 5)
    library.plant("emotion_labeller", [{"model_id": "another", "revision": "1"}])
    assert codes(library) == ["labeller_not_measured"]


def test_every_domain_without_a_training_split_is_named(library: Library) -> None:
    plant_cells(library, 10, train_domains=("animation",))
    rows = library.query("from dataset_warnings")
    assert [(row["code"], row["subject"], row["item_count"]) for row in rows] == [
        ("no_training_split", "movie", 80),
        ("no_training_split", "sticker", 80),
    ]


def test_cells_count_only_in_domains_that_have_a_benchmark(library: Library) -> None:
    rows = [
        {"domain": "sticker", "clip_id": f"{emotion} {n}", "emotion": emotion, "split": "benchmark", "group_id": "a"}
        for emotion in EMOTION_NAMES[:3]
        for n in range(10)
    ]
    library.plant("benchmark_split", [*rows, {"domain": "sticker", "clip_id": "t", "split": "train", "group_id": "t"}])
    (row,) = library.query("from dataset_warnings")
    assert (row["code"], row["item_count"], row["total_count"]) == ("cells_below", 5, 8)
    assert row["message"] == "5 of 8 cells of the benchmark have fewer than 10 clips."


def test_the_most_serious_comes_first(library: Library) -> None:
    plant_cells(library, 2, train_domains=("movie",))
    plant_labels(library, 2, 8)
    plant_labeller(library, 1, 10, 0.3)
    library.plant(
        "source_videos",
        [
            {"domain": "movie", "source_id": "a", "license": None},
            {"domain": "movie", "source_id": "b", "license": " "},
            {"domain": "movie", "source_id": "c", "license": "CC0"},
        ],
    )
    library.plant(
        "human_annotations",
        [{"domain": "movie", "clip_id": "a", "annotator_id": name} for name in ("simulated-1", "simulated-2", "anna")],
    )
    rows = library.query("from dataset_warnings")
    asked = library.query(read_named_queries(SQL_FOLDER / "queries")["warnings"].sql)
    assert [row["message"] for row in asked] == [row["message"] for row in rows]
    assert [(row["code"], row["item_count"], row["total_count"]) for row in rows] == [
        ("simulated_answers", 2, 3),
        ("labeller_at_chance", 8, 10),
        ("no_training_split", 16, None),
        ("no_training_split", 16, None),
        ("sources_without_licence", 2, 3),
        ("cells_below", 24, 24),
    ]


def test_what_is_on_both_sides_is_named(library: Library) -> None:
    plant_cells(library, 10)
    library.plant(
        "benchmark_split",
        [
            {"domain": "movie", "clip_id": "a", "split": "benchmark", "group_id": "same", "emotion": "awe"},
            {"domain": "movie", "clip_id": "b", "split": "train", "group_id": "same"},
        ],
    )
    first = library.query("from dataset_warnings")[0]
    assert (first["code"], first["item_count"]) == ("split_leaks", 1)
