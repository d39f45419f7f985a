"""Separability against scikit-learn and against counting by hand, on clusters of known separation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples, silhouette_score

from emovid_assets.core.separability import clip_measures, separability


def planted(distance: float, *, count: int = 60, per_source: int = 1, seed: int = 0) -> tuple[np.ndarray, list, list]:
    """Three groups of `count` points around the corners of a triangle with sides of `distance` spreads."""
    random = np.random.default_rng(seed)
    corners = np.array([[0, 0], [1, 0], [0.5, 3**0.5 / 2]]) * distance
    points = np.concatenate([corner + random.normal(size=(count, 2)) for corner in corners])
    groups = [name for name in ("one", "two", "three") for _ in range(count)]
    return points, groups, [f"source-{number // per_source}" for number in range(len(points))]


def by_hand(points: np.ndarray, groups: list, sources: list, k: int) -> tuple[list[float], list[float]]:
    """(purity, purity by chance) of each point, one after another."""
    purity, chance = [], []
    for i, point in enumerate(points):
        others = [j for j in range(len(points)) if sources[j] != sources[i]]
        others.sort(key=lambda j: (np.linalg.norm(points[j] - point), j))
        nearest = others[:k]
        purity.append(np.mean([groups[j] == groups[i] for j in nearest]) if nearest else np.nan)
        chance.append(np.mean([groups[j] == groups[i] for j in others]) if others else np.nan)
    return purity, chance


def rows_of(points: np.ndarray, groups: list, sources: list, k: int = 15) -> dict:
    return {row["group_name"]: row for row in separability(points, groups, sources, neighbours=k, seed="s")}


@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0, 10.0])
def test_the_silhouette_is_that_of_scikit_learn(distance: float) -> None:
    points, groups, sources = planted(distance)
    rows = rows_of(points, groups, sources)
    assert rows["all"]["silhouette"] == pytest.approx(silhouette_score(points, groups))
    one_by_one = silhouette_samples(points, groups)
    for name in set(groups):
        expected = one_by_one[np.array(groups) == name].mean()
        assert rows[name]["silhouette"] == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 40), st.integers(2, 5), st.integers(1, 9))
def test_every_measure_of_every_clip_is_that_of_counting_one_by_one(
    seed: int, count: int, group_count: int, k: int
) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(count, 3))
    codes = random.integers(0, group_count, count)
    _, codes = np.unique(codes, return_inverse=True)
    sources = random.integers(0, max(1, count // 3), count)
    found = clip_measures(points, codes, np.unique(sources, return_inverse=True)[1], k)
    expected_purity, expected_chance = by_hand(points, codes.tolist(), sources.tolist(), k)
    assert found.purity == pytest.approx(expected_purity, nan_ok=True)
    assert found.chance == pytest.approx(expected_chance, nan_ok=True)
    if 1 < codes.max() + 1 < count:
        assert found.silhouette == pytest.approx(silhouette_samples(points, codes), abs=1e-6)
    else:
        assert np.isnan(found.silhouette).all()


def test_the_blocks_of_rows_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    points, groups, sources = planted(2.0)
    whole = rows_of(points, groups, sources)
    monkeypatch.setattr("emovid_assets.core.separability._BLOCK_BYTES", 8 * 180 * 7)
    in_blocks = rows_of(points, groups, sources)
    for name, row in whole.items():
        assert in_blocks[name] == pytest.approx(row)


def test_groups_far_apart_are_pure_and_groups_in_one_place_are_as_by_chance() -> None:
    far = rows_of(*planted(30.0))["all"]
    assert (far["purity"], far["corrected_purity"]) == (1.0, 1.0)
    assert far["silhouette"] > 0.9
    mixed = rows_of(*planted(0.0, count=200))["all"]
    assert mixed["chance_purity"] == pytest.approx(199 / 599)
    assert mixed["corrected_low"] < 0 < mixed["corrected_high"]
    assert mixed["silhouette"] == pytest.approx(0, abs=0.02)


def test_neighbours_of_the_same_source_do_not_count() -> None:
    # Labels drawn per source, places drawn per source: nothing but the source makes clips alike.
    honest = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        sources = np.repeat(np.arange(60), 5)
        points = random.normal(size=(60, 8))[sources] * 10 + random.normal(size=(300, 8)) * 0.1
        groups = np.array(["a", "b"])[random.integers(0, 2, 60)][sources]
        honest.append(rows_of(points, groups.tolist(), [f"source-{number}" for number in sources], k=4)["all"])
        fooled = rows_of(points, groups.tolist(), [f"clip-{number}" for number in range(300)], k=4)["all"]
        assert (fooled["purity"], fooled["purity_p"]) == (1.0, 0.001)
    assert np.mean([row["corrected_purity"] for row in honest]) == pytest.approx(0, abs=0.12)
    assert np.median([row["purity_p"] for row in honest]) > 0.1


def test_without_separation_p_is_spread_evenly_although_sources_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emovid_assets.core.separability.SHUFFLES", 99)
    found = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        # Sources of one to eight clips; one label a source, as with domains.
        sources = np.repeat(np.arange(30), random.integers(1, 9, 30))
        points = random.normal(size=(30, 3))[sources] + random.normal(size=(len(sources), 3)) * 0.3
        groups = np.array(["a", "b", "c"])[random.integers(0, 3, 30)][sources]
        found.append(rows_of(points, groups.tolist(), [f"s{n}" for n in sources], k=5)["all"]["purity_p"])
    # Of 60 evenly spread ones, 6 are expected below 0.1; 14 would come up once in 1,000 times.
    assert sum(p <= 0.1 for p in found) < 14
    assert 0.38 < np.mean(found) < 0.62


def test_planted_separation_has_the_least_p_there_is() -> None:
    assert {row["purity_p"] for row in rows_of(*planted(5.0)).values()} == {0.001}


def test_an_interval_is_wider_where_clips_come_from_few_sources() -> None:
    random = np.random.default_rng(6)
    sources = np.repeat(np.arange(30), 10)
    groups = ["a" if number % 2 else "b" for number in sources]
    shift = np.array([[number % 2, 0] for number in sources]) * 1.0
    points = random.normal(size=(30, 2))[sources] + random.normal(size=(300, 2)) * 0.2 + shift
    few = rows_of(points, groups, [f"source-{number}" for number in sources])["all"]
    many = rows_of(points, groups, [f"clip-{number}" for number in range(300)])["all"]
    assert few["silhouette"] == pytest.approx(many["silhouette"])
    assert few["silhouette_low"] < few["silhouette"] < few["silhouette_high"]
    assert few["silhouette_high"] - few["silhouette_low"] > 2 * (many["silhouette_high"] - many["silhouette_low"])


def test_the_interval_is_that_of_a_bootstrap_written_out() -> None:
    points, groups, sources = planted(2.0, per_source=4)
    found = rows_of(points, groups, sources)["all"]
    scores = silhouette_samples(points, groups)
    random = np.random.default_rng(1)
    per_source = scores.reshape(-1, 4)
    means = [per_source[random.integers(0, len(per_source), len(per_source))].mean() for _ in range(4000)]
    low, high = np.quantile(means, (0.025, 0.975))
    assert found["silhouette_low"] == pytest.approx(low, abs=0.015)
    assert found["silhouette_high"] == pytest.approx(high, abs=0.015)


def test_the_same_clips_give_the_same_intervals() -> None:
    assert rows_of(*planted(1.0)) == rows_of(*planted(1.0))


def test_one_group_alone_has_no_silhouette_and_one_source_no_neighbours() -> None:
    points, _, sources = planted(1.0, count=5)
    alone = rows_of(points, ["a"] * 15, sources)["all"]
    assert (alone["silhouette"], alone["purity"], alone["chance_purity"]) == (None, 1.0, 1.0)
    assert alone["corrected_purity"] is None
    one_source = rows_of(points, ["a", "b", "b"] * 5, ["same"] * 15)["all"]
    assert (one_source["purity"], one_source["chance_purity"], one_source["silhouette_low"]) == (None, None, None)
    assert one_source["silhouette"] is not None


@pytest.mark.parametrize("count", [1, 2])
def test_hardly_any_clips_give_rows_without_numbers_and_none_give_no_rows(count: int) -> None:
    rows = rows_of(np.zeros((count, 2)), ["a", "b"][:count], ["x", "y"][:count])
    assert rows["all"]["clip_count"] == count
    assert rows["all"]["silhouette"] is None
    assert rows_of(np.zeros((0, 2)), [], []) == {}


def test_equal_points_are_between_all_groups() -> None:
    rows = rows_of(np.ones((12, 3)), ["a", "b"] * 6, [f"s{n}" for n in range(12)], k=4)
    assert rows["all"]["silhouette"] == 0.0
    assert 0 <= rows["all"]["purity"] <= 1
