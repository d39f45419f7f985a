"""How far the raters agree: the paper's kappa of every pair, its gap, and the same per emotion."""

from collections.abc import Callable, Mapping

from emovid_assets.core.agreement import DIRECTION_WORDS, HUMAN_HUMAN, HUMAN_VLM, MORE, direction_of
from emovid_assets.core.agreement_statistics import MAX_GAP
from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.source_draws import MIN_SOURCES
from emovid_assets.drawing.charts.heat import heat_map, symmetric
from emovid_assets.drawing.charts.intervals import Estimate, intervals
from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import clips, count, interval, number, plain
from emovid_assets.drawing.palette import domain_colour, emotion_colour
from emovid_assets.report.answers import Answer, Answers, Row
from emovid_assets.report.exhibits import (
    FIGURE,
    TABLE,
    Column,
    Exhibit,
    Section,
    missing,
    side_by_side,
    table,
)

PAIRS = "SELECT * FROM rater_agreement"
STATISTICS = """\
SELECT scope, statistic, value, low, high, clip_count, source_count, least_pair_clip_count, required_clip_count
FROM agreement_statistics LEFT JOIN scopes ON scope = domain WHERE emotion = 'all'
ORDER BY domain_index, statistic"""
BY_EMOTION = """\
SELECT emotion, clip_count, krippendorff_alpha, krippendorff_alpha_low, krippendorff_alpha_high
FROM agreement_by_emotion WHERE domain = 'total'"""
NO_RATINGS = (
    "Validation clips need answers of two people or more: emovid annotate export, then import, then emovid build."
)
SCOPES = (*DOMAINS, TOTAL)
STATISTIC_NAMES = {
    "pooled_kappa_human_human": "kappa, human pairs, pooled",
    "pooled_kappa_human_vlm": "kappa, human and model, pooled",
    "kappa_gap": "gap of these two",
    "mean_kappa_human_human": "Cohen’s kappa, human pairs, mean",
    "mean_kappa_human_vlm": "Cohen’s kappa, human and model, mean",
    "fleiss_kappa": "Fleiss’ kappa, humans",
    "krippendorff_alpha": "Krippendorff’s alpha, humans",
}
INTERVALS = (
    f"95 % bootstrap intervals over source videos; none with clips of fewer than {MIN_SOURCES} source videos, or where "
    "a few of them hold most clips"
)


def agreement(answers: Answers) -> Section:
    return Section("agreement", "Agreement", (_pairs(answers), _statistics(answers), _by_emotion(answers)))


def _pairs(answers: Answers) -> Exhibit:
    title, paper = "Cohen’s kappa of every pair of raters, on the validation clips", "text on validation"
    answer = answers.ask(PAIRS)
    if not answer.rows:
        return missing(FIGURE, title, answer, NO_RATINGS, paper)
    scope = TOTAL if any(row["domain"] == TOTAL for row in answer.rows) else answer.rows[0]["domain"]
    known = [row for row in answer.rows if row["domain"] == scope and row["kappa"] is not None]
    if known:
        low, high = (pick(known, key=lambda row: row["kappa"]) for pick in (min, max))
        over = "over all domains together" if scope == TOTAL else f"in {scope}"
        reading = (
            f"{over.capitalize()} the kappa of a pair lies between {number(low['kappa'])} ({low['rater_a']} and "
            f"{low['rater_b']}) and {number(high['kappa'])} ({high['rater_a']} and {high['rater_b']}), on "
            f"{clips(known[0]['clip_count'])}."
        )
    else:
        reading = "No pair has a kappa: where chance explains everything, it is not defined."
    notes = (
        "Nine choices: the eight emotions and no specific emotion. 1 is full agreement, 0 what chance would give. "
        f"Intervals are {INTERVALS}."
    )
    body = side_by_side(*agreement_figures(answer))
    return Exhibit(FIGURE, title, reading, body, (answer,), paper, notes)


def agreement_figures(answer: Answer) -> list[Markup]:
    """Per domain, and for all clips together: a symmetric matrix, and beside it each pair with its interval."""
    panels = []
    for scope in SCOPES:
        rows = [row for row in answer.rows if row["domain"] == scope]
        if not rows:
            continue
        raters = list(dict.fromkeys(name for row in rows for name in (row["rater_a"], row["rater_b"])))
        raters.sort(key=lambda name: (_is_model(name, rows), name))
        kappas = {frozenset((row["rater_a"], row["rater_b"])): row["kappa"] for row in rows}
        values, written = symmetric(raters, kappas)
        n = max(row["clip_count"] for row in rows)
        panels.append(
            heat_map(
                f"agreement-{scope}",
                f"{_scope_name(scope)}, n = {count(n)}",
                "; ".join(f"{row['rater_a']} and {row['rater_b']} {number(row['kappa'])}" for row in rows),
                [_short(name) for name in raters],
                [_short(name) for name in raters],
                values,
                written,
            )
        )
        panels.append(_pair_intervals(scope, rows))
    return panels


def _is_model(name: str, rows: list[Row]) -> bool:
    """A model is in no pair of people."""
    return not any(name in (row["rater_a"], row["rater_b"]) for row in rows if row["pair_kind"] == "human_human")


def _short(name: str) -> str:
    last = name.rsplit("/", 1)[-1]
    return last if len(last) <= 18 else f"{last[:17]}…"


def _scope_name(scope: str) -> str:
    return "all domains" if scope == TOTAL else scope


def _pair_intervals(scope: str, rows: list[Row]) -> Markup:
    estimates = [
        Estimate(
            f"{_short(row['rater_a'])} · {_short(row['rater_b'])}",
            row["kappa"],
            row["kappa_low"],
            row["kappa_high"],
            domain_colour(row["domain"]),
        )
        for row in rows
    ]
    said = "; ".join(f"{one.name} {number(one.value)} {interval(one.low, one.high)}" for one in estimates)
    title = f"{_scope_name(scope)}: 95 % intervals"
    return intervals(f"agreement-intervals-{scope}", title, said, estimates, axis="Cohen’s kappa")


def _statistics(answers: Answers) -> Exhibit:
    title, paper = "Agreement statistics and the gap between people and model", "text on validation"
    answer = answers.ask(STATISTICS)
    rows = [row for row in answer.rows if row["value"] is not None]
    if not rows:
        return missing(TABLE, title, answer, NO_RATINGS, paper)
    gap = next((row for row in rows if row["statistic"] == "kappa_gap" and row["scope"] == TOTAL), None)
    kappas = {row["statistic"]: row["value"] for row in rows if row["scope"] == TOTAL}
    reading = _gap_reading(gap, kappas) if gap else "The gap needs two people and a model on the same clips."
    columns = (
        Column(
            "statistic", lambda row: STATISTIC_NAMES.get(row["statistic"], plain(row["statistic"])), is_number=False
        ),
        *(Column(_scope_name(scope), _of_scope(scope)) for scope in SCOPES),
    )
    by_statistic = [
        {"statistic": name, **{row["scope"]: row for row in rows if row["statistic"] == name}}
        for name in STATISTIC_NAMES
        if any(row["statistic"] == name for row in rows)
    ]
    needed = [row for row in rows if row["statistic"] == "kappa_gap" and row["required_clip_count"]]
    notes = f"In brackets: {INTERVALS}. {_least_clips(rows)}"
    if needed:
        wanted = ", ".join(f"{_scope_name(row['scope'])} {count(row['required_clip_count'])}" for row in needed)
        notes += f"Clips needed for an interval of ± 0.04 of the gap: {wanted}."
    return Exhibit(TABLE, title, reading, table(title, by_statistic, columns), (answer,), paper, notes)


def _of_scope(scope: str) -> Callable[[Row], Markup | None]:
    def cell(row: Row) -> Markup | None:
        one = row.get(scope)
        if not one:
            return None
        return join(number(one["value"], 3), element("span", interval(one["low"], one["high"]), class_="interval"))

    return cell


def _least_clips(rows: list[Row]) -> str:
    """Why the plain mean is not what the gap is of, where a pair shares fewer clips than there are."""
    means = [row for row in rows if row["statistic"].startswith("mean_kappa") and row["scope"] == TOTAL]
    some = [row for row in means if (row["least_pair_clip_count"] or row["clip_count"]) < row["clip_count"]]
    if not some:
        return ""
    least = min(row["least_pair_clip_count"] for row in some)
    return (
        f"The plain mean is biased where a pair of raters shares few clips, here {count(least)} at least; the pooled "
        "kappa is not. "
    )


def _gap_reading(row: Row, kappas: Mapping[str, float]) -> str:
    said = (
        f"Over all domains the gap between the kappa of people with each other and with the model is "
        f"{number(row['value'], 3)}"
    )
    people, model = (kappas.get(f"pooled_kappa_{kind}") for kind in (HUMAN_HUMAN, HUMAN_VLM))
    direction = None if people is None or model is None else direction_of(people, model)
    where = f": {DIRECTION_WORDS[direction]}" if direction else ""
    if row["low"] is None or row["high"] is None:
        return f"{said} on {clips(row['clip_count'])}{where}. There are too few source videos for an interval."
    if row["high"] < MAX_GAP:
        verdict = "so it is below the paper’s 0.04"
    elif row["low"] >= MAX_GAP:
        verdict = "so it is not below the paper’s 0.04"
        if direction == MORE:
            verdict += ", which is no fault of the model"
    else:
        verdict = "which allows values on both sides of the paper’s 0.04"
    return (
        f"{said}, 95 % interval {interval(row['low'], row['high'], 3)} on {clips(row['clip_count'])}, {verdict}{where}."
    )


def _by_emotion(answers: Answers) -> Exhibit:
    title = "How far people agree on each emotion"
    answer = answers.ask(BY_EMOTION)
    rows = [row for row in answer.rows if row["krippendorff_alpha"] is not None]
    if not rows:
        return missing(FIGURE, title, answer, NO_RATINGS)
    eight = [row for row in rows if row["emotion"] in EMOTION_NAMES] or rows
    best, worst = (pick(eight, key=lambda row: row["krippendorff_alpha"]) for pick in (max, min))
    reading = (
        f"Of the eight emotions people agree most on {plain(best['emotion'])} (alpha "
        f"{number(best['krippendorff_alpha'])}) and least on {plain(worst['emotion'])} "
        f"({number(worst['krippendorff_alpha'])}), judged by {clips(rows[0]['clip_count'])} of all domains."
    )
    return Exhibit(FIGURE, title, reading, side_by_side(emotion_intervals(answer)), (answer,))


def emotion_intervals(answer: Answer) -> Markup:
    estimates = [
        Estimate(
            plain(row["emotion"]),
            row["krippendorff_alpha"],
            row["krippendorff_alpha_low"],
            row["krippendorff_alpha_high"],
            emotion_colour(row["emotion"]),
        )
        for row in answer.rows
    ]
    said = "; ".join(f"{one.name} {number(one.value)}" for one in estimates)
    title = "Each emotion against all others"
    return intervals("agreement-emotions", title, said, estimates, axis="Krippendorff’s alpha of the people")
