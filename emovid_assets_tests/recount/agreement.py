"""Agreement of people and model, recounted from tables of pairs of answers, by scikit-learn and statsmodels.

Belongs here: the section on agreement. A table of pairs has the first rater's choice by row; what is drawn are sums of
the tables of clips.
"""

import math
from functools import cached_property, lru_cache
from itertools import combinations, permutations
from typing import Any

import numpy as np
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from emovid_assets_tests.recount.draws import Numbers, Sources
from emovid_assets_tests.recount.home import CHOICES, EMOTIONS, SCOPES, Library, source_of
from emovid_assets_tests.recount.numerals import Between
from emovid_assets_tests.recount.page import Chart, Exhibit

HALF_WIDTH = 0.04
STATISTICS = {
    "pooled people": "kappa, human pairs, pooled",
    "pooled model": "kappa, human and model, pooled",
    "gap": "gap of these two",
    "mean people": "Cohen’s kappa, human pairs, mean",
    "mean model": "Cohen’s kappa, human and model, mean",
    "fleiss": "Fleiss’ kappa, humans",
    "alpha": "Krippendorff’s alpha, humans",
}
NAMES = {"total": "all domains"}
ORACLE = "scikit-learn, statsmodels, own draws"
_SIZE = len(CHOICES)

Ends = tuple[Between, Between] | None
Pair = tuple[str, str]


def kappa_of(tables: Numbers) -> Numbers:
    """Cohen's kappa of each table of (…, rows, columns)."""
    total = tables.sum(axis=(-2, -1))
    observed = np.trace(tables, axis1=-2, axis2=-1)
    chance = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1)
    with np.errstate(all="ignore"):
        found = (observed / total - chance / total**2) / (1 - chance / total**2)
        return np.asarray(np.where(chance < total**2, found, np.nan))


class Ratings:
    """The blind clips of a scope: what each person and the model said."""

    def __init__(self, library: Library, scope: str) -> None:
        self.clips = [one for one in sorted(library.blind) if scope in ("total", library.domain_of[one])]
        self.model = library.model
        self.said = [{**library.blind[one], self.model: library.machine_labels[one]["emotion"]} for one in self.clips]
        self.people = sorted({name for said in self.said for name in said} - {self.model})
        self.sources = Sources([source_of(one) for one in self.clips])
        self.everything = np.arange(len(self.clips))

    @property
    def pairs(self) -> list[Pair]:
        """Pairs of people, then pairs of a person and the model, by name."""
        return [*combinations(self.people, 2), *(tuple(sorted((self.model, name))) for name in self.people)]

    def answers_of(self, pair: Pair) -> list[tuple[int, str, str]]:
        """(clip, first, second) where both have answered."""
        found = [(place, said.get(pair[0]), said.get(pair[1])) for place, said in enumerate(self.said)]
        return [(place, one, other) for place, one, other in found if one and other]

    def tables(self, answers: list[tuple[int, str, str]]) -> Numbers:
        """The sum of these pairs of answers over the clips of each draw: (draws, choices, choices)."""
        of_clip = np.zeros((len(self.clips), _SIZE, _SIZE))
        for place, one, other in answers:
            of_clip[place, CHOICES.index(one), CHOICES.index(other)] += 1
        return np.tensordot(self.sources.weights, of_clip, axes=1)

    def kappa(self, answers: list[tuple[int, str, str]]) -> tuple[float | None, Numbers]:
        """Cohen's kappa and what it is in each draw."""
        firsts, seconds = [one for _, one, _ in answers], [other for *_, other in answers]
        value = cohen_kappa_score(firsts, seconds, labels=list(CHOICES)) if len({*firsts, *seconds}) > 1 else math.nan
        return None if math.isnan(value) else float(value), kappa_of(self.tables(answers))

    def shown(self, value: float | None, drawn: Numbers) -> list[Any] | None:
        """A value with the ends of its interval, as a cell shows them."""
        return None if value is None else [value, *(self.sources.ends(drawn, self.everything) or ())]

    @cached_property
    def of_pairs(self) -> dict[Pair, tuple[float | None, Numbers]]:
        return {pair: self.kappa(self.answers_of(pair)) for pair in self.pairs}

    @cached_property
    def people_counts(self) -> Numbers:
        """(clips, choices): how many people said so."""
        return np.array(
            [[sum(said.get(name) == choice for name in self.people) for choice in CHOICES] for said in self.said], float
        )

    @cached_property
    def statistics(self) -> dict[str, tuple[float | None, Numbers]]:
        people = [
            (place, said[one], said[other])
            for place, said in enumerate(self.said)
            for one, other in permutations([name for name in self.people if name in said], 2)
        ]
        model = [answer for name in self.people for answer in self.answers_of((name, self.model))]
        pooled = {"pooled people": self.kappa(people), "pooled model": self.kappa(model)}
        means = {}
        for name, kinds in (("mean people", False), ("mean model", True)):
            known = [found for pair, found in self.of_pairs.items() if (self.model in pair) == kinds]
            stacked = np.stack([drawn for _, drawn in known])
            there = (~np.isnan(stacked)).sum(axis=0)
            drawn = np.where(there > 0, np.nansum(stacked, axis=0) / np.maximum(there, 1), np.nan)
            means[name] = (float(np.mean([value for value, _ in known if value is not None])), drawn)
        return {**pooled, **means, "fleiss": self._fleiss(), "alpha": alpha_of(self.people_counts, self.sources)}

    def _fleiss(self) -> tuple[float, Numbers]:
        counts = self.people_counts
        (raters,) = set(counts.sum(axis=1))
        weights = self.sources.weights
        total = weights.sum(axis=1)
        agreed = weights @ ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1)) / total
        chance = ((weights @ counts / (total * raters)[:, None]) ** 2).sum(axis=1)
        with np.errstate(all="ignore"):
            drawn = np.where(chance < 1, (agreed - chance) / (1 - chance), np.nan)
        return float(fleiss_kappa(counts[:, counts.sum(axis=0) > 0])), drawn

    @property
    def gap(self) -> tuple[float, Between, Between, Between] | float:
        """The gap with the ends of its interval and its standard error, or without where there are too few sources."""
        (people, drawn_people), (model, drawn_model) = (
            self.statistics[name] for name in ("pooled people", "pooled model")
        )
        assert people is not None
        assert model is not None
        signed = drawn_people - drawn_model
        ends = self.sources.ends(signed, self.everything)
        if ends is None:
            return abs(people - model)
        low, high = ends
        corners = [
            (0.0 if a <= 0 <= b else min(abs(a), abs(b)), max(abs(a), abs(b)))
            for a in (low.low, low.high)
            for b in (high.low, high.high)
        ]
        near, far = zip(*corners, strict=True)
        error = self.sources.standard_error(signed, self.everything)
        return abs(people - model), Between(min(near), max(near)), Between(min(far), max(far)), error

    @property
    def needed(self) -> Between | None:
        """Clips for an interval of ± 0.04."""
        if isinstance(self.gap, float):
            return None
        error = self.gap[3]
        low, high = (len(self.clips) * (1.96 * end / HALF_WIDTH) ** 2 for end in (error.low, error.high))
        return Between(math.floor(low), math.ceil(high))


@lru_cache
def ratings_of(library: Library, scope: str) -> Ratings:
    return Ratings(library, scope)


def alpha_of(counts: Numbers, sources: Sources) -> tuple[float | None, Numbers]:
    """Krippendorff's alpha from the matrix of coincidences, of all clips and of each draw; null with one category."""
    table = counts[:, :, None] * counts[:, None] - np.eye(counts.shape[1]) * counts[:, :, None]
    answered = counts.sum(axis=1)
    coincidences = np.where((answered > 1)[:, None, None], table / np.maximum(answered - 1, 1)[:, None, None], 0)

    def alpha(matrices: Numbers) -> Numbers:
        n, totals = matrices.sum(axis=(-2, -1)), matrices.sum(axis=-1)
        unequal = n * n - (totals**2).sum(axis=-1)
        with np.errstate(all="ignore"):
            found = 1 - (n - 1) * (n - np.trace(matrices, axis1=-2, axis2=-1)) / unequal
        return np.where(unequal > 1e-9, found, np.nan)

    value = float(alpha(coincidences.sum(axis=0)))
    return None if math.isnan(value) else value, alpha(np.tensordot(sources.weights, coincidences, axes=1))


def agreement(library: Library) -> dict[str, Exhibit]:
    return {
        "Cohen’s kappa of every pair of raters, on the validation clips": _pairs(library),
        "Agreement statistics and the gap between people and model": _statistics(library),
        "How far people agree on each emotion": _by_emotion(library),
    }


def _words(name: str) -> list[str]:
    """A name where it holds a digit, and so is one of the words of a text that are held against it."""
    return [name] if any(letter.isdigit() for letter in name) else []


def _pairs(library: Library) -> Exhibit:
    charts = []
    for scope in SCOPES:
        ratings = ratings_of(library, scope)
        charts += [_matrix(ratings), _intervals(ratings)]
    everything = ratings_of(library, "total")
    known = {pair: round(value, 12) for pair, (value, _) in everything.of_pairs.items() if value is not None}
    reading: list[Any] = []
    for pair in (min(known, key=known.__getitem__), max(known, key=known.__getitem__)):
        reading += [known[pair], *_words(pair[0]), *_words(pair[1])]
    return Exhibit(ORACLE, [*reading, len(everything.clips)], notes=[1, 0, 95, 8], charts=charts)


def _matrix(ratings: Ratings) -> Chart:
    said: list[Any] = []
    for (one, other), (value, _) in ratings.of_pairs.items():
        said += [*_words(one), *_words(other), *([] if value is None else [value])]
    raters = [*ratings.people, ratings.model]
    marks = []
    for one, other in permutations(raters, 2):
        value = ratings.of_pairs[min(one, other), max(one, other)][0]
        if value is not None:
            marks.append([*_words(one), *_words(other), value])
    names = [name for name in raters if _words(name)]
    return Chart([len(ratings.clips)], said, marks, axis=(*names, *names))


def _intervals(ratings: Ratings) -> Chart:
    said: list[Any] = []
    marks = []
    for (one, other), (value, drawn) in ratings.of_pairs.items():
        names, shown = [*_words(one), *_words(other)], ratings.shown(value, drawn)
        said += [*names, *(shown or [])]
        if shown:
            marks.append([*names, *shown])
    return Chart([95], said, marks, axis=tuple(f"{tenth / 10:.1f}".replace("-", "−") for tenth in range(-10, 11)))


def _statistics(library: Library) -> Exhibit:
    rows: list[list[Any]] = [["statistic", *(NAMES.get(scope, scope) for scope in SCOPES)]]
    for key, name in STATISTICS.items():
        cells = []
        for scope in SCOPES:
            ratings = ratings_of(library, scope)
            if key == "gap":
                cells.append([ratings.gap] if isinstance(ratings.gap, float) else list(ratings.gap[:3]))
            else:
                cells.append(ratings.shown(*ratings.statistics[key]) or [])
        rows.append([name, *cells])
    needed = [ratings_of(library, scope).needed for scope in SCOPES]
    notes = [95, 8, HALF_WIDTH, *(one for one in needed if one is not None)]
    everything = ratings_of(library, "total")
    assert not isinstance(everything.gap, float)
    value, low, high, _ = everything.gap
    return Exhibit(ORACLE, [value, 95, low, high, len(everything.clips), HALF_WIDTH], notes=notes, tables=[rows])


def _by_emotion(library: Library) -> Exhibit:
    ratings = ratings_of(library, "total")
    counts = ratings.people_counts
    said: list[Any] = []
    marks = []
    alphas = {}
    for place, name in enumerate(CHOICES):
        own = counts[:, place]
        value, drawn = alpha_of(np.column_stack([own, counts.sum(axis=1) - own]), ratings.sources)
        shown = ratings.shown(value, drawn)
        if shown and value is not None:
            alphas[name] = value
            said.append(value)
            marks.append(shown)
    eight = [alphas[name] for name in EMOTIONS if name in alphas]
    ticks = tuple(f"{tenth / 10:.1f}".replace("-", "−") for tenth in range(-10, 11))
    return Exhibit(ORACLE, [max(eight), min(eight), len(ratings.clips)], charts=[Chart((), said, marks, axis=ticks)])
