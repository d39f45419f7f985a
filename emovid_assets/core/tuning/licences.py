"""Under which licence an adapter may be passed on, by those of the clips that it has learnt from.

Belongs here: that one rule. Does not belong here: what a file's licence is (`core.collection.terms`, the manifest), and
what it allows (`core.release.licences`).

An adapter is no copy of a clip, and whether a licence of data binds what was learnt from them is disputed. So the
adapter says what its data were under, and is called non-commercial where a single clip was.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from emovid_assets.core.release.licences import says_non_commercial

UNKNOWN = "no licence stated"


@dataclass(frozen=True)
class DataLicence:
    """`told`: every licence with its number of clips, the most frequent first."""

    is_non_commercial: bool
    told: str


def data_licence(licences: Iterable[str | None]) -> DataLicence:
    """Of the licence of each clip; null or blank where none is stated."""
    counts = Counter((licence or "").strip() or UNKNOWN for licence in licences)
    named = [f"{licence} ({count:,})" for licence, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    is_non_commercial = any(map(says_non_commercial, counts))
    return DataLicence(is_non_commercial, ("non-commercial: " if is_non_commercial else "") + "; ".join(named))
