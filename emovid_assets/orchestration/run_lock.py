"""The lock of a run: what writes the same waits, whether a daemon or a person at a terminal has started it.

Belongs here: what a run claims, and how it says that it waits. Does not belong here: the lock itself
(`home.run_locks`), and runs that have died (`dead_runs`).

Dagster closes a resource after it has stored the last materialisation of the run, so nobody comes between a table and
the record of it. All steps of a run share a process and its resources (ADR 3); where each step had its own, the lock
would be let go of between them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import dagster as dg

from emovid_assets.freshness.runs import planned_places
from emovid_assets.home.run_locks import RunLocks
from emovid_assets.resources.project import Project
from emovid_assets.resources.refreshing import held_back

listener: ContextVar[Callable[[str], None] | None] = ContextVar("emovid_waiting_listener", default=None)
"""Whom a process at a terminal tells what a run waits for; the log of the run says it in any case."""


class RunLock(dg.ConfigurableResource):
    """Held while a run is at work. It claims each asset that it builds, in its domain, and each pool.

    The I/O manager depends on it: nothing is written but by a run that has its lock.
    """

    project: Project

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["RunLock"]:
        run, instance = context.run, context.instance
        if run is None or instance is None:
            # A sensor, or a test of one asset.
            yield self
            return

        def say(sentence: str) -> None:
            if context.log is not None:
                context.log.info(sentence)
            listening = listener.get()
            if listening is not None:
                listening(sentence)

        def still_wanted() -> None:
            now = instance.get_run_by_id(run.run_id)
            # Of a worker whose code server has died nobody can ask it to end.
            if now is None or now.is_finished or now.status == dg.DagsterRunStatus.CANCELING:
                raise dg.DagsterExecutionInterruptedError("The run was ended while it was waiting")

        locks = RunLocks(self.project.home.runs_at_work)
        claims = claims_of(run, instance)
        with (
            locks.held(run.run_id, run.job_name, claims, say, still_wanted),
            held_back(self.project.home.root),
        ):
            yield self


def claims_of(run: dg.DagsterRun, instance: dg.DagsterInstance) -> dict[str, int]:
    """What a run claims, each with how many runs may have it at once: one for a place, for a pool its limit."""
    places = {
        f"{place.asset} [{place.domain}]" if place.domain else place.asset: 1
        for place in planned_places(instance, run.run_id)
    }
    # Dagster's queue counts the pools of what it launches; a terminal passes by it.
    pools = sorted((run.run_op_concurrency.all_pools if run.run_op_concurrency else None) or ())
    if not pools:
        return places
    limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    default = instance.global_op_concurrency_default_limit or 1
    return {**places, **{f"pool {pool}": limits.get(pool, default) for pool in pools}}
