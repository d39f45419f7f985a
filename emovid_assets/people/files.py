"""Annotation tasks out, annotation answers in, as files.

Belongs here: what `emovid annotate export` and `import` do. Does not belong here: which clips are asked about
(`core.sampling`) and which answers count (`core.annotations`).
"""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emovid_assets.core.annotations import accept_answers, read_annotation_file
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.label_studio import label_screen, task, verify_screen
from emovid_assets.core.placing import put_bytes
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of

CSV_COLUMNS = ("clip_id", "purpose", "annotator_id", "label", "annotated_at", "tool", "lead_time_s")
ADJUDICATE = "adjudicate"
"""Name of the files with the disagreements that need one more person; the purpose in them stays `label`."""


class NothingToExportError(Exception):
    """There are no tasks; the message says which assets to build first."""


@dataclass
class ImportReport:
    """What a file holds, judged against the clips that exist now."""

    path: str
    accepted: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def export_tasks(home: Home, domains: Sequence[str], folder: Path) -> list[tuple[Path, int]]:
    """Writes per purpose a Label Studio import and a CSV to fill in, and the screens. Gives (file, task count).

    `label` tasks that wait for an additional person are left out of the files of `label` and make files of
    their own (`adjudicate`), whose CSV says who has answered already: somebody else has to.
    """
    warehouse = Warehouse(home.warehouse)
    label_annotators = home.settings().annotation.label_annotators
    answered_by: dict[str, list[str]] = defaultdict(list)
    by_file: dict[str, list[dict]] = {}
    media: dict[str, str] = {}
    for domain in domains:
        media |= {row["clip_id"]: row["media_path"] for row in rows_of(warehouse.read("clip_media", domain))}
        for row in rows_of(warehouse.read("human_annotations", domain), ["clip_id", "purpose", "annotator_id"]):
            if row["purpose"] == "label":
                answered_by[row["clip_id"]].append(row["annotator_id"])
        for row in rows_of(warehouse.read("annotation_tasks", domain)):
            name = row["purpose"]
            if name == "label" and row["required_annotators"] > max(label_annotators, len(answered_by[row["clip_id"]])):
                name = ADJUDICATE
            by_file.setdefault(name, []).append(row)
    if not by_file:
        raise NothingToExportError("there are no annotation tasks yet; run: emovid build")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "screen-label.xml").write_text(label_screen(), encoding="utf-8")
    (folder / "screen-verify.xml").write_text(verify_screen(), encoding="utf-8")
    written = []
    for name, rows in sorted(by_file.items()):
        # A clip whose file could not be written cannot be shown; it is in the quarantine.
        shown = [row for row in rows if row["clip_id"] in media]
        tasks = [task(row, home.served(media[row["clip_id"]])) for row in shown]
        target = folder / f"label-studio-{name}.json"
        target.write_text(json.dumps(tasks, indent=1) + "\n", encoding="utf-8")
        written.append((target, len(tasks)))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _csv_columns(name), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(
                {
                    **row,
                    "annotator_id": "",
                    "tool": "csv",
                    "media_path": media[row["clip_id"]],
                    "answered_by": " ".join(sorted(answered_by[row["clip_id"]])),
                }
                for row in shown
            )
    return written


def _csv_columns(name: str) -> tuple[str, ...]:
    """The columns to fill in, and what the annotator has to see; the import passes over the latter."""
    # Only a verification asks about a given emotion; everyone else answers blind.
    shown = {"verify": ["intended_emotion"], ADJUDICATE: ["answered_by"]}
    return (*CSV_COLUMNS, "media_path", *shown.get(name, []))


def import_files(home: Home, files: Sequence[Path]) -> list[ImportReport]:
    """Copies files into `library/annotations/` and reports what they hold.

    Each file is judged by itself: whether enough people have answered shows in the build, over all files.
    Raises ValueError for a file that is neither CSV nor JSON, FileExistsError where another file of that name is
    already there: answers are never overwritten.
    """
    reports = []
    for path in files:
        if path.suffix.lower() not in (".csv", ".json"):
            raise ValueError(f"{path}: annotations are CSV files or Label Studio JSON exports")
        target = home.annotations / path.name
        content = path.read_bytes()
        try:
            put_bytes(target, content, is_replacing=False)
        except FileExistsError:
            if target.read_bytes() != content:
                raise FileExistsError(f"{target} exists with other content; give {path.name} another name") from None
        reports.append(judged(home, target))
    return reports


def judged(home: Home, path: Path) -> ImportReport:
    """What a file in the library holds, and what of it would count."""
    warehouse = Warehouse(home.warehouse)
    report = ImportReport(home.relative(path))
    answers, refused = read_annotation_file(path, report.path)
    for domain in DOMAINS:
        known = set(warehouse.read("clips", domain)["clip_id"].to_pylist())
        accepted, rejected = accept_answers(answers, domain=domain, known_clip_ids=known, rejected=refused)
        report.accepted += len(accepted)
        report.rejected += len(rejected)
        report.reasons.update(row["reason"] for row in rejected)
    return report
