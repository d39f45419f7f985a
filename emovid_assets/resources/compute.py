"""Runs a step over many items: only what is new or changed, in worker processes, failures to quarantine.

Belongs here: scheduling, durability and progress of items. Does not belong here: what a step computes.

A worker process handles one item at a time and may die alone: a crash, a hang or a refusal becomes one row
of the quarantine. Every result is committed as it arrives, so a killed run loses at most the items in
flight, and the next run computes only those.
"""

import logging
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core.video.errors import PASSING, MediaError, sentence
from emovid_assets.resources.item_store import Failure, ItemStore

Progress = Callable[[str, int, int], None]
"""Called as (step, done, total) while items are computed."""


@dataclass(frozen=True)
class Step:
    """A function over items. `version` changes when its results would; `config` is part of every key."""

    name: str
    version: str
    config: str
    function: Callable[[dict[str, Any]], dict[str, Any]]

    @property
    def code_version(self) -> str:
        return f"{self.name}-{self.version}"


@dataclass(frozen=True)
class Item:
    """`content` identifies the input bytes; `weight` orders the work, heaviest first."""

    item_id: str
    content: str
    arguments: dict[str, Any]
    path: str | None = None
    input_sha256: str | None = None
    weight: float = 0.0


@dataclass
class Outcome:
    """What a step knows after a run over a domain."""

    payloads: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    computed_count: int = 0


def compute(
    store: ItemStore,
    step: Step,
    domain: str,
    items: Sequence[Item],
    *,
    home: Path,
    workers: int,
    timeout_s: float,
    retry_quarantined: bool = False,
    leave_failures: bool = False,
    log: logging.Logger | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Payloads of all items that could be processed. Finished and quarantined items are not computed again;
    failures that may pass by themselves (`PASSING`) are, unless `leave_failures`: then nothing that failed is tried
    again, for callers that only want the results of a step that somebody else runs.

    An item is computed where its key (content, version, configuration) is new, or a file that its payload
    names under `files` (relative to `home`) has vanished.
    """
    log = log or logging.getLogger("emovid")
    keys = {item.item_id: f"{item.content}|{step.version}|{step.config}" for item in items}
    finished = store.finished(step.name, domain)
    failed = {
        item_id: key
        for item_id, (key, code) in store.failed_keys(step.name, domain).items()
        if leave_failures or (not retry_quarantined and code not in PASSING)
    }
    store.forget_others(step.name, domain, keys)
    outcome = Outcome()
    todo: list[Item] = []
    for item in sorted(items, key=lambda item: (-item.weight, item.item_id)):
        key, payload = finished.get(item.item_id, (None, {}))
        if key == keys[item.item_id] and _files_exist(home, payload):
            outcome.payloads[item.item_id] = payload
        elif failed.get(item.item_id) != keys[item.item_id]:
            todo.append(item)
    if todo:
        log.info(f"{step.name} [{domain}]: {len(todo)} of {len(items)} items to compute")
        _run(store, step, domain, todo, keys, outcome, workers or os.cpu_count() or 1, timeout_s, log, progress)
    outcome.failures = store.failures(domain, step.name)
    return outcome


def _files_exist(home: Path, payload: Mapping[str, Any]) -> bool:
    return all((home / path).exists() for path in payload.get("files", ()))


def _run(
    store: ItemStore,
    step: Step,
    domain: str,
    todo: list[Item],
    keys: dict[str, str],
    outcome: Outcome,
    workers: int,
    timeout_s: float,
    log: logging.Logger,
    progress: Progress | None,
) -> None:
    from pebble import ProcessPool

    done = 0

    def settle(item: Item, future: Any) -> None:
        nonlocal done
        done += 1
        try:
            payload = future.result()
        except Exception as error:  # noqa: BLE001 - whatever a worker raises must end as a row, never as a crash
            code, message = _reason(error)
            store.quarantine(
                step.name,
                domain,
                item.item_id,
                keys[item.item_id],
                path=item.path,
                code=code,
                message=message,
                input_sha256=item.input_sha256,
                code_version=step.code_version,
            )
            log.warning(f"{step.name} [{domain}]: quarantined {item.path or item.item_id}: {code}: {message}")
        else:
            store.record(step.name, domain, item.item_id, keys[item.item_id], payload)
            outcome.payloads[item.item_id] = payload
            outcome.computed_count += 1
        if progress:
            progress(f"{step.name} [{domain}]", done, len(todo))

    if progress:
        progress(f"{step.name} [{domain}]", 0, len(todo))
    # Spawned workers import the step's module only; forking a process that holds threads is unsafe.
    context = multiprocessing.get_context("spawn")
    waiting = list(reversed(todo))
    running: dict[Any, Item] = {}
    with ProcessPool(max_workers=min(workers, len(todo)), max_tasks=0, context=context, initializer=_calm) as pool:
        try:
            while waiting or running:
                # A short queue keeps the workers busy; the time limit of an item counts from when a worker takes it.
                while waiting and len(running) < 2 * workers:
                    item = waiting.pop()
                    running[pool.schedule(step.function, args=[item.arguments], timeout=timeout_s)] = item
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    settle(running.pop(future), future)
        except BaseException:
            pool.stop()
            raise


def _calm() -> None:
    """One thread per worker: the processes share the cores already."""
    import cv2

    cv2.setNumThreads(1)


def _reason(error: Exception) -> tuple[str, str]:
    from pebble import ProcessExpired

    if isinstance(error, MediaError):
        return error.code, str(error)
    if isinstance(error, TimeoutError):
        return "timeout", sentence("timeout")
    if isinstance(error, ProcessExpired):
        return "decoder_crashed", sentence("decoder_crashed", f"The worker ended with exit code {error.exitcode}")
    return "unexpected_error", sentence("unexpected_error", f"{type(error).__name__}: {error}")
