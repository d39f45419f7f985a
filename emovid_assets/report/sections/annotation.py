"""What people were asked, what became of it, and how each of them answers."""

from collections.abc import Callable

from emovid_assets.core.domains import TOTAL
from emovid_assets.drawing.numerals import DASH, clips, count, number, percent, plain
from emovid_assets.report.answers import Answers, Row
from emovid_assets.report.exhibits import TABLE, Column, Exhibit, Section, missing, name_column, table

OUTCOMES = """\
PIVOT (SELECT domain, outcome, clip_count FROM human_labels_by_outcome)
ON outcome IN ('agreed', 'no_majority', 'no_specific_emotion', 'rejected') USING sum(clip_count)
ORDER BY list_position(['movie', 'animation', 'sticker', 'total'], domain)"""
PEOPLE = "SELECT * FROM annotator_summary"
NO_ANSWERS = "Nobody has answered yet: emovid annotate export, then import, then emovid build."


def annotation(answers: Answers) -> Section:
    return Section("annotation", "Human annotation", (_outcomes(answers), _people(answers)))


def _outcomes(answers: Answers) -> Exhibit:
    title, paper = "What became of the clips that people labelled", "text on annotation"
    answer = answers.ask(OUTCOMES)
    names = ("agreed", "no_majority", "no_specific_emotion", "rejected")
    rows = [{**row, "asked": sum(row[name] or 0 for name in names)} for row in answer.rows]
    total = next((row for row in rows if row["domain"] == TOTAL), None)
    if total is None or not total["asked"]:
        return missing(TABLE, title, answer, NO_ANSWERS, paper)
    reading = (
        f"Of {clips(total['asked'])} that people labelled or verified, {count(total['agreed'])} "
        f"({percent(total['agreed'] / total['asked'])}) have a human label; the others leave the dataset."
    )
    columns = (
        name_column("domain", "domain"),
        Column("clips", lambda row: count(row["asked"])),
        *(Column(plain(name), _cell(name)) for name in names),
        Column("share agreed", lambda row: percent(row["agreed"] / row["asked"] if row["asked"] else None)),
    )
    notes = (
        "Two of three people must agree; a sticker is verified by one (accept or reject) unless settings say otherwise."
    )
    return Exhibit(TABLE, title, reading, table(title, rows, columns, last_is_total=True), (answer,), paper, notes)


def _cell(name: str) -> Callable[[Row], str | None]:
    return lambda row: count(row[name])


def _people(answers: Answers) -> Exhibit:
    title = "The people who answered"
    answer = answers.ask(PEOPLE)
    if not answer.rows:
        return missing(TABLE, title, answer, NO_ANSWERS)
    compared = [row for row in answer.rows if row["agreement"] is not None]
    total = sum(row["answer_count"] for row in answer.rows)
    who = "1 person" if len(answer.rows) == 1 else f"{count(len(answer.rows))} people"
    reading = f"{who} gave {count(total)} answers"
    if compared:
        low, high = (pick(row["agreement"] for row in compared) for pick in (min, max))
        span = percent(low, 0) if round(low, 2) == round(high, 2) else f"{percent(low, 0)} to {percent(high, 0)}"
        reading += f"; where the others have a majority, a person agrees with it in {span} of the cases"
    columns = (
        name_column("annotator", "annotator_id"),
        Column("answers", lambda row: count(row["answer_count"])),
        Column("label", lambda row: count(row["label_count"])),
        Column("verify", lambda row: count(row["verify_count"])),
        Column("validate", lambda row: count(row["validate_count"])),
        Column("review", lambda row: count(row["review_count"])),
        Column("median time, s", lambda row: number(row["lead_time_median_s"], 1)),
        Column("compared, n", lambda row: count(row["compared_count"])),
        Column("agreement", lambda row: percent(row["agreement"], 0)),
        Column("over-used label", _bias, is_number=False),
    )
    notes = "Over-used: the label that the person chose more often than the others on the same clips, and by how many."
    return Exhibit(TABLE, title, f"{reading}.", table(title, answer.rows, columns), (answer,), None, notes)


def _bias(row: Row) -> str:
    if row["most_biased_label"] is None:
        return DASH
    return f"{plain(row['most_biased_label'])} (+{number(row['most_biased_excess'], 1)})"
