"""All three domains as a backfill that the daemon launches, as it happens from the UI."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemotePartitionSetOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.utils import make_new_backfill_id

from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.runs import failed_places, planned_places
from emovid_assets.freshness.staleness import Place
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import Home
from emovid_assets.home.run_locks import MUTEX, RunLocks, RunRecord
from emovid_assets.orchestration.instance import prepare_instance_folder
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT, build, draw_gif, errors_of, rows

pytestmark = pytest.mark.integration

Found = TypeVar("Found")

TIMEOUT_S = 240
LOCATION = "emovid_assets"
QUEUED, STARTED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS
PROGRAMS = Path(sys.executable).parent


def prepare_hasty_instance(home: Path) -> Path:
    """The `DAGSTER_HOME` of a home, whose queue is emptied every second."""
    folder = prepare_instance_folder(home)
    settings = folder / "dagster.yaml"
    named = "class: QueuedRunCoordinator\n"
    text = settings.read_text(encoding="utf-8")
    assert named in text
    # Without its first line it is left as it is.
    hasty = text.replace(named, f"{named}  config:\n    dequeue_interval_seconds: 1\n").partition("\n")[2]
    settings.write_text(hasty, encoding="utf-8")
    return folder


@contextmanager
def group_of(command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> Iterator[Callable[[], None]]:
    """A process with all that it starts, as a group; gives what kills the group. Nothing of it is left afterwards."""
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True
        )

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    try:
        yield kill
    finally:
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGINT)
            process.wait(2)
        # Whatever is left of its group: threads of the daemon may be asleep for long.
        kill()


def daemon(environment: Mapping[str, str], log: Path) -> AbstractContextManager[Callable[[], None]]:
    """A daemon; where the environment names no code server, with one of its own and the run workers."""
    workspace = ROOT / ("deploy" if "EMOVID_CODE_PORT" in environment else "") / "workspace.yaml"
    # Failed runs are looked at every second, to be started again.
    hasty = {**environment, "DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1"}
    return group_of([PROGRAMS / "dagster-daemon", "run", "-w", workspace], hasty, log)


@contextmanager
def code_server(environment: Mapping[str, str], log: Path) -> Iterator[Callable[[], None]]:
    """The code server that the environment names, with the run workers."""
    port = environment["EMOVID_CODE_PORT"]
    command = [PROGRAMS / "dagster", "api", "grpc", "--host", "127.0.0.1", "--port", port]
    with group_of([*command, "-m", "emovid_assets.definitions", "--location-name", LOCATION], environment, log) as kill:
        # It listens when it has loaded the definitions.
        until(lambda: is_listening(int(port)), log)
        yield kill


def is_listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def draw_library(home: Path) -> None:
    library = home / "library"
    draw_gif(library / "movie" / "film.gif", (10, 90, 200), frame_count=6, delay_ms=1000)
    draw_gif(library / "animation" / "short.gif", (10, 200, 90))
    draw_gif(library / "sticker" / "awe" / "sticker.gif")


def launch_backfill(instance: dg.DagsterInstance, domains: Sequence[str], code_port: str) -> None:
    """Asks for a backfill as the UI does: the daemon sees it when it starts, and every 30 s after."""
    server = GrpcServerCodeLocationOrigin("127.0.0.1", int(code_port), location_name=LOCATION)
    partitions = RemotePartitionSetOrigin(
        repository_origin=RemoteRepositoryOrigin(server, "__repository__"),
        partition_set_name="build_dataset_partition_set",
    )
    instance.add_backfill(
        PartitionBackfill(
            backfill_id=make_new_backfill_id(),
            status=BulkActionStatus.REQUESTED,
            from_failure=False,
            tags={},
            backfill_timestamp=time.time(),
            partition_set_origin=partitions,
            partition_names=domains,
        )
    )


def until(found: Callable[[], Found | None], log: Path, every_s: float = 0.2) -> Found:
    """What is asked for, as soon as it is there."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (it := found()):
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")[-4000:]
        time.sleep(every_s)
    return it


class Backfilled(NamedTuple):
    """A home whose backfill was killed twice, and its runs, the latest first."""

    home: Path
    instance: dg.DagsterInstance
    runs: Sequence[dg.DagsterRun]
    ended_after_s: float
    """From the death of a run and its code server until Dagster knew."""
    stopped: RunRecord
    told: str
    """What a build at a terminal said beside a run, which was stopped until then."""


def stopped_run(home: Path) -> RunRecord | None:
    """A run that is at work, stopped in the middle of it."""
    folder = Home(home).runs_at_work
    # Not while it looks whether it may begin: then all others would wait to look.
    with locked(folder / MUTEX):
        for run in RunLocks(folder).at_work():
            os.kill(run.pid, signal.SIGSTOP)
            if run in RunLocks(folder).at_work():
                return run
            os.kill(run.pid, signal.SIGCONT)
    return None


def built_beside(run: RunRecord, environment: Mapping[str, str]) -> str:
    """What `emovid build` says that wants to build what a stopped run is to build; the run goes on when it waits."""
    asset, _, domain = next(claim for claim in reversed(run.claims) if claim.endswith("]"))[:-1].partition(" [")
    command = [sys.executable, "-m", "emovid_assets.cli", "build", "-d", domain, "--select", f"key:{asset}"]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as building:
        assert building.stdout
        said = building.stdout.readline()
        os.kill(run.pid, signal.SIGCONT)
        said += building.communicate(timeout=TIMEOUT_S)[0]
    assert building.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfilled]:
    """All domains are launched. The first run is killed with its code server while the daemon lives, the next one with
    everything, as by a power cut. Nobody does anything but start the daemon again."""
    home = tmp_path_factory.mktemp("backfill") / "home"
    log = home.parent / "daemon.log"
    draw_library(home)
    state = prepare_hasty_instance(home)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(state),
        "EMOVID_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "EMOVID_CODE_HOST": "127.0.0.1",
        "EMOVID_CODE_PORT": free_port(),
    }
    with dg.DagsterInstance.from_config(str(state)) as instance:

        def runs(*statuses: dg.DagsterRunStatus) -> Sequence[dg.DagsterRun]:
            return instance.get_runs(dg.RunsFilter(statuses=statuses))

        def is_half_way(run: dg.DagsterRun) -> bool:
            """It has recorded its sources, or had no more to make, and is not through."""
            unbuilt = failed_places(instance, run.run_id)
            return bool(unbuilt) and all(place.asset != "source_videos" for place in unbuilt)

        def one_is_half_way(run_count: int) -> bool:
            """And all others wait in the queue or are over, rather than on their way there."""
            asked = {run.status for run in instance.get_runs()} <= {QUEUED, STARTED, FAILURE, SUCCESS}
            return asked and len(instance.get_runs()) == run_count and any(map(is_half_way, runs(STARTED)))

        launch_backfill(instance, DOMAINS, environment["EMOVID_CODE_PORT"])
        with ExitStack() as first:
            kill_code_server = first.enter_context(code_server(environment, log))
            kill_daemon = first.enter_context(daemon(environment, log))
            until(lambda: one_is_half_way(len(DOMAINS)), log)
            kill_code_server()
            killed = time.monotonic()
            kill_code_server = first.enter_context(code_server(environment, log))
            until(lambda: bool(runs(FAILURE)), log)
            ended_after_s = time.monotonic() - killed
            # Its pools are free: another domain begins.
            until(lambda: one_is_half_way(len(DOMAINS) + 1), log)
            kill_daemon()
            kill_code_server()
        with code_server(environment, log), daemon(environment, log):
            stopped = until(lambda: stopped_run(home), log)
            told = built_beside(stopped, environment)
            # Each domain, and the terminal.
            until(lambda: len(runs(SUCCESS)) == len(DOMAINS) + 1, log)
        yield Backfilled(home, instance, instance.get_runs(), ended_after_s, stopped, told)


def test_a_run_that_dies_with_its_code_server_is_known_within_half_a_minute_and_started_again(
    backfilled: Backfilled,
) -> None:
    assert backfilled.ended_after_s < 30
    first, second = reversed([run for run in backfilled.runs if run.status == FAILURE])
    retried = {run.parent_run_id: run.status for run in backfilled.runs if run.parent_run_id}
    assert retried == dict.fromkeys((first.run_id, second.run_id), SUCCESS)
    # What it had built was not built again.
    again = next(run for run in backfilled.runs if run.parent_run_id == first.run_id)
    assert Place("source_videos", first.tags["dagster/partition"]) not in planned_places(
        backfilled.instance, again.run_id
    )
    assert list(Home(backfilled.home).runs_at_work.glob("*.json")) == []


def test_a_build_at_a_terminal_waits_for_the_run_of_the_daemon_that_builds_the_same(backfilled: Backfilled) -> None:
    run = backfilled.stopped
    assert backfilled.told.startswith(f"waiting for run {run.run_id[:8]} (build_dataset, process {run.pid} on ")
    # And then it builds.
    assert re.search(r"^  \w+ +\d+ rows", backfilled.told, re.MULTILINE)


def test_a_backfill_that_is_killed_twice_ends_with_the_tables_of_an_undisturbed_build(
    backfilled: Backfilled, tmp_path: Path
) -> None:
    latest = {run.tags["dagster/partition"]: run.status for run in reversed(backfilled.runs)}
    assert latest == dict.fromkeys(DOMAINS, SUCCESS)
    draw_library(tmp_path)
    assert errors_of(build(tmp_path)) == []
    for name, table in TABLES.items():
        for domain in DOMAINS if table.is_partitioned else ():
            expected, got = (
                [
                    {key: value for key, value in row.items() if not key.endswith("_at")}
                    for row in rows(one, name, domain)
                ]
                for one in (tmp_path, backfilled.home)
            )
            assert got == expected, (name, domain)


def test_a_backfill_of_all_domains_runs_once_per_domain_and_each_is_checked(backfilled: Backfilled) -> None:
    home, instance, runs, *_ = backfilled
    (backfill,) = instance.get_backfills()
    asked = [run for run in runs if run.tags.get("dagster/backfill") == backfill.backfill_id]
    assert sorted(run.tags["dagster/partition"] for run in asked if not run.parent_run_id) == sorted(DOMAINS)
    assert backfill.status not in (BulkActionStatus.FAILED, BulkActionStatus.COMPLETED_FAILED)
    evaluations = [
        event.asset_check_evaluation_data
        for run in runs
        for event in (
            record.event_log_entry.dagster_event for record in instance.get_records_for_run(run.run_id).records
        )
        if event and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    # A check belongs to the domain that was checked, not to all.
    assert {evaluation.partition for evaluation in evaluations} == set(DOMAINS)
    for domain in DOMAINS:
        (clip,) = rows(home, "clips", domain)
        assert [row["clip_id"] for row in rows(home, "captions", domain)] == [clip["clip_id"]]
        assert (home / "warehouse" / "benchmark_split" / f"domain={domain}" / "part-0.parquet").is_file()
