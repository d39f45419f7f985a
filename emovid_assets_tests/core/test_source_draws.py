"""One bootstrap for all intervals: whole sources are drawn, and few of them make it wider, or none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.source_draws import DRAWS_AT_ONCE, MIN_SOURCES, SourceDraws, expanded_tail, source_or_itself

sizes_of_sources = st.lists(st.integers(1, 5), min_size=1, max_size=12)


def names(sizes):
    return [f"source-{number:03d}" for number, size in enumerate(sizes) for _ in range(size)]


@given(sizes_of_sources, st.integers(0, 100))
def test_clips_of_a_source_are_drawn_together_and_as_many_sources_as_there_are(sizes, seed):
    draws = SourceDraws.of(names(sizes), resamples=7, seed=str(seed))
    assert (draws.counts.sum(axis=1) == len(sizes)).all()
    for row in draws.weights:
        for place in range(len(sizes)):
            assert len(set(row[draws.place == place])) == 1


def test_where_each_source_has_one_clip_it_is_a_bootstrap_over_clips():
    draws = SourceDraws.of(names([1] * 30), resamples=50, seed="s")
    random = np.random.default_rng(keyed_rank("bootstrap over sources", "s"))
    clips = random.integers(30, size=(50, 30))
    assert (draws.weights == [np.bincount(drawn, minlength=30) for drawn in clips]).all()


@given(sizes_of_sources, st.data())
def test_totals_are_sums_over_the_drawn_clips(sizes, data):
    draws = SourceDraws.of(names(sizes), resamples=5)
    count = sum(sizes)
    items = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=8)), np.intp)
    values = np.arange(2.0 * len(items)).reshape(-1, 2) + 0.5
    assert draws.totals(values, items) == pytest.approx(draws.weights[:, items] @ values)


def test_many_sources_are_drawn_a_part_at_a_time_as_if_at_once():
    count, resamples = 3001, 1000
    assert count * resamples > 2 * DRAWS_AT_ONCE
    drawn = np.random.default_rng(keyed_rank("bootstrap over sources", "s")).integers(count, size=(resamples, count))
    counts = SourceDraws.of([f"{n:05d}" for n in range(count)], resamples=resamples, seed="s").counts
    for number in (0, 1, 500, 999):
        assert counts[number].tolist() == np.bincount(drawn[number], minlength=count).tolist()


def test_the_clips_say_their_sources():
    assert source_or_itself("movie-0123456789abcdef-00001000-00005000") == "movie-0123456789abcdef"
    assert source_or_itself("a-sticker") == "a-sticker"
    draws = SourceDraws.of_clips(
        ["movie-a-00000000-00001000", "movie-a-00001000-00002000", "movie-b-00000000-00001000"]
    )
    assert draws.place.tolist() == [0, 0, 1]


def test_the_ends_move_outwards_as_those_of_students_t_do():
    for count in (8, 11, 50, 228):
        t = stats.t.ppf(0.975, count - 1) * np.sqrt(count / (count - 1))
        assert expanded_tail(count) == pytest.approx(stats.norm.cdf(-t))
    assert expanded_tail(1e7) == pytest.approx(0.025, abs=1e-6)
    # The mean of few values that are spread as a normal distribution: their t interval.
    values = stats.norm.ppf((np.arange(12) + 0.5) / 12)
    draws = SourceDraws.of(names([1] * 12), resamples=20_000)
    low, high = draws.interval(draws.totals(values) / 12)
    error = values.std(ddof=1) / np.sqrt(12)
    assert [low, high] == pytest.approx(values.mean() + np.array(stats.t.interval(0.95, 11)) * error, abs=0.1 * error)
    assert draws.standard_error(draws.totals(values) / 12) == pytest.approx(error, rel=0.03)


@pytest.mark.parametrize(
    ("sizes", "worth"),
    [([1] * 7, None), ([3] * 7, None), ([1] * 8, 8), ([5] * 8, 8), ([300, *[1] * 20], None), ([4, 2] * 6, 10.8)],
)
def test_too_few_sources_or_one_with_nearly_all_clips_have_no_interval(sizes, worth):
    draws = SourceDraws.of(names(sizes))
    interval = draws.interval(draws.totals(np.arange(sum(sizes))))
    assert (interval is None) == (worth is None)
    assert MIN_SOURCES == 8
    if worth:
        assert draws.worth() == pytest.approx(worth)


def test_an_interval_is_of_the_sources_that_a_statistic_rests_on():
    draws = SourceDraws.of(names([2] * 20))
    some = np.arange(10)
    assert (draws.source_count(), draws.source_count(some)) == (20, 5)
    values = draws.totals(np.ones(10), some)
    assert draws.interval(values) is not None
    assert draws.interval(values, some) is None


def test_undefined_resamples_are_left_out():
    draws = SourceDraws.of(names([1] * 10), resamples=100)
    values = np.where(np.arange(100) % 2, np.nan, np.arange(100.0))
    low, high = draws.interval(values)
    assert 0 <= low < high <= 98
    assert draws.interval(np.full(100, np.nan)) is None


def test_without_clips_there_is_nothing_to_draw():
    draws = SourceDraws.of([], resamples=3)
    assert draws.weights.shape == (3, 0)
    assert draws.interval(np.full(3, np.nan)) is None
