"""The map of the embeddings: which clips are on it, how their distances are taken, where t-SNE puts them.

Belongs here: the sample, the scaling of embeddings before distances are taken, the layout. Does not belong here:
where embeddings come from, clips that come to a map that is there (`growing_map`), and how separate groups are
(`separability`).
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from emovid_assets.core.identity import keyed_rank

VERSION = "1"
"""Of the layout: changes when the same embeddings would be put elsewhere."""

EMBEDDED = "embedded/"
"""Model ids that begin so name measured features, whose columns have different units."""

PERPLEXITY = 30.0
FEWEST_FOR_TSNE = 5
"""Fewer points have no neighbourhoods that could be kept: they are drawn by their principal components."""
COMPONENTS = 50

Matrix = npt.NDArray[np.float64]


def fair_sample(clips: Iterable[tuple[str, str, str]], limit: int, seed: str) -> set[str]:
    """Of (clip id, domain, emotion), at most `limit` clip ids: domains in proportion, emotions in proportion in each.

    Where the limit allows, everything there is has at least one. Among clips of one domain and emotion those of
    lowest `keyed_rank` are taken: clips that are added push out as many as the shares ask for, and reshuffle nothing.
    """
    members: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for clip_id, domain, emotion in clips:
        members[domain][emotion].append(clip_id)
    of_domain = {domain: sum(map(len, cells.values())) for domain, cells in members.items()}
    chosen: set[str] = set()
    for domain, domain_seats in _seats(of_domain, limit).items():
        cells = members[domain]
        seats = _seats({emotion: len(cell) for emotion, cell in cells.items()}, domain_seats)
        for emotion, cell in cells.items():
            chosen.update(
                sorted(cell, key=lambda clip_id: (keyed_rank(clip_id, f"{seed}/map"), clip_id))[: seats[emotion]]
            )
    return chosen


def _seats(sizes: dict[str, int], limit: int) -> dict[str, int]:
    """Largest remainders; who is below one seat gets one, at the cost of the largest."""
    total = sum(sizes.values())
    if total <= limit:
        return sizes
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    seats = {name: sizes[name] * limit // total for name in order}
    remainders = sorted(order, key=lambda name: -(sizes[name] * limit % total))
    for name in remainders[: limit - sum(seats.values())]:
        seats[name] += 1
    for name in [name for name in order if not seats[name]]:
        richest = max(order, key=lambda other: seats[other])
        if seats[richest] > 1:
            seats[richest], seats[name] = seats[richest] - 1, 1
    return seats


def comparable(embeddings: Matrix, model_id: str) -> Matrix:
    """The embeddings as Euclidean distances are taken of them, float64 (clips, dimensions).

    Measured features have different units: each column gets mean 0 and standard deviation 1, a constant one 0.
    Embeddings of a vision model keep their directions and get length 1, so that distances order as cosines do.
    """
    vectors = np.asarray(embeddings, np.float64)
    if not model_id.startswith(EMBEDDED):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    spread = np.sqrt((centred**2).mean(axis=0)) if len(vectors) else np.ones(vectors.shape[1])
    # Rounding leaves a constant column a spread that is not quite 0.
    is_constant = spread <= 1e-9 * np.maximum(1.0, np.abs(vectors).max(axis=0, initial=0.0))
    return np.divide(centred, spread, out=np.zeros_like(centred), where=~is_constant)


def perplexity_for(count: int) -> float:
    """30 as usual, less for few points: a third of the others, at least 1."""
    return max(1.0, min(PERPLEXITY, (count - 1) / 3))


def map_points(vectors: Matrix, seed: int = 0) -> Matrix:
    """Places of the vectors in the plane, float64 (count, 2), in their order.

    t-SNE from principal components, of at most 50 components; fewer than 5 vectors, and vectors that are all equal,
    are placed by their principal components alone. The same vectors get the same places on the same machine.
    """
    vectors = np.asarray(vectors, np.float64)
    reduced = principal(vectors)
    if len(vectors) < FEWEST_FOR_TSNE or not np.ptp(reduced, axis=0).any():
        return np.pad(reduced[:, :2], ((0, 0), (0, max(0, 2 - reduced.shape[1]))))
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = np.pad(reduced[:, :2], ((0, 0), (0, max(0, 2 - reduced.shape[1]))))
    tsne = TSNE(
        2,
        perplexity=perplexity_for(len(vectors)),
        init=(start / start[:, 0].std() * 1e-4).astype(np.float32),
        random_state=seed,
        learning_rate="auto",
    )
    # Threads add up in no fixed order, and the last bit decides where a point ends. On a busy machine they also wait
    # for each other longer than they work: two took 229 s for what one does in 66 s.
    with threadpool_limits(limits=1):
        placed = tsne.fit_transform(reduced)
    return np.asarray(placed, np.float64)


def principal(vectors: Matrix, count: int = COMPONENTS) -> Matrix:
    """Principal components by falling variance, at most `count` and no more than there are; of equal vectors 0."""
    if not len(vectors):
        return np.zeros((0, min(count, vectors.shape[1])))
    centred = vectors - vectors.mean(axis=0)
    if np.allclose(centred, 0, atol=1e-12):
        return np.zeros((len(vectors), min(count, vectors.shape[1])))
    # The covariance is small whatever the number of clips is; its eigenvectors are the principal axes.
    values, axes = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(values)[::-1][:count]
    axes = axes[:, order]
    # An axis has no sign of its own: its largest entry is made positive.
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.asarray(centred @ (axes * signs), np.float64)
