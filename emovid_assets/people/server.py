"""The round trip with Label Studio: tasks out, answers in, how far people are.

Belongs here: what `emovid annotate push`, `pull` and `status` do, and what the same of `emovid study` shares with
them. Does not belong here: which clips are asked about (`core.sampling`), what a project looks like
(`core.label_studio`), how the server is spoken to (`resources.label_studio`), and which answers count
(`core.annotations`).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.label_studio import Project, projects
from emovid_assets.core.placing import put_text
from emovid_assets.core.pseudonyms import Pseudonyms
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.people.taking_in import ANNOTATIONS, ImportReport, Kind, judged
from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of

FILE_PREFIX = "label-studio-"
"""Of the files in `library/annotations/` that a pull writes."""


class NothingToPushError(Exception):
    """There are no tasks; the message says which assets to build first."""


@dataclass(frozen=True)
class Pushed:
    """What a push did to one project. `withdrawn_count`: tasks there that are no longer asked for; they stay."""

    title: str
    address: str
    new_count: int
    task_count: int
    withdrawn_count: int


@dataclass(frozen=True)
class Pulled:
    """What a pull found in one project. `kept_count`: answers in the file that the server no longer has."""

    title: str
    is_changed: bool
    kept_count: int
    report: ImportReport


@dataclass(frozen=True)
class Progress:
    """How far people are in one project. `answers` counts answers a person, without skipped clips."""

    title: str
    address: str
    task_count: int
    finished_count: int
    skipped_count: int
    answers: Counter[str] = field(default_factory=Counter)


def push(home: Home, server: LabelStudio, domains: Sequence[str] = DOMAINS) -> list[Pushed]:
    """Makes missing projects, brings their screens and the places of clip files up to date, and adds tasks that are not
    there yet.

    Nothing is ever removed from the server. Raises NothingToPushError, LabelStudioError.
    """
    warehouse, seed = Warehouse(home.warehouse), home.settings().seed
    wanted = []
    for domain in domains:
        # A clip whose file could not be written cannot be shown; it is in the quarantine.
        media = {
            row["clip_id"]: home.served(row["media_path"]) for row in rows_of(warehouse.read("clip_media", domain))
        }
        wanted += projects(domain, rows_of(warehouse.read("annotation_tasks", domain)), media, seed=seed)
    if not wanted:
        raise NothingToPushError("there are no annotation tasks yet; run: emovid build")
    return bring(server, wanted, is_annotation, home.clips)


def bring(server: LabelStudio, wanted: Iterable[Project], is_ours: Callable[[str], bool], media: Path) -> list[Pushed]:
    """Makes those projects, or brings them up to date. `media`: the folder of the files that they show."""
    existing = _ours(server, is_ours)
    done = []
    for project in wanted:
        settings = project.settings()
        there = existing.get(project.key)
        if there is None:
            there = server.create_project(settings, media)
        else:
            # The title is the person's to change.
            changed = {name: value for name, value in settings.items() if there.get(name) != value and name != "title"}
            if changed:
                server.change_project(there["id"], changed)
        present = {_identity(task): task for task in (server.tasks(there["id"]) if there.get("task_number") else ())}
        new = []
        for task in project.tasks:
            known = present.get(_identity(task))
            if known is None:
                new.append(task)
            elif _files(known) != _files(task):
                server.change_task(known["id"], {**known["data"], **_files(task)})
        server.add_tasks(there["id"], new)
        planned = {_identity(task) for task in project.tasks}
        done.append(
            Pushed(
                there["title"],
                _address(server, there),
                len(new),
                len(present) + len(new),
                len(present.keys() - planned),
            )
        )
    return done


def is_annotation(key: str) -> bool:
    """Whether a project of that key is one that a push of annotation tasks has made."""
    return key.partition("/")[0] in DOMAINS and "/" in key


def pull(
    home: Home, server: LabelStudio, is_ours: Callable[[str], bool] = is_annotation, kind: Kind = ANNOTATIONS
) -> list[Pulled]:
    """Brings the answers of every project of ours into `label-studio-<project>.json` in the folder of their kind.

    Each file is replaced in one step, and only where its content changes. What a file holds is never lost: an answer
    that the server does not have any more, because it was deleted there or the server was set up anew, is kept.
    Raises LabelStudioError; the files of projects that come later are then as they were.
    """
    emails = server.emails()
    pulled = []
    for key, project in sorted(_ours(server, is_ours).items()):
        path = kind.folder(home) / f"{FILE_PREFIX}{key.replace('/', '-')}.json"
        fresh = [_slim(task, emails) for task in server.tasks(project["id"])]
        merged, kept_count = _merged(fresh, _read(path))
        if not merged and not path.exists():
            continue
        text = json.dumps(merged, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        is_changed = not path.exists() or path.read_text(encoding="utf-8") != text
        if is_changed:
            put_text(path, text)
        pulled.append(Pulled(project["title"], is_changed, kept_count, judged(home, path, kind)))
    return pulled


def status(home: Home, server: LabelStudio, is_ours: Callable[[str], bool] = is_annotation) -> list[Progress]:
    """How far people are, project by project, each under a pseudonym. Raises LabelStudioError, KeyFileError."""
    with pseudonyms(home) as known:
        return _status(server, known, is_ours)


def _status(server: LabelStudio, known: Pseudonyms, is_ours: Callable[[str], bool]) -> list[Progress]:
    emails = server.emails()
    found = []
    for _, project in sorted(_ours(server, is_ours).items()):
        tasks = [_slim(task, emails) for task in server.tasks(project["id"])]
        answers: Counter[str] = Counter()
        skipped = 0
        finished = 0
        for task in tasks:
            people = set()
            for annotation in task["annotations"]:
                if annotation["was_cancelled"]:
                    skipped += 1
                else:
                    people.add(known.annotator(_name(annotation["completed_by"])))
            answers.update(people)
            finished += len(people) >= project["maximum_annotations"]
        found.append(Progress(project["title"], _address(server, project), len(tasks), finished, skipped, answers))
    return found


def _ours(server: LabelStudio, is_ours: Callable[[str], bool]) -> dict[str, dict[str, Any]]:
    """Projects that a push of ours has made, by key."""
    found: dict[str, dict[str, Any]] = {}
    for project in sorted(server.projects(), key=lambda project: project["id"]):
        key = str(project.get("description") or "")
        if is_ours(key):
            found.setdefault(key, project)
    return found


def _address(server: LabelStudio, project: dict[str, Any]) -> str:
    return f"{server.url}/projects/{project['id']}/data"


def _identity(task: dict[str, Any]) -> tuple[Any, Any]:
    """Of a clip and why it is shown, or of a pair of videos."""
    return task["data"].get("clip_id") or task["data"].get("task_id"), task["data"].get("purpose")


def _files(task: dict[str, Any]) -> dict[str, Any]:
    """Where a task's files are."""
    return {name: task["data"][name] for name in ("video", "left", "right") if name in task["data"]}


def _slim(task: dict[str, Any], emails: dict[int, str]) -> dict[str, Any]:
    """A task with what answers need; people by e-mail address, because ids mean nothing on another server."""
    annotations = [
        {
            **{name: annotation.get(name) for name in ("result", "created_at", "updated_at", "lead_time")},
            "unique_id": annotation.get("unique_id") or f"id-{annotation['id']}",
            "was_cancelled": bool(annotation.get("was_cancelled")),
            "completed_by": _person(annotation.get("completed_by"), emails),
        }
        for annotation in task["annotations"]
    ]
    return {"data": task["data"], "annotations": annotations}


def _person(completed_by: Any, emails: dict[int, str]) -> Any:
    number = completed_by.get("id") if isinstance(completed_by, dict) else completed_by
    return {"id": number, "email": emails[number]} if number in emails else completed_by


def _name(completed_by: Any) -> str:
    return str(completed_by.get("email") or completed_by.get("id") if isinstance(completed_by, dict) else completed_by)


def _merged(fresh: list[dict[str, Any]], stored: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Tasks with an annotation from either side, in a fixed order, and how many annotations only `stored` has."""
    by_task: dict[tuple[str, ...], dict[str, Any]] = {}
    annotations: dict[tuple[str, ...], dict[str, Any]] = {}
    on_server = {one["unique_id"] for task in fresh for one in task["annotations"]}
    kept_count = 0
    for task in [*stored, *fresh]:
        identity = tuple(map(str, _identity(task)))
        by_task[identity] = task["data"]
        for one in task["annotations"]:
            annotations.setdefault(identity, {})[one["unique_id"]] = one
    for of_task in annotations.values():
        kept_count += sum(unique_id not in on_server for unique_id in of_task)
    merged = [
        {
            "data": by_task[identity],
            "annotations": sorted(of_task.values(), key=lambda one: (str(one["created_at"]), one["unique_id"])),
        }
        for identity, of_task in sorted(annotations.items())
    ]
    return merged, kept_count


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
        # The accesses that `_merged` makes, so that a file that somebody has edited is told of, not overwritten.
        _ = [(task["data"], one["unique_id"], one["created_at"]) for task in tasks for one in task["annotations"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LabelStudioError(
            f"{path} is not as a pull writes it, so it is left alone; move it out of the folder and pull again"
        ) from error
    return list(tasks)
