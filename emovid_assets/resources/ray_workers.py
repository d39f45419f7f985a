"""Workers of a Ray cluster: actors that each keep one worker process, handed items and watched from here.

Belongs here: joining a cluster, starting, feeding and ending actors, doing elsewhere what was lost with a node. Does
not belong here: what a worker process does with an item, its limits and who is to blame (`workers`); where the home
lies on a node (`ray_places`).

An actor holds a process of `workers.Workers`, so an item that crashes, hangs or devours memory ends that process, with
the code and the sentence that it has on one machine, and the actor goes on. An actor that dies was killed with its
node, or by somebody: nobody is blamed, and what it had in hand is done elsewhere, each item alone. Only an item with
which so many workers are lost that it cannot be chance (`MOST_LOSSES`) ends, as `decoder_crashed`.

Ray starts no actor again and repeats no call: its own retries never end where an item takes its worker along. Only
arguments and payloads travel, one call in flight for each actor, so the object store holds no more than that.
"""

import contextlib
import logging
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

from emovid_assets.core.video.errors import sentence
from emovid_assets.core.vlm.exchange import Meter
from emovid_assets.home.settings import ComputeSettings, StepResources
from emovid_assets.resources import ray_places
from emovid_assets.resources.workers import (
    BATCH_S,
    LONGEST_BATCH,
    STARTS_BEFORE_GIVING_UP,
    Done,
    Function,
    ModelWork,
    Task,
    Workers,
    WorkersCannotStartError,
)

LOG = logging.getLogger("emovid")

MOST_LOSSES = 5
"""Workers that are lost with one item before it is blamed."""
LATE_S = 60.0
"""Beyond the limits of its items, after which an actor that does not answer is given up."""
LOOK_S = 2.0
"""Between two looks at what the cluster has room for."""
MODEL_TIMEOUT_S = 3600.0
"""For one item of a model, with its loading: beyond it, the actor is given up."""
NO_ROOM_S = 60.0
"""For which a cluster without any place is waited for: a node that is lost may come back."""
WAITING_TOLD_S = 30.0
STORE_BYTES = 200 * 1024 * 1024
"""Of the object store of a cluster that is started here: payloads, never films."""


class Keeper:
    """In an actor: one worker process, started with the first batch."""

    def __init__(self, given: ray_places.Shared, memory_mb: int) -> None:
        main = sys.modules["__main__"]
        # A spawned process would import the main module of Ray's worker, and Ray with it.
        if hasattr(main, "__file__"):
            del main.__file__
        self._given = given
        self._workers = Workers(1, memory_mb)
        self._home = ""

    def hello(self) -> str:
        """What is wrong with this node; empty where nothing is."""
        self._home, fault = ray_places.found_on_this_node(self._given)
        return fault

    def run(self, pickled: bytes, batch: list[Task], timeout_s: float) -> list[Done] | str:
        """Ends of all items, or why no item can be worked on here."""
        try:
            function: Function = pickle.loads(pickled)
        except BaseException as error:  # noqa: BLE001 - the step cannot be loaded, which is no item's fault
            return f"{type(error).__name__}: {error}"
        tasks = [(item_id, ray_places.local(arguments, self._home)) for item_id, arguments in batch]
        try:
            return [self._told(done) for ends in self._workers.run(function, tasks, timeout_s) for done in ends]
        except WorkersCannotStartError as error:
            return str(error)

    def run_model(self, pickled: bytes, batch: list[Task], threads: int) -> tuple[list[Done], Meter] | Exception:
        """Ends of all items by the model, which is loaded with the first; or why it cannot be used."""
        try:
            work: ModelWork = ray_places.local(pickle.loads(pickled), self._home)
            tasks = [(item_id, ray_places.local(arguments, self._home)) for item_id, arguments in batch]
            meter = Meter()
            ends = work.function(tasks, threads=threads, meter=meter, **work.arguments)
            return [self._told(done) for several in ends for done in several], meter
        except Exception as error:  # noqa: BLE001 - of the model or of its code: the run is told, as if it were here
            return _as_sent(error)

    def _told(self, done: Done) -> Done:
        """As it would be told on the machine of the run."""
        if self._home == self._given.root:
            return done
        return replace(done, message=done.message.replace(self._home, self._given.root))


def _as_sent(error: Exception) -> Exception:
    """The error, or one that says the same where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - errors of libraries with arguments of their own
        return WorkersCannotStartError(f"{type(error).__name__}: {error}")
    return error


@dataclass
class _Owed:
    """An item that has not ended, and how many workers were lost with it."""

    task: Task
    losses: int = 0


@dataclass(frozen=True)
class _Asked:
    """What an actor is asked for a batch, and for how long one item may take."""

    pickled: bytes
    timeout_s: float
    model: ModelWork | None = None

    def call(self, handle: Any, batch: list[_Owed], threads: int) -> Any:
        tasks = [owed.task for owed in batch]
        if self.model is not None:
            return handle.run_model.remote(self.pickled, tasks, threads)
        return handle.run.remote(self.pickled, tasks, self.timeout_s)

    def size(self, item_s: float, fair: int) -> int:
        """Of a batch."""
        if self.model is not None:
            return max(1, min(self.model.at_once, fair))
        return max(1, min(int(BATCH_S / item_s), fair, LONGEST_BATCH))


@dataclass
class _Actor:
    handle: Any
    call: Any
    """What it has not answered yet: first `hello`, then a batch; null where it is idle."""
    is_ready: bool = False
    batch: list[_Owed] = field(default_factory=list)
    since: float = 0.0


class RayWorkers:
    """Actors of a cluster, started when there is work for them. Of several in a process, one has actors at a time."""

    _all: ClassVar[WeakSet["RayWorkers"]] = WeakSet()

    def __init__(self, settings: ComputeSettings, home: Path) -> None:
        self._settings = settings
        self._join(settings)
        try:
            self._given = ray_places.shared(home, settings.home_on_workers)
        except OSError as error:
            raise WorkersCannotStartError(f"{home} cannot be written, and workers could not either: {error}") from error
        self._actors: list[_Actor] = []
        self._needs = StepResources(step="none")
        self._wanted = self._memory_mb = 0
        self._failed_starts = 0
        self._room = 0
        self._looked_at = self._roomy_at = self._answered_at = time.monotonic()
        self._told: set[str] = set()
        self._all.add(self)

    def prepare(self, needs: StepResources, wanted: int, memory_mb: int) -> None:
        """What the next step needs. `wanted` 0: as many workers as there is room for; `memory_mb` limits each."""
        if (*self._sizes(needs), memory_mb) != (*self._sizes(self._needs), self._memory_mb):
            # Those of the step before hold the places that these need.
            self._end_actors(list(self._actors))
        for other in self._all:
            if other is not self:
                other._end_actors([actor for actor in other._actors if actor.call is None])
        self._needs, self._wanted, self._memory_mb = needs, wanted, memory_mb
        self._looked_at = 0.0

    def run(self, function: Function, tasks: Iterable[Task], timeout_s: float) -> Generator[list[Done]]:
        """As `workers.Workers.run`: ends of all tasks, whatever happens to workers and nodes.

        Raises WorkersCannotStartError where no node can work, or the cluster has no place for a worker.
        """
        return self._run(_Asked(pickle.dumps(function), timeout_s), tasks)

    def run_model(self, work: ModelWork, tasks: Iterable[Task]) -> Generator[list[Done]]:
        """The same by actors that hold a model; also raises what the model's own code does."""
        sent = replace(work, arguments=ray_places.portable(work.arguments, self._given.root), meter=Meter())
        return self._run(_Asked(pickle.dumps(sent), MODEL_TIMEOUT_S, work), tasks)

    def _run(self, asked: _Asked, tasks: Iterable[Task]) -> Generator[list[Done]]:
        waiting = deque(_Owed((item_id, ray_places.portable(known, self._given.root))) for item_id, known in tasks)
        open_count = len(waiting)
        self._failed_starts = 0
        self._roomy_at = self._answered_at = time.monotonic()
        item_s = BATCH_S
        try:
            while open_count:
                self._start(open_count)
                self._hand_out(asked, waiting, item_s)
                done: list[Done] = []
                for actor in self._heard(asked.timeout_s):
                    ended, began = self._answer(actor, waiting, asked), actor.since
                    if ended:
                        each_s = (time.monotonic() - began) / len(ended)
                        item_s += (max(each_s, 1e-4) - item_s) * min(1.0, 0.1 * len(ended))
                        done += ended
                if done:
                    open_count -= len(done)
                    yield done
        finally:
            # Left early: whoever still works, works for nobody.
            self._end_actors([actor for actor in self._actors if actor.batch])

    def close(self) -> None:
        """Ends all actors, and with them their processes."""
        self._end_actors(list(self._actors))
        ray_places.forget(self._given)

    @staticmethod
    def _join(settings: ComputeSettings) -> None:
        # Nothing is reported to anybody. Read when Ray is imported first.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise WorkersCannotStartError(
                'compute.engine is "ray", and Ray is not installed: pip install "emovid-assets[ray]"'
            ) from error
        if ray.is_initialized():
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
        try:
            with _own_signals():
                if settings.ray_address:
                    ray.init(address=settings.ray_address, **quiet)
                else:
                    ray.init(
                        address="local",
                        include_dashboard=False,
                        object_store_memory=STORE_BYTES,
                        _node_ip_address="127.0.0.1",
                        **quiet,
                    )
        except Exception as error:
            where = settings.ray_address or "of this machine"
            raise WorkersCannotStartError(
                f"The Ray cluster {where} cannot be joined (compute.ray_address): {error}"
            ) from error

    @staticmethod
    def _sizes(needs: StepResources) -> tuple[float, float, int]:
        return needs.cpus, needs.gpus, needs.memory_mb

    def _start(self, open_count: int) -> None:
        """Actors up to what is wanted, needed, and fits: others would wait for ever, in silence."""
        import ray

        now = time.monotonic()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._room = sum(_places(node["Resources"], self._needs) for node in ray.nodes() if node["Alive"])
            if self._room:
                self._roomy_at = now
            elif not self._actors and now - self._roomy_at > NO_ROOM_S:
                raise WorkersCannotStartError(
                    f"No node of the Ray cluster has room for a worker of {self._needs.step}, which takes "
                    f"{_said(self._needs)}. Add a node, or lower compute.cpus or its table in [[compute.steps]]"
                )
            if self._wanted > self._room:
                self._tell(f"The Ray cluster has room for {self._room} of media.workers = {self._wanted} workers")
        count = min(self._wanted or self._room, self._room, open_count)
        while len(self._actors) < count:
            remote = ray.remote(Keeper).options(
                num_cpus=self._needs.cpus,
                num_gpus=self._needs.gpus,
                memory=self._needs.memory_mb * 1024 * 1024 or None,
                max_restarts=0,
                max_task_retries=0,
                scheduling_strategy="SPREAD",
            )
            handle = remote.remote(self._given, self._memory_mb)
            self._actors.append(_Actor(handle, handle.hello.remote(), since=now))
        if not any(actor.is_ready for actor in self._actors) and now - self._answered_at > WAITING_TOLD_S:
            self._tell("No worker of the Ray cluster has come up yet: others may hold its places. Waiting")

    def _hand_out(self, asked: _Asked, waiting: deque[_Owed], item_s: float) -> None:
        for actor in self._actors:
            if not waiting:
                return
            if actor.call is not None:
                continue
            size = asked.size(item_s, len(waiting) // (2 * max(1, self._room)))
            while waiting and len(actor.batch) < size:
                if waiting[0].losses and actor.batch:
                    break
                actor.batch.append(waiting.popleft())
                if actor.batch[-1].losses:
                    # Alone, so that it is known who it was if the next worker is lost too.
                    break
            actor.since = time.monotonic()
            actor.call = asked.call(actor.handle, actor.batch, max(1, int(self._needs.cpus)))

    def _heard(self, timeout_s: float) -> list[_Actor]:
        """The actors that have something to say, or are over time."""
        import ray

        calls = {actor.call: actor for actor in self._actors if actor.call is not None}
        if not calls:
            time.sleep(0.1)
            return []
        ray.wait(list(calls), timeout=LOOK_S)
        heard, _ = ray.wait(list(calls), num_returns=len(calls), timeout=0)
        now = time.monotonic()
        late = [
            actor
            for call, actor in calls.items()
            if call not in heard and actor.batch and now - actor.since > len(actor.batch) * timeout_s + LATE_S
        ]
        return [calls[call] for call in heard] + late

    def _answer(self, actor: _Actor, waiting: deque[_Owed], asked: _Asked) -> list[Done]:
        import ray

        try:
            answer = ray.get(actor.call, timeout=0)
        except ray.exceptions.RayError as error:
            return self._lost(actor, waiting, error)
        actor.call = None
        self._answered_at = time.monotonic()
        if not actor.is_ready:
            if answer:
                raise WorkersCannotStartError(answer)
            actor.is_ready = True
            return []
        owed = {one.task[0]: one for one in actor.batch}
        if isinstance(answer, str):
            raise WorkersCannotStartError(answer)
        if isinstance(answer, Exception):
            raise answer
        if asked.model is not None:
            answer, meter = answer
            asked.model.meter.add(meter)
        actor.batch = []
        self._failed_starts = 0
        ended = []
        for done in answer:
            one = owed[done.item_id]
            one.losses += done.exit_code == -signal.SIGKILL
            if done.exit_code == -signal.SIGKILL and one.losses < MOST_LOSSES:
                # The kernel, short of memory, or a person: the item may be innocent.
                waiting.appendleft(one)
            else:
                ended.append(done)
        return ended

    def _lost(self, actor: _Actor, waiting: deque[_Owed], error: Exception) -> list[Done]:
        """What it had in hand goes back to the front, but for what too many workers were lost with."""
        ended = []
        for one in reversed(actor.batch):
            one.losses += 1
            if one.losses < MOST_LOSSES:
                waiting.appendleft(one)
            else:
                detail = f"{MOST_LOSSES} workers of the Ray cluster were lost with it"
                ended.append(Done(one.task[0], None, "decoder_crashed", sentence("decoder_crashed", detail)))
        was_working = bool(actor.batch)
        actor.batch = []
        self._end_actors([actor])
        self._looked_at = 0.0
        if was_working:
            LOG.info(f"A worker of the Ray cluster was lost; what it had in hand is done elsewhere: {_short(error)}")
        else:
            self._failed_starts += 1
            if self._failed_starts >= STARTS_BEFORE_GIVING_UP * max(1, self._room):
                raise WorkersCannotStartError(f"Workers of the Ray cluster end before they can work: {_short(error)}")
        return ended

    def _end_actors(self, actors: list[_Actor]) -> None:
        if not actors:
            return
        import ray

        for actor in actors:
            self._actors.remove(actor)
            # A cluster that is gone has ended them already.
            with contextlib.suppress(Exception):
                ray.kill(actor.handle)

    def _tell(self, said: str) -> None:
        if said not in self._told:
            self._told.add(said)
            LOG.warning(said)


def _places(resources: Mapping[str, float], needs: StepResources) -> int:
    """How many workers fit on a node."""
    wanted = {"CPU": needs.cpus, "GPU": needs.gpus, "memory": needs.memory_mb * 1024 * 1024}
    return int(min(resources.get(name, 0.0) / each + 1e-9 for name, each in wanted.items() if each))


def _said(needs: StepResources) -> str:
    parts = [f"{needs.cpus:g} CPUs", f"{needs.gpus:g} GPUs" if needs.gpus else ""]
    return ", ".join(filter(None, [*parts, f"{needs.memory_mb} MB" if needs.memory_mb else ""]))


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes over SIGTERM, which Dagster has taken already."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
