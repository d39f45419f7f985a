"""How long ago what people rely on was built, domain by domain.

Belongs here: what is relied on, from which age on it is told, and the ages. Does not belong here: whether something is
stale because of what it is made from (`staleness`), and who is told (`orchestration.alerting`).

Dagster's freshness policies look at the partition that was built last: a domain that is left behind shows in none.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.staleness import Place
from emovid_assets.tables.registry import TABLES

RELIED_ON = ("clips", "emotion_labels", "benchmark_split", "catalogue")
OLD_AFTER = timedelta(days=8)
"""A build a week: a day late is worth a look."""
DAY_S = 86_400.0


def is_partitioned(asset: str) -> bool:
    """Whether it is built domain by domain; the catalogue is no table."""
    return asset in TABLES and TABLES[asset].is_partitioned


@dataclass(frozen=True)
class Age:
    """`built_at_s`: seconds since 1970."""

    place: Place
    built_at_s: float
    age_s: float

    @property
    def is_old(self) -> bool:
        return self.age_s > OLD_AFTER.total_seconds()

    @property
    def sentence(self) -> str:
        where = f"{self.place.asset} [{self.place.domain or 'all'}]"
        return f"{where} was last built {self.age_s / DAY_S:.1f} days ago; a build a week is usual"


def age_of(instance: dg.DagsterInstance, place: Place, now_s: float | None = None) -> Age | None:
    """Null where the place was never built: that is no fault, as a domain may have no files."""
    filters = dg.AssetRecordsFilter(dg.AssetKey(place.asset), asset_partitions=[place.domain] if place.domain else None)
    records = instance.fetch_materializations(filters, limit=1).records
    if not records:
        return None
    now_s = time.time() if now_s is None else now_s
    return Age(place, records[0].timestamp, max(0.0, now_s - records[0].timestamp))


def ages(instance: dg.DagsterInstance, now_s: float | None = None) -> Iterator[Age]:
    """The age of everything that is relied on and was ever built."""
    for asset in RELIED_ON:
        for domain in DOMAINS if is_partitioned(asset) else (None,):
            if (age := age_of(instance, Place(asset, domain), now_s)) is not None:
                yield age
