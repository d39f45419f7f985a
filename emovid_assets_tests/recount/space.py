"""The map and how separate groups are, recounted clip by clip and by scikit-learn.

Belongs here: silhouettes, neighbours, shuffles. The places of points on the map are no numbers that are shown.
"""

from typing import Any

import numpy as np
from sklearn.metrics import silhouette_samples
from sklearn.preprocessing import StandardScaler

from emovid_assets_tests.core.test_separability import by_hand
from emovid_assets_tests.recount.draws import SIGMAS, Sources
from emovid_assets_tests.recount.home import DOMAINS, EMOTIONS, Library, source_of
from emovid_assets_tests.recount.numerals import Between
from emovid_assets_tests.recount.page import Chart, Exhibit

NEIGHBOURS = 15
SHUFFLES = 2000
HEAD = ("grouping", "group", "clips", "sources", "silhouette", "neighbours alike", "by chance", "p")


def space(library: Library) -> dict[str, Exhibit]:
    return {
        "Map of the clips: t-SNE of their embeddings": _map(library),
        "How separate domains and emotions are": _separability(library),
    }


def _map(library: Library) -> Exhibit:
    placed = [row["clip_id"] for row in library.table("embedding_map") if row["x"] is not None]
    domains = [library.domain_of[one] for one in placed]
    of_domain = [domains.count(name) for name in DOMAINS]
    of_emotion = [sum(library.labels.get(one, (None,))[0] == name for one in placed) for name in EMOTIONS]
    total = len(placed)
    large = Chart(said=of_domain, labels=[[count] for count in of_domain])
    small = [Chart([count], [count, total]) for count in of_emotion]
    return Exhibit("votes counted again", [total, len(set(domains))], charts=[large, *small])


def _separability(library: Library) -> Exhibit:
    vectors = library.by_clip("clip_embeddings")
    everybody = sorted(vectors)
    # Measured features have different units.
    scaled = StandardScaler().fit_transform([vectors[one]["embedding"] for one in everybody])
    points_of = dict(zip(everybody, scaled, strict=True))
    labelled = [one for one in everybody if one in library.labels]
    rows: list[list[Any]] = [list(HEAD)]
    reading: list[Any] = []
    for grouping, clips, group_of in (
        ("domain", everybody, library.domain_of),
        ("emotion", labelled, {one: emotion for one, (emotion, _) in library.labels.items()}),
    ):
        found = _rows(
            np.array([points_of[one] for one in clips]),
            [group_of[one] for one in clips],
            [source_of(one) for one in clips],
        )
        rows += [[grouping, *row] for row in found]
        reading += [*found[0][4][:1], *found[0][5]]
    fewest = min(len(everybody), len(labelled))
    return Exhibit("scikit-learn, neighbours one by one, own draws", reading, fewest, notes=[1, 0, 95], tables=[rows])


def _rows(points: np.ndarray, groups: list[str], sources: list[str]) -> list[list[Any]]:
    silhouette = silhouette_samples(points, groups)
    purity, chance = map(np.array, by_hand(points, groups, sources, NEIGHBOURS))
    draws = Sources(sources)
    p_values = _p_values(points, np.array(groups), np.array(sources))
    rows = []
    for name in ("all", *sorted(set(groups))):
        items = np.flatnonzero([name in ("all", group) for group in groups])
        shown = []
        for values, scale in ((silhouette, 1), (purity, 100)):
            ends = draws.ends(draws.means(values[items], items), items) or ()
            shown.append([scale * values[items].mean(), *(end.times(scale) for end in ends)])
        sources_there = len({sources[item] for item in items})
        rows.append([name, len(items), sources_there, *shown, [100 * chance[items].mean()], [p_values[name]]])
    return rows


def _p_values(points: np.ndarray, groups: np.ndarray, sources: np.ndarray) -> dict[str, Between]:
    """How often labels that are moved are as pure beyond chance: a source gets those of another one, in order."""
    count = len(groups)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    is_other = sources[:, None] != sources[None]
    order = np.argsort(np.where(is_other, distance, np.inf), axis=1, kind="stable")[:, :NEIGHBOURS]
    by_source = {name: np.flatnonzero(sources == name) for name in np.unique(sources)}
    names = list(by_source)
    random = np.random.default_rng(7)

    def excess(labels: np.ndarray) -> dict[str, float]:
        same = labels[:, None] == labels[None]
        beyond = np.array([same[i, order[i]].mean() for i in range(count)]) - (same & is_other).sum(1) / is_other.sum(1)
        found = {name: beyond[labels == name].mean() for name in set(labels.tolist())}
        return found | {"all": beyond.mean()}

    real = excess(groups)
    as_pure = dict.fromkeys(real, 0)
    for _ in range(SHUFFLES):
        moved = groups.copy()
        for taker, giver in zip(names, random.permutation(len(names)), strict=True):
            given = groups[by_source[names[giver]]]
            moved[by_source[taker]] = np.resize(given, len(by_source[taker]))
        shuffled = excess(moved)
        for name, value in real.items():
            as_pure[name] += shuffled.get(name, -np.inf) >= value - 1e-12
    return {name: _band((1 + hits) / (1 + SHUFFLES)) for name, hits in as_pure.items()}


def _band(p: float) -> Between:
    """What 999 shuffles may say where these said p; the least that they can say is one of a thousand."""
    slack = SIGMAS * np.sqrt(p * (1 - p) * (1 / 999 + 1 / SHUFFLES)) + 1 / 1000
    return Between(max(p - slack, 0.0), p + slack)
