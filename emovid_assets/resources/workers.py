"""Worker processes: each takes item after item, may die alone, and it is known on which item it died.

Belongs here: starting, feeding, limiting and ending processes. Does not belong here: what an item is, or what
becomes of its result (`compute`).

An idle worker is handed a batch of items, so short that its length does not matter (`BATCH_S`), and sends every
result as soon as it has it. So the parent always knows which item a worker is at: the time limit holds for that
item alone, and when a worker is gone, that item is the guilty one and the rest of its batch goes to another worker.
"""

import contextlib
import errno
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, TypeVar, cast

from emovid_assets.core.placing import DISK_FAULTS
from emovid_assets.core.video.errors import MediaError, sentence
from emovid_assets.core.vlm.exchange import Meter

Function = Callable[[dict[str, Any]], dict[str, Any]]
Task = tuple[str, dict[str, Any]]
"""(item id, arguments)"""

BATCH_S = 0.25
"""A batch is as many items as take about this long: handing one over costs a fifth of a millisecond."""
LONGEST_BATCH = 256
STARTS_BEFORE_GIVING_UP = 3
READY, BROKEN = "ready", "broken"
OUT_OF_MEMORY = "too_large"

_CONTEXT = multiprocessing.get_context("spawn")
"""Spawned workers import the step's module only; forking a process that holds threads is unsafe."""


@dataclass(frozen=True)
class Done:
    """The end of one item: a payload, or a code of `core.video.errors` with its sentence."""

    item_id: str
    payload: dict[str, Any] | None
    code: str = ""
    message: str = ""
    exit_code: int | None = None
    """Of the process that ended over it, where it was not asked to."""


@dataclass(frozen=True)
class ModelWork:
    """What a process elsewhere needs for work with a model that it loads once and keeps.

    `function` is one of a module: it is called with tasks and, by name, `threads` to read ahead with, a `meter` of its
    own and these plain `arguments`, and ends every task. `at_once`: tasks of one call. `meter` is told of all calls.
    """

    function: Callable[..., Iterable[list[Done]]]
    arguments: dict[str, Any]
    at_once: int
    meter: Meter


class WorkersCannotStartError(RuntimeError):
    """No worker comes up; the message says what to do."""


@dataclass
class _Worker:
    process: Any
    connection: Connection
    is_ready: bool = False
    batch: deque[Task] = field(default_factory=deque)
    """What it has been handed and has not answered; it is at the first."""
    since: float = 0.0
    """When it began the item that it is at."""


class Workers:
    """Up to `count` processes, started when there is work for them. `memory_mb` limits each; 0: no limit."""

    def __init__(self, count: int, memory_mb: int = 0) -> None:
        self._count = count
        self._memory_mb = memory_mb
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def run(self, function: Function, tasks: Iterable[Task], timeout_s: float) -> Generator[list[Done]]:
        """Ends of all tasks, in lists of what came in at the same moment; the first task begins first.

        An item that takes longer than `timeout_s` ends as `timeout`, one on which its worker dies as
        `decoder_crashed`. Raises WorkersCannotStartError.
        """
        waiting = deque(tasks)
        open_count = len(waiting)
        self._failed_starts = 0
        item_s = BATCH_S
        try:
            while open_count:
                self._start(min(self._count, open_count))
                self._hand_out(function, waiting, item_s)
                began = time.monotonic()
                done: list[Done] = []
                for worker in self._listen(timeout_s):
                    done += self._receive(worker, waiting, timeout_s)
                if done:
                    # Long items first makes this an estimate from above, and a batch rather too short.
                    busy_s = (time.monotonic() - began) * len(self._workers) / len(done)
                    item_s += (max(busy_s, 1e-4) - item_s) * min(1.0, 0.1 * len(done))
                    open_count -= len(done)
                    yield done
        finally:
            # Left early: whoever still works, works for nobody.
            for worker in [worker for worker in self._workers if worker.batch]:
                self._discard(worker)

    def close(self) -> None:
        """Ends all processes; they hold nothing that would need saving."""
        for worker in list(self._workers):
            self._discard(worker)

    def _start(self, wanted: int) -> None:
        while len(self._workers) < wanted:
            ours, theirs = _CONTEXT.Pipe()
            process = _CONTEXT.Process(target=_work, args=(theirs, self._memory_mb), daemon=True, name="emovid-worker")
            process.start()
            # Only with their end closed here does the end of the process show as the end of the pipe.
            theirs.close()
            self._workers.append(_Worker(process, ours))

    def _hand_out(self, function: Function, waiting: deque[Task], item_s: float) -> None:
        for worker in self._workers:
            if not waiting:
                return
            if worker.batch or not worker.is_ready:
                continue
            fair = len(waiting) // (2 * self._count)
            size = max(1, min(int(BATCH_S / item_s), fair, LONGEST_BATCH))
            worker.batch.extend(waiting.popleft() for _ in range(min(size, len(waiting))))
            worker.since = time.monotonic()
            # A worker that has just died is found by `_listen`.
            with contextlib.suppress(OSError):
                worker.connection.send((function, [arguments for _, arguments in worker.batch]))

    def _listen(self, timeout_s: float) -> list[_Worker]:
        """The workers that have something to say, or are over time."""
        now = time.monotonic()
        limits = [worker.since + timeout_s - now for worker in self._workers if worker.batch]
        ready = set(wait([worker.connection for worker in self._workers], max(0.0, min(limits)) if limits else None))
        late = time.monotonic() - timeout_s
        return [w for w in self._workers if w.connection in ready or (w.batch and w.since <= late)]

    def _receive(self, worker: _Worker, waiting: deque[Task], timeout_s: float) -> list[Done]:
        done: list[Done] = []
        try:
            while worker.connection.poll():
                answer = worker.connection.recv()
                worker.since = time.monotonic()
                if answer == READY:
                    worker.is_ready = True
                elif answer[0] == BROKEN:
                    self._discard(worker)
                    self._give_back(worker, waiting)
                    self._failed_start(answer[1])
                    return done
                else:
                    self._failed_starts = 0
                    item_id, _ = worker.batch.popleft()
                    is_spent, *end = answer
                    done.append(Done(item_id, *end))
                    if is_spent:
                        self._discard(worker)
                        self._give_back(worker, waiting)
                        return done
        except (EOFError, OSError):
            code = "decoder_crashed"
        else:
            if not worker.batch or time.monotonic() - worker.since < timeout_s:
                return done
            code = "timeout"
        exit_code = self._discard(worker)
        if worker.batch:
            item_id, _ = worker.batch.popleft()
            detail = f"The worker ended with exit code {exit_code}" if code == "decoder_crashed" else ""
            done.append(Done(item_id, None, code, sentence(code, detail), None if code == "timeout" else exit_code))
            self._give_back(worker, waiting)
        elif not worker.is_ready:
            self._failed_start(f"exit code {exit_code}")
        return done

    def _failed_start(self, reason: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= STARTS_BEFORE_GIVING_UP:
            raise WorkersCannotStartError(
                f"Worker processes end before they can work ({reason}). Where memory is the reason, raise "
                f"media.memory_mb (now {self._memory_mb}) or lower media.workers."
            )

    @staticmethod
    def _give_back(worker: _Worker, waiting: deque[Task]) -> None:
        """The items that it has not begun go back to the front, where they came from."""
        waiting.extendleft(reversed(worker.batch))
        worker.batch.clear()

    def _discard(self, worker: _Worker) -> int | None:
        """Ends the process and returns its exit code."""
        self._workers.remove(worker)
        # SIGKILL: a decoder that hangs listens to nothing else. One that has ended keeps its exit code.
        worker.process.kill()
        worker.process.join()
        exit_code: int | None = worker.process.exitcode
        worker.connection.close()
        worker.process.close()
        return exit_code


class Pool(Protocol):
    """What computes items: `Workers`, or workers elsewhere that are asked in the same way."""

    def run(self, function: Function, tasks: Iterable[Task], timeout_s: float) -> Generator[list[Done]]: ...

    def close(self) -> None: ...


P = TypeVar("P", bound=Pool)
_kept: ContextVar[dict[Hashable, Pool] | None] = ContextVar("emovid_kept_workers", default=None)


@contextmanager
def kept_alive() -> Iterator[None]:
    """Within it, steps share their workers: a start costs a third of a CPU-second for each."""
    kept: dict[Hashable, Pool] = {}
    _kept.set(kept)
    try:
        yield
    finally:
        _kept.set(None)
        for pool in kept.values():
            pool.close()


@contextmanager
def open_pool(key: Hashable, make: Callable[[], P]) -> Iterator[P]:
    """The pool of this key of `kept_alive`, or one for this use only."""
    kept = _kept.get()
    if kept is not None:
        if key not in kept:
            kept[key] = make()
        yield cast(P, kept[key])
        return
    pool = make()
    try:
        yield pool
    finally:
        pool.close()


def open_workers(count: int, memory_mb: int) -> AbstractContextManager[Workers]:
    """Processes of this machine."""
    return open_pool((count, memory_mb), lambda: Workers(count, memory_mb))


def _work(connection: Connection, memory_mb: int) -> None:
    """The life of a worker: batches in, one answer an item out, until the pipe or the parent ends."""
    _prepare(memory_mb)
    connection.send(READY)
    with contextlib.suppress(EOFError, OSError):
        while True:
            try:
                function, batch = connection.recv()
            except (EOFError, OSError):
                return
            except BaseException as error:  # noqa: BLE001 - the step cannot be loaded, which is no item's fault
                connection.send((BROKEN, f"{type(error).__name__}: {error}"))
                return
            for arguments in batch:
                answer = _answer(function, arguments, memory_mb)
                connection.send(answer)
                if answer[0]:
                    # What a failed allocation leaves behind is not worth finding out; the parent ends this worker.
                    threading.Event().wait()


def _prepare(memory_mb: int) -> None:
    # Ctrl-C reaches the whole group; the parent ends its workers by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Where memory runs out, the kernel should choose a worker, not the build.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    import cv2

    # The processes share the cores already.
    cv2.setNumThreads(1)
    if memory_mb and sys.platform == "linux":
        import resource

        # Data, not address space: mapped files and libraries cost nothing.
        limit = memory_mb * 1024 * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(function: Function, arguments: dict[str, Any], memory_mb: int) -> tuple[Any, ...]:
    """Whether memory ran out, which leaves the worker spent; then a payload, or null with a code and a message.

    Nothing that an item does may end the worker.
    """
    try:
        return False, function(arguments)
    except BaseException as error:  # noqa: BLE001 - whatever a step raises must end as a row
        if _is_out_of_memory(error):
            return (
                True,
                None,
                OUT_OF_MEMORY,
                f"Reading the file needs more memory than media.memory_mb = {memory_mb} allows. Scale it down, or "
                "raise the limit and build again.",
            )
        if isinstance(error, MediaError):
            return False, None, error.code, str(error)
        # Steps read through libraries with errors of their own: what the disk itself says, it says to a writer.
        is_disk = isinstance(error, OSError) and error.errno in DISK_FAULTS
        code = "write_failed" if is_disk else "unexpected_error"
        return False, None, code, sentence(code, f"{type(error).__name__}: {error}")


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an allocation failed somewhere below: Python's, FFmpeg's ENOMEM or OpenCV's."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if type(error).__module__.startswith("cv2") and "Insufficient memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
