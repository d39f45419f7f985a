"""The agreement tables of a built demo: kappas where the annotators' error model puts them, parts that fit together."""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest

from emovid_assets.core.agreement import cohen_kappa
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.demo.truth import Truth
from emovid_assets_tests.assets.homes import Demo, all_rows, rows
from emovid_assets_tests.demo.error_model import ERROR_RATES, expected_agreement, kappa_standard_error

pytestmark = pytest.mark.integration


def test_the_measured_kappas_lie_where_the_error_model_puts_them(demo: Demo) -> None:
    truth = Truth.load(demo.home)
    paths = {row["source_id"]: row["path"].removeprefix("library/") for row in all_rows(demo.home, "source_videos")}
    emotions = {
        row["clip_id"]: truth.emotion_at(paths[row["source_id"]], row["start_s"], row["end_s"])
        for row in all_rows(demo.home, "clips")
    }
    answers: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for row in all_rows(demo.home, "human_annotations"):
        if row["purpose"] in ("label", "validate"):
            answers[row["annotator_id"]][row["clip_id"], row["purpose"]] = row["label"]
    assert set(answers) == set(ERROR_RATES)
    for a, b in combinations(ERROR_RATES, 2):
        common = sorted(answers[a].keys() & answers[b].keys())
        assert len(common) >= 20
        counts = Counter(emotions[clip_id] for clip_id, _ in common)
        shares = np.array([counts[name] for name in EMOTION_NAMES]) / len(common)
        *_, expected = expected_agreement(ERROR_RATES[a], ERROR_RATES[b], shares)
        error = kappa_standard_error(ERROR_RATES[a], ERROR_RATES[b], len(common), shares)
        measured = cohen_kappa([answers[a][key] for key in common], [answers[b][key] for key in common]).kappa
        assert measured == pytest.approx(expected, abs=1.96 * error)


def test_the_statistics_cover_each_domain_and_all_clips_together(demo: Demo) -> None:
    statistics = rows(demo.home, "agreement_statistics")
    assert {row["scope"] for row in statistics} == {"movie", "animation", "sticker", "total"}
    alpha = {
        row["scope"]: row["clip_count"]
        for row in statistics
        if (row["statistic"], row["emotion"]) == ("krippendorff_alpha", "all")
    }
    assert alpha["total"] == sum(count for domain, count in alpha.items() if domain != "total")
    pooled = {(row["rater_a"], row["rater_b"]): row["clip_count"] for row in rows(demo.home, "pooled_kappa")}
    apart: Counter[tuple[str, str]] = Counter()
    for row in all_rows(demo.home, "kappa_validation"):
        apart[row["rater_a"], row["rater_b"]] += row["clip_count"]
    assert pooled == dict(apart)


def test_every_answer_is_counted_once_in_the_annotator_tables(demo: Demo) -> None:
    expected = Counter(
        (row["domain"], row["annotator_id"], row["purpose"]) for row in all_rows(demo.home, "human_annotations")
    )
    quality = {
        (row["domain"], row["annotator_id"], row["purpose"]): row for row in all_rows(demo.home, "annotator_quality")
    }
    assert {key: row["answer_count"] for key, row in quality.items()} == expected
    chosen, cells = Counter(), Counter()
    for row in all_rows(demo.home, "annotator_choices"):
        chosen[row["domain"], row["annotator_id"], row["purpose"]] += row["answer_count"]
    for row in all_rows(demo.home, "annotator_confusion"):
        cells[row["domain"], row["annotator_id"], row["purpose"]] += row["clip_count"]
    assert chosen == expected
    assert {key: cells[key] for key in quality} == {key: row["compared_count"] for key, row in quality.items()}
    # The exports of the simulated people carry times, their CSV file does not.
    assert all((row["lead_time_median_s"] is not None) == (row["domain"] != "sticker") for row in quality.values())
