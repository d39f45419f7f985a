"""What people were asked and how they answered, recounted answer by answer.

Belongs here: the section on human annotation.
"""

import statistics
from collections import defaultdict
from typing import Any

from emovid_assets_tests.recount.home import CHOICES, SCOPES, Library, majority
from emovid_assets_tests.recount.page import Exhibit

OUTCOMES = ("agreed", "no_majority", "no_specific_emotion", "rejected")
OUTCOMES_HEAD = ("domain", "clips", *(name.replace("_", " ") for name in OUTCOMES), "share agreed")
PURPOSES = ("label", "verify", "validate", "review")
PEOPLE_HEAD = (
    *("annotator", "answers", *PURPOSES),
    *("median time, s", "compared, n", "agreement", "over-used label"),
)


def annotation(library: Library) -> dict[str, Exhibit]:
    return {
        "What became of the clips that people labelled": _outcomes(library),
        "The people who answered": _people(library),
    }


def outcome_count(library: Library, scope: str, outcome: str | None = None) -> int:
    return sum(
        scope in ("total", library.domain_of[one]) and outcome in (None, found)
        for one, (found, _) in library.outcomes.items()
    )


def _outcomes(library: Library) -> Exhibit:
    rows: list[list[Any]] = [list(OUTCOMES_HEAD)]
    for scope in SCOPES:
        asked = outcome_count(library, scope)
        counts = [outcome_count(library, scope, name) for name in OUTCOMES]
        rows.append([scope, asked, *counts, [100 * counts[0] / asked] if asked else None])
    _, asked, agreed, *_, share = rows[-1]
    return Exhibit("votes counted again", [asked, agreed, *share], tables=[rows])


def _people(library: Library) -> Exhibit:
    by_clip: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in library.answers:
        by_clip[row["clip_id"], row["purpose"]][row["annotator_id"]] = row["label"]
    rows: list[list[Any]] = [list(PEOPLE_HEAD)]
    for person in library.people:
        own = [row for row in library.answers if row["annotator_id"] == person]
        compared, excess = [], defaultdict[str, float](float)
        for answers in by_clip.values():
            others = [label for name, label in answers.items() if name != person]
            if person not in answers or not others:
                continue
            excess[answers[person]] += 1
            for label in others:
                excess[label] -= 1 / len(others)
            if (winner := majority(others)) is not None:
                compared.append(winner == answers[person])
        most = max(CHOICES, key=lambda name: round(excess[name], 9))
        purposes = [sum(row["purpose"] == purpose for row in own) for purpose in PURPOSES]
        median = statistics.median(row["lead_time_s"] for row in own if row["lead_time_s"] is not None)
        agreement = 100 * statistics.mean(compared)
        biased = f"{most.replace('_', ' ')} (+{excess[most]:.1f})" if excess[most] > 1e-9 else None
        rows.append([person, len(own), *purposes, [median], len(compared), [agreement], biased])
    shares = [row[8][0] for row in rows[1:]]
    span = [min(shares), max(shares)] if round(min(shares)) < round(max(shares)) else [min(shares)]
    return Exhibit("answers one by one", [len(library.people), len(library.answers), *span], tables=[rows])
