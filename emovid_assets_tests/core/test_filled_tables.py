"""The reader of all tables that people write, judged by Python's own csv and by pandas."""

import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.filled_tables import Columns, FilledTable, read_bytes, read_text

COLUMNS = Columns.of("path", "title", "film_position", "license", "intended_emotion")
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
CLIP = "movie-0123456789abcdef-00000000-0000400"


def faults(table: FilledTable) -> list[str]:
    return [row.fault for row in table.rows if row.fault]


cells = st.text(st.sampled_from('ab,;"\t ü\u0301兎=1'), max_size=6).map(str.strip)
tables = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=5)


@given(tables, st.sampled_from(",;\t"), st.sampled_from(ENCODINGS), st.sampled_from(["\n", "\r\n", "\r"]))
def test_well_formed_tables_of_every_program_are_read_as_python_and_pandas_read_them(
    rows: list[tuple[str, str, str]], separator: str, encoding: str, end: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows([("path", "title", "license"), *rows])
    data = text.getvalue().encode(encoding)
    table = read_bytes(data, COLUMNS)
    assert (table.separator, table.unreadable, faults(table), table.remarks) == (separator, None, [], [])
    judged = list(csv.DictReader(io.StringIO(text.getvalue(), newline=""), delimiter=separator))
    composed = [{name: nfc(cell, name) for name, cell in row.items()} for row in judged]
    assert [dict(row.cells) for row in table.rows] == composed
    frame = pd.read_csv(
        io.BytesIO(data), sep=separator, encoding=encoding, dtype=str, keep_default_na=False, skip_blank_lines=False
    )
    assert frame.to_dict("records") == judged


def nfc(cell: str, column: str) -> str:
    import unicodedata

    return cell if column == "path" else unicodedata.normalize("NFC", cell)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("says", ["", "sep=%s\n", '"sep=%s"\r\n'])
def test_rows_bear_their_line_whatever_stands_above_the_header(separator: str, says: str) -> None:
    above = says % separator if says else ""
    table = read_text(above + separator.join(["path", "title"]) + "\n" + separator.join(["a.gif", "Tea"]), COLUMNS)
    assert [(row.line, dict(row.cells)) for row in table.rows] == [
        (3 if above else 2, {"path": "a.gif", "title": "Tea"})
    ]


def test_commas_in_numbers_and_prose_make_no_separator() -> None:
    table = read_text("path;title;film_position\na.gif;Tea, milk, and more;3,0\n", COLUMNS)
    assert [dict(row.cells) for row in table.rows] == [
        {"path": "a.gif", "title": "Tea, milk, and more", "film_position": "3,0"}
    ]


def test_names_of_columns_are_known_without_regard_to_case_blanks_and_underscores() -> None:
    table = read_text("Path, Intended Emotion ,FILM-POSITION\na.gif,awe,3\n", COLUMNS)
    assert [dict(row.cells) for row in table.rows] == [
        {"path": "a.gif", "intended_emotion": "awe", "film_position": "3"}
    ]


def test_a_column_that_nothing_reads_is_named_with_the_likely_name() -> None:
    table = read_text("path,licence,my notes,film_postion\na.gif,MIT,x,3\n", COLUMNS)
    assert table.remarks == [
        "the column `licence` is read by nothing: is `license` meant?",
        "the column `my notes` is read by nothing",
        "the column `film_postion` is read by nothing: is `film_position` meant?",
    ]


def test_a_column_that_is_missing_or_there_twice_is_named() -> None:
    assert read_text("pathh,title\na,b\n", COLUMNS).lacking(["path"]) == (
        "the header has no column `path`; is `pathh` meant for `path`?"
    )
    assert read_text("path,Path\na,b\n", COLUMNS).lacking(["path"]) == (
        "the header has the column `path` more than once"
    )


def test_columns_without_a_name_and_empty_cells_behind_a_row_are_no_fault() -> None:
    table = read_text("path,title,,\na.gif,Tea,,\nb.gif,Milk\nc.gif,Water,,,,\n,,,\n", COLUMNS)
    assert (faults(table), table.remarks) == ([], [])
    assert [row.cells.get("title") for row in table.rows if not row.is_blank] == ["Tea", "Milk", "Water"]


def test_a_row_with_a_cell_too_many_is_named_because_nobody_knows_which_is_which() -> None:
    table = read_text("path,title\na.gif,Tea, please\nb.gif,Milk\n", COLUMNS)
    assert [(row.line, row.is_shifted) for row in table.rows] == [(2, True), (3, False)]
    assert faults(table) == [
        "line 2 has 3 cells where the header has 2: put text that holds commas into quotation marks"
    ]


@pytest.mark.parametrize("closing", ["", '"', '" '])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_that_a_quotation_mark_would_swallow_are_read_wherever_it_would_end(separator: str, closing: str) -> None:
    columns = Columns.of("clip_id", "label", "notes", key="clip_id", key_form=re.compile(r"movie-[0-9a-f-]+"))
    rows = [["clip_id", "label", "notes"], *([f"{CLIP}{number}", "fear", "fine"] for number in range(9))]
    rows[2][2], rows[7][2] = '"great', f"fine{closing}"
    table = read_text("\n".join(map(separator.join, rows)) + "\n", columns)
    assert [row.cells["clip_id"] for row in table.rows] == [row[0] for row in rows[1:]]
    named = [row.line for row in table.rows if row.fault]
    assert named[0] == 3
    assert set(named) <= {3, 8}


def test_a_cell_of_several_lines_of_prose_is_one_cell() -> None:
    columns = Columns.of("clip_id", "notes", key="clip_id", key_form=re.compile(r"movie-[0-9a-f-]+"))
    table = read_text(f'clip_id,notes\n{CLIP}1,"one, and\ntwo, and\nthree"\n', columns)
    assert (faults(table), table.rows[0].cells["notes"]) == ([], "one, and\ntwo, and\nthree")


@given(st.binary(max_size=80))
def test_no_bytes_raise(body: bytes) -> None:
    read_bytes(b"path,title\n" + body, COLUMNS)
    read_bytes(body, COLUMNS)
