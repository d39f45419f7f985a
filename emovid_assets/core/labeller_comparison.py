"""Labellers and people on the same blind clips: how often they are right, and how far that can be believed.

Belongs here: the rows of `labeller_comparison` from those of `labeller_answers` (requirement R15). Does not belong
here: who answers, and what it costs to ask.

Two truths are needed, because a person is part of the majority:
- `majority`: what at least two people chose, without a tie. For models only: a person would agree with a majority that
  holds the own vote, two times out of three by construction.
- `others`: for each person, the majority of the *other* people on the clip; with three people, both others agree. A
  model is judged by the very same pairs of clip and majority, so models and people can be compared within this truth.
  Clips on which all agree come up once a person, disputed ones less often or never: they are easier than the average
  clip, for people and for models, and both come out better than by `majority`.

Clips count where that truth is one of the eight emotions and every labeller at hand has answered. Intervals are drawn
by source video (`source_draws`); all raters of a scope see the same resamples.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.calibration import bins_of, brier_score, expected_calibration_error
from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.core.source_draws import RESAMPLES, SEED, SourceDraws
from emovid_assets.core.statistics.confusion import accuracy, cohen_kappa, confusion, macro_f1, resampled_confusion
from emovid_assets.core.statistics.quotients import number

Row = dict[str, Any]

MAJORITY, OTHERS = "majority", "others"
PERSON, PEOPLE = "person", "people"
LEAST_PROBABILITY = 1e-4
"""Floor under the probability of the right answer, so that one certain mistake does not make a mean infinite."""
_CHOICES = len(HUMAN_CHOICES)


@dataclass(frozen=True)
class _Judged:
    """Pairs of a truth and an answer: places of their clips, and both as positions in HUMAN_CHOICES."""

    clips: npt.NDArray[np.intp]
    truth: npt.NDArray[np.intp]
    label: npt.NDArray[np.intp]
    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, str, Mapping[str, Any]]]) -> "_Judged":
        found = list(pairs)
        return cls(
            np.array([clip for clip, _, _ in found], np.intp),
            np.array([HUMAN_CHOICES.index(truth) for _, truth, _ in found], np.intp),
            np.array([HUMAN_CHOICES.index(row["label"]) for _, _, row in found], np.intp),
            [row for _, _, row in found],
        )


def labeller_comparison(
    answers: Iterable[Mapping[str, Any]], *, resamples: int = RESAMPLES, seed: str = SEED
) -> list[Row]:
    """Rows of `labeller_comparison` from rows of `labeller_answers`, sorted."""
    known = list(answers)
    rows: list[Row] = []
    for scope in (*DOMAINS, TOTAL):
        members = [row for row in known if scope in (TOTAL, row["domain"])]
        rows += _of_scope(scope, members, resamples, seed)
    return sorted(rows, key=lambda row: (row["scope"], row["truth"], row["rater_id"]))


def accuracy_gain(
    answers: Iterable[Mapping[str, Any]], better: str, worse: str, *, resamples: int = RESAMPLES, seed: str = SEED
) -> tuple[float, tuple[float, float] | None, int] | None:
    """Accuracy by `majority` of one labeller less that of another on their common clips, interval, number of clips.

    Null where they have no common clip with a majority.
    """
    by_clip: dict[str, dict[str, bool]] = {}
    for row in answers:
        if row["rater_id"] in (better, worse) and row["people_majority"] in EMOTION_NAMES:
            by_clip.setdefault(row["clip_id"], {})[row["rater_id"]] = row["label"] == row["people_majority"]
    gain_of = {
        clip_id: float(one[better]) - float(one[worse]) for clip_id, one in sorted(by_clip.items()) if len(one) == 2
    }
    if not gain_of:
        return None
    gains = np.array(list(gain_of.values()))
    draws = SourceDraws.of_clips(gain_of, resamples=resamples, seed=seed)
    drawn = draws.totals(gains) / draws.totals(np.ones(len(gains)))
    return float(gains.mean()), draws.interval(drawn), len(gains)


def _of_scope(scope: str, answers: list[Mapping[str, Any]], resamples: int, seed: str) -> list[Row]:
    by_rater: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in answers:
        by_rater.setdefault(row["rater_id"], {})[row["clip_id"]] = row
    people = {name: rows for name, rows in by_rater.items() if _kind(rows) == PERSON}
    models = {name: rows for name, rows in by_rater.items() if name not in people}
    common = set[str]().union(*people.values()).intersection(*models.values())
    clips = sorted(common)
    place = {clip_id: number for number, clip_id in enumerate(clips)}
    draws = SourceDraws.of_clips(clips, resamples=resamples, seed=seed)
    majority = {
        row["clip_id"]: row["people_majority"]
        for rows in people.values()
        for row in rows.values()
        if row["clip_id"] in common
    }
    others = [
        (row["clip_id"], row["others_majority"], row)
        for _, rows in sorted(people.items())
        for _, row in sorted(rows.items())
        if row["clip_id"] in common and row["others_majority"] in EMOTION_NAMES
    ]
    judged: list[tuple[str, str, str, _Judged]] = []
    for name, rows in sorted(models.items()):
        by_all = [(place[one], majority[one], rows[one]) for one in clips if majority[one] in EMOTION_NAMES]
        judged.append((name, _kind(rows), MAJORITY, _Judged.of(by_all)))
        by_others = [(place[one], truth, rows[one]) for one, truth, _ in others]
        judged.append((name, _kind(rows), OTHERS, _Judged.of(by_others)))
    for name in sorted(people):
        own = [(place[one], truth, row) for one, truth, row in others if row["rater_id"] == name]
        judged.append((name, PERSON, OTHERS, _Judged.of(own)))
    judged.append((PEOPLE, PEOPLE, OTHERS, _Judged.of((place[one], truth, row) for one, truth, row in others)))
    return [
        {"scope": scope, "rater_id": name, "rater_kind": kind, "truth": truth, **_measured(pairs, draws)}
        for name, kind, truth, pairs in judged
        if pairs.rows
    ]


def _kind(rows: Mapping[str, Mapping[str, Any]]) -> str:
    return str(next(iter(rows.values()))["rater_kind"])


def _measured(pairs: _Judged, draws: SourceDraws) -> Row:
    whole = confusion(pairs.truth, pairs.label, _CHOICES)
    drawn = resampled_confusion(pairs.truth, pairs.label, _CHOICES, draws, pairs.clips)
    found: Row = {"clip_count": len(set(pairs.clips.tolist())), "pair_count": len(pairs.rows)}
    for name, measure in (("accuracy", accuracy), ("macro_f1", macro_f1), ("kappa", cohen_kappa)):
        low, high = draws.interval(measure(drawn), pairs.clips) or (None, None)
        found |= {
            name: number(measure(whole)),
            f"{name}_low": low,
            f"{name}_high": high,
        }
    return found | _calibration(pairs) | _cost(pairs)


def _calibration(pairs: _Judged) -> Row:
    if any(row["p_" + EMOTION_NAMES[0]] is None for row in pairs.rows):
        return {"ece": None, "nll": None, "brier": None}
    shares = np.array([[row[f"p_{name}"] for name in EMOTION_NAMES] for row in pairs.rows], np.float64)
    right = shares[np.arange(len(shares)), pairs.truth]
    return {
        "ece": expected_calibration_error(bins_of(shares, pairs.truth)),
        "nll": float(-np.log(np.maximum(right, LEAST_PROBABILITY)).mean()),
        "brier": float(brier_score(shares, pairs.truth).mean()),
    }


def _cost(pairs: _Judged) -> Row:
    """Means over clips, however many pairs a clip is in."""
    rows = {row["clip_id"]: row for row in pairs.rows}.values()
    seconds = [row["model_s"] for row in rows if row["model_s"] is not None]
    tokens = [row["prompt_token_count"] for row in rows if row["prompt_token_count"] is not None]
    return {
        "model_s_per_clip": float(np.mean(seconds)) if seconds else None,
        "prompt_tokens_per_clip": float(np.mean(tokens)) if tokens else None,
    }
