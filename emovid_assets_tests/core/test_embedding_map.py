"""The map: a fair and steady sample, distances that mean something, places for any number of points."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler, normalize

from emovid_assets.core.embedded_labeller import feature_vector, measured_features
from emovid_assets.core.embedding_map import comparable, fair_sample, map_points, perplexity_for
from emovid_assets_tests.core.evidence import evidence


def strata(sizes: dict[str, int], domain: str = "movie") -> list[tuple[str, str, str]]:
    return [(f"{name}-{number:05d}", domain, name) for name, count in sizes.items() for number in range(count)]


def counted(sample: set[str]) -> Counter[str]:
    return Counter(name.split("-")[0] for name in sample)


def test_a_sample_takes_each_stratum_in_proportion_to_its_size() -> None:
    assert counted(fair_sample(strata({"a": 600, "b": 300, "c": 100}), 100, "s")) == {"a": 60, "b": 30, "c": 10}
    # 33.4, 33.3 and 33.3 seats: the largest remainder gets the one that is left.
    assert counted(fair_sample(strata({"a": 334, "b": 333, "c": 333}), 100, "s")) == {"a": 34, "b": 33, "c": 33}


def test_a_stratum_too_small_for_a_seat_gets_one() -> None:
    assert counted(fair_sample(strata({"big": 9990, "rare": 2, "lone": 1}), 50, "s")) == {
        "big": 48,
        "rare": 1,
        "lone": 1,
    }


def test_up_to_the_limit_every_clip_is_taken() -> None:
    clips = strata({"a": 30, "b": 20})
    assert fair_sample(clips, 50, "s") == {name for name, _, _ in clips}
    assert fair_sample([], 50, "s") == set()


def test_new_clips_push_out_few_and_reshuffle_nothing() -> None:
    before = fair_sample(strata({"a": 1000, "b": 1000}), 200, "s")
    after = fair_sample(strata({"a": 1100, "b": 1000}), 200, "s")
    old = {name for name in after if name < "a-01000" or name.startswith("b")}
    # What is left of the old clips was in the sample before; a tenth of the clips of `a` is new.
    assert len(old - before) <= 5
    assert len(after - old) == pytest.approx(105 / 11, abs=8)
    assert fair_sample(strata({"a": 1000, "b": 1000}), 200, "other seed") != before


def test_domains_get_their_share_before_emotions_do() -> None:
    # Ten emotions of the same size in each domain: remainders must not all fall to the first domain.
    clips = [clip for d in "xyz" for clip in strata({f"{d}{number}": 4 for number in range(10)}, domain=d)]
    assert Counter(name[0] for name in fair_sample(clips, 45, "s")) == {"x": 15, "y": 15, "z": 15}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 60), min_size=1), st.integers(8, 100))
def test_a_sample_has_as_many_as_it_may_and_every_stratum(sizes: dict[str, int], limit: int) -> None:
    sample = fair_sample(strata(sizes), limit, "s")
    assert len(sample) == min(limit, sum(sizes.values()))
    assert set(counted(sample)) == set(sizes)


def test_measured_features_are_standardised_as_scikit_learn_does_it() -> None:
    random = np.random.default_rng(0)
    raw = random.normal(5, [1, 10, 1000], (40, 3))
    found = comparable(raw, "embedded/measured-features")
    assert found == pytest.approx(StandardScaler().fit_transform(raw))


def test_a_constant_feature_says_nothing_and_becomes_zero() -> None:
    raw = np.column_stack([np.full(9, 0.1), np.arange(9.0)])
    found = comparable(raw, "embedded/measured-features")
    assert found[:, 0].tolist() == [0.0] * 9
    assert found[:, 1].std() == pytest.approx(1)


def test_embeddings_of_a_vision_model_keep_their_directions() -> None:
    raw = np.random.default_rng(0).normal(size=(20, 6))
    found = comparable(raw, "clip")
    assert found == pytest.approx(normalize(raw))
    # Squared distance = 2 - 2 cosine: both orders are one.
    assert ((found[0] - found[1]) ** 2).sum() == pytest.approx(2 - 2 * found[0] @ found[1])
    assert comparable(np.zeros((2, 3)), "clip").tolist() == np.zeros((2, 3)).tolist()


@pytest.mark.parametrize("model_id", ["embedded/measured-features", "clip"])
def test_no_clips_are_no_vectors(model_id: str) -> None:
    assert comparable(np.zeros((0, 7)), model_id).shape == (0, 7)


def test_the_domain_is_no_part_of_what_is_mapped() -> None:
    movie, sticker = evidence(domain="movie"), evidence(domain="sticker")
    assert measured_features(movie).shape == (50,)
    assert measured_features(movie).tolist() == measured_features(sticker).tolist()
    assert feature_vector(movie)[50:].tolist() == [1, 0, 0]
    assert feature_vector(sticker)[50:].tolist() == [0, 0, 1]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 40])
@pytest.mark.parametrize("dimensions", [1, 2, 70])
def test_any_number_of_points_gets_places_in_the_plane(count: int, dimensions: int) -> None:
    places = map_points(np.random.default_rng(count).normal(size=(count, dimensions)))
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == count


@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_points_that_are_all_equal_lie_in_one_place(count: int) -> None:
    assert map_points(np.full((count, 4), 0.3)).tolist() == [[0.0, 0.0]] * count


def test_many_equal_points_among_others_are_mapped() -> None:
    places = map_points(np.repeat(np.random.default_rng(0).normal(size=(4, 5)), 10, axis=0))
    assert places.shape == (40, 2)
    assert np.isfinite(places).all()


def test_few_points_lie_as_their_principal_components() -> None:
    points = np.random.default_rng(3).normal(size=(4, 9))
    expected = PCA(2).fit_transform(points)
    assert np.abs(map_points(points)) == pytest.approx(np.abs(expected))


def test_the_same_points_get_the_same_places_in_every_run() -> None:
    points = np.random.default_rng(1).normal(size=(120, 60))
    assert map_points(points).tolist() == map_points(points.copy()).tolist()


def test_planted_clusters_stay_together_and_apart() -> None:
    random = np.random.default_rng(2)
    centres = random.normal(size=(3, 80)) * 4
    points = np.concatenate([centre + random.normal(size=(40, 80)) for centre in centres])
    cluster = np.repeat(np.arange(3), 40)
    _, nearest = NearestNeighbors(n_neighbors=11).fit(map_points(points)).kneighbors()
    assert (cluster[nearest] == cluster[:, None]).all()


@given(st.integers(2, 10_000))
def test_the_perplexity_is_one_that_scikit_learn_accepts(count: int) -> None:
    assert 1 <= perplexity_for(count) <= 30
    assert perplexity_for(count) < count
