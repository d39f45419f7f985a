"""Which clips and stickers show the same, to the eye: the one definition of near-duplicates.

Belongs here: when two are near, and the sets that near ones make. Does not belong here: how pictures are hashed, and
what becomes of near-duplicates.

Two are near where (ADR 21)
- each of three hashes (the first, the middle and the last frame) differs in no more than `max_bits` of 64 bits, nor,
  where both have contrast, in more than `max_unlike` of the bits of the rarer kind: on an empty ground most bits are 0
  in whatever is shown,
- no component of their mean colours differs by more than `max_colour`: hashes are of grey pictures,
- at least `min_contrast_frames` of the three pairs of frames have contrast on both sides: hashes of flat frames (black,
  white, a fade) are all alike, and no evidence.
How far copies come to lie from each other depends on the hash and the colours that were measured. So the limits are
given, each where it is measured: `core.clip_groups`, `core.collection.duplicates`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HASH_BITS = 64
HASHES = 3
MIN_SET_BITS, MAX_SET_BITS = 6, 58
"""A hash outside these limits comes from a flat frame."""
MIDDLE, LAST = 1, 2
_MIXERS = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
"""Odd, of no structure: a product by them spreads the bits of a band."""
_MOST_BANDS = 12
_SLACK = 1e-9

Indices = npt.NDArray[np.intp]
_NO_PAIRS: Indices = np.zeros((2, 0), np.intp)


@dataclass(frozen=True)
class Limits:
    """How far two may differ; see the module."""

    max_bits: int
    max_colour: float
    min_contrast_frames: int
    max_unlike: float = 1.0


@dataclass(frozen=True)
class Looks:
    """Hashes, uint64 (members, 3), and mean colours, float64 (members, components)."""

    hashes: npt.NDArray[np.uint64]
    colours: npt.NDArray[np.float64]

    @classmethod
    def of(cls, hashes: Iterable[Sequence[str]], colours: Iterable[Sequence[float]]) -> "Looks":
        """From three hashes of 16 hex digits each, and colours. Raises ValueError for a text that is no hash."""
        numbers = [[_number(text) for text in three] for three in hashes]
        return cls(np.array(numbers, np.uint64).reshape(-1, HASHES), np.array(list(colours), np.float64))

    def __getitem__(self, members: Indices | npt.NDArray[np.bool_]) -> "Looks":
        return Looks(self.hashes[members], self.colours[members])

    def detail(self) -> npt.NDArray[np.uint8]:
        """(members, 3): how many bits are of the rarer kind, 0 for a flat frame, at most 32."""
        set_bits = np.bitwise_count(self.hashes)
        return np.minimum(set_bits, np.uint8(HASH_BITS) - set_bits)

    def has_contrast(self) -> npt.NDArray[np.bool_]:
        """(members, 3)."""
        set_bits = np.bitwise_count(self.hashes)
        return np.asarray((set_bits >= MIN_SET_BITS) & (set_bits <= MAX_SET_BITS), np.bool_)


def are_near(one: Looks, other: Looks, limits: Limits) -> npt.NDArray[np.bool_]:
    """(members,): whether each of `one` is near that of `other` in its place; either may be a single one."""
    differing = np.bitwise_count(one.hashes ^ other.hashes)
    has_contrast = one.has_contrast() & other.has_contrast()
    is_unlike = differing > limits.max_unlike * np.minimum(one.detail(), other.detail())
    is_near = ((differing <= limits.max_bits) & ~(is_unlike & has_contrast)).all(axis=1)
    is_near &= (np.abs(one.colours - other.colours) <= limits.max_colour).all(axis=1)
    is_near &= has_contrast.sum(axis=1) >= limits.min_contrast_frames
    return np.asarray(is_near, np.bool_)


def near_sets(looks: Looks, limits: Limits, members: Indices, sets: Indices) -> Indices:
    """The number of each one's set, once sets with near members are joined.

    `sets` are as they are before, of any things; `members` says which of them `looks` are of.

    Two that are near have, in each hash, a band of bits in common: of `max_bits` + 1 bands one at least has no bit that
    differs. So only those are compared that share a band of the middle hash and a band of the last one. What is joined
    already is not looked at again: a library of copies takes no longer than any other.
    """
    usable = looks.has_contrast().sum(axis=1) >= limits.min_contrast_frames
    looks, members = looks[usable], members[usable]
    order = np.argsort(looks.colours[:, 0], kind="stable") if len(members) else np.zeros(0, np.intp)
    looks, members = looks[order], members[order]
    for keys in _shared_keys(looks.hashes, limits.max_bits):
        # Stable: within a key the first colours still ascend.
        places = np.argsort(keys, kind="stable")
        sets = _joined_within(looks[places], keys[places], limits, members[places], sets)
    return sets


def bands(max_bits: int) -> list[np.uint64]:
    """Masks of bits. Hashes that differ in no more than `max_bits` are equal under one of them at least.

    A band takes its bits from all over the picture: neighbouring ones say the same.
    """
    count = max_bits + 1
    if count > _MOST_BANDS:
        # Bands of a few bits tell nothing apart: all pairs are compared.
        return [np.uint64(0)]
    return [np.uint64(sum(1 << bit for bit in range(first, HASH_BITS, count))) for first in range(count)]


def _shared_keys(hashes: npt.NDArray[np.uint64], max_bits: int) -> Iterator[npt.NDArray[np.uint64]]:
    """Numbers, one a member, of which two near members have one in common in at least one of the arrays.

    Two keys that are equal by chance cost a comparison.
    """
    for of_middle in bands(max_bits):
        for of_last in bands(max_bits):
            middle, last = hashes[:, MIDDLE] & of_middle, hashes[:, LAST] & of_last
            yield middle * _MIXERS[0] ^ (last * _MIXERS[1] >> np.uint64(7))


def _joined_within(
    looks: Looks, keys: npt.NDArray[np.uint64], limits: Limits, members: Indices, sets: Indices
) -> Indices:
    """The sets, where near members of one key are joined. Equal keys are neighbours, with first colours that ascend."""
    open_ones = np.flatnonzero(keys[1:] == keys[:-1])
    step, found = 1, _NO_PAIRS
    while len(open_ones):
        open_ones = open_ones[open_ones + step < len(keys)]
        others = open_ones + step
        # What is too far in the first colour, or of another key, stays so for all steps to come.
        reach = looks.colours[others, 0] - looks.colours[open_ones, 0] <= limits.max_colour + _SLACK
        reach &= keys[others] == keys[open_ones]
        open_ones, others = open_ones[reach], others[reach]
        is_apart = sets[members[open_ones]] != sets[members[others]]
        is_apart &= np.bitwise_count(looks.hashes[open_ones, 0] ^ looks.hashes[others, 0]) <= limits.max_bits
        one, other = open_ones[is_apart], others[is_apart]
        is_near = are_near(looks[one], looks[other], limits)
        found = np.concatenate([found, np.stack([members[one[is_near]], members[other[is_near]]])], axis=1)
        # Joining asks for all sets: seldom, and at once where there is much to join.
        if step & (step - 1) == 0 or found.shape[1] > len(keys):
            sets, found = joined(sets, *found), _NO_PAIRS
            open_ones = open_ones[_has_another_set_ahead(sets[members], keys)[open_ones]]
        step += 1
    return joined(sets, *found)


def _has_another_set_ahead(sets: Indices, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """(members,): whether a later member of the same key is of another set than its neighbour before it."""
    changes = np.concatenate([(keys[1:] == keys[:-1]) & (sets[1:] != sets[:-1]), [False]])
    last_change = np.maximum.accumulate(np.where(changes, np.arange(len(keys)), -1))
    ends = np.flatnonzero(np.concatenate([keys[1:] != keys[:-1], [True]]))
    end_of = ends[np.searchsorted(ends, np.arange(len(keys)))]
    return np.asarray(last_change[end_of] >= np.arange(len(keys)), np.bool_)


def joined(sets: Indices, one: Indices, other: Indices) -> Indices:
    """The sets, numbered anew, where the member `one[i]` is in one set with `other[i]`."""
    if not len(one):
        return sets
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = (sets[one], sets[other])
    count = int(sets.max()) + 1
    graph = coo_array((np.ones(len(one), np.bool_), pairs), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][sets], np.intp)


def _number(text: str) -> int:
    if len(text) == HASH_BITS // 4:
        try:
            return int(text, 16)
        except ValueError:
            pass
    raise ValueError(f"'{text}' is no frame hash: it should have 16 hex digits; compute the clip's features again.")
