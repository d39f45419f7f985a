"""Emotional transitions: which pairs of clips count, against a loop in Python."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import label

Scene = tuple[bool, str | None]
"""Whether the segment is kept, and its label."""


def _plant(library: Library, sources: dict[str, list[Scene]]) -> None:
    library.clear()
    for domain in {name.split("-")[0] for name in sources}:
        segments, labels = [], []
        for source_id, scenes in sources.items():
            if not source_id.startswith(domain):
                continue
            for index, (is_kept, emotion) in enumerate(scenes):
                clip_id = f"{source_id}-{index}"
                segments.append(
                    {
                        "domain": domain,
                        "source_id": source_id,
                        "clip_id": clip_id,
                        "scene_index": index,
                        "is_kept": is_kept,
                    }
                )
                if emotion is not None and is_kept:
                    labels.append(label(clip_id, domain, emotion))
        library.plant("segments", segments)
        library.plant("emotion_labels", labels)


def _counts(library: Library, kind: str) -> dict[tuple[str, str], int]:
    rows = library.query(f"from emotion_transitions where kind = '{kind}' and transition_count > 0")
    return {(row["from_emotion"], row["to_emotion"]): row["transition_count"] for row in rows}


def test_neighbours_count_in_both_kinds(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear"), (True, "fear"), (True, "anger")]})
    expected = {("fear", "fear"): 1, ("fear", "anger"): 1}
    assert (_counts(library, "strict"), _counts(library, "bridged")) == (expected, expected)


def test_a_dropped_segment_between_two_clips_is_bridged_only(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear"), (False, None), (True, "anger")]})
    assert (_counts(library, "strict"), _counts(library, "bridged")) == ({}, {("fear", "anger"): 1})


def test_a_kept_clip_without_a_label_breaks_the_chain_in_both_kinds(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear"), (True, None), (True, "anger")]})
    assert (_counts(library, "strict"), _counts(library, "bridged")) == ({}, {})


def test_no_pair_spans_two_source_videos(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear")], "movie-2": [(True, "anger")]})
    assert _counts(library, "bridged") == {}


def test_only_movies_count(library: Library) -> None:
    _plant(library, {"animation-1": [(True, "fear"), (True, "anger")]})
    assert _counts(library, "bridged") == {}


scenes = st.tuples(st.booleans(), st.none() | st.sampled_from(EMOTION_NAMES))


@given(st.lists(st.lists(scenes, min_size=1, max_size=12), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_matrix_is_that_of_a_loop_and_its_rows_sum_to_one(library: Library, films: list[list[Scene]]) -> None:
    _plant(library, {f"movie-{number}": film for number, film in enumerate(films)})
    expected: dict[str, Counter[tuple[str, str]]] = {"strict": Counter(), "bridged": Counter()}
    for film in films:
        kept = [(index, emotion) for index, (is_kept, emotion) in enumerate(film) if is_kept]
        for (here, emotion), (there, following) in pairwise(kept):
            if emotion and following:
                expected["bridged"][emotion, following] += 1
                expected["strict"][emotion, following] += there == here + 1
    rows = library.query("from emotion_transitions")
    assert len(rows) == 2 * 8 * 8
    for kind, counts in expected.items():
        mine = [row for row in rows if row["kind"] == kind]
        assert {(r["from_emotion"], r["to_emotion"]): r["transition_count"] for r in mine if r["transition_count"]} == {
            pair: count for pair, count in counts.items() if count
        }
        for emotion in EMOTION_NAMES:
            row = [cell for cell in mine if cell["from_emotion"] == emotion]
            total = sum(cell["transition_count"] for cell in row)
            assert {cell["from_count"] for cell in row} == {total}
            if total:
                assert sum(cell["probability"] for cell in row) == pytest.approx(1)
            else:
                assert {cell["probability"] for cell in row} == {None}


SELF, WITHIN, CROSS = 0.48, 0.12, 0.04
"""A planted chain: 0.48 + 3 × 0.12 + 4 × 0.04 = 1."""


def _planted_chain(seed: int, films: int, scene_count: int) -> dict[str, list[Scene]]:
    random = np.random.default_rng(seed)
    polarities = np.array([EMOTION_BY_NAME[name].polarity == "positive" for name in EMOTION_NAMES])
    matrix = np.where(polarities[:, None] == polarities[None, :], WITHIN, CROSS)
    np.fill_diagonal(matrix, SELF)
    sources: dict[str, list[Scene]] = {}
    for film in range(films):
        state, scenes = int(random.integers(8)), []
        for _ in range(scene_count):
            scenes.append((True, EMOTION_NAMES[state]))
            state = int(random.choice(8, p=matrix[state]))
        sources[f"movie-{film}"] = scenes
    return sources


def _matrix(library: Library, kind: str, column: str) -> np.ndarray:
    rows = library.query(f"from emotion_transitions where kind = '{kind}'")
    cells = {(row["from_emotion"], row["to_emotion"]): row[column] for row in rows}
    return np.array([[cells[origin, target] for target in EMOTION_NAMES] for origin in EMOTION_NAMES], dtype=float)


def test_a_planted_matrix_is_recovered_and_tells_self_within_and_cross_apart(library: Library) -> None:
    _plant(library, _planted_chain(seed=1, films=40, scene_count=200))
    row = library.find("transition_tests", kind="strict")
    assert (row["pair_count"], row["emotion_count"], row["df"]) == (40 * 199, 8, 49)
    assert row["self_probability_mean"] == pytest.approx(SELF, abs=0.02)
    assert row["within_probability_mean"] == pytest.approx(WITHIN, abs=0.01)
    assert row["cross_probability_mean"] == pytest.approx(CROSS, abs=0.01)
    assert 0.08 < row["within_probability_min"] <= row["within_probability_max"] < 0.18
    assert row["cross_probability_max"] < 0.08 < row["self_probability_min"] <= row["self_probability_max"]
    assert row["same_polarity_share"] == pytest.approx(SELF + 3 * WITHIN, abs=0.02)
    assert row["expected_same_polarity_share"] == pytest.approx(0.5, abs=0.02)
    assert row["p_value"] < 1e-100
    residuals = _matrix(library, "strict", "residual")
    assert (np.diag(residuals) > 10).all()
    assert (_matrix(library, "strict", "p_value")[np.eye(8, dtype=bool)] < 1e-20).all()


@pytest.mark.parametrize("seed", range(3))
def test_independence_is_tested_as_by_scipy_and_statsmodels(library: Library, seed: int) -> None:
    _plant(library, _planted_chain(seed, films=3, scene_count=60))
    for kind in ("strict", "bridged"):
        counts = _matrix(library, kind, "transition_count")
        table = Table(counts, shift_zeros=False)
        np.testing.assert_allclose(_matrix(library, kind, "expected_count"), table.fittedvalues)
        residuals = _matrix(library, kind, "residual")
        np.testing.assert_allclose(residuals, table.standardized_resids)
        np.testing.assert_allclose(_matrix(library, kind, "p_value"), 2 * stats.norm.sf(abs(residuals)), rtol=1e-9)
        expected = stats.chi2_contingency(counts, correction=False)
        row = library.find("transition_tests", kind=kind)
        assert (row["chi_square"], row["df"]) == (pytest.approx(expected.statistic), expected.dof)
        assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
        assert row["cramers_v"] == pytest.approx(stats.contingency.association(counts.astype(int), method="cramer"))
        assert row["low_expected_share"] == pytest.approx((expected.expected_freq < 5).mean())
        assert row["self_share"] == pytest.approx(np.trace(counts) / counts.sum())
        assert row["expected_self_share"] == pytest.approx(np.trace(expected.expected_freq) / counts.sum())


def test_emotions_that_do_not_occur_take_no_degrees_of_freedom(library: Library) -> None:
    scenes = ["fear", "anger", "fear", "awe", "awe", "fear", "fear", "anger", "awe"]
    _plant(library, {"movie-1": [(True, emotion) for emotion in scenes]})
    counts = _matrix(library, "strict", "transition_count")
    expected = stats.chi2_contingency(counts[counts.sum(1) > 0][:, counts.sum(0) > 0], correction=False)
    row = library.find("transition_tests", kind="strict")
    assert (row["emotion_count"], row["df"]) == (3, expected.dof)
    assert (row["chi_square"], row["p_value"]) == pytest.approx((expected.statistic, expected.pvalue))
    cell = library.find("emotion_transitions", kind="strict", from_emotion="sadness", to_emotion="fear")
    assert (cell["probability"], cell["residual"], cell["p_value"]) == (None, None, None)


def test_a_chain_of_one_emotion_cannot_be_tested(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear")] * 5})
    row = library.find("transition_tests", kind="strict")
    assert (row["pair_count"], row["self_share"], row["expected_self_share"]) == (4, 1, 1)
    assert (row["chi_square"], row["df"], row["p_value"], row["cramers_v"]) == (None, None, None, None)
