"""One lock of a run: who waits for whom, what is told, and what a process leaves that dies."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.home import run_locks
from emovid_assets.home.run_locks import RunLocks, RunRecord
from emovid_assets_tests.assets.homes import ROOT

HOLDING = """
import sys, time
from pathlib import Path
from emovid_assets.home.run_locks import RunLocks
with RunLocks(Path(sys.argv[1])).held(sys.argv[2], "build_dataset", {"clips [movie]": 1}, print):
    print("held", flush=True)
    time.sleep(60)
"""


class Holder:
    """Another process with a run."""

    def __init__(self, folder: Path, run_id: str) -> None:
        command = [sys.executable, "-c", HOLDING, str(folder), run_id]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdout
        assert self._process.stdout.readline() == b"held\n"
        self.pid = self._process.pid

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_locks, "LOOK_AGAIN_S", 0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".runs"


class MustWaitError(Exception):
    """Raised in place of waiting: a run has to."""


def stop(sentence: str) -> None:
    raise MustWaitError(sentence)


def must_wait(locks: RunLocks, *claims: str, at_once: int = 1) -> str:
    """The sentence that a run is told that may not begin; empty where it may."""
    try:
        with locks.held("other", "job", dict.fromkeys(claims, at_once), stop):
            return ""
    except MustWaitError as error:
        return str(error)


def in_another_thread(use: Callable[[], list[Any]]) -> list[Any]:
    with ThreadPoolExecutor(1) as other:
        return other.submit(use).result()


def left_by(locks: RunLocks) -> list[tuple[RunRecord, bool]]:
    """What was left, with whether it is a copy; it stays."""
    found: list[tuple[RunRecord, bool]] = []

    def note(record: RunRecord, is_copy: bool) -> bool:
        found.append((record, is_copy))
        return False

    locks.settle(note)
    return found


def test_a_run_waits_for_one_that_has_the_same_place_and_for_no_other(folder: Path) -> None:
    locks = RunLocks(folder)
    claims = ("clips [movie]", "clips [sticker]", "labels [movie]")
    with locks.held("first", "job", {"clips [movie]": 1, "segments [movie]": 1}, stop):
        waited = in_another_thread(lambda: [claim for claim in claims if must_wait(locks, claim)])
    assert waited == ["clips [movie]"]
    assert must_wait(locks, "clips [movie]") == ""
    assert [path.name for path in folder.iterdir()] == [run_locks.MUTEX]


def test_as_many_runs_have_a_pool_as_its_limit_says(folder: Path) -> None:
    locks = RunLocks(folder)
    with locks.held("first", "job", {"pool media": 1}, stop):
        waited = in_another_thread(
            lambda: [limit for limit in range(3) if must_wait(locks, "pool media", at_once=limit)]
        )
    assert waited == [0, 1]


def test_runs_come_in_the_order_in_which_they_began(folder: Path) -> None:
    locks, order, is_told = RunLocks(folder), [], [threading.Event() for _ in range(3)]

    def take(number: int) -> None:
        told = lambda sentence: is_told[number].set()  # noqa: E731
        with locks.held(f"run-{number}", "job", {"clips [movie]": 1}, told):
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(3)]
    with locks.held("first", "job", {"clips [movie]": 1}, stop):
        for thread, told in zip(threads, is_told, strict=True):
            thread.start()
            assert told.wait(10)
        assert [run.run_id for run in locks.at_work()] == ["first", "run-0", "run-1", "run-2"]
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2]


def test_a_run_inside_of_another_does_not_wait_for_it_and_a_step_of_a_run_not_for_the_run(folder: Path) -> None:
    locks = RunLocks(folder)
    with locks.held("outer", "job", {"clips [movie]": 1}, stop):
        assert must_wait(locks, "clips [movie]") == ""
        with locks.held("outer", "job", {"clips [movie]": 1}, stop):
            pass
        # The step is over and the run is not.
        assert [run.run_id for run in locks.at_work()] == ["outer"]


def test_a_run_that_is_not_wanted_any_more_stops_waiting_and_leaves_nothing(folder: Path) -> None:
    locks, ended = RunLocks(folder), []

    def wait() -> None:
        looks = iter([True, True, False])

        def still_wanted() -> None:
            if not next(looks):
                raise MustWaitError

        try:
            with locks.held("second", "job", {"clips [movie]": 1}, lambda sentence: None, still_wanted):
                ended.append("began")
        except MustWaitError:
            ended.append("stopped")

    with locks.held("first", "job", {"clips [movie]": 1}, stop), ThreadPoolExecutor(1) as other:
        other.submit(wait).result()
        assert ended == ["stopped"]
        assert [run.run_id for run in locks.at_work()] == ["first"]


@pytest.mark.integration
def test_the_lock_of_a_process_that_is_killed_is_free_and_its_file_says_whose_it_was(folder: Path) -> None:
    holder, locks = Holder(folder, "dead-run"), RunLocks(folder)
    try:
        said = must_wait(locks, "clips [movie]")
        assert said.startswith(f"waiting for run dead-run (build_dataset, process {holder.pid} on ")
        assert said.endswith(" UTC): it has clips [movie]")
        # One that is alive is never handed over.
        assert left_by(locks) == []
    finally:
        holder.kill()
    assert must_wait(locks, "clips [movie]") == ""
    ((record, is_copy),) = left_by(locks)
    assert (record.run_id, record.pid, record.claims, is_copy) == ("dead-run", holder.pid, ("clips [movie]",), False)
    assert record.is_of_this_machine
    locks.settle(lambda record, is_copy: True)
    assert left_by(locks) == []


def planted(folder: Path, run_id: str, **facts: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{run_id}.json"
    path.write_text(json.dumps({"claims": [], **facts}), encoding="utf-8")
    return path


def test_a_file_of_another_machine_of_a_copied_home_or_without_content_is_known_as_such(folder: Path) -> None:
    locks = RunLocks(folder)
    here = {"host": run_locks.socket.gethostname(), "boot": "another one"}
    planted(folder, "elsewhere", host="another", boot="another one")
    after_a_power_cut = planted(folder, "before", **here)
    planted(folder, "before", **here, inode=after_a_power_cut.stat().st_ino)
    shutil.copy(after_a_power_cut, folder / "copied.json")
    (folder / "spoilt.json").write_bytes(b"\x00\x00")
    found = {record.run_id: (record.is_of_this_machine, is_copy) for record, is_copy in left_by(locks)}
    assert found == {
        "before": (True, False),
        "copied": (True, True),
        "elsewhere": (False, True),
        "spoilt": (False, True),
    }


def test_where_the_system_does_not_say_since_when_it_runs_nothing_is_taken_for_dead(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run_locks, "BOOT_ID", tmp_path / "missing")
    planted(folder, "run", host=run_locks.socket.gethostname(), boot="")
    ((record, _),) = left_by(RunLocks(folder))
    assert not record.is_of_this_machine


def test_what_is_no_file_is_no_run(folder: Path) -> None:
    (folder / "folder.json").mkdir(parents=True)
    os.mkfifo(folder / "pipe.json")
    with RunLocks(folder).held("one", "build_dataset", {"clips [movie]": 1}, print):
        assert [run.run_id for run in RunLocks(folder).at_work()] == ["one"]
