"""Colour and emotion, recounted from pixels by SciPy, statsmodels and complex numbers.

Belongs here: the section on colour. Hues are complex numbers of length 1.
"""

import colorsys
import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import optimize, special, stats
from statsmodels.api import OLS, add_constant
from statsmodels.stats.oneway import anova_oneway

from emovid_assets_tests.recount.home import EMOTIONS, POSITIVE, SCOPES, Library
from emovid_assets_tests.recount.numerals import Between
from emovid_assets_tests.recount.page import Chart, Exhibit

ATTRIBUTES = {"brightness": "brightness", "colorfulness": "colourfulness"}
TREND_HEAD = ("attribute", "domain", "clips", "positive", "slope", "95 % interval", "p", "p of the trend")
MEANS_HEAD = ("emotion", "clips", "brightness ± SD", "colourfulness ± SD", "hue", "strength of hue")
ANOVA_HEAD = ("attribute", "domain", "clips", "F", "df", "p", "η²", "ω²", "Welch’s p", "Levene’s p, median form")
HUE_HEAD = ("test", "domain", "clips", "emotions", "statistic", "p", "reliable")
NO_SPREAD = 1e-12
APPROXIMATION = 0.015

Groups = list[np.ndarray]


def colour(library: Library) -> dict[str, Exhibit]:
    return {
        "Share of positive emotions by colour": _polarity(library),
        "Does the positive share rise with colour? Slopes and their tests": _trend(library),
        "Mean colour of each emotion": _means(library),
        "Does colour differ between emotions? One-way analysis of variance": _anova(library),
        "Does hue differ between emotions? Circular tests": _hue(library),
    }


def values(library: Library, scope: str, column: str, emotion: str | None = None) -> list[float]:
    """A colour attribute of the labelled clips of a scope, or of one of its emotions."""
    return [
        library.colours[one][column]
        for one in library.labelled(scope)
        if emotion in (None, library.labels[one][0]) and library.colours[one][column] is not None
    ]


def _is_positive(library: Library, scope: str) -> list[bool]:
    return [library.labels[one][0] in POSITIVE for one in library.labelled(scope)]


def _polarity(library: Library) -> Exhibit:
    charts, reading = [], []
    for column in ("colorfulness", "brightness"):
        levels: dict[float, list[bool]] = defaultdict(list)
        for level, is_positive in zip(values(library, "total", column), _is_positive(library, "total"), strict=True):
            levels[round(level, 1)].append(is_positive)
        marks = [[level, 100 * statistics.mean(there), len(there)] for level, there in sorted(levels.items())]
        counts = [[len(levels[tenth / 10])] for tenth in range(11) if tenth / 10 in levels]
        steps = [f"{tenth / 10:.1f}" for tenth in range(11)]
        percents = [f"{share}\u202f%" for share in (0, 25, 50, 75, 100)]
        said = [value for mark in marks for value in mark]
        charts.append(Chart([sum(map(len, levels.values()))], said, marks, counts, (*steps, *percents)))
        above = [one for level, there in levels.items() if level >= 0.5 for one in there]
        below = [one for level, there in levels.items() if level < 0.5 for one in there]
        reading += [0.5, 100 * statistics.mean(above), len(above), 100 * statistics.mean(below), len(below)]
    total = len(library.labelled("total"))
    return Exhibit("clips level by level", reading, total, [0.0, 0.1, 1.0, 95], charts=charts)


def _trend(library: Library) -> Exhibit:
    rows: list[list[Any]] = [list(TREND_HEAD)]
    reading: list[Any] = []
    for column, name in ATTRIBUTES.items():
        for scope in SCOPES:
            x = np.array(values(library, scope, column))
            y = np.array(_is_positive(library, scope), float)
            if len(x) < 3 or len(set(x)) < 2 or len(set(y)) < 2:
                continue
            fit = OLS(y, add_constant(x)).fit(cov_type="HC1")
            ends = list(fit.conf_int()[1])
            # Cochran and Armitage: the score test of a logistic slope, of which the variance is that under no slope.
            spread = ((x - x.mean()) ** 2).sum()
            z = (x - x.mean()) @ y / np.sqrt(y.mean() * (1 - y.mean()) * spread)
            p = 2 * stats.norm.sf(abs(z))
            rows.append([name, scope, len(x), [100 * y.mean()], [fit.params[1]], ends, [fit.pvalues[1]], [p]])
            if scope == "total":
                reading += [fit.params[1], 95, *ends]
    return Exhibit("statsmodels", reading, len(library.labelled("total")), [0, 1], [rows])


def direction(hues: Sequence[float]) -> complex:
    """The mean of unit vectors."""
    return complex(np.exp(1j * np.radians(np.array(hues))).mean())


def _means(library: Library) -> Exhibit:
    rows: list[list[Any]] = [list(MEANS_HEAD)]
    texts: list[tuple[str, Sequence[Any]]] = []
    means: dict[str, dict[str, float]] = {column: {} for column in ATTRIBUTES}
    for emotion in EMOTIONS:
        shown = []
        for column in ATTRIBUTES:
            found = values(library, "total", f"{column}_mean", emotion)
            means[column][emotion] = statistics.mean(found)
            shown.append([statistics.mean(found), statistics.stdev(found)])
        mean_hue = direction(values(library, "total", "hue_mean_deg", emotion))
        degrees = float(np.degrees(np.angle(mean_hue)) % 360)
        count = library.count_of("total", emotion)
        rows.append([emotion, count, *shown, [degrees], [abs(mean_hue)]])
        parts = colorsys.hsv_to_rgb(degrees / 360, means["colorfulness"][emotion], means["brightness"][emotion])
        texts.append(("swatch-code", ["#" + "".join(f"{round(255 * part):02x}" for part in parts), count]))
    bright, colourful = (list(means[column].values()) for column in ATTRIBUTES)
    reading = [max(bright), min(bright), max(colourful), min(colourful)]
    fewest = min(library.count_of("total", emotion) for emotion in EMOTIONS)
    return Exhibit("statistics and complex numbers", reading, fewest, [0, 1, 0.5], [rows], texts=texts)


def groups_of(library: Library, scope: str, column: str) -> Groups:
    found = [np.array(values(library, scope, column, emotion)) for emotion in EMOTIONS]
    return [group for group in found if len(group)]


def _anova(library: Library) -> Exhibit:
    rows: list[list[Any]] = [list(ANOVA_HEAD)]
    reading: list[Any] = []
    for column, name in ATTRIBUTES.items():
        for scope in SCOPES:
            groups = groups_of(library, scope, f"{column}_mean")
            n, k = sum(map(len, groups)), len(groups)
            if n == k or k < 2:
                continue
            within = sum(((group - group.mean()) ** 2).sum() for group in groups)
            everything = np.concatenate(groups)
            whole = ((everything - everything.mean()) ** 2).sum()
            f, p = stats.f_oneway(*groups)
            eta, error = 1 - within / whole, within / (n - k)
            omega = (whole - within - (k - 1) * error) / (whole + error)
            has_spread = all(len(group) > 1 and group.var() > NO_SPREAD for group in groups)
            welch = [anova_oneway(groups, use_var="unequal").pvalue] if has_spread else None
            rows.append(
                [
                    *(name, scope, n, [f], [k - 1, n - k], [p]),
                    [eta, *_eta_ends(f, k - 1, n - k)],
                    *([omega], welch, _levene(groups)),
                ]
            )
            if scope == "total":
                reading += [100 * eta, k - 1, n - k, f, p if p >= 0.001 else 0.0]
    return Exhibit("SciPy and statsmodels", reading, len(library.labelled("total")), tables=[rows])


def _levene(groups: Groups) -> list[float] | None:
    """Levene's p in its median form; null where no distance from a median differs."""
    distances = [np.abs(group - np.median(group)) for group in groups]
    if sum(((one - one.mean()) ** 2).sum() for one in distances) <= 1e-20:
        return None
    return [stats.levene(*groups, center="median").pvalue]


def _eta_ends(f: float, between: int, within: int) -> list[Between]:
    """The shares of variance whose noncentral F would give this one in 2.5 % of samples, on either side.

    The report takes the noncentral F in Severo and Zelen's approximation, which is that far off with few clips.
    """
    ends = []
    for probability in (0.975, 0.025):
        found, reach = 0.0, 1.0
        if stats.f.cdf(f, between, within) > probability:
            while stats.ncf.cdf(f, between, within, reach) > probability:
                reach *= 1.5
            found = optimize.brentq(lambda nc, p=probability: stats.ncf.cdf(f, between, within, nc) - p, 1e-9, reach)
        share = found / (found + between + within + 1)
        ends.append(Between(share - APPROXIMATION, share + APPROXIMATION))
    return ends


def _hue(library: Library) -> Exhibit:
    rows: list[list[Any]] = [list(HUE_HEAD)]
    for scope in SCOPES:
        groups = [np.exp(1j * np.radians(group)) for group in groups_of(library, scope, "hue_mean_deg")]
        for test, found in (
            ("Rayleigh", _rayleigh(groups)),
            ("Watson, large samples", _watson(groups)),
            ("Watson–Williams", _watson_williams(groups)),
        ):
            if found:
                statistic, p, is_reliable = found
                n = sum(map(len, groups))
                rows.append([test, scope, n, len(groups), [statistic], [p], "yes" if is_reliable else "no"])
    reliable = sum(row[-1] == "yes" for row in rows)
    reading = [reliable, len(rows) - 1] if reliable < len(rows) - 1 else [len(rows) - 1]
    return Exhibit("complex numbers and SciPy", reading, len(library.labelled("total")), tables=[rows])


def _rayleigh(groups: Groups) -> tuple[float, float, bool]:
    n, length = sum(map(len, groups)), abs(np.concatenate(groups).sum())
    # Wilkie (1983).
    p = float(np.exp(np.sqrt(1 + 4 * n + 4 * (n**2 - length**2)) - (1 + 2 * n)))
    return length**2 / n, p, n >= 10


def _watson(groups: Groups) -> tuple[float, float, bool] | None:
    """Watson's test for large samples (Fisher 1993, 5.3.4); it needs a dispersion in every emotion."""
    weights, directed = [], []
    for group in groups:
        mean = group.mean()
        second = float(np.cos(2 * (np.angle(group) - np.angle(mean))).mean())
        if 1 - second < NO_SPREAD:
            return None
        weights.append(len(group) * 2 * abs(mean) ** 2 / (1 - second))
        directed.append(weights[-1] * mean / abs(mean))
    statistic = 2 * (sum(weights) - abs(sum(directed)))
    return statistic, float(stats.chi2.sf(statistic, len(groups) - 1)), min(map(len, groups)) >= 25


def _watson_williams(groups: Groups) -> tuple[float, float, bool] | None:
    n, k = sum(map(len, groups)), len(groups)
    lengths, whole = sum(abs(group.sum()) for group in groups), abs(np.concatenate(groups).sum())
    if n <= k or n - lengths < NO_SPREAD * n:
        return None
    resultant = lengths / n
    statistic = (1 + 3 / 8 / concentration(resultant)) * (n - k) * (lengths - whole) / (k - 1) / (n - lengths)
    return statistic, float(stats.f.sf(statistic, k - 1, n - k)), resultant >= 0.45 and n >= 5 * k


def concentration(resultant: float) -> float:
    """Fisher (1993), 4.40, of von Mises' distribution; the exact one lies within 1 % of it."""
    exact = optimize.brentq(lambda kappa: special.i1e(kappa) / special.i0e(kappa) - resultant, 1e-6, 1e6)
    if resultant < 0.53:
        found = 2 * resultant + resultant**3 + 5 * resultant**5 / 6
    elif resultant < 0.85:
        found = -0.4 + 1.39 * resultant + 0.43 / (1 - resultant)
    else:
        found = 1 / (resultant**3 - 4 * resultant**2 + 3 * resultant)
    assert abs(found / exact - 1) < 0.02
    return found
