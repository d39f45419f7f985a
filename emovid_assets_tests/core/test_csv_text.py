"""Rows of tables that people write: every line is a row, a part of one, or a fault that names it."""

import csv
import io
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.csv_text import MOST_FAULTS, Table, decoded


def as_lines(table: Table) -> dict[int, list[str]]:
    return dict(table)


def fault_lines(table: Table) -> list[int]:
    """Once all rows have been read."""
    list(table)
    return [fault.line for fault in table.faults]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_rows_bear_the_line_where_they_begin_however_lines_end(end: str, mark: bytes) -> None:
    text = end.join(["path,title", "a.gif,Tea", "", f'b.gif,"two{end}lines"', ",", "c.gif,last"])
    table = Table(decoded(mark + text.encode()))
    assert table.header == ["path", "title"]
    assert as_lines(table) == {
        2: ["a.gif", "Tea"],
        3: [],
        4: ["b.gif", f"two{end}lines"],
        6: ["", ""],
        7: ["c.gif", "last"],
    }
    assert table.faults == []


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_table_of_nothing(data: bytes) -> None:
    table = Table(decoded(data))
    assert (table.header, list(table), table.faults) == ([], [], [])


def test_a_row_that_never_ends_is_named_and_those_behind_it_are_read() -> None:
    table = Table('path,title\na.gif,"Tea\nb.gif,Milk\nc.gif,Coffee\n')
    assert as_lines(table) == {2: ["a.gif", ""], 3: ["b.gif", "Milk"], 4: ["c.gif", "Coffee"]}
    (fault,) = table.faults
    assert fault == (
        2,
        "title",
        "line 2 is no CSV (it never ends): a quotation mark is missing, or one too many",
    )


def test_a_row_that_ends_at_the_quotation_mark_of_another_one_is_named_too() -> None:
    table = Table('path,title\na.gif,"Tea\nb.gif,Milk\nc.gif,"Coffee"\nd.gif,Water\n')
    rows = {2: ["a.gif", ""], 3: ["b.gif", "Milk"], 4: ["c.gif", "Coffee"], 5: ["d.gif", "Water"]}
    assert as_lines(table) == rows
    assert [(fault.line, fault.column) for fault in table.faults] == [(2, "title")]


def test_the_last_line_may_be_the_open_one() -> None:
    assert [fault_lines(Table(f'path,title\na.gif,Tea\nb.gif,"Milk{end}')) for end in ("", "\n")] == [[3], [3]]


def test_text_behind_a_closing_quotation_mark_is_taken_as_it_stands() -> None:
    table = Table('path,title\na.gif,"Tea" for two\nb.gif,5" disk\nc.gif,"say ""hi"""\n')
    assert as_lines(table) == {2: ["a.gif", "Tea for two"], 3: ["b.gif", '5" disk'], 4: ["c.gif", 'say "hi"']}
    assert table.faults == []


def test_a_quotation_mark_that_opens_behind_such_text_is_open() -> None:
    table = Table('path,title,note\na.gif,"Tea" for two,"a\nb.gif,Milk,b\n')
    assert as_lines(table) == {2: ["a.gif", "Tea for two", ""], 3: ["b.gif", "Milk", "b"]}
    assert [(fault.line, fault.column) for fault in table.faults] == [(2, "note")]


@pytest.mark.parametrize("end", ["", '"'])
def test_a_cell_that_is_longer_than_any_is_named(end: str) -> None:
    table = Table('path,title\na.gif,Tea\nb.gif,"' + "x" * 200_000 + end + "\nc.gif,Milk\n")
    assert as_lines(table) == {2: ["a.gif", "Tea"], 4: ["c.gif", "Milk"]}
    assert fault_lines(table) == [3]


def test_a_header_that_cannot_be_read_leaves_no_rows() -> None:
    table = Table('path,"title\na.gif,Tea\n')
    assert (table.header, list(table), fault_lines(table)) == ([], [], [1])


def test_bytes_that_are_no_text_raise_a_sentence_that_names_the_line() -> None:
    with pytest.raises(ValueError, match=r"^line 3 is not UTF-8 text: save the file again as UTF-8$"):
        decoded("path,title\na.gif,Tea\nb.gif,Café\n".encode("latin-1"))


def test_separators_of_lines_within_cells_end_no_line() -> None:
    assert as_lines(Table("path,title\na.gif,one\u2028two\x0bthree\x85four\n")) == {
        2: ["a.gif", "one\u2028two\x0bthree\x85four"]
    }


def test_a_file_of_open_rows_is_given_up_in_time_and_says_so() -> None:
    # Each of these lines opens a cell and, within one, closes it and opens the next.
    hostile = "path,title\n" + 'a",b"c,"d\n' * 30_000
    started = time.monotonic()
    table = Table(hostile)
    assert len(fault_lines(table)) == MOST_FAULTS + 1
    assert time.monotonic() - started < 30
    assert table.faults[-1].message.startswith(f"line {table.faults[-1].line} and all below it are not read")


cells = st.text(st.sampled_from('ab,"\n\r ü'), max_size=6)


@given(st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=6))
def test_what_a_program_wrote_is_read_as_it_was(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    table = Table(text.getvalue())
    assert [table.header, *(cells for _, cells in table)] == rows
    assert table.faults == []


@given(st.text(st.sampled_from('ab,"\n\r'), max_size=60))
def test_every_line_is_in_a_row_or_named(body: str) -> None:
    text = "head\n" + body
    lines = list(io.StringIO(text, newline=""))
    table = Table(text)
    covered = dict(table)
    for line in fault_lines(table):
        covered.pop(line, None)
    begins = [1, *sorted({*covered, *fault_lines(table)}), len(lines) + 1]
    for this, following in pairwise(begins[1:]):
        if this in covered and following > this + 1:
            # Only line breaks within cells make a row of more than one line.
            breaks = sum(len(list(io.StringIO(cell + "x", newline=""))) - 1 for cell in covered[this])
            assert breaks == following - this - 1
        else:
            assert following == this + 1
    assert begins[1] == 2
