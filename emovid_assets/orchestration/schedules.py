"""Schedules: what happens by the clock.

Belongs here: when, and which runs. Does not belong here: what a job does (`jobs`). All times are UTC.

The week ends with a build of everything, whatever automation has done before, and a proof of what then stands there.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from emovid_assets.assets.partitions import DOMAINS

COLLECTION_JOB = "collect_sources"
NIGHTLY = "0 2 * * *"
SUNDAY_BUILD = "0 4 * * 0"
SUNDAY_PROOF = "0 5 * * 0"
TIDYING = "30 3 * * *"


def schedules(status: dg.DefaultScheduleStatus, jobs: Sequence[Any]) -> list[dg.ScheduleDefinition]:
    """Every schedule whose job is among `jobs`."""
    by_name = {job.name: job for job in jobs}
    found = [
        dg.ScheduleDefinition(
            "weekly_build",
            job=by_name["build_dataset"],
            cron_schedule=SUNDAY_BUILD,
            execution_fn=_every_domain,
            default_status=status,
            description="Every partitioned asset of every domain; what pools the domains follows by automation.",
        ),
        dg.ScheduleDefinition(
            "weekly_verification",
            job=by_name["verify_dataset"],
            cron_schedule=SUNDAY_PROOF,
            default_status=status,
            description="Proves the warehouse once the weekly build has ended; fails with what does not hold.",
        ),
    ]
    found.append(
        dg.ScheduleDefinition(
            "nightly_tidying",
            job=by_name["tidy_history"],
            cron_schedule=TIDYING,
            default_status=status,
            description="Forgets runs beyond the limits of `[history]`.",
        )
    )
    if COLLECTION_JOB in by_name:
        found.append(
            dg.ScheduleDefinition(
                "nightly_collection",
                job=by_name[COLLECTION_JOB],
                cron_schedule=NIGHTLY,
                execution_fn=_every_domain,
                default_status=status,
                description="New source videos, within the budget; the library sensor takes up what has come.",
            )
        )
    return found


def _every_domain(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    for domain in DOMAINS:
        yield dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%d}-{domain}", partition_key=domain)
