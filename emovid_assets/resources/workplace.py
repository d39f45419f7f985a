"""What assets, and whoever counts for them, do with a home: read and write tables, compute items, remember results.

Belongs here: putting the pieces together. Does not belong here: any of their work, and Dagster (`project`): what only
looks at a home does not wait for it.
"""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings
from emovid_assets.resources.compute import BatchStep, Item, Outcome, Step, compute
from emovid_assets.resources.item_store import FinishedItem, ItemStore
from emovid_assets.resources.progress import progress_for
from emovid_assets.resources.refreshing import after_write, before_write
from emovid_assets.resources.warehouse import Warehouse

ALL_DOMAINS = "all"


class Workplace:
    """A home and the ways to work in it. Whoever inherits says which home."""

    if TYPE_CHECKING:
        retry_quarantined: bool

    @property
    def home(self) -> Home:
        raise NotImplementedError

    @property
    def settings(self) -> Settings:
        return self.home.settings()

    @property
    def threads(self) -> int:
        """That read ahead of a model: as many as `media.workers` says, or the machine has cores."""
        return self.settings.media.workers or os.cpu_count() or 1

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.home.warehouse)

    def note(self, tag: str, value: str) -> None:
        """Something that the result which is being made is to say of itself. Whoever makes none forgets it."""

    def read(self, table: str, domain: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        return self.warehouse.read(table, domain, columns)

    def write(self, table: str, domain: str | None, rows: pa.Table | pa.RecordBatchReader) -> Path:
        """Replaces the rows of a table, and shows them in a catalogue that is there (`refreshing` says when). Raises
        ValueError where the schema is not the registry's."""
        warehouse = self.warehouse
        before_write(self.home.root)
        before = warehouse.version(table, domain)
        put = warehouse.write if isinstance(rows, pa.Table) else warehouse.write_batches
        path = put(table, domain, rows)
        if warehouse.version(table, domain) != before:
            after_write(self.home.root)
        return path

    def with_store(self, use: Callable[[ItemStore], Any]) -> Any:
        """Calls with the open item store and closes it."""
        store = ItemStore(self.home.state)
        try:
            return use(store)
        finally:
            store.close()

    def remembered(self, name: str, key: str, make: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
        """What `make` gives for this key, and whether it had to be made: for costly results over all domains.

        One result is kept per name, of the latest key.
        """
        known = self.recalled(name, key)
        if known is not None:
            return known, False
        made = make()
        self.remember(name, key, made)
        return made, True

    def recalled(self, name: str, key: str) -> dict[str, Any] | None:
        """The result of a name, where it was kept under this key."""
        found: dict[str, tuple[str, dict[str, Any]]] = self.with_store(
            lambda store: dict(store.finished(name, ALL_DOMAINS))
        )
        known = found.get(name)
        return known[1] if known is not None and known[0] == key else None

    def remember(self, name: str, key: str, made: dict[str, Any]) -> None:
        """Keeps a result in place of the one that the name had."""
        self.with_store(lambda store: store.settle(name, ALL_DOMAINS, [FinishedItem(name, key, made)]))

    def leave_out(self, domain: str, *steps: str) -> None:
        """Takes out of quarantine what failed in steps that nobody asks for any more. What they have finished stays,
        for settings that are set back."""
        self.with_store(lambda store: store.forget_failures(domain, steps))

    def compute(
        self,
        step: Step | BatchStep,
        domain: str,
        items: Iterable[Item],
        log: logging.Logger,
        *,
        leave_failures: bool = False,
        keep_others: bool = False,
        never_asked: Collection[str] = (),
    ) -> Outcome:
        """Payloads of the items of a step; see `resources.compute`.

        `never_asked`: codes of items that failed for what is none of theirs; they are left out of the share.
        Raises dagster.Failure where the share of quarantined items is above `media.max_quarantined_share`.
        """
        outcome = self._computed(step, domain, items, log, leave_failures=leave_failures, keep_others=keep_others)
        limit = self.settings.media.max_quarantined_share
        failures = [failure for failure in outcome.failures if failure.code not in never_asked]
        item_count = outcome.item_count - len(outcome.failures) + len(failures)
        share = len(failures) / item_count if item_count else 0.0
        if share > limit:
            first = min(failures, key=lambda failure: failure.path or failure.item_id)
            import dagster as dg

            raise dg.Failure(
                f"{len(failures)} of {item_count} items of {step.name} [{domain}] failed, more than "
                f"media.max_quarantined_share = {limit:g} allows. First: "
                f"{first.path or first.item_id}: {first.message}"
            )
        return outcome

    def _computed(
        self,
        step: Step | BatchStep,
        domain: str,
        items: Iterable[Item],
        log: logging.Logger,
        *,
        leave_failures: bool,
        keep_others: bool,
    ) -> Outcome:
        """By the limits of the settings, however many fail."""
        media = self.settings.media
        outcome: Outcome = self.with_store(
            lambda store: compute(
                store,
                step,
                domain,
                items,
                home=self.home.root,
                workers=media.workers,
                timeout_s=media.timeout_s,
                memory_mb=media.memory_mb,
                engine=self.settings.compute,
                retry_quarantined=self.retry_quarantined,
                leave_failures=leave_failures,
                keep_others=keep_others,
                log=log,
                progress=progress_for(log),
            )
        )
        return outcome


class PlainWorkplace(Workplace):
    """Of a folder, for whoever runs outside Dagster."""

    retry_quarantined = False

    def __init__(self, home_folder: str) -> None:
        self._home = Home(Path(home_folder).resolve())

    @property
    def home(self) -> Home:
        return self._home
