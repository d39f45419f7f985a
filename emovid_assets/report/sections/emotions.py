"""Which emotions there are: the paper's Figures 2 and 3."""

from emovid_assets.core.domains import TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.charts.bars import Bar, bars
from emovid_assets.drawing.charts.wheel import Place, wheel
from emovid_assets.drawing.markup import Markup
from emovid_assets.drawing.numerals import clips, count, number, percent, sample, words
from emovid_assets.drawing.palette import emotion_colour
from emovid_assets.report.answers import Answer, Answers
from emovid_assets.report.exhibits import FIGURE, Column, Exhibit, Section, missing, name_column, side_by_side, table

WHEEL = """\
SELECT w.emotion, w.polarity, w.valence, w.arousal, w.is_high_arousal, d.clip_count
FROM emotion_wheel w JOIN emotion_distribution d ON d.emotion = w.emotion AND d.domain = 'total'
ORDER BY w.emotion_index"""
DISTRIBUTION = """\
SELECT domain, emotion, clip_count, human_label_count, vlm_label_count, clip_share
FROM emotion_distribution"""
NO_LABELS = "Clips need labels: emovid annotate export, then import, then emovid build."


def emotions(answers: Answers) -> Section:
    return Section("emotions", "Emotions", (_wheel(answers), _distribution(answers)))


def _wheel(answers: Answers) -> Exhibit:
    title, paper = "Emotion wheel: the eight labels by valence and arousal", "Figure 2"
    answer = answers.ask(WHEEL)
    total = sum(row["clip_count"] for row in answer.rows)
    if not total:
        return missing(FIGURE, title, answer, NO_LABELS, paper)
    positive = sum(row["clip_count"] for row in answer.rows if row["polarity"] == "positive")
    high = sum(row["clip_count"] for row in answer.rows if row["is_high_arousal"])
    valence = sum(row["clip_count"] * row["valence"] for row in answer.rows) / total
    reading = (
        f"{percent(positive / total)} of the {count(total)} labelled clips carry a positive emotion and "
        f"{percent(high / total)} one of high arousal; the mean valence is {number(valence)} on a scale of 1 to 9."
    )
    notes = (
        "Positions are the means that Warriner, Kuperman and Brysbaert (2013) give for the eight words; areas are "
        "numbers of clips. Dashed: neutral valence and the median arousal of the eight."
    )
    return Exhibit(
        FIGURE,
        title,
        reading,
        side_by_side(wheel_figure(answer), _wheel_table(title, answer)),
        (answer,),
        paper,
        notes,
        rests_on=total,
    )


def wheel_figure(answer: Answer) -> Markup:
    arousals = sorted(row["arousal"] for row in answer.rows)
    return wheel(
        "wheel",
        "Valence and arousal of the eight emotions",
        "; ".join(f"{row['emotion']} {clips(row['clip_count'])}" for row in answer.rows),
        [Place(row["emotion"], row["valence"], row["arousal"], row["clip_count"]) for row in answer.rows],
        (arousals[3] + arousals[4]) / 2,
    )


def _wheel_table(title: str, answer: Answer) -> Markup:
    columns = (
        name_column("emotion", "emotion"),
        name_column("polarity", "polarity"),
        Column("valence", lambda row: number(row["valence"])),
        Column("arousal", lambda row: number(row["arousal"])),
        Column("clips", lambda row: count(row["clip_count"])),
    )
    return table(title, answer.rows, columns)


def _distribution(answers: Answers) -> Exhibit:
    title, paper = "Emotions per domain", "Figure 3"
    answer = answers.ask(DISTRIBUTION)
    totals = {row["emotion"]: row["clip_count"] for row in answer.rows if row["domain"] == TOTAL}
    everything = sum(totals.values())
    if not everything:
        return missing(FIGURE, title, answer, NO_LABELS, paper)
    most, least = max(totals.values()), min(totals.values())
    human = sum(row["human_label_count"] for row in answer.rows if row["domain"] == TOTAL)
    frequent = [name for name in EMOTION_NAMES if totals[name] == most]
    rare = [name for name in EMOTION_NAMES if totals[name] == least]
    are = "is the most frequent emotion" if len(frequent) == 1 else "are the most frequent emotions"
    reading = (
        f"{words(frequent).capitalize()} {are} ({_each(frequent, most, everything)}) and {words(rare)} the least "
        f"frequent ({_each(rare, least, everything)})"
        if most > least
        else f"All eight emotions have {clips(most)} each"
    )
    reading += f"; people labelled {percent(human / everything, 0)} of the {clips(everything)}, the model the rest."
    return Exhibit(
        FIGURE, title, reading, side_by_side(*distribution_figures(answer)), (answer,), paper, rests_on=everything
    )


def _each(names: list[str], value: int, everything: int) -> str:
    return f"{clips(value)}{' each' if len(names) > 1 else ''}, {percent(value / everything)}"


def distribution_figures(answer: Answer) -> list[Markup]:
    """A panel per domain, and one of all together; shares on one scale."""
    scopes = list(dict.fromkeys(row["domain"] for row in answer.rows))
    highest = max((row["clip_share"] or 0 for row in answer.rows), default=0)
    panels = []
    for scope in scopes:
        rows = [row for row in answer.rows if row["domain"] == scope]
        total = sum(row["clip_count"] for row in rows)
        entries = [
            Bar(
                row["emotion"],
                row["clip_share"] or 0.0,
                f"{percent(row['clip_share'])} ({count(row['clip_count'])})" if total else "–",
                emotion_colour(row["emotion"]),
            )
            for row in rows
        ]
        name = "all domains" if scope == TOTAL else scope
        said = "; ".join(f"{bar.name} {bar.shown}" for bar in entries)
        panels.append(bars(f"distribution-{scope}", f"{name}, {sample(total)}", said, entries, highest=highest))
    return panels
