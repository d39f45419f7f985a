"""Distances of sets, judged by SciPy's matrix root, by the definition of the kernel distance, and by planted sets."""

import numpy as np
import pytest
from scipy import linalg, stats

from emovid_assets.core.generation.distance_tests import frechet_permutation, kernel_permutation
from emovid_assets.core.generation.distances import (
    frechet_distance,
    kernel,
    kernel_distance,
    scaled,
    set_distance,
)

MEASURES = [frechet_distance, kernel_distance]
TESTS = [frechet_permutation, kernel_permutation]


def normal(count, dimensions, seed, shift=0.0, spread=1.0):
    scales = 1 / np.sqrt(np.arange(1, dimensions + 1))
    return np.random.default_rng(seed).normal(shift, spread, (count, dimensions)) * scales


def by_matrix_root(x, y):
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    shift = x.mean(0) - y.mean(0)
    return shift @ shift + np.trace(first + second - 2 * linalg.sqrtm(first @ second))


@pytest.mark.parametrize(("first", "second", "dimensions"), [(400, 400, 16), (300, 500, 40), (50, 60, 8)])
def test_the_frechet_distance_is_that_of_the_matrix_root_where_covariances_have_full_rank(first, second, dimensions):
    x, y = normal(first, dimensions, 1), normal(second, dimensions, 2, shift=0.2, spread=1.3)
    expected = by_matrix_root(x, y)
    assert abs(expected.imag) < 1e-9
    assert frechet_distance(x, y) == pytest.approx(float(expected.real), rel=1e-8)


def test_with_fewer_videos_than_dimensions_it_is_that_of_the_eigenvalues_of_the_product():
    """The trace of a root is the sum of the roots of the eigenvalues, which are there for singular products too."""
    x, y = normal(12, 100, 3), normal(15, 100, 4, shift=0.5)
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(first @ second).real, 0)).sum()
    shift = x.mean(0) - y.mean(0)
    assert frechet_distance(x, y) == pytest.approx(shift @ shift + np.trace(first + second) - 2 * roots, rel=1e-5)


def test_a_shift_alone_is_its_square():
    x = normal(40, 5, 5)
    assert frechet_distance(x, x + 3) == pytest.approx(45, rel=1e-9)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-12)


def test_the_kernel_distance_is_its_definition():
    x, y = normal(7, 3, 6), normal(9, 3, 7, shift=1.0)

    def k(a, b):
        return (float(a @ b) / 3 + 1) ** 3

    own = np.mean([k(x[i], x[j]) for i in range(7) for j in range(7) if i != j])
    other = np.mean([k(y[i], y[j]) for i in range(9) for j in range(9) if i != j])
    expected = own + other - 2 * np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(expected, rel=1e-12)


def test_the_kernel_distance_of_equal_distributions_is_zero_on_average_at_any_size():
    for size in (10, 40):
        found = [kernel_distance(normal(size, 20, seed), normal(size, 20, 10_000 + seed)) for seed in range(300)]
        assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(300)


def test_the_frechet_distance_of_equal_distributions_falls_with_their_size_and_the_floor_says_so():
    big = [frechet_distance(normal(160, 200, seed), normal(160, 200, 500 + seed)) for seed in range(5)]
    small = [frechet_distance(normal(40, 200, seed), normal(40, 200, 500 + seed)) for seed in range(5)]
    assert np.mean(small) > 2 * np.mean(big)


def compared(real, generated, measure, units=None):
    names = [f"clip-{number}" for number in range(len(real))]
    return set_distance(real, generated, names, units or names[: len(generated)], measure, seed="a")


def test_videos_like_the_real_clips_lie_at_the_floor_and_others_above_it():
    real = normal(160, 60, 8)
    like, other = (
        compared(real, normal(160, 60, 9), frechet_distance),
        compared(real, normal(160, 60, 9, 0.4), frechet_distance),
    )
    assert like.half_value == pytest.approx(like.floor, rel=0.05)
    assert like.value < like.floor
    assert other.value < other.floor, "a distance of twice as many says nothing beside this floor"
    assert other.half_value > 1.3 * other.floor


def test_copies_of_the_real_clips_are_not_nearer_than_the_other_half_of_them():
    """Against all clips a copy is at distance 0; in halves none meets its own clip, so the copies lie at the floor."""
    real = normal(100, 40, 10)
    copied = compared(real, real, frechet_distance)
    assert copied.value == pytest.approx(0, abs=1e-9)
    assert copied.half_value == pytest.approx(copied.floor, rel=0.1)


def test_a_generator_of_few_prompts_is_halved_to_the_same_size_as_the_real_clips():
    sizes = []

    def noting(x, y):
        sizes.append((len(x), len(y)))
        return 0.0

    compared(normal(40, 4, 1), normal(8, 4, 2), noting)
    assert sizes[0] == (40, 8)
    assert all(first == second for first, second in sizes[1:])


def test_the_same_seed_draws_the_same_halves_and_another_one_others():
    real, videos = normal(40, 6, 1), normal(40, 6, 2)
    names = [str(number) for number in range(40)]
    first, again, other = (
        set_distance(real, videos, names, names, frechet_distance, seed=seed) for seed in ("a", "a", "b")
    )
    assert first == again
    assert first.value == other.value
    assert first.floor != other.floor


def test_too_few_to_halve_are_refused():
    with pytest.raises(ValueError, match="four of each"):
        compared(normal(3, 4, 1), normal(2, 4, 2), frechet_distance)


def test_measured_features_are_put_on_the_spread_of_the_real_clips():
    real = np.array([[0.0, 5.0, 100.0], [2.0, 5.0, 300.0]])
    assert scaled(np.array([[3.0, 6.0, 200.0]]), real, "embedded/measured").tolist() == [[2.0, 1.0, 0.0]]
    assert scaled(real, real, "some/encoder").tolist() == real.tolist()


def by_definition(real, first, second, units, measure, permutations, seed):
    """p by swapping rows and measuring anew, with other swaps than ours."""
    random, names = np.random.default_rng(seed), sorted(set(units))
    observed, reached = abs(measure(real, first) - measure(real, second)), 0
    for _ in range(permutations):
        is_swapped = dict(zip(names, random.integers(2, size=len(names)), strict=True))
        rows = np.array([bool(is_swapped[unit]) for unit in units])[:, None]
        one, other = np.where(rows, second, first), np.where(rows, first, second)
        reached += abs(measure(real, one) - measure(real, other)) >= observed - 1e-12
    return (reached + 1) / (permutations + 1)


@pytest.mark.parametrize(("test", "measure"), list(zip(TESTS, MEASURES, strict=True)))
@pytest.mark.parametrize("videos_a_prompt", [1, 3])
def test_swapping_prompts_is_what_the_definition_says(test, measure, videos_a_prompt):
    real, first, second = normal(30, 6, 1), normal(30, 6, 2), normal(30, 6, 3, shift=0.25)
    units = [f"prompt-{number // videos_a_prompt}" for number in range(30)]
    expected = by_definition(real, first, second, units, measure, 1500, 7)
    found = test(real, first, second, units, seed="a", permutations=1500)
    assert 0.01 < expected < 0.9
    assert found == pytest.approx(expected, abs=4 * np.sqrt(2 * expected * (1 - expected) / 1500) + 0.01)


@pytest.mark.parametrize("test", TESTS)
def test_where_generators_are_alike_one_in_twenty_is_called_different(test):
    simulations, rejected = 400, 0
    for seed in range(simulations):
        random = np.random.default_rng(seed)
        real, prompt = random.normal(size=(20, 4)), random.normal(size=(20, 4))
        first, second = (prompt + random.normal(size=(20, 4)) for _ in range(2))
        rejected += test(real, first, second, [str(number) for number in range(20)], seed="a", permutations=99) <= 0.05
    low, high = stats.binom.ppf((0.0005, 0.9995), simulations, 0.05)
    assert low <= rejected <= high


@pytest.mark.parametrize("test", TESTS)
def test_a_generator_that_is_far_from_the_real_clips_is_found(test):
    real, near, far = normal(40, 8, 1), normal(40, 8, 2), normal(40, 8, 3, shift=0.8)
    assert test(real, near, far, [str(number) for number in range(40)], seed="a") <= 0.005


def test_the_kernel_is_one_where_vectors_are_orthogonal():
    assert kernel(np.eye(2), np.eye(2)).tolist() == [[1.5**3, 1.0], [1.0, 1.5**3]]
