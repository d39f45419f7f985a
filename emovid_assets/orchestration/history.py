"""How much of its own past Dagster keeps: runs by age and number, their logs, and the pictures of their results.

Belongs here: which runs may go, and taking them out with all that they have left in files; the logs of ticks whose
records are gone. Does not belong here: those records (`retention` in `dagster.yaml`), when it is done (`tidying`), and
any table of the dataset.

A run stays, however old, while something is shown of it: the latest materialisation, attempt, failure, observation or
check of an asset in a domain. What tables were made from is in those, so nothing becomes stale.

`DagsterInstance.delete_run` leaves things behind (1.13): the checks of the run, in SQLite the file of its events, the
output that it has printed, the folder of its objects. They are taken away here, with Dagster's own tables.
"""

import logging
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.instance.utils import RUNLESS_RUN_ID
from dagster._core.storage.compute_log_manager import ComputeIOType
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from emovid_assets.assets.kept_pictures import picture_files, pictures_named_in
from emovid_assets.home.settings import HistorySettings
from emovid_assets.resources.sqlite import give_back_free_pages

DAY_S = 86_400.0
PAGE = 500
"""Records that are read at once."""
PICTURE_REST_S = DAY_S
"""A picture is written before the event that names it; one that is younger may still be named."""

_EVENTS, _CHECKS = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
_SHOWN = (
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_FAILED_TO_MATERIALIZE,
    dg.DagsterEventType.ASSET_OBSERVATION,
)
_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Tidied:
    """What was taken away, and the bytes that the files of SQLite have given back."""

    runs: int = 0
    pictures: int = 0
    freed_bytes: int = 0

    @property
    def sentence(self) -> str:
        return f"{self.runs:,} runs and {self.pictures:,} pictures forgotten, {self.freed_bytes / 1e6:,.1f} MB freed"


def tidy(
    instance: dg.DagsterInstance, kept: HistorySettings, log: logging.Logger, *, now_s: float | None = None
) -> Tidied:
    """Takes away the runs that are beyond the limits and that nothing is shown of, and what such runs have left.

    May be stopped at any moment and begun again. An instance whose events are in no database of ours is left alone.
    """
    if not isinstance(instance.event_log_storage, SqlEventLogStorage):
        return Tidied()
    now_s = time.time() if now_s is None else now_s
    gone = forgettable(instance, kept, now_s)
    for run_id in gone:
        _forget(instance, run_id)
    for run_id in _left_behind(instance):
        _forget(instance, run_id)
    _forget_logs_of_ticks(instance)
    before = datetime.fromtimestamp(now_s - kept.keep_days * DAY_S, UTC).replace(tzinfo=None)
    if not _forget_events_without_run(instance, before) and not gone:
        return Tidied()
    pictures = _forget_pictures(instance)
    return Tidied(len(gone), pictures, sum(give_back_free_pages(path, log) for path in _files(instance)))


def is_due(instance: dg.DagsterInstance, kept: HistorySettings) -> bool:
    """Whether there are more runs than are kept: a quick look, after which `tidy` may still find nothing to take."""
    return instance.get_runs_count() > kept.keep_runs


def forgettable(instance: dg.DagsterInstance, kept: HistorySettings, now_s: float) -> list[str]:
    """The runs that may go, the oldest first: ended, and older than `keep_days` or not among the latest `keep_runs`."""
    old = []
    for number, record in enumerate(_records(instance), 1):
        ended_s = record.end_time or record.update_timestamp.timestamp()
        is_beyond = number > kept.keep_runs or now_s - ended_s > kept.keep_days * DAY_S
        if is_beyond and record.dagster_run.is_finished:
            old.append(record.dagster_run.run_id)
    shown = _shown(instance) if old else set()
    return [run_id for run_id in reversed(old) if run_id not in shown]


def _records(instance: dg.DagsterInstance) -> Iterator[Any]:
    """Every run, the latest first."""
    cursor = None
    while page := instance.get_run_records(limit=PAGE, cursor=cursor):
        yield from page
        cursor = page[-1].dagster_run.run_id


def _shown(instance: dg.DagsterInstance) -> set[str]:
    """The runs of what is the latest of its kind of an asset and a check in a domain."""
    events: Any = instance.event_log_storage
    with events.index_connection() as connection:
        of_events = connection.execute(sa.select(_EVENTS.run_id).where(_EVENTS.id.in_(_latest_events())))
        of_checks = connection.execute(sa.select(_CHECKS.run_id).where(_CHECKS.id.in_(_latest_checks())))
        return {run_id for (run_id,) in (*of_events, *of_checks)}


def _latest_events() -> Any:
    """The ids of the latest events of each kind of each asset in each domain."""
    return (
        sa.select(sa.func.max(_EVENTS.id))
        .where(_EVENTS.dagster_event_type.in_([kind.value for kind in _SHOWN]), _EVENTS.asset_key.is_not(None))
        .group_by(_EVENTS.asset_key, _EVENTS.partition, _EVENTS.dagster_event_type)
    )


def _latest_checks() -> Any:
    return sa.select(sa.func.max(_CHECKS.id)).group_by(_CHECKS.asset_key, _CHECKS.check_name, _CHECKS.partition)


def _forget_events_without_run(instance: dg.DagsterInstance, before: datetime) -> int:
    """Takes away what no run has said, such as settings that were observed, where it is old and there is newer; how
    much that was."""
    events: Any = instance.event_log_storage
    is_old = sa.and_(_EVENTS.run_id == RUNLESS_RUN_ID, _EVENTS.timestamp < before)
    with events.index_connection() as connection:
        found = connection.execute(sa.select(_EVENTS.id).where(is_old, _EVENTS.id.not_in(_latest_events()))).fetchall()
        gone = [number for (number,) in found]
        for some in (gone[start : start + PAGE] for start in range(0, len(gone), PAGE)):
            connection.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(some)))
            connection.execute(SqlEventLogStorageTable.delete().where(_EVENTS.id.in_(some)))
        is_old_check = sa.and_(_CHECKS.run_id == RUNLESS_RUN_ID, _CHECKS.create_timestamp < before)
        latest = [number for (number,) in connection.execute(_latest_checks())]
        old = [number for (number,) in connection.execute(sa.select(_CHECKS.id).where(is_old_check))]
        for number in sorted({*old} - {*latest}):
            connection.execute(AssetCheckExecutionsTable.delete().where(_CHECKS.id == number))
    if gone and isinstance(events, SqliteEventLogStorage):
        # The same events once more, in a file that nobody reads.
        with events.run_connection(RUNLESS_RUN_ID) as connection:
            connection.execute(SqlEventLogStorageTable.delete().where(is_old))
    return len(gone)


def _forget(instance: dg.DagsterInstance, run_id: str) -> None:
    """Takes a run away, its file last: whoever is stopped before that finds it there the next time."""
    events: Any = instance.event_log_storage
    with events.index_connection() as connection:
        connection.execute(AssetCheckExecutionsTable.delete().where(_CHECKS.run_id == run_id))
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    shutil.rmtree(Path(instance.storage_directory(), run_id), ignore_errors=True)
    instance.delete_run(run_id)
    if isinstance(events, SqliteEventLogStorage):
        for suffix in ("-wal", "-shm", ""):
            Path(f"{events.path_for_shard(run_id)}{suffix}").unlink(missing_ok=True)


def _left_behind(instance: dg.DagsterInstance) -> list[str]:
    """Runs of which there is a file and nothing else."""
    events = instance.event_log_storage
    if not isinstance(events, SqliteEventLogStorage):
        return []
    # Listed before the runs are: a run has its record before it has a file.
    files = [run_id for run_id in events.get_all_run_ids() if _RUN_ID.fullmatch(run_id)]
    return [run_id for run_id in files if not instance.has_run(run_id)]


def _forget_logs_of_ticks(instance: dg.DagsterInstance) -> None:
    """Takes away what ticks have said of which the daemon keeps no record any more; it leaves their logs."""
    manager = instance.compute_log_manager
    if not isinstance(manager, LocalComputeLogManager):
        return
    for state in instance.all_instigator_state():
        prefix = [state.origin.repository_origin.repository_name, state.instigator_name]
        try:
            # Listed before the ticks are: a tick has its record before it has a log.
            logs = manager.get_log_keys_for_log_key_prefix(prefix, ComputeIOType.STDERR)
        except FileNotFoundError:
            continue
        kept = {tuple(tick.log_key or ()) for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)}
        for key in logs:
            if tuple(key) not in kept:
                manager.delete_logs(log_key=key)


def _forget_pictures(instance: dg.DagsterInstance) -> int:
    """Takes away the pictures that no event names any more."""
    files = picture_files(instance)
    if not files:
        return 0
    events: Any = instance.event_log_storage
    named: set[str] = set()
    with events.index_connection() as connection:
        texts = sa.select(_EVENTS.event).where(_EVENTS.event.contains("/logs/"))
        for (text,) in connection.execute(texts):
            named |= pictures_named_in(text)
    # By the clock of the disk, which may be another machine's.
    newest_s = max(path.stat().st_mtime for path in files)
    gone = [path for path in files if path.stem not in named and newest_s - path.stat().st_mtime > PICTURE_REST_S]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _files(instance: dg.DagsterInstance) -> Iterator[Path]:
    """The files of SQLite that outlive runs."""
    events: Any = instance.event_log_storage
    runs, schedules = instance.run_storage, instance.schedule_storage
    for connected in (events.index_connection, getattr(runs, "connect", None), getattr(schedules, "connect", None)):
        if connected is not None:
            with connected() as connection:
                url = connection.engine.url
            if url.get_backend_name() == "sqlite" and url.database and Path(url.database).is_file():
                yield Path(url.database)
