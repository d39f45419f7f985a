"""The answers in a home: every file of them, read and judged.

Belongs here: which files hold answers, and all of them together. Does not belong here: what a file may look like and
which answers count (`core.annotations`, `core.generation.preference_answers`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from emovid_assets.core.annotations import Answer, Rejected, accept_answers, read_annotation_file
from emovid_assets.core.generation.preference_answers import accept_preferences
from emovid_assets.core.generation.preference_files import Answer as Preference
from emovid_assets.core.generation.preference_files import Rejected as RejectedPreference
from emovid_assets.core.generation.preference_files import read_preferences
from emovid_assets.core.pseudonyms import Pseudonyms
from emovid_assets.home.folders import Home
from emovid_assets.home.stamps import stamp_or_none
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.tables.columns import rows_of

ANNOTATION_SUFFIXES = (".csv", ".json")
REMEMBERED_BYTES = 16_000_000
"""Of files of answers: parsed, they take some ten times the memory."""
Rows = list[dict[str, Any]]


def answer_files(home: Home) -> list[Path]:
    """Every file of answers in `library/annotations/`."""
    return _answer_files(home.annotations)


def preference_files(home: Home) -> list[Path]:
    """Every file of answers about pairs of videos in `library/preferences/`."""
    return _answer_files(home.preferences)


def read_preferences_of(
    home: Home, domain: str, *, preference_tasks: pa.Table, is_kept: bool = True
) -> tuple[Rows, Rows]:
    """Accepted and rejected answers about the pairs of a domain from every file. `is_kept`: as in `read_answers`.
    Raises KeyFileError."""
    answers: list[Preference] = []
    refused: list[RejectedPreference] = []
    with pseudonyms(home, is_kept=is_kept) as people:
        for path in preference_files(home):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                # Taken away since the folder was listed.
                continue
            found, left_out = read_preferences(content, home.relative(path), people)
            answers += found
            refused += left_out
    return accept_preferences(answers, domain=domain, tasks=rows_of(preference_tasks), rejected=refused)


def _answer_files(folder: Path) -> list[Path]:
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

    A file is parsed once by a process, as long as it is of the same size and time. `is_kept`: whether whoever is met
    under an address is noted beside the pseudonym. Raises KeyFileError.
    """
    answers, refused = [], []
    with pseudonyms(home, is_kept=is_kept) as people:
        for found in _files_read(home, people):
            answers += found.answers
            refused += found.refused
    return accept_answers(
        answers,
        domain=domain,
        known_clip_ids=set(clips["clip_id"].to_pylist()),
        rejected=refused,
        tasks=rows_of(annotation_tasks),
        label_annotators=label_annotators,
    )


class _FileRead(NamedTuple):
    """What a file holds. `addresses`: those that were met in it, by pseudonym."""

    stamp: object
    answers: list[Answer]
    refused: list[Rejected]
    addresses: dict[str, str]


_read: dict[Path, _FileRead] = {}
"""Of the home that was looked at last: two tables and three domains ask for the same files."""


def _files_read(home: Home, people: Pseudonyms) -> Iterator[_FileRead]:
    files = answer_files(home)
    stamps = {path: stamp_or_none(path) for path in files}
    is_remembered = sum(stamp[0] for stamp in stamps.values() if stamp) <= REMEMBERED_BYTES
    for path in set(_read) - set(files):
        _read.pop(path, None)
    for path in files:
        # Under another key people have other pseudonyms; without one, they have none that stays.
        key = stamp_or_none(home.annotator_key)
        known = _read.get(path)
        if known is None or stamps[path] is None or known.stamp != (stamps[path], key):
            met, people.addresses = people.addresses, {}
            known = _FileRead(
                (stamps[path], key), *read_annotation_file(path, home.relative(path), people), people.addresses
            )
            people.addresses = met
            if is_remembered and (key is not None or not known.addresses):
                _read[path] = known
        people.addresses = known.addresses | people.addresses
        yield known
