"""A map that grows: clips that come later are put among those that are there, until so many have come or gone that it
is made anew.

Belongs here: what of a former map stays, where a new clip goes, when the map is made anew. Does not belong here: the
layout of a whole map (`embedding_map`), and where the former map is kept.

To lay out a map takes a minute where to find one place in it takes a hundredth of a second. A place is found as
openTSNE does it (Poličar, Stražar & Zupan 2024, Journal of Statistical Software 109): t-SNE's own loss of the one clip
while all others stay where they are, each clip's similarities on the map being shares of their sum. So what is there
does not move, and what comes last does not push: a map that has grown depends on the order in which clips came.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from emovid_assets.core.embedding_map import Matrix, map_points, perplexity_for, principal
from emovid_assets.core.nearest import nearest

VERSION = "1"
"""Of the places of clips that come later: changes when the same ones would be put elsewhere."""

FEWEST_KEPT = 500
"""A map of fewer clips is made anew in a second, whatever has changed."""
NEIGHBOURS_PER_PERPLEXITY = 3
STARTS = 10
"""Places of nearest neighbours that are tried: the loss has a valley at each of the groups that a clip is between."""
STEPS = 50
_BLOCK_BYTES = 32 * 2**20
_BISECTIONS = 60
_STORED = {"digests": "<u8", "places": "<f8", "is_added": "?"}

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GrownMap:
    """A map of clips in the order of their ids. `digests`: uint64, of their embeddings as they were when they got their
    places, float64 (clips, 2). `is_added`: put among the others later. `laid_out`: of how many clips the map was made
    anew, those that are gone included."""

    clip_ids: tuple[str, ...]
    digests: npt.NDArray[np.uint64]
    places: Matrix
    is_added: Flags
    laid_out: int

    @property
    def added(self) -> int:
        return int(self.is_added.sum())

    def kept(self, clip_ids: Sequence[str], digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
        """Where each clip stands on the map, -1 where it does not: it is new, or has another embedding."""
        place = {clip_id: number for number, clip_id in enumerate(self.clip_ids)}
        found = np.array([place.get(clip_id, -1) for clip_id in clip_ids], np.intp)
        is_there = found >= 0
        is_there[is_there] = self.digests[found[is_there]] == digests[is_there]
        return np.where(is_there, found, -1)

    def as_payload(self) -> dict[str, Any]:
        """Plain values from which `of_payload` makes the same map, to the bit."""
        arrays = {"digests": self.digests, "places": self.places, "is_added": self.is_added}
        return {
            "clip_ids": list(self.clip_ids),
            "laid_out": self.laid_out,
            **{
                name: base64.b64encode(np.ascontiguousarray(values, _STORED[name]).tobytes()).decode()
                for name, values in arrays.items()
            },
        }

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> Self:
        arrays = {name: np.frombuffer(base64.b64decode(payload[name]), kind) for name, kind in _STORED.items()}
        arrays["places"] = arrays["places"].reshape(-1, 2)
        return cls(clip_ids=tuple(payload["clip_ids"]), laid_out=payload["laid_out"], **arrays)

    @classmethod
    def anew(cls, clip_ids: Sequence[str], digests: npt.NDArray[np.uint64], vectors: Matrix) -> Self:
        places = map_points(vectors)
        return cls(tuple(clip_ids), digests, places, np.zeros(len(clip_ids), np.bool_), len(clip_ids))


def digests_of(embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """A number per embedding, of its bytes."""
    rows = np.ascontiguousarray(embeddings, "<f4")
    made = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows)
    return np.frombuffer(made, "<u8")


def grown(
    former: GrownMap | None,
    clip_ids: Sequence[str],
    digests: npt.NDArray[np.uint64],
    vectors: Matrix,
    *,
    most_change: float,
) -> GrownMap:
    """The map of these clips: the former one itself where it is of the same, else with what is new in its place, or
    anew.

    `vectors` (clips, dimensions) as distances are taken of them. Made anew where more clips have come since, or have
    gone, than `most_change` of those that it was made of; of few clips, whenever one has.
    """
    if former is None:
        return GrownMap.anew(clip_ids, digests, vectors)
    before = former.kept(clip_ids, digests)
    is_new = before < 0
    is_added = is_new.copy()
    is_added[~is_new] = former.is_added[before[~is_new]]
    come = int(is_added.sum())
    gone = former.laid_out - (len(clip_ids) - come)
    allowed = most_change if min(len(clip_ids), former.laid_out) >= FEWEST_KEPT else 0.0
    if max(come, gone) > allowed * former.laid_out:
        return GrownMap.anew(clip_ids, digests, vectors)
    if not is_new.any() and len(clip_ids) == len(former.clip_ids):
        return former
    places = np.empty((len(clip_ids), 2))
    places[~is_new] = former.places[before[~is_new]]
    reduced = principal(vectors)
    places[is_new] = places_among(reduced[is_new], reduced[~is_new], places[~is_new])
    return GrownMap(tuple(clip_ids), digests, places, is_added, former.laid_out)


def places_among(new: Matrix, vectors: Matrix, places: Matrix) -> Matrix:
    """Where each of the `new` vectors goes among others (count, dimensions) with their places (count, 2), which stay.

    From the best of the places of its nearest neighbours down t-SNE's loss. New ones do not see each other.
    """
    found = np.empty((len(new), 2))
    at_once = max(1, _BLOCK_BYTES // (8 * len(vectors)))
    for start in range(0, len(new), at_once):
        rows = slice(start, start + at_once)
        found[rows] = _placed(new[rows], vectors, places)
    return found


def _placed(new: Matrix, vectors: Matrix, places: Matrix) -> Matrix:
    perplexity = perplexity_for(len(vectors) + 1)
    squares = _squares(new, vectors)
    neighbours = nearest(squares, min(len(vectors), round(NEIGHBOURS_PER_PERPLEXITY * perplexity)))
    shares = _similarities(np.take_along_axis(squares, neighbours, axis=1), perplexity)
    towards = places[neighbours]

    def loss(at: Matrix) -> Matrix:
        """Kullback-Leibler divergence of each, but for what does not depend on its place."""
        near = 1 + ((at[:, None] - towards) ** 2).sum(axis=2)
        return np.asarray((shares * np.log(near)).sum(axis=1) + np.log(_weights(at, places).sum(axis=1)), np.float64)

    def slope(at: Matrix) -> Matrix:
        apart = at[:, None] - towards
        pull = (shares / (1 + (apart**2).sum(axis=2)))[..., None] * apart
        weights = _weights(at, places)
        squared = weights**2 / weights.sum(axis=1, keepdims=True)
        push = at * squared.sum(axis=1, keepdims=True) - squared @ places
        return np.asarray(2 * (pull.sum(axis=1) - push), np.float64)

    starts = [towards[:, number] for number in range(min(STARTS, towards.shape[1]))]
    losses = np.stack([loss(start) for start in starts])
    best = losses.argmin(axis=0)
    at, least = np.stack(starts)[best, np.arange(len(new))], losses.min(axis=0)
    stride = np.ones(len(new))
    for _ in range(STEPS):
        tried = at - stride[:, None] * slope(at)
        reached = loss(tried)
        is_lower = reached < least
        at, least = np.where(is_lower[:, None], tried, at), np.where(is_lower, reached, least)
        stride = np.where(is_lower, 1.5 * stride, 0.3 * stride)
    return at


def _weights(at: Matrix, places: Matrix) -> Matrix:
    """(new, others): how alike the map shows them, 1 / (1 + distance²), before it is made a share."""
    return np.asarray(1 / (1 + _squares(at, places)), np.float64)


def _squares(one: Matrix, other: Matrix) -> Matrix:
    """Squared distances, (one, other)."""
    lengths = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)
    return np.asarray(np.maximum(lengths - 2 * one @ other.T, 0), np.float64)


def _similarities(squares: Matrix, perplexity: float) -> Matrix:
    """Shares of the neighbours, (new, neighbours), normal in the distance, as wide as the perplexity asks."""
    # The nearest has no distance left: nothing is too far for any width.
    beyond = squares - squares[:, :1]
    low, high = np.zeros(len(squares)), np.full(len(squares), np.inf)
    scale = 1 / np.maximum(beyond.mean(axis=1), 1e-12)
    for _ in range(_BISECTIONS):
        weights = np.exp(-beyond * scale[:, None])
        shares = weights / weights.sum(axis=1, keepdims=True)
        entropy = -(shares * np.log(np.maximum(shares, 1e-300))).sum(axis=1)
        is_wide = entropy > np.log(perplexity)
        low, high = np.where(is_wide, scale, low), np.where(is_wide, high, scale)
        scale = np.where(np.isinf(high), 2 * scale, (low + high) / 2)
    return np.asarray(shares, np.float64)
