"""What each annotator's answers look like beside those of the others on the same clips.

Belongs here: the rows of `annotator_quality`, `annotator_choices` and `annotator_confusion`. Does not belong here:
which answers are accepted (`annotations`), and kappa between two people (`agreement`).

A person is compared with the majority of the *others* on a clip: a majority that contains the person's own vote would
agree with it by construction. The others need to be two at least, with no tie at the top. With three people a clip
that means: both others agree. Such clips are easier than the average clip, so this agreement lies above
that of two people on all clips (docs/agreement.md).

Whether somebody differs from the others by more than chance is asked clip by clip: who has met hard films must not
look odd. `deviation` compares how often a person stands alone against the others with how often the others do on the
very same clips: in a team of equally good people nobody does so more often than the rest.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from emovid_assets.core.agreement import agreement_of
from emovid_assets.core.emotions import HUMAN_CHOICES, NO_SPECIFIC_EMOTION, VERIFY_CHOICES
from emovid_assets.core.rating_bootstrap import RaterPair, resampled_kappa
from emovid_assets.core.source_draws import (
    MIN_SOURCES,
    MIN_WORTH,
    RESAMPLES,
    SEED,
    SourceDraws,
    source_or_itself,
)
from emovid_assets.core.voting import MIN_AGREE, human_label

Row = dict[str, Any]
Annotations = Iterable[Mapping[str, Any]]


@dataclass
class _Record:
    """One person's answers for one purpose."""

    times_s: list[float] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    compared: list[tuple[str, str]] = field(default_factory=list)
    """(majority of the others, own label) of each clip where there is such a majority, by clip id."""
    compared_clips: list[str] = field(default_factory=list)
    beyond_others: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Source → of each clip with three answers or more: whether the person stood alone, less the share of the others
    who did."""
    shared_labels: Counter[str] = field(default_factory=Counter)
    others: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Share of each label among the others' answers, summed over the clips that somebody else answered too."""


def majority_of(labels: Iterable[str]) -> str | None:
    """The choice of at least two people that no other choice equals; None where there is none."""
    vote = human_label(list(labels), required=MIN_AGREE)
    if vote is None or vote.outcome == "no_majority":
        return None
    return vote.emotion or NO_SPECIFIC_EMOTION


def annotator_quality(
    annotations: Annotations, *, domain: str, resamples: int = RESAMPLES, seed: str = SEED
) -> list[Row]:
    """Rows of `annotator_quality`: one a person and purpose, sorted.

    `annotations` are rows of `human_annotations` of one domain. The interval of kappa is that of `SourceDraws`.
    """
    rows: list[Row] = []
    for (annotator_id, purpose), record in _records(annotations):
        agreed = sum(majority == label for majority, label in record.compared)
        kappa, low, high = _kappa(record, _choices(purpose), resamples, seed)
        deviation, p_value = _deviation(record.beyond_others)
        rows.append(
            {
                "domain": domain,
                "annotator_id": annotator_id,
                "purpose": purpose,
                "answer_count": record.labels.total(),
                "timed_answer_count": len(record.times_s),
                "lead_time_median_s": float(median(record.times_s)) if record.times_s else None,
                "compared_count": len(record.compared),
                "agree_count": agreed,
                "agreement": _share(agreed, len(record.compared)),
                "kappa": kappa,
                "kappa_low": low,
                "kappa_high": high,
                "deviation": deviation,
                "deviation_p_value": p_value,
            }
        )
    return rows


def annotator_choices(annotations: Annotations, *, domain: str) -> list[Row]:
    """Rows of `annotator_choices`: one a person, purpose and choice that the purpose offers, sorted by person."""
    rows: list[Row] = []
    for (annotator_id, purpose), record in _records(annotations):
        majorities = Counter(majority for majority, _ in record.compared)
        own = Counter(label for _, label in record.compared)
        both = Counter(label for majority, label in record.compared if majority == label)
        shared = record.shared_labels.total()
        for label in _choices(purpose):
            answer_share = _share(record.shared_labels[label], shared)
            others_share = _share(record.others[label], shared)
            rows.append(
                {
                    "domain": domain,
                    "annotator_id": annotator_id,
                    "purpose": purpose,
                    "label": label,
                    "answer_count": record.labels[label],
                    "shared_clip_count": shared,
                    "answer_share": answer_share,
                    "others_share": others_share,
                    "bias": None if answer_share is None or others_share is None else answer_share - others_share,
                    "majority_count": majorities[label],
                    "compared_answer_count": own[label],
                    "agree_count": both[label],
                    "recall": _share(both[label], majorities[label]),
                    "precision": _share(both[label], own[label]),
                }
            )
    return rows


def annotator_confusion(annotations: Annotations, *, domain: str) -> list[Row]:
    """Rows of `annotator_confusion`: the cells that occur, by person, purpose, majority label and label."""
    return [
        {
            "domain": domain,
            "annotator_id": annotator_id,
            "purpose": purpose,
            "majority_label": majority,
            "label": label,
            "clip_count": count,
        }
        for (annotator_id, purpose), record in _records(annotations)
        for (majority, label), count in sorted(Counter(record.compared).items())
    ]


def _records(annotations: Annotations) -> list[tuple[tuple[str, str], _Record]]:
    by_clip: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in annotations:
        by_clip[row["clip_id"], row["purpose"]].append(row)
    records: dict[tuple[str, str], _Record] = defaultdict(_Record)
    for (clip_id, purpose), rows in sorted(by_clip.items(), key=lambda item: item[0]):
        stands_alone: dict[str, bool] = {}
        for row in rows:
            record, label = records[row["annotator_id"], purpose], row["label"]
            others = [other["label"] for other in rows if other["annotator_id"] != row["annotator_id"]]
            record.labels[label] += 1
            if row["lead_time_s"] is not None:
                record.times_s.append(row["lead_time_s"])
            if others:
                record.shared_labels[label] += 1
            for other in others:
                record.others[other] += 1 / len(others)
            majority = majority_of(others)
            stands_alone[row["annotator_id"]] = majority is not None and label != majority
            if majority is not None:
                record.compared.append((majority, label))
                record.compared_clips.append(clip_id)
        if len(stands_alone) > MIN_AGREE:
            for person, is_alone in stands_alone.items():
                among_others = (sum(stands_alone.values()) - is_alone) / (len(stands_alone) - 1)
                records[person, purpose].beyond_others[source_or_itself(clip_id)].append(is_alone - among_others)
    return sorted(records.items())


def _choices(purpose: str) -> tuple[str, ...]:
    return VERIFY_CHOICES if purpose == "verify" else HUMAN_CHOICES


def _share(part: float, whole: float) -> float | None:
    # Sums of thirds may exceed the whole by a rounding error.
    return min(part / whole, 1.0) if whole else None


def _deviation(beyond_others: Mapping[str, list[float]]) -> tuple[float | None, float | None]:
    """The mean over clips, and p of a mean as high among equally good people: Student's t over source videos.

    p is one-sided, of this person alone; among many people the least p is small by chance (`odd_annotators`). It is
    null with too few sources.
    """
    if not beyond_others:
        return None, None
    sizes = np.array([len(values) for values in beyond_others.values()], np.float64)
    sums = np.array([sum(values) for values in beyond_others.values()], np.float64)
    mean, worth = float(sums.sum() / sizes.sum()), float(sizes.sum() ** 2 / (sizes**2).sum())
    if len(sizes) < MIN_SOURCES or worth < MIN_WORTH:
        return mean, None
    error = float(np.sqrt(((sums - mean * sizes) ** 2).sum() * worth / (worth - 1)) / sizes.sum())
    if not error:
        return mean, 1.0
    from scipy.special import stdtr

    return mean, float(stdtr(worth - 1, -mean / error))


def _kappa(
    record: _Record, choices: tuple[str, ...], resamples: int, seed: str
) -> tuple[float | None, float | None, float | None]:
    compared = record.compared
    if not compared:
        return None, None, None
    codes = (np.array([choices.index(label) for label in labels]) for labels in zip(*compared, strict=True))
    pair = RaterPair("majority", "own", "human_human", np.arange(len(compared)), *codes)
    kappa = agreement_of(pair, len(choices)).kappa
    if kappa is None:
        return None, None, None
    draws = SourceDraws.of_clips(record.compared_clips, resamples=resamples, seed=seed)
    return kappa, *(draws.interval(resampled_kappa(pair, len(choices), draws)) or (None, None))
