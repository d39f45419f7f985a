"""Runs whose process has died without a word.

Belongs here: finding them, and ending them in Dagster's records, so that their pools are free and Dagster starts them
again (`run_retries`). Does not belong here: the lock by which they are known (`home.run_locks`).

A code server reports a run worker that dies alone. Where both die (memory, a new container, a power cut), the run would
be taken for one at work until `max_runtime_seconds`.
"""

from pathlib import Path

import dagster as dg

from emovid_assets.home.folders import Home
from emovid_assets.home.run_locks import RunLocks, RunRecord


def end_dead_runs(instance: dg.DagsterInstance, home: Home) -> list[str]:
    """Ends each run that began here, has not ended and has no process any more; a sentence for each that was found.

    Files of runs are looked at, never clocks: a run that has not begun has none, and one that is alive holds its own.
    """
    sentences: list[str] = []
    is_instance_of_home = Path(instance.root_directory).resolve().is_relative_to(home.root.resolve())

    def settled(left: RunRecord, is_copy: bool) -> bool:
        run = instance.get_run_by_id(left.run_id)
        if run is None or run.is_finished:
            return True
        # A copy of a home, with the records in it, has no process whatever. With a database that several homes share,
        # the run may be at work in the home that was copied.
        if not (is_instance_of_home if is_copy else left.is_of_this_machine):
            sentences.append(f"{left.told} may be at work on its machine; if it is not, terminate it in the UI")
            return False
        said = f"{left.told} has ended without a word: out of memory, or its machine or container was stopped"
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, said)
        else:
            instance.report_run_failed(run, said)
        sentences.append(said)
        return True

    RunLocks(home.runs_at_work).settle(settled)
    return sentences
