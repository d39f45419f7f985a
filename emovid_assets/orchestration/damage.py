"""Files of Dagster that are damaged, and a `dagster.yaml` of a person's own that cannot be used: which file it is, what
may be deleted, and what is lost by that.

Belongs here: finding that out once something has failed, and saying it. Does not belong here: `state.sqlite`
(`resources.item_store`), full and forbidden disks (`cli.app`). Nothing is looked through before it fails.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from emovid_assets.core.plain_text import cut, one_line
from emovid_assets.core.redaction import Redactor
from emovid_assets.orchestration.instance import is_of_a_person, settings_file

INDEX, RUNS, SCHEDULES = "history/runs/index.db", "history/runs.db", "schedules/schedules.db"
LOST = {
    INDEX: "which tables were built when, so the next build makes all of them again, of items that stay finished",
    RUNS: "the list of runs in the UI; tables, and what is known of them, stay",
    SCHEDULES: "which sensors and schedules were switched by hand, and what they have seen",
}
LOST_WITH_A_RUN = "what this one run has logged"
SIDE_FILES = ("-wal", "-shm")
LONGEST_REASON = 300


class InstanceError(ValueError):
    """Dagster's files of a home cannot be used; the message says which, and what to do."""


@contextmanager
def told(home: Path) -> Iterator[None]:
    """Around what opens or asks the instance of a home. Raises InstanceError in the place of what has come of a damaged
    file; other errors stay as they are."""
    try:
        yield
    except Exception as error:
        said = damage_told(home, error)
        if said is None:
            raise
        raise InstanceError(said) from error


@contextmanager
def opening_told(home: Path) -> Iterator[None]:
    """As `told`, around what opens it, where what a person has written into `dagster.yaml` shows."""
    try:
        with told(home):
            yield
    except (InstanceError, OSError):
        raise
    except Exception as error:
        settings = settings_file(home)
        if not is_of_a_person(home):
            raise
        raise InstanceError(
            f"{settings}: Dagster cannot be opened by it: {_reason(error)}. Correct it, or move it away: the next "
            f"build makes one that keeps everything below {home / 'dagster'}; lost is what was recorded elsewhere"
        ) from error


def damage_told(home: Path, error: BaseException | None) -> str | None:
    """Which of Dagster's files is damaged and what to do, if that is what an error has come of; else null."""
    while error is not None:
        # An operational error is of a disk that is full, or of another process; the file is whole.
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            break
        error = error.__cause__ or error.__context__
    if error is None:
        return None
    damaged = [path for path in _databases(home / "dagster") if _is_damaged(path)]
    return " ".join(_advice(home, path) for path in damaged) or None


def _databases(folder: Path) -> list[Path]:
    named = [folder / name for name in (INDEX, RUNS, SCHEDULES)]
    shards = sorted(path for path in (folder / INDEX).parent.glob("*.db") if path not in named)
    return [path for path in (*named, *shards) if path.is_file()]


def _is_damaged(path: Path) -> bool:
    """Reads the whole file."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)])
    except sqlite3.OperationalError:
        # It cannot be opened here and now, which says nothing of what is in it.
        return False
    except sqlite3.DatabaseError:
        return True


def _advice(home: Path, path: Path) -> str:
    lost = LOST.get(path.relative_to(home / "dagster").as_posix(), LOST_WITH_A_RUN)
    beside = [f"{path.name}{suffix}" for suffix in SIDE_FILES if path.with_name(f"{path.name}{suffix}").exists()]
    also = f" together with {' and '.join(beside)} beside it" if beside else ""
    return (
        f"{path} is damaged. Stop what works on this home, delete the file{also}, and run the same command again; "
        f"lost is {lost}."
    )


def _reason(error: Exception) -> str:
    """The first of what Dagster says of a configuration, else the error, in a line and without keys."""
    faults = getattr(error, "errors", None) or [error]
    return cut(one_line(Redactor()(getattr(faults[0], "message", None) or faults[0])), LONGEST_REASON).rstrip(".")
