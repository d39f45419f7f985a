"""Each rule of the protocols is broken once on purpose, and kept once."""

from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.core.agreement import pairwise_kappa
from emovid_assets.core.agreement_statistics import gap_conclusion, gap_estimate
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.checks.running import evaluate, shown
from emovid_assets_tests.core.rating_tables import noisy_table, ratings_of
from emovid_assets_tests.planted_tables import plant, valid_row

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@pytest.mark.parametrize(
    ("domain", "source_s", "clip_s", "is_good"),
    [
        ("movie", 90.0, 4.0, True),
        ("movie", 90.0, 30.0, True),
        ("movie", 90.0, 3.999, False),
        ("movie", 90.0, 30.001, False),
        ("movie", 5.0, 0.3, False),
        ("animation", 20.0, 20.0, True),
        ("sticker", 0.2, 0.2, True),
        ("sticker", 0.19, 0.19, False),
        # A long animation is cut like a movie.
        ("animation", 40.0, 3.0, False),
        ("animation", 40.0, 5.0, True),
    ],
)
def test_a_clip_has_to_be_as_long_as_its_kind_of_source_allows(
    tmp_path: Path, domain: str, source_s: float, clip_s: float, is_good: bool
) -> None:
    source = valid_row("source_videos", 0, domain, duration_s=source_s, trim_s=None)
    plant(tmp_path, "source_videos", [source], domain)
    clip = valid_row("clips", 0, domain, source_id="source_id-0", duration_s=clip_s)
    plant(tmp_path, "clips", [clip], domain)
    found = evaluate(tmp_path, "clips", "durations_in_range", domain)
    assert (found.passed, found.severity) == (is_good, ERROR)
    assert shown(found, "outside") == int(not is_good)
    assert shown(found, "first") == ("" if is_good else "clip_id-0")


def test_the_allowed_lengths_are_those_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "emovid.toml").write_text("[scenes]\nmin_cut_s = 6.0\n", encoding="utf-8")
    plant(tmp_path, "source_videos", [valid_row("source_videos", 0, duration_s=90.0)])
    plant(tmp_path, "clips", [valid_row("clips", 0, source_id="source_id-0", duration_s=5.0)])
    assert not evaluate(tmp_path, "clips", "durations_in_range").passed


def test_a_clip_whose_source_is_gone_is_no_reason_to_break(tmp_path: Path) -> None:
    plant(tmp_path, "clips", [valid_row("clips", 0, duration_s=5.0), valid_row("clips", 1, duration_s=31.0)])
    found = evaluate(tmp_path, "clips", "durations_in_range")
    assert (found.passed, shown(found, "first")) == (False, "clip_id-1")


@pytest.mark.parametrize(("error", "is_good"), [(0.0, True), (9e-7, True), (1e-5, False), (-0.2, False)])
def test_the_eight_probabilities_have_to_sum_to_one(tmp_path: Path, error: float, is_good: bool) -> None:
    shares = {f"p_{name}": 0.125 for name in EMOTION_NAMES}
    even = valid_row("vlm_labels", 0) | shares
    plant(tmp_path, "vlm_labels", [even, valid_row("vlm_labels", 1) | shares | {"p_fear": 0.125 + error}])
    found = evaluate(tmp_path, "vlm_labels", "probabilities_sum_to_one")
    assert (found.passed, found.severity) == (is_good, ERROR)
    assert shown(found, "largest_error") == pytest.approx(abs(error), abs=1e-12)


def plant_ratings(home: Path, table: dict[str, list[str | None]]) -> None:
    ratings = ratings_of(table)
    plant(home, "validation_ratings", ratings)
    plant(home, "kappa_validation", [{"domain": "movie", **row} for row in pairwise_kappa(ratings)])


def test_the_kappa_check_judges_the_gap_and_says_in_words_what_it_is_worth(tmp_path: Path) -> None:
    table = noisy_table(20, noise=0.1)
    plant_ratings(tmp_path, table)
    found = evaluate(tmp_path, "kappa_validation", "kappa_gap_below_4_percent")
    expected = gap_estimate(ratings_of(table))
    assert expected is not None
    assert expected.value is not None
    assert (found.passed, found.severity) == (expected.value < 0.04, WARN)
    assert [shown(found, name) for name in ("gap", "gap_low", "gap_high")] == [
        expected.value,
        expected.low,
        expected.high,
    ]
    assert shown(found, "required_clips") == expected.required_clip_count
    assert shown(found, "validation_clips") == 20
    assert shown(found, "conclusion") == gap_conclusion(expected)
    assert "clips would be needed" in str(shown(found, "conclusion"))


def test_a_labeller_that_guesses_is_clearly_not_below_the_limit(tmp_path: Path) -> None:
    table = noisy_table(228, noise=0.1) | {"vlm": noisy_table(228, seed=9, noise=1.0)["vlm"]}
    plant_ratings(tmp_path, table)
    found = evaluate(tmp_path, "kappa_validation", "kappa_gap_below_4_percent")
    assert not found.passed
    assert shown(found, "direction") == "model_agrees_less"
    assert str(shown(found, "conclusion")).endswith(
        "on 228 clips; the model agrees with people less than they do with each other: clearly not below 0.04."
    )


def test_a_model_nearer_to_people_than_they_are_to_each_other_does_not_fail(tmp_path: Path) -> None:
    people = noisy_table(228, raters=("ann", "bob", "cem"), noise=0.4)
    plant_ratings(tmp_path, people | noisy_table(228, raters=("vlm",), noise=0.0))
    found = evaluate(tmp_path, "kappa_validation", "kappa_gap_below_4_percent")
    assert found.passed
    assert shown(found, "direction") == "model_agrees_more"
    assert float(str(shown(found, "gap"))) > 0.1
    assert str(shown(found, "conclusion")).endswith("which is no fault of it, however large.")


def test_without_both_kinds_of_pairs_the_gap_check_says_what_is_missing(tmp_path: Path) -> None:
    plant_ratings(tmp_path, noisy_table(20, raters=("ann", "bob")))
    found = evaluate(tmp_path, "kappa_validation", "kappa_gap_below_4_percent")
    assert found.passed
    assert "the labeller must have rated" in str(shown(found, "missing"))


@pytest.mark.parametrize(
    ("gap", "low", "high", "is_good", "words"),
    [
        (0.016, 0.0, 0.2, True, "below 0.04 as measured, but the interval also allows larger gaps; about 499 clips"),
        (0.01, 0.0, 0.0399, True, "clearly below 0.04."),
        # 4 % itself is too much.
        (0.04, 0.01, 0.09, False, "not below 0.04 as measured, but the interval also allows smaller gaps"),
        (0.3, 0.2, 0.4, False, "clearly not below 0.04."),
    ],
)
def test_the_pooled_gap_is_judged_like_that_of_a_domain(
    tmp_path: Path, gap: float, low: float, high: float, is_good: bool, words: str
) -> None:
    common = {"scope": "total", "clip_count": 52, "standard_error": 0.0632, "emotion": "all"}
    gap_row = {"statistic": "kappa_gap", "value": gap, "low": low, "high": high}
    rows = [
        common | gap_row,
        common | gap_row | {"emotion": "fear", "value": 0.9},
        common | gap_row | {"scope": "movie", "value": 0.8},
        common | {"statistic": "pooled_kappa_human_human", "value": 0.7},
        common | {"statistic": "pooled_kappa_human_vlm", "value": 0.6},
    ]
    plant(tmp_path, "agreement_statistics", [valid_row("agreement_statistics", 0, **row) for row in rows], None)
    found = evaluate(tmp_path, "agreement_statistics", "pooled_kappa_gap_below_4_percent", None)
    assert (found.passed, found.severity, shown(found, "gap")) == (is_good, WARN, gap)
    assert (shown(found, "human_human"), shown(found, "human_vlm")) == (0.7, 0.6)
    assert words in str(shown(found, "conclusion"))


def test_without_pooled_statistics_the_check_says_what_is_missing(tmp_path: Path) -> None:
    found = evaluate(tmp_path, "agreement_statistics", "pooled_kappa_gap_below_4_percent", None)
    assert found.passed
    assert "the labeller must have rated" in str(shown(found, "missing"))


def test_a_group_in_benchmark_and_training_is_a_leak(tmp_path: Path) -> None:
    good = [
        valid_row("benchmark_split", 0, split="benchmark", group_id="g-1"),
        valid_row("benchmark_split", 1, split="unused", group_id="g-1"),
        valid_row("benchmark_split", 2, split="train", group_id="g-2"),
    ]
    plant(tmp_path, "benchmark_split", good)
    assert evaluate(tmp_path, "benchmark_split", "no_leaks").passed
    plant(tmp_path, "benchmark_split", [*good, valid_row("benchmark_split", 3, split="train", group_id="g-1")])
    found = evaluate(tmp_path, "benchmark_split", "no_leaks")
    assert (found.passed, found.severity, shown(found, "first")) == (False, ERROR, "g-1")


def test_a_film_that_is_tested_in_one_domain_and_trained_on_in_another_is_a_leak_whatever_the_groups_say(
    tmp_path: Path,
) -> None:
    for domain, split in (("movie", "benchmark"), ("animation", "train")):
        given = {"source_id": f"{domain}-1", "clip_id": f"{domain}-1-0-4000"}
        plant(tmp_path, "clips", [valid_row("clips", 0, domain, **given)], domain)
        source = valid_row("source_videos", 0, domain, source_id=f"{domain}-1", film_id=domain, sha256=domain)
        plant(tmp_path, "source_videos", [source], domain)
        split_row = valid_row("benchmark_split", 0, domain, split=split, group_id=domain, clip_id=given["clip_id"])
        plant(tmp_path, "benchmark_split", [split_row], domain)
    good = evaluate(tmp_path, "catalogue", "nothing_leaks_between_domains", None)
    assert (good.passed, shown(good, "leaks")) == (True, 0)
    source = valid_row("source_videos", 0, "animation", source_id="animation-1", film_id="Movie", sha256="animation")
    plant(tmp_path, "source_videos", [source], "animation")
    found = evaluate(tmp_path, "catalogue", "nothing_leaks_between_domains", None)
    assert (found.passed, found.severity, shown(found, "leaks")) == (False, ERROR, 1)
    assert shown(found, "first") == "film movie (animation, movie)"


@pytest.mark.parametrize(("reason", "is_good"), [("film", True), ("near_duplicate", False), ("same_bytes", False)])
def test_a_large_group_warns_where_looks_or_bytes_have_made_it(tmp_path: Path, reason: str, is_good: bool) -> None:
    rows = [valid_row("clip_groups", n, group_id="g-a", reason=reason if n else "source") for n in range(6)]
    rows += [valid_row("clip_groups", n, group_id=f"g-{n}") for n in range(6, 500)]
    plant(tmp_path, "clip_groups", rows, None)
    found = evaluate(tmp_path, "clip_groups", "no_group_is_suspiciously_large", None)
    told = "movie: g-a holds 6 of 500 clips"
    assert (found.passed, found.severity, shown(found, "largest")) == (is_good, WARN, told)
    assert shown(found, "groups_above_1_percent") == ("" if is_good else told)


def test_a_short_benchmark_cell_warns_by_name_and_full_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "emovid.toml").write_text("[benchmark]\nper_cell = 2\n", encoding="utf-8")
    rows = [
        valid_row("benchmark_split", number, split="benchmark", emotion=EMOTION_NAMES[number % 8])
        for number in range(16)
    ]
    plant(tmp_path, "benchmark_split", rows)
    full = evaluate(tmp_path, "benchmark_split", "cells_are_full")
    assert (full.passed, shown(full, "cells_below")) == (True, "")
    plant(tmp_path, "benchmark_split", [*rows[:-1], rows[-1] | {"split": "train"}])
    short = evaluate(tmp_path, "benchmark_split", "cells_are_full")
    assert (short.passed, short.severity) == (False, WARN)
    assert (shown(short, "wanted_per_cell"), shown(short, "cells_below")) == (2, "movie/sadness 1")


@pytest.mark.parametrize(("accuracy", "is_good"), [(0.41, True), (0.40, False), (0.1, False)])
def test_a_labeller_that_is_no_better_than_the_most_frequent_label_warns(
    tmp_path: Path, accuracy: float, is_good: bool
) -> None:
    row = valid_row("emotion_labeller", 0, validation_accuracy=accuracy, baseline_accuracy=0.40)
    plant(tmp_path, "emotion_labeller", [row], None)
    found = evaluate(tmp_path, "emotion_labeller", "beats_the_baseline", None)
    assert (found.passed, found.severity, shown(found, "baseline")) == (is_good, WARN, 0.40)


def test_without_a_labeller_there_is_nothing_to_beat(tmp_path: Path) -> None:
    found = evaluate(tmp_path, "emotion_labeller", "beats_the_baseline", None)
    assert (found.passed, shown(found, "missing")) == (True, "no labeller yet")


def test_numbers_of_a_domain_have_names_of_their_own_so_that_the_ui_plots_a_line_a_domain(tmp_path: Path) -> None:
    for domain in DOMAINS:
        found = evaluate(tmp_path, "benchmark_split", "cells_are_full", domain)
        numbers = {name: value.value for name, value in found.metadata.items() if isinstance(value.value, int)}
        assert numbers == {f"wanted_per_cell ({domain})": 10, f"full_cells ({domain})": 0}
        assert str(shown(found, "cells_below")).count("/") == 8
