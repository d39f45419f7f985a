"""Runs a step over many items: only what is new or changed, in worker processes, failures to quarantine.

Belongs here: which items are computed, in what order, durability and progress. Does not belong here: what a step
computes, and the processes that do it (`workers`).

A crash, a hang or a refusal becomes one row of the quarantine. Results are committed as they arrive, so a killed
run loses at most the items that workers were at, and the next run computes only those.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core.plain_text import for_terminal
from emovid_assets.core.video.errors import PASSING
from emovid_assets.home.settings import ComputeSettings
from emovid_assets.resources.engines import models_elsewhere, open_engine
from emovid_assets.resources.item_store import Failure, FinishedItem, ItemStore, QuarantinedItem, Rate
from emovid_assets.resources.made_files import Sizes, are_whole, sizes_of
from emovid_assets.resources.workers import Done, ModelWork, Task

LIMITED = frozenset({"timeout", "too_large"})
"""Codes that speak of a limit: the same bytes are tried again when `media.timeout_s` or `media.memory_mb` changes."""

Progress = Callable[[str, int, int], None]
"""Called as (step, done, total) while items are computed."""


@dataclass(frozen=True)
class _Named:
    """`version` changes when the results would; `config` is part of every key."""

    name: str
    version: str
    config: str

    @property
    def code_version(self) -> str:
        return f"{self.name}-{self.version}"


@dataclass(frozen=True)
class Step(_Named):
    """A function of one item, in worker processes."""

    function: Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class BatchStep(_Named):
    """A function over all items in this process, for a model that is loaded once: it ends items as it gets there.

    It answers for its own limits of time and memory, and ends every task, badly if need be. Beside the tasks it is
    given one that has been done before under the same version and configuration, if there is one.

    `elsewhere` says the same to workers of a cluster, each with a model of its own; null where it must be here.
    """

    function: Callable[[Iterable[Task], Task | None], Generator[list[Done]]]
    elsewhere: ModelWork | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """`content` identifies the input bytes; `weight` orders the work, heaviest first.

    Items of one `group` stand together in that order, by id, where the heaviest of them would stand: clips of one
    source find it in the cache of the operating system. Groups of equal weight stand in the order of their names.
    """

    item_id: str
    content: str
    arguments: dict[str, Any]
    path: str | None = None
    input_sha256: str | None = None
    weight: float = 0.0
    group: str | None = None


@dataclass
class Outcome:
    """What a step knows after a run over a domain. `payloads` are read from the store when they are asked for."""

    payloads: Mapping[str, dict[str, Any]]
    failures: list[Failure] = field(default_factory=list)
    item_count: int = 0
    computed_count: int = 0


@dataclass
class _Work:
    """Keys of all items, of those that are done, and the items that are left. `known` is one that is done."""

    keys: dict[str, str] = field(default_factory=dict)
    done: dict[str, str] = field(default_factory=dict)
    todo: list[Item] = field(default_factory=list)
    known: Task | None = None
    unmeasured: dict[str, Sizes] = field(default_factory=dict)
    """Files of items that are done, where the store knows no sizes of them."""


def _work(
    store: ItemStore,
    step: _Named,
    domain: str,
    items: Iterable[Item],
    home: Path,
    limits: str,
    is_left: Callable[[str], bool],
) -> _Work:
    """`is_left`: whether an item that failed with a code is left alone."""
    work = _Work()
    finished = store.finished_keys(step.name, domain)
    failed = {item_id: key for item_id, (key, code) in store.failed_keys(step.name, domain).items() if is_left(code)}
    for item in items:
        key = work.keys[item.item_id] = f"{item.content}|{step.version}|{step.config}"
        known, made = finished.get(item.item_id, ("", {}))
        if known == key and are_whole(home, made):
            work.done[item.item_id] = key
            work.known = work.known or (item.item_id, item.arguments)
            if None in made.values():
                work.unmeasured[item.item_id] = made
        elif failed.get(item.item_id) not in (key, key + limits):
            work.todo.append(item)
    return work


def _limits(timeout_s: float, memory_mb: int) -> str:
    return f"|{timeout_s:g} s|{memory_mb} MB"


@dataclass(frozen=True)
class Count:
    """What a step would compute: items, their weight together, and the payloads of those that are done."""

    payloads: Mapping[str, dict[str, Any]]
    todo_ids: frozenset[str]
    todo_weight: float


def count(
    store: ItemStore,
    step: Step | BatchStep,
    domain: str,
    items: Iterable[Item],
    *,
    home: Path,
    timeout_s: float,
    memory_mb: int = 0,
    leave_failures: bool = False,
) -> Count:
    """What `compute` would do, without doing it: nothing is read but the store, and nothing is written."""
    work = _work(
        store,
        step,
        domain,
        items,
        home,
        _limits(timeout_s, memory_mb),
        lambda code: leave_failures or code not in PASSING,
    )
    return Count(
        store.payloads(step.name, domain, work.done),
        frozenset(item.item_id for item in work.todo),
        sum(item.weight for item in work.todo),
    )


def compute(
    store: ItemStore,
    step: Step | BatchStep,
    domain: str,
    items: Iterable[Item],
    *,
    home: Path,
    workers: int,
    timeout_s: float,
    memory_mb: int = 0,
    engine: ComputeSettings | None = None,
    retry_quarantined: bool = False,
    leave_failures: bool = False,
    keep_others: bool = False,
    log: logging.Logger | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Payloads of all items that could be processed. Finished and quarantined items are not computed again;
    failures that may pass by themselves (`PASSING`) are, unless `leave_failures`: then nothing that failed is tried
    again, for callers that only want the results of a step that somebody else runs. What is known of items that are
    not asked for is forgotten, unless `keep_others`: samples of one collection come and go.

    An item is computed where its key (content, version, configuration) is new, or a file that its payload names under
    `files` (relative to `home`) is gone or has another size than it was made with.

    `workers` 0: one per core; `memory_mb` 0: no limit; `engine`: whose workers, null: processes of this machine. Items
    may come from a generator: of those that need no work, id and key alone stay in memory.
    """
    log = log or logging.getLogger("emovid")
    limits = _limits(timeout_s, memory_mb)
    work = _work(
        store,
        step,
        domain,
        items,
        home,
        limits,
        lambda code: leave_failures or (not retry_quarantined and code not in PASSING),
    )
    keys, done, todo = work.keys, work.done, work.todo
    if not keep_others:
        store.forget_others(step.name, domain, keys)
    # Of a store that is older than sizes: what is there now is what the next build wants to find.
    store.note_sizes(step.name, {item_id: sizes_of(home, made) for item_id, made in work.unmeasured.items()})
    outcome = Outcome(store.payloads(step.name, domain, done), item_count=len(keys))
    if todo:
        log.info(f"{step.name} [{domain}]: {len(todo)} of {len(keys)} items to compute")
        told = f"{step.name} [{domain}]"
        by_id = {item.item_id: item for item in todo}
        settled, began = 0, time.monotonic()
        if progress:
            progress(told, 0, len(todo))
        tasks = ((item.item_id, item.arguments) for item in _in_order(todo))
        place = _Place(engine or ComputeSettings(), home, workers, memory_mb, timeout_s)
        with _ends(step, tasks, work.known, place) as results:
            for ends in results:
                good = [_finished(end, keys, home) for end in ends if end.payload is not None]
                bad = [_failed(end, by_id[end.item_id], keys, limits, step) for end in ends if end.payload is None]
                store.settle(step.name, domain, good, bad)
                done.update((one.item_id, one.item_key) for one in good)
                outcome.computed_count += len(good)
                for failed_item in bad:
                    name = failed_item.path or failed_item.item_id
                    log.warning(for_terminal(f"{told}: quarantined {name}: {failed_item.code}: {failed_item.message}"))
                settled += len(ends)
                if progress:
                    progress(told, settled, len(todo))
        weight = sum(item.weight for item in todo)
        store.note_rate(step.name, domain, Rate(settled, weight, time.monotonic() - began))
    outcome.failures = store.failures(domain, step.name)
    return outcome


@dataclass(frozen=True)
class _Place:
    """Where items are computed, and within which limits."""

    engine: ComputeSettings
    home: Path
    workers: int
    memory_mb: int
    timeout_s: float


@contextmanager
def _ends(
    step: Step | BatchStep, tasks: Iterable[Task], known: Task | None, place: _Place
) -> Iterator[Iterable[list[Done]]]:
    if isinstance(step, BatchStep):
        work = step.elsewhere
        if work is not None and place.engine.engine == "ray" and place.engine.names(step.name):
            with (
                models_elsewhere(place.engine, step.name, place.home, place.workers) as models,
                closing(models.run_model(work, tasks)) as results,
            ):
                yield results
            return
        with closing(step.function(tasks, known)) as results:
            yield results
    else:
        with (
            open_engine(place.engine, step.name, place.home, place.workers, place.memory_mb) as pool,
            closing(pool.run(step.function, tasks, place.timeout_s)) as results,
        ):
            yield results


def _in_order(items: Iterable[Item]) -> list[Item]:
    """Heaviest first; a group stands where its heaviest item does."""
    weights: dict[str, float] = defaultdict(float)
    for item in items:
        if item.group is not None:
            weights[item.group] = max(weights[item.group], item.weight)

    def place(item: Item) -> tuple[float, str, str]:
        if item.group is None:
            return -item.weight, "", item.item_id
        return -weights[item.group], item.group, item.item_id

    return sorted(items, key=place)


def _finished(end: Done, keys: Mapping[str, str], home: Path) -> FinishedItem:
    assert end.payload is not None
    return FinishedItem(end.item_id, keys[end.item_id], end.payload, sizes_of(home, end.payload.get("files", ())))


def _failed(end: Done, item: Item, keys: Mapping[str, str], limits: str, step: _Named) -> QuarantinedItem:
    return QuarantinedItem(
        end.item_id,
        keys[end.item_id] + (limits if end.code in LIMITED else ""),
        path=item.path,
        code=end.code,
        message=end.message,
        input_sha256=item.input_sha256,
        code_version=step.code_version,
    )
