"""The one partition set and the one backfill policy that every partitioned asset shares.

A partition is a domain, never a clip: the state of single items lives in our own tables (ADR 2).
"""

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from emovid_assets.core.domains import DOMAINS

domain_partitions = dg.StaticPartitionsDefinition(list(DOMAINS))

backfill_policy: dg.BackfillPolicy | None = None
"""Dagster's own default, one run per domain, for every asset.

Mixed policies split a backfill into more runs than needed (seen: 7 instead of 4). An explicit `multi_run(1)`
launches the same runs, but tags them with a range of partitions instead of a partition, and then the checks of
a run are recorded without their partition (ADR 3).
"""

# Partitioned checks and dagster-pandas are marked beta or preview upstream. They are used on
# purpose and held by the lock file; a hundred lines of warnings per process would hide what matters.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)


def by_domain(facts: Mapping[str, Any], domain: str | None) -> dict[str, Any]:
    """What a check says of a domain, its numbers under names of their own for each: the UI plots all numbers of one
    name in one line, of whatever partition they are. Without a domain as it is."""
    return {f"{name} ({domain})" if domain and _is_plotted(value) else name: value for name, value in facts.items()}


def _is_plotted(value: Any) -> bool:
    plain = value.value if isinstance(value, dg.MetadataValue) else value
    return isinstance(plain, int | float) and not isinstance(plain, bool)
