"""The labels by model, recounted by scikit-learn: the labeller is trained and cross-validated again.

Belongs here: the section on the labeller. What it learns from is written down again after docs/models.md.
"""

import math
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold

from emovid_assets_tests.recount.agreement import kappa_of
from emovid_assets_tests.recount.draws import Numbers, Sources
from emovid_assets_tests.recount.home import CHOICES, DOMAINS, EMOTIONS, Library, Row, majority, source_of
from emovid_assets_tests.recount.page import Chart, Exhibit

MODELS_HEAD = ("model", "how", "trained on", "measured on", "accuracy", "baseline", "macro F1")
COMPARED_HEAD = (
    *("rater", "against the majority of", "clips", "accuracy", "macro F1", "kappa"),
    *("ECE", "−log p", "s a clip", "tokens a clip"),
)
FLOOR = 1e-4
QUIET_DB = -80.0


def labeller(library: Library) -> dict[str, Exhibit]:
    return {
        "The labeller, measured on human labels": _models(library),
        "What the model says where people agree, on the blind validation clips": _confusion(library),
        "Labellers and people on the same blind clips": _comparison(library),
    }


class Quality(NamedTuple):
    count: int
    accuracy: float
    baseline: float
    macro_f1: float


@lru_cache
def quality_of(library: Library) -> Quality:
    """Of the labeller on the clips that it may learn from, each predicted by a forest that has not seen its group.

    The blind clips and what looks like them stay out; the benchmark does not, as a forest is no judge of videos.
    """
    groups = library.by_clip("clip_groups")
    blind = {groups[one]["twins_id"] for one in library.blind}
    learnt = [
        one
        for one, (_, source) in sorted(library.labels.items())
        if source == "human" and groups[one]["twins_id"] not in blind
    ]
    features, colours = library.by_clip("clip_features"), library.colours
    x = np.array([_features(features[one], colours[one]) for one in learnt])
    y = np.array([library.labels[one][0] for one in learnt])
    group = np.array([groups[one]["group_id"] for one in learnt])
    folds = StratifiedGroupKFold(min(5, len(set(group)), max(Counter(y).values())), shuffle=True, random_state=0)
    predicted, usual = y.copy(), y.copy()
    with warnings.catch_warnings():
        # Of an emotion with fewer clips than folds.
        warnings.simplefilter("ignore", UserWarning)
        divided = list(folds.split(x, y, group))
    for train, test in divided:
        counts = Counter(y[train].tolist())
        usual[test] = max(EMOTIONS, key=lambda name: counts[name])
        forest = RandomForestClassifier(300, class_weight="balanced", random_state=0).fit(x[train], y[train])
        shares = [dict(zip(forest.classes_, row, strict=True)) for row in forest.predict_proba(x[test])]
        predicted[test] = [max(EMOTIONS, key=lambda name: share.get(name, 0)) for share in shares]
    return Quality(len(learnt), accuracy_score(y, predicted), accuracy_score(y, usual), _f1(y, predicted))


def _f1(truth: Sequence[str], said: Sequence[str]) -> float:
    return float(f1_score(truth, said, labels=sorted(set(truth)), average="macro", zero_division=0))


def _features(clip: Row, colour: Row) -> list[float]:
    """Palette, colour, motion, rhythm, sound and domain."""
    hue = np.radians(colour["hue_chromatic_deg"] or 0.0)
    weight = colour["chromatic_share"] * colour["colorfulness_mean"]
    is_loud = clip["loudness_db"] is not None
    return [
        *np.sqrt(clip["colour_histogram"]),
        *(colour["brightness_mean"], colour["colorfulness_mean"], weight * np.cos(hue), weight * np.sin(hue)),
        *np.sqrt([clip["motion_mean"], clip["motion_sd"], clip["motion_peak"]]),
        *(np.log(max(clip["duration_s"], 0.1)), clip["cut_rate_hz"], float(is_loud)),
        *((clip["loudness_db"] if is_loud else QUIET_DB) / 20, (clip["loudness_sd_db"] or 0.0) / 20),
        *(np.log1p(clip["spectral_centroid_hz"] or 0.0), clip["silence_share"] if is_loud else 1.0),
        *np.sqrt(clip["band_shares"] or [0.0] * 8),
        *(float(clip["domain"] == name) for name in DOMAINS),
    ]


def _models(library: Library) -> Exhibit:
    quality = quality_of(library)
    ((_, revision),) = {(row["model_id"], row["model_revision"]) for row in library.machine_labels.values()}
    row = [
        *(f"{library.model}revision {revision[:12]}", "embedded", quality.count, quality.count),
        *([100 * quality.accuracy], [100 * quality.baseline], [quality.macro_f1]),
    ]
    reading = [100 * quality.accuracy, quality.count, 100 * quality.baseline]
    return Exhibit("the forest trained again", reading, quality.count, tables=[[MODELS_HEAD, row]])


def _confusion(library: Library) -> Exhibit:
    counts = Counter[tuple[str, str]]()
    for one, answers in library.blind.items():
        if (winner := majority(list(answers.values()))) is not None:
            counts[winner, library.machine_labels[one]["emotion"]] += 1
    total = sum(counts.values())
    right = sum(count for (truth, said), count in counts.items() if truth == said)
    wrong = [count for (truth, said), count in counts.items() if truth != said]
    reading = [right, total, 100 * right / total]
    if wrong and wrong.count(max(wrong)) < 4:
        reading.append(max(wrong))
    rows = [name for name in CHOICES if name in EMOTIONS or any(truth == name for truth, _ in counts)]
    starts = [sum(counts[name, other] for other in EMOTIONS) for name in rows]
    marks = [[counts[name, other]] for name, start in zip(rows, starts, strict=True) for other in EMOTIONS if start]
    said = [count for _, count in sorted(counts.items())]
    chart = Chart([total], said, marks, [[start] for start in starts])
    return Exhibit("votes counted again", reading, total, charts=[chart])


class Judged(NamedTuple):
    """A rater, the truth that the answers are held against, and (clip, truth, answer) of each."""

    rater: str
    kind: str
    truth: str
    answers: list[tuple[int, str, str]]


def _judged(library: Library, clips: list[str]) -> list[Judged]:
    by_all: list[tuple[int, str, str]] = []
    by_others: list[tuple[int, str, str]] = []
    of_person: dict[str, list[tuple[int, str, str]]] = {name: [] for name in library.people}
    for place, one in enumerate(clips):
        answers, model = library.blind[one], library.machine_labels[one]["emotion"]
        if (winner := majority(list(answers.values()))) in EMOTIONS:
            by_all.append((place, winner, model))
        for person, said in answers.items():
            if (winner := majority([label for name, label in answers.items() if name != person])) in EMOTIONS:
                by_others.append((place, winner, model))
                of_person[person].append((place, winner, said))
    together = [answer for answers in of_person.values() for answer in answers]
    return [
        Judged(library.model, "embedded", "all", by_all),
        Judged(library.model, "embedded", "the others", by_others),
        *(Judged(name, "person", "the others", answers) for name, answers in of_person.items() if answers),
        Judged("people", "people", "the others", together),
    ]


def _comparison(library: Library) -> Exhibit:
    clips = sorted(library.blind)
    sources = Sources([source_of(one) for one in clips])
    found = []
    for judged in _judged(library, clips):
        places, truth, said = zip(*judged.answers, strict=True)
        tables = np.zeros((len(clips), len(CHOICES), len(CHOICES)))
        for place, one, other in judged.answers:
            tables[place, CHOICES.index(one), CHOICES.index(other)] += 1
        drawn = np.tensordot(sources.weights, tables, axes=1)
        accuracy = accuracy_score(truth, said)
        cells: list[Any] = []
        for value, each in (
            (accuracy, _accuracy(drawn)),
            (_f1(truth, said), _macro_f1(drawn)),
            (cohen_kappa_score(truth, said, labels=list(CHOICES)), kappa_of(drawn)),
        ):
            cells.append([value, *(sources.ends(each, places) or ())])
        is_model = judged.rater == library.model
        cells += _calibration(library, clips, judged.answers) if is_model else [None, None]
        order = (judged.truth != "all", not is_model, -accuracy, judged.rater)
        count = len(set(places))
        found.append((order, [f"{judged.rater}{judged.kind}", judged.truth, count, *cells, None, None]))
    rows = [row for _, row in sorted(found, key=lambda entry: entry[0])]
    by_all, by_others = rows[0], rows[1]
    (people,) = [row for row in rows if row[0] == "peoplepeople"]
    pairs = len(_judged(library, clips)[-1].answers)
    reading = [by_all[2], 100 * by_all[3][0], 100 * people[3][0], 100 * by_others[3][0], pairs]
    fewest = min(row[2] for row in rows)
    return Exhibit("scikit-learn, own draws", reading, fewest, [95], [[COMPARED_HEAD, *rows]])


def _accuracy(tables: Numbers) -> Numbers:
    with np.errstate(all="ignore"):
        return np.asarray(np.trace(tables, axis1=1, axis2=2) / tables.sum(axis=(1, 2)))


def _macro_f1(tables: Numbers) -> Numbers:
    """The mean over the choices that are true of any clip of the draw."""
    truth, said, both = tables.sum(axis=2), tables.sum(axis=1), np.diagonal(tables, axis1=1, axis2=2)
    with np.errstate(all="ignore"):
        return np.asarray(np.nanmean(np.where(truth > 0, 2 * both / (truth + said), np.nan), axis=1))


def _calibration(library: Library, clips: list[str], answers: list[tuple[int, str, str]]) -> list[Any]:
    """Expected calibration error and mean logarithmic loss; equal confidence is never divided between two bins."""
    shares = [{name: library.machine_labels[clips[place]][f"p_{name}"] for name in EMOTIONS} for place, _, _ in answers]
    sure = [max(share.values()) for share in shares]
    right = [said == truth for _, truth, said in answers]
    bins = min(max(len(answers) // 20, 1), 15)
    ordered = sorted(sure)
    edges = [ordered[len(sure) * number // bins] for number in range(1, bins)]
    members: dict[int, list[int]] = {}
    for number, value in enumerate(sure):
        members.setdefault(sum(value >= edge for edge in edges), []).append(number)
    error = sum(abs(sum(sure[i] - right[i] for i in there)) for there in members.values()) / len(sure)
    loss = np.mean([-math.log(max(share[truth], FLOOR)) for share, (_, truth, _) in zip(shares, answers, strict=True)])
    return [[error], [float(loss)]]
