"""A map that grows: as good as one made anew, still where it was, and made anew when it should be."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from emovid_assets.core import growing_map
from emovid_assets.core.growing_map import GrownMap, digests_of, grown, places_among


def ids(count: int) -> list[str]:
    return [f"clip-{number:05d}" for number in range(count)]


def laid_out(count: int, added: int = 0) -> GrownMap:
    """A map whose places are given, without a layout."""
    places = vectors(count)[:, :2] * 20.0
    is_added = np.arange(count) >= count - added
    return GrownMap(tuple(ids(count)), digests_of(vectors(count)), places, is_added, count - added)


def vectors(count: int) -> np.ndarray:
    """The first ones are the same for any count."""
    return np.random.default_rng(2).normal(size=(count, 4)).astype(np.float32)


def grow(former: GrownMap | None, count: int, most_change: float = 0.1, which: slice = slice(None)) -> GrownMap:
    there = vectors(count)[which]
    return grown(former, ids(count)[which], digests_of(there), there.astype(float), most_change=most_change)


@pytest.fixture
def made_anew(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the maps that were laid out; instead of t-SNE all of them are zeros."""
    sizes: list[int] = []

    def layout(of: np.ndarray) -> np.ndarray:
        sizes.append(len(of))
        return np.zeros((len(of), 2))

    monkeypatch.setattr(growing_map, "map_points", layout)
    return sizes


def test_a_grown_map_shows_neighbours_as_well_as_one_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_map, "FEWEST_KEPT", 200)
    random = np.random.default_rng(0)
    bent = np.sin(random.uniform(size=(300, 3)) @ random.normal(size=(3, 30)) * 3)
    points = bent + random.normal(size=bent.shape) * 0.05
    digests, old = digests_of(points.astype(np.float32)), slice(25, None)
    former = grown(None, ids(300)[old], digests[old], points[old], most_change=0.1)
    found = grown(former, ids(300), digests, points, most_change=0.1)
    anew = grown(None, ids(300), digests, points, most_change=0.1)
    assert (found.added, found.laid_out, anew.added, anew.laid_out) == (25, 275, 0, 300)
    trust = [trustworthiness(points, one.places, n_neighbors=15) for one in (anew, found)]
    assert trust[0] > trust[1] > trust[0] - 0.003 > 0.98
    _, wanted = NearestNeighbors(n_neighbors=15).fit(points).kneighbors()

    def shown(one: GrownMap) -> float:
        """Share of the 15 nearest neighbours that the map shows, of the clips that came later."""
        _, there = NearestNeighbors(n_neighbors=15).fit(one.places).kneighbors()
        return float(np.mean([len({*wanted[i]} & {*there[i]}) / 15 for i in range(25)]))

    assert shown(found) > 0.9 * shown(anew) > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_a_place_is_where_the_loss_is_least(seed: int) -> None:
    random = np.random.default_rng(seed)
    others, new = random.normal(size=(80, 3)), random.normal(size=(1, 3))
    places = others[:, :2] * 5 + random.normal(size=(80, 2))
    (found,) = places_among(new, others, places)
    squares = ((others - new) ** 2).sum(axis=1)
    nearest = np.argsort(squares)[:80]

    def shares(width: float) -> np.ndarray:
        weights = np.exp(-(squares[nearest] - squares.min()) * width)
        return weights / weights.sum()

    # A perplexity of 80 / 3 neighbours.
    widths = np.geomspace(1e-3, 1e3, 4_001)
    entropies = [-(shares(width) * np.log(shares(width) + 1e-300)).sum() for width in widths]
    wanted = shares(widths[np.abs(np.array(entropies) - np.log(80 / 3)).argmin()])

    def loss(at: np.ndarray) -> float:
        shown = 1 / (1 + ((places - at) ** 2).sum(axis=1))
        return float((wanted * np.log(wanted / (shown[nearest] / shown.sum()))).sum())

    starts = places[nearest[:10]]
    least = min(minimize(loss, start, method="Nelder-Mead").fun for start in starts)
    assert loss(found) == pytest.approx(least, abs=2e-3)
    assert loss(found) < min(loss(start) for start in starts)


def test_what_is_there_stays_where_it_is_and_only_what_is_new_is_added(made_anew: list[int]) -> None:
    former = laid_out(600)
    found = grow(former, 603)
    assert found.places[:600].tolist() == former.places.tolist()
    assert np.flatnonzero(found.is_added).tolist() == [600, 601, 602]
    assert (found.laid_out, made_anew) == (600, [])
    # Clips that came before are among those that stay.
    later = grow(found, 605)
    assert later.places[:603].tolist() == found.places.tolist()
    assert np.flatnonzero(later.is_added).tolist() == [600, 601, 602, 603, 604]


def test_the_same_clips_are_the_same_map(made_anew: list[int]) -> None:
    former = laid_out(600, added=3)
    assert grow(former, 600) is former
    assert made_anew == []


@pytest.mark.parametrize(("count", "expected"), [(660, []), (661, [661])])
def test_more_than_the_share_of_new_clips_makes_the_map_anew(
    count: int, expected: list[int], made_anew: list[int]
) -> None:
    found = grow(laid_out(600), count)
    assert made_anew == expected
    assert (found.added, found.laid_out) == ((0, 661) if expected else (60, 600))


@pytest.mark.parametrize(("gone", "expected"), [(60, []), (61, [539])])
def test_more_than_the_share_of_lost_clips_makes_the_map_anew(
    gone: int, expected: list[int], made_anew: list[int]
) -> None:
    found = grow(laid_out(600), 600, which=slice(gone, None))
    assert made_anew == expected
    assert len(found.clip_ids) == 600 - gone


def test_clips_that_came_in_several_builds_add_up(made_anew: list[int]) -> None:
    found = laid_out(600)
    for count in (630, 660):
        found = grow(found, count)
    assert made_anew == []
    grow(found, 670)
    assert made_anew == [670]


def test_a_clip_with_another_embedding_gets_another_place(made_anew: list[int]) -> None:
    former, there = laid_out(600), vectors(600)
    there[7] = there[400]
    found = grown(former, ids(600), digests_of(there), there.astype(float), most_change=0.1)
    assert np.flatnonzero(found.is_added).tolist() == [7]
    # It is the same as another one, so it goes there.
    distances = np.linalg.norm(found.places - found.places[7], axis=1)
    assert np.argsort(distances)[1] in np.argsort(np.linalg.norm(there - there[7], axis=1))[1:11]
    assert found.places[8:].tolist() == former.places[8:].tolist()
    assert made_anew == []


def test_without_an_allowance_every_change_makes_the_map_anew(made_anew: list[int]) -> None:
    grow(laid_out(600), 601, most_change=0.0)
    grow(laid_out(600, added=1), 600, most_change=0.0)
    assert made_anew == [601, 600]


def test_a_map_of_few_clips_is_made_anew_with_every_change(made_anew: list[int]) -> None:
    few = growing_map.FEWEST_KEPT - 1
    former = laid_out(few)
    assert grow(former, few) is former
    grow(former, few + 1)
    grow(laid_out(few + 1), few)
    assert made_anew == [few + 1, few]


def test_a_map_is_kept_to_the_bit() -> None:
    former = laid_out(30, added=4)
    again = GrownMap.of_payload(former.as_payload())
    assert (again.clip_ids, again.laid_out) == (former.clip_ids, former.laid_out)
    for name in ("digests", "places", "is_added"):
        assert getattr(again, name).tolist() == getattr(former, name).tolist()


def test_clips_that_are_all_alike_are_put_where_the_others_are() -> None:
    assert places_among(np.ones((2, 3)), np.ones((40, 3)), np.zeros((40, 2))).tolist() == [[0.0, 0.0]] * 2
