"""Whether what people rely on was built lately: a check an asset, judged domain by domain.

Belongs here: the checks, and their results. Does not belong here: from which age on (`ages`), and when they are judged
though nothing is built (`orchestration.alerting`).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from emovid_assets.assets.partitions import by_domain, domain_partitions
from emovid_assets.freshness.ages import DAY_S, OLD_AFTER, RELIED_ON, Age, age_of, is_partitioned
from emovid_assets.freshness.staleness import Place

CHECK = "built_lately"
_DESCRIPTION = f"Built within the last {OLD_AFTER.days} days, in this domain."


def _shown(age: Age) -> dict[str, Any]:
    shown: dict[str, Any] = {"age_days": dg.MetadataValue.float(round(age.age_s / DAY_S, 2))}
    return shown | ({"what_to_do": dg.MetadataValue.text(age.sentence)} if age.is_old else {})


def _checks(*assets: str) -> dg.AssetChecksDefinition:
    """One step for all of them that a run builds."""
    partitions = domain_partitions if is_partitioned(assets[0]) else None
    specs = [
        dg.AssetCheckSpec(CHECK, asset=asset, description=_DESCRIPTION, partitions_def=partitions) for asset in assets
    ]

    @dg.multi_asset_check(name=f"{CHECK}_{'by_domain' if partitions else 'of_all'}", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        domain = context.partition_key if partitions else None
        for key in sorted(context.selected_asset_check_keys):
            age = age_of(context.instance, Place(key.asset_key.to_user_string(), domain))
            yield dg.AssetCheckResult(
                passed=age is None or not age.is_old,
                check_name=CHECK,
                asset_key=key.asset_key,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={} if age is None else by_domain(_shown(age), domain),
            )

    return checks


AGE_CHECKS = [
    _checks(*(asset for asset in RELIED_ON if is_partitioned(asset))),
    _checks(*(asset for asset in RELIED_ON if not is_partitioned(asset))),
]
