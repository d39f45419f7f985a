"""From clip to clip, recounted along the scenes of each film and tested by SciPy.

Belongs here: the section on transitions.
"""

from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import Table

from emovid_assets_tests.recount.home import EMOTIONS, Library
from emovid_assets_tests.recount.page import Chart, Exhibit

KINDS = ("strict", "bridged")
HEAD = (
    *("kind", "pairs", "χ²", "df", "p", "Cramér’s V", "stay", "by chance"),
    *("same polarity", "by chance", "thin cells"),
)
STRONG = 2


def steps(library: Library) -> dict[str, np.ndarray]:
    """Kind → how often an emotion (row) is followed by another (column) within a film."""
    by_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in library.table("segments"):
        if row["domain"] == "movie" and row["is_kept"]:
            by_source[row["source_id"]].append(row)
    found = {kind: np.zeros((8, 8), int) for kind in KINDS}
    for segments in by_source.values():
        segments.sort(key=lambda row: row["scene_index"])
        for one, following in pairwise(segments):
            labels = [library.labels.get(row["clip_id"]) for row in (one, following)]
            if None in labels:
                continue
            place = tuple(EMOTIONS.index(label[0]) for label in labels if label)
            found["bridged"][place] += 1
            found["strict"][place] += following["scene_index"] == one["scene_index"] + 1
    return found


def transitions(library: Library) -> dict[str, Exhibit]:
    counts = steps(library)
    charts = [_chart(counts[kind]) for kind in KINDS]
    rows: list[list[Any]] = [list(HEAD)]
    readings = {}
    for kind in KINDS:
        row, readings[kind] = _tested(counts[kind])
        rows.append([kind, *row])
    bridged = counts["bridged"]
    pairs = bridged.sum()
    starts, ends = bridged.sum(axis=1), bridged.sum(axis=0)
    share = bridged / np.maximum(starts, 1)[:, None]
    top = max(np.ndindex(8, 8), key=lambda cell: (share[cell], bridged[cell]))
    reading = [
        *(pairs, 100 * np.trace(bridged) / pairs, 100 * (starts @ ends) / pairs**2),
        *(bridged[top], starts[top[0]], 100 * share[top]),
    ]
    return {
        "Emotion of a clip and of the next one in the same film": Exhibit(
            "films scene by scene", reading, int(pairs), ["▲", "▽", STRONG], charts=charts
        ),
        "Do emotions follow each other by chance?": Exhibit(
            "films scene by scene, SciPy", readings["bridged"], int(counts["strict"].sum()), tables=[rows]
        ),
    }


def _chart(counts: np.ndarray) -> Chart:
    starts = counts.sum(axis=1)
    # Adjusted residuals; NaN where a row or a column is empty.
    with np.errstate(all="ignore"):
        residuals = Table(counts, shift_zeros=False).standardized_resids
    said, marks = [], []
    for row, column in np.ndindex(8, 8):
        if not starts[row]:
            continue
        share = 100 * counts[row, column] / starts[row]
        residual = residuals[row, column]
        strong = [] if not abs(residual) >= STRONG else ["▲" if residual > 0 else "▽"]
        marks.append([share, *strong] if counts[row, column] else strong or [0])
        said += [share] if counts[row, column] else []
    return Chart([counts.sum()], said, marks, [[start] for start in starts])


def _tested(counts: np.ndarray) -> tuple[list[Any], list[Any]]:
    pairs = counts.sum()
    used = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    statistic, p, degrees, expected = stats.chi2_contingency(used, correction=False)
    whole = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / pairs
    half = np.arange(8) < 4
    same = half[:, None] == half[None]
    thin = 100 * (expected < 5).mean()
    shares = [100 * part / pairs for part in (np.trace(counts), np.trace(whole), counts[same].sum(), whole[same].sum())]
    v = stats.contingency.association(used, method="cramer")
    row = [pairs, [statistic], degrees, [p], [v], *([share] for share in shares), [thin]]
    return row, [statistic, p, *([thin] if thin else [])]
