"""Labellers and people on pictures whose emotion a published dataset gives: how often they say the same.

Belongs here: the rows of a comparison, of its confusions and of its reliability, from answers. Does not belong here:
the dataset (`emoset`), who answers, and the comparison on our own clips (`labeller_comparison`).

Models are compared on the pictures that all of them have answered: `all`. Where people have answered some, everybody is
compared on those once more: `people`. A person who finds no specific emotion is wrong, by eight classes and by two.

Pictures are independent of each other, as far as a dataset says. So the interval of a share is Wilson's, and that of
macro F1 resamples pictures, which is the same as resampling the cells of the confusion.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.annotator_quality import majority_of
from emovid_assets.core.calibration import Bin, bins_of, brier_score, expected_calibration_error
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.labeller_comparison import LEAST_PROBABILITY, PEOPLE, PERSON
from emovid_assets.core.source_draws import MIN_SOURCES, RESAMPLES, SEED, expanded_tail
from emovid_assets.core.statistics.confusion import confusion, macro_f1
from emovid_assets.core.statistics.quotients import Values, number
from emovid_assets.core.statistics.wilson import wilson

Row = dict[str, Any]
ALL = "all"
_CHOICES = len(HUMAN_CHOICES)


@dataclass(frozen=True)
class Answers:
    """What one rater said of pictures: the right answer and the given one, as positions in HUMAN_CHOICES."""

    rows: Sequence[Mapping[str, Any]]
    truth: npt.NDArray[np.intp]
    label: npt.NDArray[np.intp]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "Answers":
        return cls(
            rows,
            np.array([HUMAN_CHOICES.index(row["emotion"]) for row in rows], np.intp),
            np.array([HUMAN_CHOICES.index(row["label"]) for row in rows], np.intp),
        )

    @property
    def shares(self) -> npt.NDArray[np.float64] | None:
        """(pictures, 8) probabilities; null where the rater gives none."""
        if any(row["p_" + EMOTION_NAMES[0]] is None for row in self.rows):
            return None
        return np.array([[row[f"p_{name}"] for name in EMOTION_NAMES] for row in self.rows], np.float64)

    @property
    def bins(self) -> list[Bin]:
        """Pictures by confidence; none without probabilities."""
        shares = self.shares
        return [] if shares is None else bins_of(shares, self.truth)


def by_scope(answers: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Answers]]:
    """Scope → rater → answers that may be compared, those of people only where people have answered.

    `answers` have picture_id, emotion, rater_id, rater_kind, label and p_<emotion>.
    """
    given: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in answers:
        given.setdefault(row["rater_id"], {})[row["picture_id"]] = row
    models = {name: rows for name, rows in given.items() if _kind(rows) != PERSON}
    people = {name: rows for name, rows in given.items() if name not in models}
    common = set[str].intersection(*map(set, models.values())) if models else set[str]().union(*people.values())
    found = {ALL: {name: _on(rows, common) for name, rows in models.items()}}
    seen = common.intersection(set[str]().union(*people.values()))
    if seen:
        everybody = {**models, **people}
        if majority := _majority(people):
            everybody[PEOPLE] = majority
        found[PEOPLE] = {name: _on(rows, seen) for name, rows in everybody.items()}
    return {scope: {name: one for name, one in raters.items() if one.rows} for scope, raters in found.items()}


def measured(answers: Answers, *, resamples: int = RESAMPLES, seed: str = SEED) -> Row:
    """How good a rater is: shares with Wilson's intervals, macro F1, calibration, cost a picture."""
    count = len(answers.rows)
    right = int((answers.truth == answers.label).sum())
    right_polarity = int((_polarities(answers.truth) == _polarities(answers.label)).sum())
    table = confusion(answers.truth, answers.label, _CHOICES)
    random = np.random.default_rng(keyed_rank("bootstrap over pictures", seed))
    drawn = random.multinomial(count, table.ravel() / count, size=resamples).reshape(-1, _CHOICES, _CHOICES)
    low, high = _interval(macro_f1(drawn), count)
    return {
        "picture_count": count,
        "right_8_count": right,
        **_share("accuracy_8", right, count),
        "right_2_count": right_polarity,
        **_share("accuracy_2", right_polarity, count),
        "macro_f1": number(macro_f1(table)),
        "macro_f1_low": low,
        "macro_f1_high": high,
        **_calibration(answers),
        **_cost(answers),
    }


def _interval(drawn: Values, picture_count: int) -> tuple[float | None, float | None]:
    """Of resamples as those of `source_draws`, each picture being a source of its own."""
    defined = drawn[~np.isnan(drawn)]
    if not defined.size or picture_count < MIN_SOURCES:
        return None, None
    tail = expanded_tail(picture_count)
    low, high = np.quantile(defined, (tail, 1 - tail))
    return float(low), float(high)


def confusion_rows(answers: Answers) -> list[Row]:
    """emotion, label, picture_count: how often the label was given to pictures of the emotion, where it was."""
    table = confusion(answers.truth, answers.label, _CHOICES)
    return [
        {"emotion": HUMAN_CHOICES[row], "label": HUMAN_CHOICES[column], "picture_count": int(table[row, column])}
        for row, column in zip(*np.nonzero(table), strict=True)
    ]


def _kind(rows: Mapping[str, Mapping[str, Any]]) -> str:
    return str(next(iter(rows.values()))["rater_kind"])


def _on(rows: Mapping[str, Mapping[str, Any]], pictures: set[str]) -> Answers:
    return Answers.of([rows[name] for name in sorted(pictures & rows.keys())])


def _majority(people: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """Of each picture on which at least two people agree, what they say."""
    given: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for rows in people.values():
        for picture_id, row in rows.items():
            given[picture_id].append(row)
    found = {picture_id: (rows[0], majority_of(row["label"] for row in rows)) for picture_id, rows in given.items()}
    return {
        picture_id: {**row, "rater_id": PEOPLE, "rater_kind": PEOPLE, "label": label}
        for picture_id, (row, label) in found.items()
        if label is not None
    }


def _polarities(choices: npt.NDArray[np.intp]) -> npt.NDArray[np.str_]:
    """Of each choice; no specific emotion has neither."""
    words = [EMOTION_BY_NAME[name].polarity if name in EMOTION_BY_NAME else "" for name in HUMAN_CHOICES]
    return np.array(words)[choices]


def _share(name: str, right: int, count: int) -> Row:
    low, high = wilson(right, count) or (None, None)
    return {name: right / count if count else None, f"{name}_low": low, f"{name}_high": high}


def _calibration(answers: Answers) -> Row:
    shares = answers.shares
    if shares is None:
        return {"ece": None, "nll": None, "brier": None}
    right = shares[np.arange(len(shares)), answers.truth]
    return {
        "ece": expected_calibration_error(bins_of(shares, answers.truth)),
        "nll": float(-np.log(np.maximum(right, LEAST_PROBABILITY)).mean()),
        "brier": float(brier_score(shares, answers.truth).mean()),
    }


def _cost(answers: Answers) -> Row:
    def mean(name: str) -> float | None:
        known = [row[name] for row in answers.rows if row[name] is not None]
        return float(np.mean(known)) if known else None

    return {"seconds_per_picture": mean("seconds"), "prompt_tokens_per_picture": mean("prompt_token_count")}
