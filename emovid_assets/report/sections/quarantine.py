"""What could not be processed, and which answers do not count."""

from emovid_assets.drawing.numerals import count, plain
from emovid_assets.report.answers import Answers
from emovid_assets.report.exhibits import (
    TABLE,
    Column,
    Exhibit,
    Section,
    missing,
    name_column,
    nothing,
    path_column,
    prose_column,
    table,
)

ITEMS = "SELECT domain, asset, code, item_count, example_path, example_message FROM quarantine_by_code"
REJECTED = """\
SELECT reason, count(*) AS answer_count, min(message) AS example FROM rejected_annotations
GROUP BY reason ORDER BY answer_count DESC, reason"""


def quarantine(answers: Answers) -> Section:
    return Section("quarantine", "Quarantine", (_items(answers), _rejected(answers)))


def _items(answers: Answers) -> Exhibit:
    title = "Files and clips that could not be processed"
    answer = answers.ask(ITEMS)
    if answer.problem is not None:
        return missing(TABLE, title, answer, "")
    if not answer.rows:
        return nothing(TABLE, title, answer, "None: whatever was read could be processed.")
    total = sum(row["item_count"] for row in answer.rows)
    first = answer.first
    reading = (
        f"{count(total)} {'item is' if total == 1 else 'items are'} in quarantine and in no table; the most frequent "
        f"reason is {plain(first['code'])} ({count(first['item_count'])})."
    )
    if len({row["item_count"] for row in answer.rows}) == 1:
        reading = (
            f"{count(total)} {'item is' if total == 1 else 'items are'} in quarantine and in no table, for "
            f"{count(len({row['code'] for row in answer.rows}))} different reasons."
        )
    columns = (
        Column("reason", lambda row: plain(row["code"]), is_number=False),
        name_column("domain", "domain"),
        name_column("asset", "asset"),
        Column("items", lambda row: count(row["item_count"])),
        path_column("for example", "example_path"),
        prose_column("what to do", "example_message"),
    )
    return Exhibit(TABLE, title, reading, table(title, answer.rows, columns), (answer,))


def _rejected(answers: Answers) -> Exhibit:
    title = "Human answers that do not count, or not yet"
    answer = answers.ask(REJECTED)
    if answer.problem is not None:
        return missing(TABLE, title, answer, "")
    if not answer.rows:
        return nothing(TABLE, title, answer, "None: every answer counts.")
    total = sum(row["answer_count"] for row in answer.rows)
    reading = (
        f"{count(total)} {'answer is' if total == 1 else 'answers are'} kept beside the accepted ones with a reason."
    )
    columns = (
        Column("reason", lambda row: plain(row["reason"]), is_number=False),
        Column("answers", lambda row: count(row["answer_count"])),
        prose_column("for example", "example"),
    )
    return Exhibit(TABLE, title, reading, table(title, answer.rows, columns), (answer,))
