"""How good the model's labels are."""

from collections.abc import Sequence

from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.drawing.charts.heat import heat_map
from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import clips, count, interval, number, percent, plain, words
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

MODELS = "SELECT * FROM emotion_labeller ORDER BY model_id, revision"
CONFUSION = """\
WITH votes AS (
    SELECT clip_id, label, count(*) AS vote_count FROM validation_ratings
    WHERE rater_kind = 'human' GROUP BY clip_id, label
), majority AS (
    SELECT clip_id, label AS people FROM votes WHERE vote_count >= 2
    QUALIFY vote_count = max(vote_count) OVER (PARTITION BY clip_id)
        AND count(*) OVER (PARTITION BY clip_id, vote_count) = 1
)
SELECT v.rater_id AS model_id, m.people, v.label AS model, count(*) AS clip_count
FROM majority m JOIN validation_ratings v USING (clip_id)
WHERE v.rater_kind = 'vlm'
GROUP BY ALL ORDER BY ALL"""


COMPARISON = """\
SELECT * FROM labeller_comparison WHERE scope = 'total'
ORDER BY truth, rater_kind IN ('person', 'people'), accuracy DESC, rater_id"""
MEASURED_ON = {
    "embedded": "that it was not trained on in that fold",
    "zero_shot": "labelled by people, none of which it was trained on",
    "fine_tuned": "that have neither taught nor chosen it",
}


def labeller(answers: Answers) -> Section:
    exhibits = (_models(answers), _confusion(answers), _comparison(answers))
    return Section("labeller", "The labels by model", exhibits)


def _models(answers: Answers) -> Exhibit:
    title, paper = "The labeller, measured on human labels", "text on labelling"
    answer = answers.ask(MODELS)
    if not answer.rows:
        advice = (
            "The labeller needs human labels of clips that are not kept for validation: emovid annotate export, then "
            "import, then emovid build, which says what is missing."
        )
        return missing(TABLE, title, answer, advice, paper)
    reading = " ".join(map(_quality, answer.rows))
    columns = (
        Column("model", _model, is_number=False),
        Column("how", lambda row: plain(row["kind"]), is_number=False),
        Column("trained on", lambda row: count(row["training_clip_count"])),
        Column("measured on", lambda row: count(row["held_out_clip_count"])),
        Column("accuracy", lambda row: percent(row["validation_accuracy"])),
        Column("baseline", lambda row: percent(row["baseline_accuracy"])),
        Column("macro F1", lambda row: number(row["validation_macro_f1"], 3)),
    )
    return Exhibit(
        TABLE,
        title,
        reading,
        table(title, answer.rows, columns),
        (answer,),
        paper,
        rests_on=min(row["held_out_clip_count"] for row in answer.rows),
    )


def _model(row: Row) -> Markup:
    """Its name, and below it what it was trained from and its revision, as far as that tells versions apart."""
    base = f"from {row['base_model']}, " if row["base_model"] != "none" else ""
    return join(row["model_id"], element("span", f"{base}revision {row['revision'][:12]}", class_="interval"))


def _quality(row: Row) -> str:
    if row["validation_accuracy"] is None and row["kind"] == "fine_tuned":
        return f"{row['model_id']} is not measured here: no labelled clip has neither taught nor chosen it."
    if row["validation_accuracy"] is None:
        return f"{row['model_id']} is used as it is, and there is no human label yet to measure it on."
    return (
        f"{row['model_id']} is right on {percent(row['validation_accuracy'])} of {clips(row['held_out_clip_count'])} "
        f"{MEASURED_ON[row['kind']]}; always answering the most frequent label would be right on "
        f"{percent(row['baseline_accuracy'])}."
    )


def _comparison(answers: Answers) -> Exhibit:
    title = "Labellers and people on the same blind clips"
    answer = answers.ask(COMPARISON)
    if not answer.rows:
        advice = "It needs validation clips on which two people agree: emovid annotate export, then import."
        return missing(TABLE, title, answer, advice)
    columns = (
        Column("rater", _rater, is_number=False),
        Column("against the majority of", lambda row: TRUTHS[row["truth"]], is_number=False),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("accuracy", lambda row: _with_interval(row, "accuracy")),
        Column("macro F1", lambda row: _with_interval(row, "macro_f1")),
        Column("kappa", lambda row: _with_interval(row, "kappa")),
        Column("ECE", lambda row: number(row["ece"])),
        Column("−log p", lambda row: number(row["nll"])),
        Column("s a clip", lambda row: number(row["model_s_per_clip"], 3)),
        Column("tokens a clip", lambda row: count(row["prompt_tokens_per_clip"])),
    )
    notes = (
        "Models and people can be compared where both are held against the majority of the others: a person would "
        "agree with a majority that holds the own vote. That truth favours clips on which all agree, which are easier. "
        "In brackets: 95 % bootstrap intervals over source videos. ECE: expected calibration error."
    )
    body, fewest = (
        table(title, answer.rows, columns, rests_on="clip_count"),
        min(row["clip_count"] for row in answer.rows),
    )
    return Exhibit(TABLE, title, _compared(answer.rows), body, (answer,), "text on labelling", notes, rests_on=fewest)


TRUTHS = {"majority": "all", "others": "the others"}


def _rater(row: Row) -> Markup:
    return join(row["rater_id"], element("span", plain(row["rater_kind"]), class_="interval"))


def _with_interval(row: Row, name: str) -> Markup | str:
    if row[name] is None:
        return number(None)
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return join(number(row[name], 3), element("span", interval(low, high), class_="interval"))


def _compared(rows: Sequence[Row]) -> str:
    models = [row for row in rows if row["truth"] == "majority"]
    said = [f"{row['rater_id']} ({plain(row['rater_kind'])}) {percent(row['accuracy'])}" for row in models]
    reading = f"Of {clips(models[0]['clip_count'])} the majority’s label is given by {words(said)}. " if models else ""
    people = next((row for row in rows if row["rater_kind"] == "people"), None)
    if people is None:
        return reading.strip()
    same = [row for row in rows if row["truth"] == "others" and row["rater_kind"] not in ("person", "people")]
    others = "".join(f", {row['rater_id']} on {percent(row['accuracy'])}" for row in same)
    return (
        f"{reading}A person agrees with the majority of the others on {percent(people['accuracy'])}{others} of the "
        f"same {count(people['pair_count'])} comparisons."
    )


def _confusion(answers: Answers) -> Exhibit:
    title = "What the model says where people agree, on the blind validation clips"
    answer = answers.ask(CONFUSION)
    if not answer.rows:
        advice = (
            "It needs a labeller, and validation clips that two people agree on: emovid annotate export, then import."
        )
        return missing(FIGURE, title, answer, advice)
    total = sum(row["clip_count"] for row in answer.rows)
    right = sum(row["clip_count"] for row in answer.rows if row["people"] == row["model"])
    wrong = [row for row in answer.rows if row["people"] != row["model"]]
    reading = f"The model gives the majority’s label to {count(right)} of {clips(total)} ({percent(right / total)})"
    if wrong:
        most = max(row["clip_count"] for row in wrong)
        worst = [f"{plain(row['people'])} taken for {row['model']}" for row in wrong if row["clip_count"] == most]
        reading += f"; the most frequent confusion is {words(worst, most=3)} ({clips(most)})" if len(worst) < 4 else ""
    notes = "Rows: the label that at least two people chose, without a tie. No clip of these was trained on."
    return Exhibit(
        FIGURE, title, f"{reading}.", side_by_side(*confusion_figures(answer)), (answer,), None, notes, rests_on=total
    )


def confusion_figures(answer: Answer) -> list[Markup]:
    panels = []
    for number_of, model in enumerate(sorted({row["model_id"] for row in answer.rows})):
        rows = [row for row in answer.rows if row["model_id"] == model]
        counts = {(row["people"], row["model"]): row["clip_count"] for row in rows}
        names = [name for name in HUMAN_CHOICES if name in EMOTION_NAMES or any(row["people"] == name for row in rows)]
        starts = [sum(counts.get((name, other), 0) for other in EMOTION_NAMES) for name in names]
        panels.append(
            heat_map(
                f"confusion-{number_of}",
                f"{model}, n = {count(sum(starts))}",
                "; ".join(f"{plain(row['people'])} as {row['model']} {clips(row['clip_count'])}" for row in rows),
                [plain(name) for name in names],
                EMOTION_NAMES,
                [
                    [counts.get((name, other), 0) / start if start else None for other in EMOTION_NAMES]
                    for name, start in zip(names, starts, strict=True)
                ],
                [[str(counts.get((name, other), "")) for other in EMOTION_NAMES] for name in names],
                row_title="people",
                column_title="model",
                row_notes=[f"n={start:,}" for start in starts],
            )
        )
    return panels
