"""Files of answers that are handed in: judged, and kept in the library.

Belongs here: what `emovid annotate import` and `emovid study import` do, and what a file in the library holds. Does not
belong here: which answers count (`core.annotations`, `core.generation.preference_answers`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core import annotations
from emovid_assets.core.annotations import NOT_ANSWERED, REMARKS, SUFFIXES, TOO_FEW, accept_answers, read_annotations
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.generation import preference_answers
from emovid_assets.core.generation.preference_answers import accept_preferences
from emovid_assets.core.generation.preference_files import read_preferences
from emovid_assets.core.placing import put_bytes
from emovid_assets.core.pseudonyms import Pseudonyms
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of

Rows = Sequence[Mapping[str, Any]]
Judged = tuple[Rows, Rows]
"""Answers that count, and those that do not."""


@dataclass(frozen=True)
class Kind:
    """A kind of answers. `judged`: those in the bytes of a file, by a domain's tables as they are. `statements`: (about
    what, question, person, answer) of each that could count. `signatories`: who has answered at all."""

    folder: Callable[[Home], Path]
    judged: Callable[[Home, bytes, str, Pseudonyms], Sequence[Judged]]
    statements: Callable[[bytes, str, Pseudonyms], set[tuple[str, str, str, str]]]
    signatories: Callable[[bytes, str, Pseudonyms], set[str]]


def _annotations_judged(home: Home, content: bytes, name: str, people: Pseudonyms) -> list[Judged]:
    warehouse = Warehouse(home.warehouse)
    answers, refused = read_annotations(content, name, people)
    return [
        accept_answers(
            answers,
            domain=domain,
            known_clip_ids=set(warehouse.read("clips", domain)["clip_id"].to_pylist()),
            rejected=refused,
        )
        for domain in DOMAINS
    ]


def _preferences_judged(home: Home, content: bytes, name: str, people: Pseudonyms) -> list[Judged]:
    warehouse = Warehouse(home.warehouse)
    answers, refused = read_preferences(content, name, people)
    return [
        accept_preferences(
            answers, domain=domain, tasks=rows_of(warehouse.read("preference_tasks", domain)), rejected=refused
        )
        for domain in DOMAINS
    ]


ANNOTATIONS = Kind(lambda home: home.annotations, _annotations_judged, annotations.statements, annotations.signatories)
PREFERENCES = Kind(
    lambda home: home.preferences, _preferences_judged, preference_answers.statements, preference_answers.signatories
)


@dataclass
class ImportReport:
    """What a file holds, judged against the clips or pairs that exist now.

    `messages`: by reason, whatever does not count and whatever could not be read beside an answer that does. `refusal`:
    why nothing of the file was taken.
    """

    path: str
    accepted: int = 0
    messages: dict[str, list[str]] = field(default_factory=dict)
    refusal: str | None = None
    is_replaced: bool = False

    @property
    def reasons(self) -> Counter[str]:
        return Counter({reason: len(said) for reason, said in self.messages.items()})

    @property
    def rejected(self) -> int:
        """Answers that do not count."""
        return sum(number for reason, number in self.reasons.items() if reason not in {*REMARKS, NOT_ANSWERED, TOO_FEW})

    @property
    def is_whole(self) -> bool:
        """Whether nothing in it has to be mended: second thoughts and skipped clips are as they should be."""
        harmless = {NOT_ANSWERED, TOO_FEW, "superseded", "cancelled", "unknown_column"}
        return self.refusal is None and not self.messages.keys() - harmless


def import_files(home: Home, files: Sequence[Path], kind: Kind = ANNOTATIONS) -> list[ImportReport]:
    """Copies files into the folder of their kind in the library and reports what they hold.

    Each file is judged by itself: whether enough people have answered shows in the build, over all files. Nothing is
    kept of a file that cannot be read as a whole, or under whose name a file lies with answers that it does not have
    (`refusal`): answers are never lost. A mended file takes the place of the one before.
    """
    with pseudonyms(home) as people:
        return [_taken(home, path, people, kind) for path in files]


def _taken(home: Home, path: Path, people: Pseudonyms, kind: Kind) -> ImportReport:
    target = kind.folder(home) / path.name
    if path.suffix.lower() not in SUFFIXES:
        said = "answers are CSV files or Label Studio JSON exports"
        return ImportReport(people.hide_in_path(str(path)), refusal=said)
    if path.name.startswith("."):
        said = "files whose name begins with a point are hidden, and no build reads them; give it another name"
        return ImportReport(people.hide_in_path(str(path)), refusal=said)
    if target.is_dir():
        said = f"a folder of that name is at {home.relative(target)}; give the file another name"
        return ImportReport(people.hide_in_path(str(path)), refusal=said)
    try:
        content = path.read_bytes()
    except OSError as error:
        return ImportReport(people.hide_in_path(str(path)), refusal=f"the file cannot be read: {error.strerror}")
    report = _judged(home, content, home.relative(target), people, kind)
    if report.refusal:
        return report
    try:
        put_bytes(target, content, is_replacing=False)
    except FileExistsError:
        before = target.read_bytes()
        if before != content:
            lost = _lost(before, content, path.name, people, kind)
            if lost:
                refusal = f"a file of that name is there with {lost}; give the new file another name"
                return ImportReport(report.path, refusal=refusal)
            put_bytes(target, content)
            report.is_replaced = True
    return report


def _lost(before: bytes, content: bytes, name: str, people: Pseudonyms, kind: Kind) -> str | None:
    """What would be lost if the content took the place of the one before; null where that is nothing."""
    lost = kind.statements(before, name, people) - kind.statements(content, name, people)
    if lost:
        about, question, who, answer = min(lost)
        return (
            f"{len(lost)} answers that this one does not have, the first by {who}: '{answer}' for {about} ({question})"
        )
    # Answers that cannot count yet are mended under the name of whoever gave them.
    gone = kind.signatories(before, name, people) - kind.signatories(content, name, people)
    return f"answers by {min(gone)}, who has none in this one" if gone else None


def judged(home: Home, path: Path, kind: Kind = ANNOTATIONS) -> ImportReport:
    """What a file in the library holds, and what of it would count."""
    with pseudonyms(home) as people:
        return _judged(home, path.read_bytes(), home.relative(path), people, kind)


def _judged(home: Home, content: bytes, name: str, people: Pseudonyms, kind: Kind) -> ImportReport:
    report = ImportReport(people.hide_in_path(name))
    rejected: list[Mapping[str, Any]] = []
    for accepted, of_domain in kind.judged(home, content, name, people):
        report.accepted += len(accepted)
        rejected += of_domain
    # Whoever mends a file goes through it from above, whatever domains its rows are of.
    for row in sorted(rejected, key=_place):
        report.messages.setdefault(row["reason"], []).append(row["message"])
    unreadable = report.messages.pop("unreadable_file", None)
    if unreadable:
        report.refusal = " ".join(unreadable)
    return report


def _place(row: Mapping[str, Any]) -> int:
    return int(row["row_number"])
