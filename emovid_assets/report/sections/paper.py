"""The paper's numbers beside ours, and the results of generated video."""

from collections.abc import Sequence

from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import NARROW, count, counted, interval, number, plain, words
from emovid_assets.report.answers import Answer, Answers, Row
from emovid_assets.report.exhibits import TABLE, Column, Exhibit, Section, missing, name_column, prose_column, table

COMPARISON = "SELECT * EXCLUDE (ours_sql) FROM paper_comparison ORDER BY number_index"
SLIPS = "Where the paper contradicts itself"
LEADERBOARD = "SELECT * FROM generation_leaderboard WHERE NOT is_computed ORDER BY task DESC, ea_8 DESC"
NO_VIEW = "Build the catalogue first: emovid build --select key:catalogue+."
SUBJECTS = ("dataset", "task", "model", "domain", "emotion", "next_emotion")


def paper(answers: Answers) -> Section:
    return Section("paper", "Beside the paper", (_comparison(answers), _leaderboard(answers)))


def _comparison(answers: Answers) -> Exhibit:
    title, source = "Every number of the paper, and ours", "all"
    answer = answers.ask(COMPARISON)
    if not answer.rows:
        return missing(TABLE, title, answer, NO_VIEW, source)
    known = sum(_has_ours(row) for row in answer.rows)
    slips = [row for row in answer.rows if row["consistent_value"] is not None]
    reading = (
        f"Of {count(len(answer.rows))} values that the paper prints {count(known)} have a counterpart here; "
        f"{count(len(slips))} contradict others of the paper and have a consistent value beside them."
    )
    parts = [_part(place, _of_place(answer, place)) for place in dict.fromkeys(row["place"] for row in answer.rows)]
    slip_table = join(element("h4", SLIPS), _values(SLIPS, slips, has_notes=True)) if slips else None
    notes = "The view’s column ours_sql has the query of every number of ours."
    return Exhibit(TABLE, title, reading, join(slip_table, *parts), (answer,), source, notes)


def _of_place(answer: Answer, place: str) -> list[Row]:
    return [row for row in answer.rows if row["place"] == place]


def _has_ours(row: Row) -> bool:
    return row["ours"] is not None or row["ours_text"] is not None


def _part(place: str, rows: list[Row]) -> Markup:
    known = sum(_has_ours(row) for row in rows)
    name = f"{place[:1].upper()}{place[1:]}"
    summary = element("summary", f"{name}: {counted(len(rows), 'value')}, {count(known)} with a counterpart here")
    return element("details", summary, _values(name, rows, has_notes=False), class_="part")


def _values(title: str, rows: Sequence[Row], *, has_notes: bool) -> Markup:
    columns = [
        Column("quantity", lambda row: plain(row["quantity"]), is_number=False),
        Column("of", _subject, is_number=False),
        Column("printed", _printed),
        *([Column("consistent", lambda row: _value(row["consistent_value"], row["unit"]))] if has_notes else []),
        Column("ours", _ours),
        *([prose_column("why", "note")] if has_notes else []),
    ]
    return table(title, rows, columns)


def _subject(row: Row) -> str:
    names = [plain(row[name]) for name in SUBJECTS if row[name] is not None and name != "next_emotion"]
    said = ", ".join(names)
    return f"{said} → {row['next_emotion']}" if row["next_emotion"] is not None else said


def _printed(row: Row) -> str:
    said = str(row["printed"])
    return f"{row['relation']} {said}" if row["relation"] not in (None, "=") and not said.startswith("<") else said


def _ours(row: Row) -> str | None:
    return row["ours_text"] if row["ours"] is None else _value(row["ours"], row["unit"])


def _value(value: float | None, unit: str | None) -> str | None:
    if value is None:
        return None
    digits = 0 if float(value).is_integer() else 3 if abs(value) < 1 else 2
    return number(value, digits) + (f"{NARROW}{'%' if unit == 'percent' else unit}" if unit else "")


def _leaderboard(answers: Answers) -> Exhibit:
    title, source = "Generated video: models as the paper measured them", "Table 3"
    answer = answers.ask(LEADERBOARD)
    if not answer.rows:
        return missing(TABLE, title, answer, NO_VIEW, source)
    best = [max(rows, key=lambda row: row["ea_8"] or 0) for rows in _by_task(answer)]
    reading = (
        "The highest accuracy of the eight emotions has "
        + " and ".join(f"{row['generator']} in {row['task']} ({_percent(row['ea_8'])})" for row in best)
        + "; none of these rows is measured by this project."
    )
    columns = (
        name_column("model", "generator"),
        name_column("task", "task"),
        Column("videos", lambda row: count(row["video_count"])),
        Column("FVD ↓", lambda row: number(row["fvd"], 1)),
        Column("CLIP ↑", lambda row: number(row["clip_score"], 4)),
        Column("first frame ↑", lambda row: number(row["first_frame_consistency"], 4)),
        Column("flicker ↓", lambda row: number(row["flicker"], 4)),
        Column("EA-2 ↑", lambda row: _percent(row["ea_2"])),
        Column("EA-8 ↑", lambda row: _percent(row["ea_8"])),
        Column("EA-8, 95 %", lambda row: interval(row["ea_8_low"], row["ea_8_high"], 1)),
    )
    notes = "T2V: text to video, I2V: image to video. Arrows point to where better is; intervals are Wilson’s."
    notes += _impossible(answer.rows)
    return Exhibit(TABLE, title, reading, table(title, answer.rows, columns), (answer,), source, notes)


def _impossible(rows: Sequence[Row]) -> str:
    """Which shares are no whole number of videos, and which are cut off."""
    found: dict[str, list[str]] = {"not k/240": [], "truncated": []}
    for row in rows:
        for name, said in (("ea_2", "EA-2"), ("ea_8", "EA-8")):
            if row[f"{name}_check"] in found:
                found[row[f"{name}_check"]].append(
                    f"{_percent(row[name])} ({said} of {row['generator']}, {row['task']})"
                )
    none, cut = found["not k/240"], found["truncated"]
    said = f" No whole number of videos gives {words(none)}." if none else ""
    return said + (f" {words(cut, most=6)} {'is' if len(cut) == 1 else 'are'} cut off, not rounded." if cut else "")


def _by_task(answer: Answer) -> list[list[Row]]:
    tasks = dict.fromkeys(row["task"] for row in answer.rows)
    return [[row for row in answer.rows if row["task"] == task] for task in tasks]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{number(value)}{NARROW}%"
