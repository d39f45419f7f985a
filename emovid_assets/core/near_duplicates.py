"""Which clips and stickers show the same, to the eye: the one definition of near-duplicates.

Belongs here: when two are near, and the sets that near ones make. Does not belong here: how pictures are hashed, and
what becomes of near-duplicates.

Two are near where (ADR 21)
- each of three hashes (the first, the middle and the last frame) differs in no more than `max_bits` of 64 bits,
- no component of their mean colours differs by more than `max_colour`: hashes are of grey pictures,
- at least `min_contrast_frames` of the three pairs of frames have contrast on both sides: hashes of flat frames (black,
  white, a fade) are all alike, and no evidence.
How far copies come to lie from each other depends on the hash and the colours that were measured. So the limits are
given, each where it is measured: `core.splits`, `core.collection.duplicates`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HASH_BITS = 64
HASHES = 3
MIN_SET_BITS, MAX_SET_BITS = 6, 58
"""A hash outside these limits comes from a flat frame."""
_MIDDLE = 1
_TILE = 512
"""Rows and columns of the pairs that are compared at a time; some 20 MiB where all of them are near."""
_SLACK = 1e-9

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Limits:
    """How far two may differ; see the module."""

    max_bits: int
    max_colour: float
    min_contrast_frames: int


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

    def has_contrast(self) -> npt.NDArray[np.bool_]:
        """(members, 3)."""
        set_bits = np.bitwise_count(self.hashes)
        return np.asarray((set_bits >= MIN_SET_BITS) & (set_bits <= MAX_SET_BITS), np.bool_)


def are_near(one: Looks, other: Looks, limits: Limits) -> npt.NDArray[np.bool_]:
    """(members,): whether each of `one` is near that of `other` in its place; either may be a single one."""
    is_near = (np.bitwise_count(one.hashes ^ other.hashes) <= limits.max_bits).all(axis=1)
    is_near &= (np.abs(one.colours - other.colours) <= limits.max_colour).all(axis=1)
    is_near &= (one.has_contrast() & other.has_contrast()).sum(axis=1) >= limits.min_contrast_frames
    return np.asarray(is_near, np.bool_)


def near_sets(looks: Looks, limits: Limits, members: Indices, sets: Indices) -> Indices:
    """The number of each one's set, once sets with near members are joined.

    `sets` are as they are before, of any things; `members` says which of them `looks` are of.

    All pairs are compared, a tile at a time, but for those whose first colours are too far apart, and for members of
    one set: what is joined already is not looked at again, so that a library of copies takes no longer than any other.
    """
    usable = looks.has_contrast().sum(axis=1) >= limits.min_contrast_frames
    looks, members = looks[usable], members[usable]
    if not len(members):
        return sets
    order = np.argsort(looks.colours[:, 0], kind="stable")
    looks, members = looks[order], members[order]
    first_colours = looks.colours[:, 0]
    for start in range(0, len(members), _TILE):
        rows = np.arange(start, min(start + _TILE, len(members)))
        reach = int(np.searchsorted(first_colours, first_colours[rows[-1]] + limits.max_colour + _SLACK))
        for place in range(start, reach, _TILE):
            columns = np.arange(place, min(place + _TILE, reach))
            middles = looks.hashes[rows, _MIDDLE][:, None] ^ looks.hashes[columns, _MIDDLE]
            is_apart = sets[members[rows]][:, None] != sets[members[columns]]
            row, column = np.nonzero((np.bitwise_count(middles) <= limits.max_bits) & is_apart)
            one, other = rows[row], columns[column]
            is_near = are_near(looks[one], looks[other], limits)
            sets = joined(sets, members[one[is_near]], members[other[is_near]])
    return sets


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
