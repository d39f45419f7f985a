"""The one partition set and the one backfill policy that every partitioned asset shares.

A partition is a domain, never a clip: the state of single items lives in our own tables (ADR 2).
"""

import warnings

import dagster as dg

from emovid_assets.core.domains import DOMAINS

domain_partitions = dg.StaticPartitionsDefinition(list(DOMAINS))

# Mixed policies split a backfill into more runs than needed (seen: 7 instead of 4), so there is exactly one.
backfill_policy = dg.BackfillPolicy.multi_run(max_partitions_per_run=1)

# Backfill policies, partitioned checks and dagster-pandas are marked beta or preview upstream. They are used on
# purpose and held by the lock file; a hundred lines of warnings per process would hide what matters.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
