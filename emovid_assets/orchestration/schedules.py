"""Schedules: what happens by the clock.

Belongs here: when, and which runs. Does not belong here: what a job does (`jobs`). All times are UTC.

The week ends with a build of everything, whatever automation has done before, and a proof of what then stands there.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from emovid_assets.assets.partitions import DOMAINS
from emovid_assets.freshness.runs import busy_places

COLLECTION_JOB = "collect_sources"
NIGHTLY = "0 2 * * *"
SUNDAY_BUILD = "0 4 * * 0"
TIDYING = "30 3 * * *"
PROOF = "weekly_verification"
FROM_SUNDAY_ON = ("*/15 5-23 * * 0", "*/15 * * * 1")
"""A build that began on Sunday has ended on Monday, or something is wrong with it."""


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
            PROOF,
            job=by_name["verify_dataset"],
            cron_schedule=list(FROM_SUNDAY_ON),
            execution_fn=_once_a_week_at_rest,
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


def _once_a_week_at_rest(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A run that waited would hold a place in the queue that the builds need which it waits for; a tick holds none."""
    moment = context.scheduled_execution_time
    sunday = f"{moment - timedelta(days=moment.isoweekday() % 7):%Y-%m-%d}"
    same_week = dg.RunsFilter(tags={"dagster/schedule_name": PROOF, "dagster/run_key": sunday})
    proof = next(iter(context.instance.get_runs(same_week, limit=1)), None)
    if proof is not None:
        return dg.SkipReason(f"run {proof.run_id[:8]} is the proof of the week of {sunday}")
    busy = sorted({place.domain or "all domains" for place in busy_places(context.instance)})
    if busy:
        return dg.SkipReason(f"runs are at work on {', '.join(busy)}: asked again in a quarter of an hour")
    return dg.RunRequest(run_key=sunday)
