"""The order in which clips are drawn, where no film may crowd out the others.

Belongs here: the order. Does not belong here: how many are taken, and what they are taken for.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from emovid_assets.core.identity import keyed_rank

Row = Mapping[str, Any]


def spread_over(clips: Iterable[Row], group_of: Callable[[Row], Hashable], seed: str) -> list[Row]:
    """Every group's lowest-ranked clip first, then every group's second, and so on; by keyed rank in each round."""
    by_group: dict[Hashable, list[tuple[int, str, Row]]] = defaultdict(list)
    for clip in clips:
        by_group[group_of(clip)].append((keyed_rank(clip["clip_id"], seed), clip["clip_id"], clip))
    rounds = [
        (place, rank, clip_id, clip)
        for members in by_group.values()
        for place, (rank, clip_id, clip) in enumerate(sorted(members, key=lambda member: member[:2]))
    ]
    return [clip for *_, clip in sorted(rounds, key=lambda entry: entry[:3])]
