"""Which runs are at work in a home, whoever has started them: a file a run, locked as long as its process lives.

A run claims what it writes, and waits for the runs before it that claim some of the same. Its file says which run it
is, of which process, since when, and what it claims. The kernel lets go of the lock when the process dies, however that
happens (`flock`): a file that nobody holds is what a dead run has left. Whoever ends in order removes its file.

Belongs here: claiming, waiting, and what was left. Does not belong here: what a run claims (`orchestration.run_lock`),
and what becomes of dead ones (`orchestration.dead_runs`).
"""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from emovid_assets.core.placing import make_folder, move_into_place, temporary_beside
from emovid_assets.home.file_lock import locked

SUFFIX = ".json"
MUTEX = "one-at-a-time"
"""Held for a moment by whoever begins or looks whether it may."""
LOOK_AGAIN_S = 1.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_own_runs: ContextVar[frozenset[str]] = ContextVar("emovid_own_runs", default=frozenset())
"""Runs that this thread holds already: what it begins inside of them must not wait for them."""


@dataclass(frozen=True)
class RunRecord:
    """A run as its file names it. `number`: runs with lower ones came before. `claims`: what nobody else may have."""

    run_id: str
    job: str = ""
    pid: int = 0
    host: str = ""
    boot: str = ""
    since: str = ""
    number: int = 0
    claims: tuple[str, ...] = ()
    inode: int = 0

    @property
    def told(self) -> str:
        return f"run {self.run_id[:8]} ({self.job}, process {self.pid} on {self.host}, since {self.since} UTC)"

    @property
    def is_of_this_machine(self) -> bool:
        """Of this kernel, whichever container; or of a machine of this name before it was started again.

        Some disks of a network show the locks of one machine to no other, so a lock that is free says nothing there.
        """
        return bool(self.boot) and (self.boot == _boot() or self.host == socket.gethostname())


class RunLocks:
    """The runs of one home; `folder` is made when the first begins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(
        self,
        run_id: str,
        job: str,
        claims: Mapping[str, int],
        told: Callable[[str], None],
        still_wanted: Callable[[], None] = lambda: None,
    ) -> Iterator[None]:
        """Held while a run is at work. Waits for runs before it that claim the same; `told` is given a sentence then.

        `claims`: each with how many runs may have it at once. `still_wanted`: called about once a second while it
        waits, and may raise. A run that is held already, by the process that began this one for a step, is not held
        twice.
        """
        own = self._begin(run_id, job, claims)
        if own is None:
            yield
            return
        file, record = own
        outer = _own_runs.get()
        with file:
            try:
                self._wait(record, claims, outer, told, still_wanted)
                _own_runs.set(outer | {run_id})
                yield
            finally:
                _own_runs.set(outer)
                self._path(run_id).unlink(missing_ok=True)

    def settle(self, settled: Callable[[RunRecord, bool], bool]) -> None:
        """Hands over each run that was left by its process, and removes the file of those that are settled.

        Whether the file is a copy of the one that the run had made is handed over beside. Nobody else settles the same,
        and no run begins meanwhile.
        """
        if not self._paths():
            return
        with self._one_at_a_time():
            for path in self._paths():
                with _opened(path) as file:
                    if file is not None and _try_lock(file, fcntl.LOCK_EX) and _is_at(file, path):
                        record = _read(file, path.stem)
                        if settled(record, record.inode != os.fstat(file.fileno()).st_ino):
                            path.unlink(missing_ok=True)

    def at_work(self) -> list[RunRecord]:
        """Runs whose process lives, the first one first."""
        found = []
        for path in self._paths():
            with _opened(path) as file:
                if file is not None and not _try_lock(file, fcntl.LOCK_SH):
                    found.append(_read(file, path.stem))
        return sorted(found, key=lambda record: record.number)

    def _begin(self, run_id: str, job: str, claims: Mapping[str, int]) -> tuple[BinaryIO, RunRecord] | None:
        """The run's file, locked before it can be seen; null where the run has one already."""
        make_folder(self._folder)
        path = self._path(run_id)
        with self._one_at_a_time():
            others = self.at_work()
            if any(other.run_id == run_id for other in others):
                return None
            with temporary_beside(path) as temporary, contextlib.ExitStack() as undo:
                file = undo.enter_context(temporary.open("w+b"))
                fcntl.flock(file, fcntl.LOCK_EX)
                record = RunRecord(
                    run_id=run_id,
                    job=job,
                    pid=os.getpid(),
                    host=socket.gethostname(),
                    boot=_boot(),
                    since=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
                    number=max((other.number for other in others), default=0) + 1,
                    claims=tuple(claims),
                    inode=os.fstat(file.fileno()).st_ino,
                )
                file.write(json.dumps(asdict(record)).encode())
                file.flush()
                move_into_place(temporary, path)
                undo.pop_all()
                return file, record

    def _wait(
        self,
        own: RunRecord,
        claims: Mapping[str, int],
        outer: frozenset[str],
        told: Callable[[str], None],
        still_wanted: Callable[[], None],
    ) -> None:
        said = ""
        while True:
            with self._one_at_a_time():
                before = [run for run in self.at_work() if run.number < own.number and run.run_id not in outer]
            sentence = _in_the_way(before, claims)
            if sentence and sentence != said:
                told(sentence)
                said = sentence
            if said:
                # Also after it has waited: somebody may have ended it meanwhile.
                still_wanted()
            if not sentence:
                return
            time.sleep(LOOK_AGAIN_S)

    def _one_at_a_time(self) -> contextlib.AbstractContextManager[None]:
        return locked(self._folder / MUTEX)

    def _path(self, run_id: str) -> Path:
        return self._folder / f"{run_id}{SUFFIX}"

    def _paths(self) -> list[Path]:
        found = (path for path in self._folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))
        # Whatever else somebody has put there is no run.
        return sorted(path for path in found if path.is_file())


def _in_the_way(before: Sequence[RunRecord], claims: Mapping[str, int]) -> str:
    """What is waited for, as a sentence; empty where nothing is."""
    for claim, at_once in claims.items():
        those = [run for run in before if claim in run.claims]
        if len(those) >= max(1, at_once):
            return f"waiting for {those[0].told}: it has {claim}"
    return ""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """Null where it is gone meanwhile."""
    try:
        # For writing where possible: network disks lock alone only what may be written.
        file = path.open("r+b" if os.access(path, os.W_OK) else "rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file


def _try_lock(file: BinaryIO, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether it is still the file of this name: its run may have ended since it was opened."""
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def _read(file: BinaryIO, run_id: str) -> RunRecord:
    """What a file says; of one that a failing disk has spoilt, which run it is of."""
    try:
        facts = json.loads(file.read())
        known = {one.name: facts[one.name] for one in fields(RunRecord) if one.name in facts}
        return RunRecord(**{**known, "claims": tuple(facts["claims"]), "run_id": run_id})
    except (ValueError, TypeError, KeyError):
        return RunRecord(run_id)


def _boot() -> str:
    """Which start of which kernel this is, one for all containers of a machine. Empty where the system does not say."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
