"""What a comparison on EmoSet leaves behind: tables, a page to read, lines at the terminal.

Belongs here: files and printing. Does not belong here: who answers (`emoset`), formulas (`core.picture_comparison`).

No file names a place on this machine. Numbers are equal for equal answers, but for seconds.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emovid_assets.building.emoset import Found, Rater
from emovid_assets.core.emoset import PUBLISHED
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.labeller_comparison import PEOPLE
from emovid_assets.core.picture_comparison import ALL, Answers, by_scope, confusion_rows, measured
from emovid_assets.core.placing import put_into_place, put_text
from emovid_assets.tables.pictures import PICTURE_ANSWERS, PICTURE_COMPARISON, PICTURE_CONFUSION, PICTURE_FAULTS

Row = dict[str, Any]

RESULTS, PAGE = "results.json", "README.md"
NOT_COMPARABLE = (
    "EmoSet's people did not choose among eight emotions: ten of them were asked whether a picture shows the emotion "
    "that it was searched for, and it stayed where more than seven said yes. People in a file of answers choose among "
    "nine, which is another question.",
    "EmoSet's own number is of a network trained on its whole train split and tested on its whole test split. It "
    "compares with labellers taught by EmoSet on the whole of both, and with no other.",
    "Two classes are the polarities of the eight answers. EmoSet trains a network of two classes for its number.",
    "Labellers of our clips have learnt from films. A picture has no movement, no length and no sound, which the "
    "embedded labeller looks at too.",
    "Pictures are shown upright, where their EXIF says how; EmoSet's own loader passes over that.",
)
"""What to know before numbers are held against each other."""


@dataclass(frozen=True)
class Results:
    """What was found, measured."""

    found: Found

    @cached_property
    def scopes(self) -> dict[str, dict[str, Answers]]:
        return by_scope(self.found.answers)

    @cached_property
    def comparison(self) -> list[Row]:
        """Rows of `comparison`: in each scope the raters in the order in which they were asked."""
        raters = {rater.rater_id: rater for rater in self.found.raters} | {PEOPLE: Rater(PEOPLE, PEOPLE)}
        return [
            {
                "scope": scope,
                "rater_id": rater_id,
                "rater_kind": rater.kind,
                "model_id": rater.model_id,
                "model_revision": rater.revision,
                "training_picture_count": rater.training_picture_count,
                "temperature": rater.temperature,
                **measured(answers[rater_id]),
            }
            for scope, answers in self.scopes.items()
            for rater_id, rater in raters.items()
            if rater_id in answers
        ]

    @property
    def confusion(self) -> Iterator[Row]:
        for scope, answers in self.scopes.items():
            for rater_id, given in answers.items():
                yield from ({"scope": scope, "rater_id": rater_id, **row} for row in confusion_rows(given))

    @property
    def faults(self) -> list[Row]:
        return [
            {**vars(fault), "rater_id": rater, "is_left_out": fault.is_left_out} for rater, fault in self.found.faults
        ]

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures there are at each stage."""
        compared = next((row["picture_count"] for row in self.comparison if row["scope"] == ALL), 0)
        return {
            "listed": self.found.entry_count,
            "sampled": len(self.found.sample),
            "readable": len(self.found.seen),
            "compared": compared,
        }

    def as_json(self) -> Row:
        asked = self.found.asked
        return {
            "dataset": asked.folder.resolve().name,
            "split": asked.split,
            "limit": asked.limit,
            "train_limit": asked.train_limit,
            "pictures": self.counts,
            "pictures_by_emotion": _by_emotion(self.found),
            "faults": dict(sorted(Counter(fault.code for _, fault in self.found.faults).items())),
            "comparison": self.comparison,
            "reliability": {
                scope: {rater: [vars(one) for one in answers.bins] for rater, answers in raters.items() if answers.bins}
                for scope, raters in self.scopes.items()
            },
            "published": PUBLISHED,
            "not_comparable": list(NOT_COMPARABLE),
            "notes": self.found.notes,
            "device": self.found.device,
            "version": version("emovid-assets"),
        }


def write(results: Results, folder: Path) -> list[Path]:
    """Writes all files of a comparison; each appears whole."""
    tables = {
        PICTURE_ANSWERS: results.found.answers,
        PICTURE_COMPARISON: results.comparison,
        PICTURE_CONFUSION: results.confusion,
        PICTURE_FAULTS: results.faults,
    }
    written = []
    for table, rows in tables.items():
        written.append(folder / f"{table.name}.parquet")
        with put_into_place(written[-1]) as temporary:
            pq.write_table(table.from_rows(rows), temporary)
    texts = {
        RESULTS: json.dumps(results.as_json(), indent=1) + "\n",
        PAGE: page(results),
    }
    for name, text in texts.items():
        written.append(folder / name)
        put_text(written[-1], text)
    return written


def page(results: Results) -> str:
    """The results as Markdown."""
    asked, counts = results.found.asked, results.counts
    lines = [f"# Labellers on {asked.folder.resolve().name}, {asked.split} split", "", _sentence(counts), ""]
    for scope in results.scopes:
        lines += [_TITLES[scope], "", *_markdown(_HEADS, _rows(results, scope)), ""]
    lines += ["## What compares with what", "", *(f"- {sentence}" for sentence in NOT_COMPARABLE), ""]
    lines += ["## Confusions", "", "Rows: what EmoSet says. Columns: what the rater says. All pictures compared.", ""]
    for rater, answers in results.scopes[ALL].items():
        lines += [f"### {rater}", "", *_confusion(answers), ""]
    if results.found.faults:
        lines += ["## Faults", "", *_markdown(("code", "count", "first"), _fault_rows(results.found)), ""]
    lines += [*(f"- {note}" for note in results.found.notes), ""] if results.found.notes else []
    return "\n".join(lines)


def show(out: Console, results: Results, folder: Path) -> None:
    """The results on eighty columns."""
    out.print(_sentence(results.counts), markup=False)
    for scope in results.scopes:
        if results.scopes[scope]:
            out.print(_TITLES[scope].removeprefix("## "), style="bold")
            table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
            for number, head in enumerate(_HEADS):
                if head != _ON_THE_PAGE:
                    table.add_column(head, justify="right" if number else "left", no_wrap=bool(number))
            for row in _rows(results, scope):
                table.add_row(*(escape(cell) for head, cell in zip(_HEADS, row, strict=True) if head != _ON_THE_PAGE))
            out.print(table)
    out.print("(in brackets: 95 % interval; what compares with what stands in README.md)", markup=False, style="dim")
    for code, count, first in _fault_rows(results.found):
        out.print(f"[yellow]{escape(code)}[/] {count}, first: {escape(first)}")
    for note in results.found.notes:
        out.print(f"[dim]{escape(note)}[/]")
    asked = f"{results.found.asked_count:,} answers asked for, the others were there. " if results.found.device else ""
    out.print(f"{asked}Results: {folder}", markup=False)


_HEADS = ("labeller", "n", "8 classes, %", "2 classes, %", "ECE", "Brier", "s")
_ON_THE_PAGE = "Brier"
"""The column that eighty columns have no room for."""
_TITLES = {ALL: "## All pictures that every labeller has answered", PEOPLE: "## The pictures that people have answered"}


def _rows(results: Results, scope: str) -> Iterator[tuple[str, ...]]:
    for row in results.comparison:
        if row["scope"] == scope:
            yield (
                row["rater_id"],
                f"{row['picture_count']:,}",
                _interval(row, "accuracy_8"),
                _interval(row, "accuracy_2"),
                *("" if row[name] is None else f"{row[name]:.2f}" for name in ("ece", "brier")),
                "" if row["seconds_per_picture"] is None else f"{row['seconds_per_picture']:.2g}",
            )
    if scope == ALL:
        method, *shares = PUBLISHED.values()
        yield (f"printed: {method}", "", *(f"{100 * float(share):.1f}" for share in shares), "", "", "")
        yield ("guessing", "", "12.5", "50.0", "", "", "")


def _interval(row: Mapping[str, Any], name: str) -> str:
    share, low, high = (100 * row[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{share:.1f} ({low:.1f}-{high:.1f})"


def _sentence(counts: Mapping[str, int]) -> str:
    return (
        f"{counts['listed']:,} pictures listed, {counts['sampled']:,} sampled, {counts['readable']:,} readable and of "
        f"one label, {counts['compared']:,} compared"
    )


def _by_emotion(found: Found) -> dict[str, int]:
    return dict(sorted(Counter(one.picture.emotion for one in found.seen.values()).items()))


def _fault_rows(found: Found) -> list[tuple[str, str, str]]:
    """Code, how often, and the first one by path."""
    by_code: dict[str, list[tuple[str, str]]] = {}
    for rater, fault in found.faults:
        place = f"{fault.path} ({rater})" if rater else fault.path
        by_code.setdefault(fault.code, []).append((place, fault.message))
    return [(code, str(len(them)), ": ".join(min(them))) for code, them in sorted(by_code.items())]


def _confusion(answers: Answers) -> list[str]:
    counts = {(row["emotion"], row["label"]): row["picture_count"] for row in confusion_rows(answers)}
    there = [name for name in HUMAN_CHOICES if any(name in pair for pair in counts)]
    rows = ((truth, *(str(counts.get((truth, label), "")) for label in there)) for truth in there)
    return _markdown(("", *there), rows)


def _markdown(heads: tuple[str, ...], rows: Any) -> list[str]:
    cells = [heads, tuple("---" for _ in heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in cells]
