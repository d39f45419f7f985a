"""What may be built now: pure order, on the real graph and on the states that runs leave behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.building.runner import selected
from emovid_assets.core.domains import DOMAINS
from emovid_assets.definitions import defs
from emovid_assets.freshness.staleness import Lineage, Place, Walk

LINEAGE = Lineage.of(defs.resolve_asset_graph())
PLACES = LINEAGE.places()
UNPARTITIONED = {place for place in PLACES if place.domain is None}
some_places = st.sets(st.sampled_from(PLACES))


def started(needs: set[Place], there: set[Place] | None = None, busy: set[Place] = frozenset()) -> set[Place]:
    walk = Walk(LINEAGE, set(PLACES) if there is None else there, set(busy))
    return {place for name in LINEAGE.names for place in walk.started(name, needs)}


def of(domain: str | None, *names: str) -> set[Place]:
    return {Place(name, domain) for name in names}


def below(places: set[Place]) -> set[Place]:
    found = set(places)
    for place in PLACES:
        if any(one in found for one in LINEAGE.all_parents(place)):
            found.add(place)
    return found


def test_nothing_is_built_where_nothing_is_needed() -> None:
    assert started(set()) == set()


def test_a_chain_of_one_domain_goes_in_one_run_up_to_what_waits_for_the_labeller() -> None:
    begun = started(of("movie", "scanned_segments"))
    assert of("movie", "segments", "clips", "clip_media", "captions", "clip_embeddings", "human_labels") <= begun
    assert {place.domain for place in begun} == {"movie"}
    # The labeller is trained from what this run makes, and these come after it.
    assert not begun & of("movie", "vlm_labels", "emotion_labels", "benchmark_split", "processing_errors")


def test_what_pools_the_domains_waits_for_every_domain_that_is_at_work() -> None:
    needs = of(None, "emotion_labeller", "catalogue") | of("movie", "vlm_labels")
    assert started(needs) == of(None, "emotion_labeller")
    assert started(needs, busy=of("sticker", "clip_features")) == set()
    assert started(of("movie", "vlm_labels"), busy=of("animation", "human_labels")) == set()
    # Nothing that the labeller is made from is at work.
    assert Place("vlm_labels", "movie") in started(of("movie", "vlm_labels"), busy=of("animation", "captions"))


def test_a_domain_that_was_never_built_holds_nobody_up() -> None:
    there = {place for place in PLACES if place.domain in (None, "movie")} - UNPARTITIONED
    begun = started({place for place in PLACES if LINEAGE.parents[place.asset]} - there, there)
    assert begun & UNPARTITIONED == of(None, "clip_groups", "emotion_labeller")
    assert {place.domain for place in begun} == {None}
    assert started(of(None, "catalogue"), there | UNPARTITIONED) == of(None, "catalogue", "dataset_report")


def test_what_pools_the_domains_does_not_wait_for_a_root_that_nothing_asks_for() -> None:
    roots = {place for place in PLACES if not LINEAGE.parents[place.asset]}
    assert started(of(None, "catalogue"), set(PLACES) - roots) == of(None, "catalogue", "dataset_report")
    assert started(of("movie", "scanned_segments"), set(PLACES) - roots) == set()


def test_what_lacks_an_input_is_left_alone_and_holds_nothing_up() -> None:
    there = set(PLACES) - of("movie", "clip_media")
    begun = started(of("movie", "clip_embeddings", "human_annotations"), there)
    assert Place("clip_embeddings", "movie") not in begun
    assert Place("human_annotations", "movie") in begun


def rounds(selection: str | None) -> list[tuple[set[str | None], set[str]]]:
    """(domains, assets) of each round of a first build of the selection."""
    names, built, found = selected(defs, selection), set[Place](), []
    outside = {place for place in PLACES if place.asset not in names}
    while left := {place for place in PLACES if place.asset in names} - built:
        walk = Walk(LINEAGE, built | outside, set())
        begun = {place for name in LINEAGE.names if name in names for place in walk.started(name, left)}
        assert begun
        assert not begun & built
        found.append(({place.domain for place in begun}, {place.asset for place in begun}))
        built |= begun
    return found


def test_a_first_build_goes_through_the_graph_in_four_rounds_partitioned_assets_first() -> None:
    found = rounds(None)
    assert [domains for domains, _ in found] == [set(DOMAINS), {None}, set(DOMAINS), {None}]
    assert sorted(name for _, names in found for name in names) == sorted(LINEAGE.names)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("key:clips", [(set(DOMAINS), {"clips"})]),
        ("key:emotion_labeller", [({None}, {"emotion_labeller"})]),
        # `emotion_labels` waits for nothing here: the labels by model are not selected.
        (
            "key:human_labels+1",
            [
                (set(DOMAINS), {"human_labels", "emotion_labels", "clip_facts", "disputed_clips"}),
                ({None}, {"emotion_labeller", "labeller_answers", "catalogue"}),
            ],
        ),
        (
            "key:emotion_labeller or key:vlm_labels or key:emotion_labels",
            [({None}, {"emotion_labeller"}), (set(DOMAINS), {"vlm_labels", "emotion_labels"})],
        ),
    ],
)
def test_a_selection_is_walked_in_the_same_way(
    selection: str, expected: list[tuple[set[str | None], set[str]]]
) -> None:
    assert rounds(selection) == expected


@given(needs=some_places, busy=some_places)
def test_nothing_is_begun_before_what_it_is_made_from(needs: set[Place], busy: set[Place]) -> None:
    begun = started(needs, busy=busy)
    assert begun <= below(needs)
    assert not begun & below(busy)
    for place in begun:
        for one in LINEAGE.all_parents(place):
            if one in begun:
                # In the same run, which builds them in order.
                assert one.domain == place.domain
            else:
                assert one not in below(needs)


@given(needs=some_places)
def test_rounds_of_builds_come_to_an_end_and_build_each_place_at_most_once(needs: set[Place]) -> None:
    """Whatever is built comes out different, which makes everything below it stale: the worst case."""
    left, rounds, built = set(needs), 0, []
    while left:
        begun = started(left)
        assert begun
        built += list(begun)
        follows = {place for place in PLACES if any(one in begun for one in LINEAGE.all_parents(place))}
        left = (left | follows) - begun
        rounds += 1
    assert rounds <= 5
    assert len(built) == len(set(built))
    assert set(built) == below(needs)
