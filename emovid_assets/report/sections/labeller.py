"""How good the model's labels are."""

from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.report.answers import Answer, Answers
from emovid_assets.report.charts.heat import heat_map
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
from emovid_assets.report.markup import Markup
from emovid_assets.report.numerals import clips, count, number, percent, plain, words

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


def labeller(answers: Answers) -> Section:
    return Section("labeller", "The labels by model", (_models(answers), _confusion(answers)))


def _models(answers: Answers) -> Exhibit:
    title, paper = "The labeller, cross-validated on the human labels", "text on labelling"
    answer = answers.ask(MODELS)
    if not answer.rows:
        advice = "The labeller needs human labels: emovid annotate export, then import, then emovid build."
        return missing(TABLE, title, answer, advice, paper)
    reading = " ".join(
        f"{row['model_id']} is right on {percent(row['validation_accuracy'])} of {clips(row['training_clip_count'])} "
        f"that it was not trained on in that fold; always answering the most frequent label would be right on "
        f"{percent(row['baseline_accuracy'])}."
        for row in answer.rows
    )
    columns = (
        name_column("model", "model_id"),
        Column("base", lambda row: row["base_model"], is_number=False),
        Column("revision", lambda row: row["revision"], is_number=False),
        Column("clips", lambda row: count(row["training_clip_count"])),
        Column("accuracy", lambda row: percent(row["validation_accuracy"])),
        Column("baseline", lambda row: percent(row["baseline_accuracy"])),
        Column("macro F1", lambda row: number(row["validation_macro_f1"], 3)),
    )
    return Exhibit(TABLE, title, reading, table(answer.rows, columns), (answer,), paper)


def _confusion(answers: Answers) -> Exhibit:
    title = "What the model says where people agree, on the blind validation clips"
    answer = answers.ask(CONFUSION)
    if not answer.rows:
        advice = "It needs validation clips on which two people agree: emovid annotate export, then import."
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
    return Exhibit(FIGURE, title, f"{reading}.", side_by_side(*confusion_figures(answer)), (answer,), None, notes)


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
