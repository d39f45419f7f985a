"""Annotation tasks out, as files.

Belongs here: what `emovid annotate export` does. Does not belong here: which clips are asked about (`core.sampling`),
and how files come back (`taking_in`).
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.label_studio import label_screen, task, verify_screen
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.people.how_to_answer import page
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of

CSV_COLUMNS = ("clip_id", "purpose", "annotator_id", "label", "annotated_at", "tool", "lead_time_s")
ADJUDICATE = "adjudicate"
"""Name of the files with the disagreements that need one more person; the purpose in them stays `label`."""
PAGE = "how-to-answer.html"

Row = dict[str, Any]


class NothingToExportError(Exception):
    """There is nothing to ask; the message says why."""


class NotEmptyError(Exception):
    """The folder holds files already, which people may have filled in."""


def export_tasks(
    home: Home, domains: Sequence[str], folder: Path, people: Sequence[str] = ()
) -> list[tuple[Path, int]]:
    """Writes what is still open: per purpose a Label Studio import and a CSV a person to fill in, the screens, and a
    page that says how. Gives (file, task count).

    `people`: who is asked; nobody of them is asked about a clip a second time. Without them each CSV is for anybody
    who has none of the others of its purpose. `label` tasks that wait for an additional person are left out of the
    files of `label` and make files of their own (`adjudicate`), whose CSV says who has answered already: somebody else
    has to. Raises NothingToExportError, NotEmptyError.
    """
    require_empty(folder)
    open_tasks = list(_open_tasks(home, domains))
    if not open_tasks:
        warehouse = Warehouse(home.warehouse)
        is_planned = any(warehouse.read("annotation_tasks", domain).num_rows for domain in domains)
        said = "every annotation task has its answers" if is_planned else "there are no annotation tasks yet"
        raise NothingToExportError(f"{said}; run: emovid build")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _write_tasks(home, open_tasks, folder, people)
    except BaseException:
        # Half of it is not to be handed out, nor to stand in the way of the whole.
        for path in folder.iterdir():
            path.unlink()
        raise


def require_empty(folder: Path) -> None:
    """Raises NotEmptyError."""
    if folder.exists() and any(folder.iterdir()):
        raise NotEmptyError(f"{folder} is not empty: give a new folder, so that no file that is filled in is lost")


def _write_tasks(
    home: Home, open_tasks: "list[OpenTask]", folder: Path, people: Sequence[str]
) -> list[tuple[Path, int]]:
    (folder / "screen-label.xml").write_text(label_screen(), encoding="utf-8")
    (folder / "screen-verify.xml").write_text(verify_screen(), encoding="utf-8")
    with pseudonyms(home) as known:
        names = list(dict.fromkeys(filter(None, map(known.annotator, people))))
        # The table may be of a time when addresses stood in it.
        open_tasks = [replace(one, answered_by=frozenset(map(known.annotator, one.answered_by))) for one in open_tasks]
    written, to_fill_in = [], []
    seed = home.settings().seed
    for name in sorted({one.name for one in open_tasks}):
        of_name = [one for one in open_tasks if one.name == name]
        tasks = [task(one.row, home.served(one.media_path)) for one in of_name]
        target = folder / f"label-studio-{name}.json"
        target.write_text(json.dumps(tasks, indent=1) + "\n", encoding="utf-8")
        written.append((target, len(tasks)))
        for person, rows in by_person(of_name, names, seed).items():
            target = free_name(folder, f"{name}-{file_part(person)}")
            _write_csv(target, name, person if person in names else "", rows)
            to_fill_in.append((target, len(rows)))
    (folder / PAGE).write_text(page({path.name: length for path, length in to_fill_in}), encoding="utf-8")
    return [*written, *to_fill_in, (folder / PAGE, 0)]


@dataclass(frozen=True)
class OpenTask:
    """A task, the name of its file, who has answered, and how many more have to."""

    name: str
    row: Row
    media_path: str
    answered_by: frozenset[str]
    missing: int

    @property
    def subject(self) -> str:
        """What it is about: a pair of videos, or a clip."""
        return str(self.row.get("task_id") or self.row["clip_id"])


def _open_tasks(home: Home, domains: Sequence[str]) -> Iterator[OpenTask]:
    warehouse = Warehouse(home.warehouse)
    label_annotators = home.settings().annotation.label_annotators
    for domain in domains:
        # A clip whose file could not be written cannot be shown; it is in the quarantine.
        media = {row["clip_id"]: row["media_path"] for row in rows_of(warehouse.read("clip_media", domain))}
        answered_by: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in rows_of(warehouse.read("human_annotations", domain), ["clip_id", "purpose", "annotator_id"]):
            answered_by[row["clip_id"], row["purpose"]].add(row["annotator_id"])
        for row in rows_of(warehouse.read("annotation_tasks", domain)):
            who = answered_by[row["clip_id"], row["purpose"]]
            missing = row["required_annotators"] - len(who)
            if missing > 0 and row["clip_id"] in media:
                is_disputed = row["purpose"] == "label" and row["required_annotators"] > label_annotators
                name = ADJUDICATE if is_disputed else row["purpose"]
                yield OpenTask(name, row, media[row["clip_id"]], frozenset(who), missing)


def by_person(tasks: Sequence[OpenTask], names: Sequence[str], seed: str) -> dict[str, list[OpenTask]]:
    """Who is asked what, each in an order of their own; nobody twice, and nobody what they have answered."""
    found: dict[str, list[OpenTask]] = defaultdict(list)
    for one in tasks:
        # Without names the first file has everything that is open, the second what two people are missing for, ...
        free = [name for name in names if name not in one.answered_by]
        free.sort(key=lambda name: keyed_rank(f"{one.subject}/{name}", seed))
        for person in free[: one.missing] if names else map(str, range(1, one.missing + 1)):
            found[person].append(one)
    for person, asked in found.items():
        asked.sort(key=lambda one: keyed_rank(one.subject, f"{seed}/{person}"))
    return dict(sorted(found.items()))


def file_part(person: str) -> str:
    return re.sub(r"[^\w.-]+", "_", person).strip("._") or "person"


def free_name(folder: Path, stem: str, suffix: str = ".csv") -> Path:
    """A name that no other person has, also where a disk knows no case."""
    numbered = (folder / f"{stem}{(number and f'-{number}') or ''}{suffix}" for number in count())
    return next(path for path in numbered if path.name.lower() not in {one.name.lower() for one in folder.iterdir()})


def _write_csv(target: Path, name: str, person: str, tasks: Sequence[OpenTask]) -> None:
    # Only a verification asks about a given emotion; everyone else answers blind.
    shown = {"verify": ["intended_emotion"], ADJUDICATE: ["answered_by"]}.get(name, [])
    # With a byte order mark programs for tables read it as what it is.
    with target.open("x", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, (*CSV_COLUMNS, "media_path", *shown), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(
            {
                **one.row,
                "annotator_id": person,
                "tool": "csv",
                "media_path": one.media_path,
                "answered_by": " ".join(sorted(one.answered_by)),
            }
            for one in tasks
        )
