"""The user study without a server: a page, a CSV and the videos for each person.

Belongs here: what `emovid study export` writes. Does not belong here: which pairs there are (`core.generation`), how
files come back (`taking_in`).
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

from emovid_assets.core.generation.preference_answers import ATTENTION_CHECK
from emovid_assets.core.generation.study_pairs import QUESTIONS
from emovid_assets.core.generation.study_screen import ASKED, SHOWN
from emovid_assets.core.identity import keyed_rank
from emovid_assets.drawing.markup import Markup, element
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.people.files import OpenTask, by_person, file_part, free_name, require_empty
from emovid_assets.people.study import Made, NothingToCompareError, Tell, make
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of

CSV_COLUMNS = ("task_id", "annotator_id", *QUESTIONS, "answered_at", "lead_time_s", "tool")
SHOWN_COLUMNS = ("asked_emotion", "text", "left", "right")
VIDEOS = "videos"
STUDY_PAGE = "study_page.js"


def export_study(
    home: Home,
    domains: Sequence[str],
    folder: Path,
    people: Sequence[str] = (),
    tell: Tell = lambda step, done, of: None,
) -> list[tuple[Path, int]]:
    """Writes what is still open. Gives (file, pair count).

    `people`: who is asked; nobody of them is asked about a pair a second time. Without them each file is for anybody
    who has none of the others. Everybody gets all attention checks. Raises NothingToCompareError, NotEmptyError.
    """
    require_empty(folder)
    made = make(home, domains, tell)
    with pseudonyms(home) as known:
        names = list(dict.fromkeys(filter(None, map(known.annotator, people))))
    asked = _asked(home, made, names)
    if not asked:
        raise NothingToCompareError("every pair has its answers; run: emovid build")
    (folder / VIDEOS).mkdir(parents=True)
    try:
        return list(_written(home, folder, asked, names))
    except BaseException:
        # Half of it is not to be handed out, nor to stand in the way of the whole.
        rmtree(folder)
        raise


def _asked(home: Home, made: Sequence[Made], names: Sequence[str]) -> dict[str, list[OpenTask]]:
    """Who is asked what, each in an order of their own."""
    settings = home.settings()
    tasks = [task for one in made for task in _open_tasks(home, one, settings.generation.study_annotators)]
    pairs = [task for task in tasks if task.row["expected"] is None]
    asked = by_person(pairs, names, settings.seed)
    for person, of_person in asked.items():
        of_person += [one for one in tasks if one.row["expected"] is not None and person not in one.answered_by]
        of_person.sort(key=lambda one: keyed_rank(one.subject, f"{settings.seed}/{person}"))
    return asked


def _open_tasks(home: Home, made: Made, annotators: int) -> Iterator[OpenTask]:
    answered: dict[str, set[str]] = defaultdict(set)
    counting: dict[str, set[str]] = defaultdict(set)
    for row in rows_of(Warehouse(home.warehouse).read("preferences", made.domain)):
        answered[row["task_id"]].add(row["annotator_id"])
        if row["exclusion"] in (None, ATTENTION_CHECK):
            counting[row["task_id"]].add(row["annotator_id"])
    for task in made.tasks:
        missing = annotators - len(counting[task["task_id"]])
        files = made.videos.files.get(task["task_id"])
        if files is not None and (missing > 0 or task["expected"] is not None):
            row = {**task, "left": files[0], "right": files[1]}
            yield OpenTask(made.domain, row, files[0], frozenset(answered[task["task_id"]]), missing)


def _written(
    home: Home, folder: Path, asked: dict[str, list[OpenTask]], names: Sequence[str]
) -> Iterator[tuple[Path, int]]:
    for person, tasks in asked.items():
        rows = [_row(home, folder, one.row) for one in tasks]
        stem = f"study-{file_part(person)}"
        signed = person if person in names else ""
        sheet = free_name(folder, stem)
        # With a byte order mark programs for tables read it as what it is.
        with sheet.open("x", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, (*CSV_COLUMNS, *SHOWN_COLUMNS), restval="")
            writer.writeheader()
            writer.writerows({**row, "annotator_id": signed, "tool": "csv"} for row in rows)
        page = free_name(folder, stem, ".html")
        page.write_text(_page(rows, signed, sheet.stem), encoding="utf-8")
        yield page, len(rows)
        yield sheet, len(rows)


def _row(home: Home, folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """What a person may see of a pair; its videos lie beside it then."""
    shown = {"task_id": task["task_id"], "asked_emotion": task["asked_emotion"], "text": task["prompt"]}
    for side in ("left", "right"):
        source = home.media / task[side]
        target = folder / VIDEOS / source.name
        if not target.exists():
            copyfile(source, target)
        shown[side] = f"{VIDEOS}/{source.name}"
    return shown


def _page(rows: Sequence[dict[str, Any]], person: str, name: str) -> str:
    """HTML that needs nothing but the videos beside it."""
    data = {
        "person": person,
        "name": name,
        "pairs": rows,
        "columns": CSV_COLUMNS,
        "questions": {name: text.replace("$asked_emotion", "{emotion}") for name, text in ASKED.items()},
        "choices": SHOWN,
    }
    # Inside of a script nothing is markup but its end.
    text = json.dumps(data).replace("<", "\\u003c")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("title", "Which of two videos"),
        element("style", Markup(_STYLE)),
    )
    script = Path(__file__).with_name(STUDY_PAGE).read_text(encoding="utf-8")
    body = element("body", element("main", ""), Markup(f"<script>const study = {text};\n{script}</script>"))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:84rem;margin:1rem auto;padding:0 1rem;color:#222}"
    ".pair{display:flex;gap:1rem}.pair video{width:50%;height:26rem;background:#111;object-fit:contain}"
    ".questions{display:flex;gap:2rem;flex-wrap:wrap}fieldset{border:0;padding:0;margin:.5rem 0}"
    "legend{font-weight:600}label{margin-right:1rem}button{font:inherit;padding:.3rem 1rem;margin-right:.5rem}"
)
