"""The answers in a home: every file of them, read and judged.

Belongs here: which files hold answers, and all of them together. Does not belong here: what a file may look like and
which answers count (`core.annotations`).
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from emovid_assets.core.annotations import accept_answers, read_annotation_file
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.tables.columns import rows_of

ANNOTATION_SUFFIXES = (".csv", ".json")
Rows = list[dict[str, Any]]


def answer_files(home: Home) -> list[Path]:
    """Every file of answers in `library/annotations/`."""
    folder = home.annotations
    return [
        path
        for path in (sorted(folder.rglob("*")) if folder.is_dir() else ())
        if path.is_file() and path.suffix.lower() in ANNOTATION_SUFFIXES and not path.name.startswith(".")
    ]


def read_answers(
    home: Home,
    domain: str,
    *,
    clips: pa.Table,
    annotation_tasks: pa.Table,
    label_annotators: int,
    is_kept: bool = True,
) -> tuple[Rows, Rows]:
    """Accepted and rejected answers of a domain from every file, judged by the clips and tasks that there are.

    `is_kept`: whether whoever is met under an address is noted beside the pseudonym. Raises KeyFileError.
    """
    answers, refused = [], []
    with pseudonyms(home, is_kept=is_kept) as people:
        for path in answer_files(home):
            from_file, refused_in_file = read_annotation_file(path, home.relative(path), people)
            answers += from_file
            refused += refused_in_file
    return accept_answers(
        answers,
        domain=domain,
        known_clip_ids=set(clips["clip_id"].to_pylist()),
        rejected=refused,
        tasks=rows_of(annotation_tasks),
        label_annotators=label_annotators,
    )
