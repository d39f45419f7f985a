"""One definition of near-duplicates, against comparing every pair by hand."""

import random
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.near_duplicates import Limits, Looks, are_near, joined, near_sets

PAPERS_CLIPS = 22_758
BASES = ((0x0F1E2D3C4B5A6978, 0x123456789ABCDEF0, 0xFEDCBA9876543210), (0x3F, 0xFFFF, 0), (0, 0xFFFF, 2**64 - 1))
LIMITS = Limits(max_bits=4, max_colour=0.1, min_contrast_frames=2)

few_bits = st.lists(st.lists(st.integers(0, 63), max_size=4), min_size=3, max_size=3)
members = st.lists(st.tuples(st.integers(0, 2), few_bits, st.integers(0, 8), st.integers(0, 8)), max_size=14)


def flipped(value, bits):
    for bit in bits:
        value ^= 1 << bit
    return value


def looks_of(hashes, colours):
    return Looks.of([[f"{value:016x}" for value in three] for three in hashes], colours)


def are_near_by_hand(one, other, limits):
    (hashes, colour), (other_hashes, other_colour) = one, other
    pairs = list(zip(hashes, other_hashes, strict=True))
    detailed = [pair for pair in pairs if all(6 <= value.bit_count() <= 58 for value in pair)]
    return (
        len(detailed) >= limits.min_contrast_frames
        and all(
            (a ^ b).bit_count()
            <= limits.max_unlike * min(n for v in (a, b) for n in (v.bit_count(), 64 - v.bit_count()))
            for a, b in detailed
        )
        and all((a ^ b).bit_count() <= limits.max_bits for a, b in pairs)
        and all(abs(a - b) <= limits.max_colour for a, b in zip(colour, other_colour, strict=True))
    )


@settings(deadline=None)
@given(
    members,
    st.sampled_from([*range(9), 63, 64]),
    st.sampled_from([0.0, 0.125, 0.5]),
    st.integers(0, 3),
    st.sampled_from([0.125, 0.25, 1.0]),
    st.integers(1, 14),
)
def test_the_sets_are_those_of_comparing_every_pair(drawn, max_bits, max_colour, min_contrast, max_unlike, set_count):
    limits = Limits(max_bits, max_colour, min_contrast, max_unlike)
    pictures = [
        ([flipped(h, bits) for h, bits in zip(BASES[base], flips, strict=True)], (first / 8, second / 8))
        for base, flips, first, second in drawn
    ]
    before = [n % set_count for n in range(len(pictures))]
    looks = looks_of([hashes for hashes, _ in pictures], [colour for _, colour in pictures])
    linked = np.eye(len(pictures))
    for i, one in enumerate(pictures):
        for j, other in enumerate(pictures):
            is_near = are_near_by_hand(one, other, limits)
            assert are_near(looks[np.array([i])], looks[np.array([j])], limits).tolist() == [is_near]
            if is_near or before[i] == before[j]:
                linked[i, j] = 1
    found = near_sets(looks, limits, np.arange(len(pictures)), np.array(before, np.intp))
    is_reached = np.linalg.matrix_power(linked, len(pictures)) > 0
    assert (found[:, None] == found).tolist() == is_reached.tolist()


def test_things_that_are_not_looked_at_keep_their_sets_and_may_link_others():
    looks = looks_of([BASES[0]] * 2, [(0.5,)] * 2)
    # Things 1 and 3 look alike; 0 was in one set with 1 before, 4 with 3; 2 stays alone.
    found = near_sets(looks, LIMITS, np.array([1, 3]), np.array([0, 0, 1, 2, 2]))
    assert len(set(found[[0, 1, 3, 4]])) == 1
    assert found[2] not in found[[0, 1, 3, 4]]


def test_joining_nothing_changes_nothing():
    sets = np.array([0, 1, 1])
    none = np.zeros(0, np.intp)
    assert joined(sets, none, none).tolist() == [0, 1, 1]
    assert near_sets(looks_of([], []), LIMITS, none, sets).tolist() == [0, 1, 1]


@pytest.mark.parametrize("text", ["", "abc", "x" * 16, "0" * 17])
def test_a_malformed_hash_is_refused(text):
    with pytest.raises(ValueError, match="16 hex digits"):
        Looks.of([[text] * 3], [(0.5,)])


def border_hashes(chance):
    return [chance.getrandbits(64) & 0x003C3C3C3C3C3C00] * 3


def any_hashes(chance):
    return [chance.getrandbits(64) for _ in range(3)]


def equal_hashes(chance):
    return BASES[0]


@pytest.mark.parametrize("kind", [border_hashes, any_hashes, equal_hashes])
def test_the_papers_library_takes_seconds_and_bounded_memory_also_where_all_clips_are_the_same(kind):
    chance = random.Random(3)
    hashes = np.array([kind(chance) for _ in range(PAPERS_CLIPS)], np.uint64)
    # One brightness, so that no pair is spared.
    looks = Looks(hashes, np.full((PAPERS_CLIPS, 4), 0.5))
    tracemalloc.start()
    begin = time.perf_counter()
    near_sets(looks, LIMITS, np.arange(PAPERS_CLIPS), np.arange(PAPERS_CLIPS))
    seconds, (_, peak) = time.perf_counter() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 20
    assert peak < 100 << 20
