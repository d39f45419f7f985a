"""The lock of a run in Dagster: from before the first step until everything is recorded; and runs that have died."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets.building import runner
from emovid_assets.home import run_locks
from emovid_assets.home.folders import Home
from emovid_assets.home.run_locks import RunLocks
from emovid_assets.orchestration import run_lock
from emovid_assets.orchestration.dead_runs import end_dead_runs
from emovid_assets.orchestration.run_lock import RunLock, claims_of
from emovid_assets.resources.project import Project

PARTITIONS = dg.StaticPartitionsDefinition(["movie", "sticker"])
OF_THE_RUN = {"clips [movie]": 1, "labels [movie]": 1, "pool media": 1}


class Nowhere(dg.ConfigurableIOManager):
    """Writes nothing, under the lock of the run."""

    run_lock: RunLock

    def handle_output(self, context: dg.OutputContext, obj: object) -> None: ...

    def load_input(self, context: dg.InputContext) -> None: ...


@dg.asset(partitions_def=PARTITIONS, pool="media")
def clips() -> None: ...


@dg.asset(partitions_def=PARTITIONS, deps=[clips])
def labels() -> None: ...


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_locks, "LOOK_AGAIN_S", 0.01)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def job(home: Home) -> dg.JobDefinition:
    lock = RunLock(project=Project(home_folder=str(home.root)))
    resources = {"run_lock": lock, "io_manager": Nowhere(run_lock=lock)}
    return dg.Definitions([clips, labels], resources=resources).resolve_implicit_global_asset_job_def()


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """One that lies in the home, as locally."""
    with dg.DagsterInstance.ephemeral(tempdir=str(home.root / "dagster")) as made:
        yield made


def run_of(job: dg.JobDefinition, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return job.execute_in_process(instance=instance, partition_key="movie", raise_on_error=False)


def test_a_run_claims_what_it_builds_and_its_pools_from_before_its_first_step_until_the_last_is_recorded(
    home: Home, job: dg.JobDefinition, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = []

    def note() -> None:
        (event,) = instance.fetch_materializations(dg.AssetKey("labels"), limit=1).records or [None]
        recorded.append(event is not None)

    class Noted(RunLocks):
        @contextmanager
        def held(self, run_id: str, job: str, claims: Any, told: Any, still_wanted: Any) -> Iterator[None]:
            recorded.append(dict(claims))
            note()
            with super().held(run_id, job, claims, told, still_wanted):
                recorded.append([one.run_id for one in self.at_work()] == [run_id])
                yield
                note()

    monkeypatch.setattr(run_lock, "RunLocks", Noted)
    assert run_of(job, instance).success
    # Before, while it is held, and when it is let go of; once, though two resources of the run lead to it.
    assert recorded == [OF_THE_RUN, False, True, True]


def test_a_pool_is_had_by_as_many_runs_as_somebody_has_allowed_in_the_ui(
    job: dg.JobDefinition, instance: dg.DagsterInstance
) -> None:
    run = instance.create_run_for_job(job, tags={"dagster/partition": "movie"})
    instance.event_log_storage.set_concurrency_slots("media", 3)
    assert claims_of(run, instance) == {**OF_THE_RUN, "pool media": 3}


def test_a_run_that_waits_says_for_whom_in_its_log_and_to_the_terminal(
    home: Home, job: dg.JobDefinition, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    run_lock.listener.set(told.append)
    looks = iter([True])

    def at_work(self: RunLocks) -> list[run_locks.RunRecord]:
        # At work when it is looked for the first time, gone the next.
        first = run_locks.RunRecord("first-run", "build_dataset", 7, "here", claims=("labels [movie]",), number=-1)
        return [first] if len(told) == 0 and next(looks, True) else []

    monkeypatch.setattr(RunLocks, "at_work", at_work)
    result = run_of(job, instance)
    run_lock.listener.set(None)
    assert result.success
    sentence = "waiting for run first-ru (build_dataset, process 7 on here, since  UTC): it has labels [movie]"
    assert told == [sentence]
    assert sentence in [entry.user_message for entry in instance.all_logs(result.run_id)]


@pytest.mark.parametrize("ending", ["report_run_canceling", "report_run_canceled"])
def test_a_run_that_is_terminated_while_it_waits_builds_nothing(
    home: Home, job: dg.JobDefinition, instance: dg.DagsterInstance, ending: str
) -> None:
    locks = RunLocks(home.runs_at_work)

    def terminate(sentence: str) -> None:
        (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        getattr(instance, ending)(run)

    run_lock.listener.set(terminate)
    with held_by_another(locks, "clips [movie]"):
        result = run_of(job, instance)
    run_lock.listener.set(None)
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.CANCELED
    assert result.get_asset_materialization_events() == []
    assert locks.at_work() == []


@contextmanager
def held_by_another(locks: RunLocks, claim: str) -> Iterator[None]:
    """A run that this thread has not begun."""
    with locks.held("first", "job", {claim: 1}, lambda sentence: None):
        mine = run_locks._own_runs.get()
        run_locks._own_runs.set(frozenset())
        yield
        run_locks._own_runs.set(mine)


class Begun:
    """A run that has begun, and what its process has left in the home, if it is over."""

    def __init__(self, home: Home, job: dg.JobDefinition, instance: dg.DagsterInstance) -> None:
        self._home, self._instance = home, instance
        run = instance.create_run_for_job(job, tags={"dagster/partition": "movie"})
        self.run_id = run.run_id
        started = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
        instance.report_dagster_event(started, run.run_id)

    def leaves(self, *, is_copied: bool = False, **facts: object) -> "Begun":
        path = self._home.runs_at_work / f"{self.run_id}.json"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        here = {"host": socket.gethostname(), "boot": run_locks._boot(), "inode": path.stat().st_ino + is_copied}
        path.write_text(json.dumps({"claims": [], "job": "build_dataset", "pid": 7, **here, **facts}))
        return self

    @property
    def run(self) -> dg.DagsterRun:
        found = self._instance.get_run_by_id(self.run_id)
        assert found
        return found


@pytest.fixture
def begun(home: Home, job: dg.JobDefinition, instance: dg.DagsterInstance) -> Callable[[], Begun]:
    return lambda: Begun(home, job, instance)


def test_a_run_without_its_process_fails_with_who_it_was_and_one_that_lives_or_has_not_come_so_far_does_not(
    home: Home, instance: dg.DagsterInstance, begun: Callable[[], Begun]
) -> None:
    dead, alive, importing = begun().leaves(), begun(), begun()
    with RunLocks(home.runs_at_work).held(alive.run_id, "build_dataset", {}, lambda sentence: None):
        (sentence,) = end_dead_runs(instance, home)
    assert sentence.startswith(f"run {dead.run_id[:8]} (build_dataset, process 7 on ")
    assert "has ended without a word" in sentence
    statuses = [one.run.status for one in (dead, alive, importing)]
    assert statuses == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTED]
    # No failing step, so Dagster starts it again (`retry_on_asset_or_op_failure`).
    assert dead.run.tags.get("dagster/failure_reason") != "STEP_FAILURE"
    assert end_dead_runs(instance, home) == []


def test_a_run_that_was_being_terminated_is_cancelled_and_one_that_has_ended_stays_as_it_is(
    home: Home, instance: dg.DagsterInstance, begun: Callable[[], Begun]
) -> None:
    terminated, ended = begun().leaves(), begun().leaves()
    instance.report_run_canceling(terminated.run)
    instance.report_run_canceled(ended.run)
    assert len(end_dead_runs(instance, home)) == 1
    assert {one.run.status for one in (terminated, ended)} == {dg.DagsterRunStatus.CANCELED}
    assert list(home.runs_at_work.glob("*.json")) == []


def test_a_run_of_another_machine_is_left_alone_and_one_in_a_copied_home_only_with_the_records_of_that_home(
    home: Home, instance: dg.DagsterInstance, begun: Callable[[], Begun], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = begun().leaves(host="another", boot="another start")
    copied = begun().leaves(is_copied=True)
    with monkeypatch.context() as patched:
        # As in compose, where the records are in PostgreSQL.
        patched.setattr(dg.DagsterInstance, "root_directory", str(home.root.parent))
        assert len(end_dead_runs(instance, home)) == 2
    assert copied.run.status == dg.DagsterRunStatus.STARTED
    end_dead_runs(instance, home)
    assert copied.run.status == dg.DagsterRunStatus.FAILURE
    assert elsewhere.run.status == dg.DagsterRunStatus.STARTED


def test_ctrl_c_in_a_build_at_a_terminal_ends_the_build_and_not_only_its_present_run(
    home: Home, instance: dg.DagsterInstance
) -> None:
    @dg.asset(partitions_def=PARTITIONS)
    def long() -> None:
        raise KeyboardInterrupt

    lock = RunLock(project=Project(home_folder=str(home.root)))
    definitions = dg.Definitions([long], resources={"run_lock": lock, "io_manager": Nowhere(run_lock=lock)})
    job = definitions.resolve_implicit_global_asset_job_def()
    with pytest.raises(KeyboardInterrupt):
        runner._run(job, instance, [dg.AssetKey("long")], "movie", lambda sentence: None)
    assert RunLocks(home.runs_at_work).at_work() == []
