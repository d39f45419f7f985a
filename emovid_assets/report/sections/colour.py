"""Colour and emotion: the paper's Figure 5, its means per emotion and its analysis of variance."""

import colorsys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from emovid_assets.core.domains import TOTAL
from emovid_assets.drawing.charts.curve import Bin, curve
from emovid_assets.drawing.markup import Markup, element, join, text
from emovid_assets.drawing.numerals import DASH, clips, count, interval, number, p_value, percent, sample, words
from emovid_assets.report.answers import Answer, Answers, Row
from emovid_assets.report.exhibits import (
    FIGURE,
    TABLE,
    Column,
    Exhibit,
    Section,
    missing,
    name_column,
    side_by_side,
    table,
)

POLARITY = "SELECT * FROM polarity_by_colour"
COLOURS = "SELECT * FROM colour_by_emotion"
ANOVA = "SELECT * FROM colour_anova"
TREND = "SELECT * FROM polarity_trend"
HUE = "SELECT * FROM hue_tests WHERE emotion = 'all'"
NO_LABELS = "Clips need labels and colour attributes: emovid annotate import, then emovid build."
VAGUE_HUE = 0.5
HUE_TESTS = {
    "rayleigh": "Rayleigh",
    "watson_williams": "Watson–Williams",
    "watson_large_sample": "Watson, large samples",
}
WORD = {"brightness": "brightness", "colorfulness": "colourfulness"}
LEVENE = "Levene’s p, median form"


def colour(answers: Answers) -> Section:
    return Section(
        "colour",
        "Colour and emotion",
        (_polarity(answers), _trends(answers), _means(answers), _anova(answers), _hue(answers)),
    )


def _polarity(answers: Answers) -> Exhibit:
    title, paper = "Share of positive emotions by colour", "Figure 5"
    answer = answers.ask(POLARITY)
    if not any(row["clip_count"] for row in answer.rows):
        return missing(FIGURE, title, answer, NO_LABELS, paper)
    reading = " ".join(_trend(attribute, _bins(answer, attribute)) for attribute in ("colorfulness", "brightness"))
    notes = (
        "Bins are the rounded values 0.0, 0.1, … 1.0. The band is Wilson's 95 % interval, the grey bars the clips of "
        "each bin, the dashed line the share over all of them."
    )
    body, n = side_by_side(*polarity_figures(answer)), _clip_count(answer.rows, "attribute")
    return Exhibit(FIGURE, title, reading, body, (answer,), paper, notes, rests_on=n)


def _bins(answer: Answer, attribute: str) -> list[Bin]:
    return [
        Bin(
            row["bin"],
            row["clip_count"],
            row["positive_share"],
            row["positive_share_low"],
            row["positive_share_high"],
        )
        for row in answer.rows
        if row["attribute"] == attribute
    ]


def _trend(attribute: str, bins: list[Bin]) -> str:
    """Lower against upper half of the clips that have the attribute, by bins: a plain comparison, no test."""
    dark, bright = ([one for one in bins if one.at < 0.45], [one for one in bins if one.at > 0.45])
    n_dark, n_bright = sum(one.n for one in dark), sum(one.n for one in bright)
    if not n_dark or not n_bright:
        n = n_dark + n_bright
        return f"All {clips(n)} have a {WORD[attribute]} {'of 0.4 or less' if n_dark else 'above 0.4'}."
    low, high = (sum(one.n * (one.share or 0) for one in half) / n for half, n in ((dark, n_dark), (bright, n_bright)))
    return (
        f"Of the clips with a {WORD[attribute]} of 0.5 or more {percent(high)} are positive ({sample(n_bright)}), "
        f"of those below {percent(low)} ({sample(n_dark)})."
    )


def polarity_figures(answer: Answer) -> list[Markup]:
    panels = []
    for attribute in ("colorfulness", "brightness"):
        bins = _bins(answer, attribute)
        n = sum(one.n for one in bins)
        positive = sum(one.n * (one.share or 0) for one in bins)
        name = WORD[attribute]
        panels.append(
            curve(
                f"polarity-{attribute}",
                f"{name.capitalize()}, {sample(n)}",
                "; ".join(f"{name} {one.at:.1f}: {percent(one.share)} of {clips(one.n)}" for one in bins if one.n),
                bins,
                across=name,
                up="share of positive",
                reference=positive / n if n else None,
            )
        )
    return panels


def _clip_count(rows: Sequence[Row], group: str) -> int:
    """Clips of the smallest group: no finding is better than that."""
    sums: dict[Any, int] = {}
    for row in rows:
        sums[row[group]] = sums.get(row[group], 0) + row["clip_count"]
    return min(sums.values(), default=0)


def _of_all_domains(rows: Sequence[Row]) -> int:
    """Clips that the sentences are about, which is those of all domains where such rows are there."""
    return min(row["clip_count"] for row in ([row for row in rows if row["domain"] == TOTAL] or rows))


def _trends(answers: Answers) -> Exhibit:
    title, paper = "Does the positive share rise with colour? Slopes and their tests", "Figure 5"
    answer = answers.ask(TREND)
    rows = [row for row in answer.rows if row["slope"] is not None]
    if not rows:
        return missing(TABLE, title, answer, NO_LABELS, paper)
    reading = " ".join(_slope(row) for row in rows if row["domain"] == TOTAL)
    columns = (
        Column("attribute", lambda row: WORD.get(row["attribute"], row["attribute"]), is_number=False),
        name_column("domain", "domain"),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("positive", lambda row: percent(row["positive_share"])),
        Column("slope", lambda row: number(row["slope"])),
        Column("95 % interval", lambda row: interval(row["slope_low"], row["slope_high"])),
        Column("p", lambda row: p_value(row["slope_p_value"])),
        Column("p of the trend", lambda row: p_value(row["trend_p_value"])),
    )
    notes = "The slope is the change of the positive share from level 0 to level 1 of the attribute."
    body, n = table(title, rows, columns, rests_on="clip_count"), _of_all_domains(rows)
    return Exhibit(TABLE, title, reading or None, body, (answer,), paper, notes, rests_on=n)


def _slope(row: Row) -> str:
    name = WORD.get(row["attribute"], row["attribute"])
    low, high = row["slope_low"], row["slope_high"]
    if low is None or high is None:
        return f"The slope over {name} has no interval."
    if low > 0 or high < 0:
        said = "rises" if low > 0 else "falls"
        return f"The positive share {said} with {name}: slope {number(row['slope'])}, 95 % {interval(low, high)}."
    return (
        f"Whether the positive share rises or falls with {name} is open: slope {number(row['slope'])}, "
        f"95 % {interval(low, high)}."
    )


def _means(answers: Answers) -> Exhibit:
    title, paper = "Mean colour of each emotion", "text on colour"
    answer = answers.ask(COLOURS)
    rows = [row for row in answer.rows if row["clip_count"]]
    if not rows:
        return missing(FIGURE, title, answer, NO_LABELS, paper)
    reading = (
        f"{_extreme(rows, 'brightness_mean', max, 'the brightest on average').capitalize()}, "
        f"{_extreme(rows, 'brightness_mean', min, 'the darkest')}; "
        f"{_extreme(rows, 'colorfulness_mean', max, 'the most colourful')}, "
        f"{_extreme(rows, 'colorfulness_mean', min, 'the least')}."
    )
    notes = join(
        "A swatch is the colour of the emotion’s mean hue, colourfulness (S) and brightness (V). Hue is the circular "
        "mean; its strength is the length of the mean vector, from 0 (the clips’ hues cancel) to 1 (all alike). Below "
        f"{VAGUE_HUE} the swatch’s hue says little and is marked by a dashed frame."
    )
    body = join(element("div", *(_swatch(row) for row in rows), class_="swatches"), _means_table(title, rows))
    fewest = min(row["clip_count"] for row in rows)
    return Exhibit(FIGURE, title, reading, body, (answer,), paper, notes, rests_on=fewest)


def _extreme(rows: list[Row], key: str, pick: Callable[[Iterable[float]], float], what: str) -> str:
    """Which emotions have the greatest or least mean, as far as two decimals tell them apart."""
    value = number(pick(row[key] for row in rows))
    names = [row["emotion"] for row in rows if number(row[key]) == value]
    return f"{words(names, most=8)} {'is' if len(names) == 1 else 'are'} {what} ({value})"


def swatch_colour(row: Row) -> str:
    """Hex colour of mean hue, colourfulness and brightness; grey of that brightness where there is no hue."""
    hue, saturation = row["hue_mean_deg"], row["colorfulness_mean"]
    parts = colorsys.hsv_to_rgb((hue or 0) / 360, 0 if hue is None else saturation, row["brightness_mean"])
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _swatch(row: Row) -> Markup:
    shown = swatch_colour(row)
    is_vague = row["hue_resultant"] is None or row["hue_resultant"] < VAGUE_HUE
    return element(
        "div",
        element("div", class_="swatch vague" if is_vague else "swatch", style=f"background:{shown}"),
        element("div", row["emotion"], class_="swatch-name"),
        element("div", join(shown, element("br"), f"n = {count(row['clip_count'])}"), class_="swatch-code"),
    )


def _with_sd(mean: float | None, sd: float | None) -> str:
    return number(mean) if sd is None else f"{number(mean)} ± {number(sd)}"


def _means_table(title: str, rows: list[Row]) -> Markup:
    columns = (
        name_column("emotion", "emotion"),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("brightness ± SD", lambda row: _with_sd(row["brightness_mean"], row["brightness_sd"])),
        Column("colourfulness ± SD", lambda row: _with_sd(row["colorfulness_mean"], row["colorfulness_sd"])),
        Column("hue", lambda row: DASH if row["hue_mean_deg"] is None else f"{row['hue_mean_deg']:.0f}°"),
        Column("strength of hue", lambda row: number(row["hue_resultant"])),
    )
    return table(title, rows, columns, rests_on="clip_count")


def _anova(answers: Answers) -> Exhibit:
    title, paper = "Does colour differ between emotions? One-way analysis of variance", "text on colour"
    answer = answers.ask(ANOVA)
    rows = [row for row in answer.rows if row["f_statistic"] is not None]
    if not rows:
        return missing(TABLE, title, answer, NO_LABELS, paper)
    overall = [row for row in rows if row["domain"] == TOTAL] or rows
    reading = " ".join(_variance(row) for row in overall)
    columns = [
        Column("attribute", lambda row: WORD.get(row["attribute"], row["attribute"]), is_number=False),
        name_column("domain", "domain"),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("F", lambda row: number(row["f_statistic"])),
        Column("df", lambda row: f"{count(row['df_between'])}, {count(row['df_within'])}"),
        *([Column("p", lambda row: p_value(row["p_value"]))] if answer.has("p_value") else []),
        Column("η²", _eta),
        Column("ω²", lambda row: number(row["omega_squared"], 3)),
        *([Column("Welch’s p", lambda row: p_value(row["welch_p_value"]))] if answer.has("welch_p_value") else []),
        *([Column(LEVENE, lambda row: p_value(row["levene_p_value"]))] if answer.has("levene_p_value") else []),
    ]
    notes = "η² is the share of the variance between emotions; ω² is the same without its upward bias in small samples."
    if answer.has("welch_p_value", "levene_p_value"):
        notes += (
            " Where Levene’s p (median form, of Brown and Forsythe) is small the variances differ, and Welch’s test is "
            "the one to report."
        )
    body, n = table(title, rows, columns, rests_on="clip_count"), _of_all_domains(rows)
    return Exhibit(TABLE, title, reading, body, (answer,), paper, notes, rests_on=n)


def _hue(answers: Answers) -> Exhibit:
    title, paper = "Does hue differ between emotions? Circular tests", "text on colour"
    answer = answers.ask(HUE)
    rows = [row for row in answer.rows if row["statistic"] is not None]
    if not rows:
        return missing(TABLE, title, answer, NO_LABELS, paper)
    sound = [row for row in rows if row["is_applicable"]]
    reading = (
        f"The approximation of {count(len(sound))} of these {count(len(rows))} tests holds for so many clips; the "
        "others are shown and should not be relied upon."
        if len(sound) < len(rows)
        else f"The approximation of all {count(len(rows))} tests holds for so many clips."
    )
    columns = (
        Column("test", lambda row: HUE_TESTS.get(row["test"], row["test"]), is_number=False),
        name_column("domain", "domain"),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("emotions", lambda row: count(row["emotion_count"])),
        Column("statistic", lambda row: number(row["statistic"])),
        Column("p", lambda row: p_value(row["p_value"])),
        Column("reliable", lambda row: "yes" if row["is_applicable"] else "no", is_number=False),
    )
    notes = (
        "Hue is an angle: Rayleigh asks whether the hues have a direction at all, Watson whether emotions differ in it."
    )
    body, n = table(title, rows, columns, rests_on="clip_count"), _of_all_domains(rows)
    return Exhibit(TABLE, title, reading, body, (answer,), paper, notes, rests_on=n)


def _eta(row: Row) -> Markup:
    shown = number(row["eta_squared"], 3)
    if row.get("eta_squared_low") is None:
        return text(shown)
    return join(shown, element("span", interval(row["eta_squared_low"], row["eta_squared_high"]), class_="interval"))


def _variance(row: Row) -> str:
    name = WORD.get(row["attribute"], row["attribute"])
    scope = "all domains" if row["domain"] == TOTAL else row["domain"]
    degrees = f"{count(row['df_between'])},\u00a0{count(row['df_within'])}"
    test = f"F({degrees})\u00a0=\u00a0{number(row['f_statistic'])}{_p(row)}"
    return f"Emotion accounts for {percent(row['eta_squared'])} of the variance of {name} over {scope} ({test})."


def _p(row: Row) -> str:
    p = row.get("p_value")
    if p is None:
        return ""
    return f", p {p_value(p)}" if p < 0.001 else f", p = {p_value(p)}"
