"""What strangers have written is shown by a terminal and does nothing to it."""

import io

import pytest
from rich.markup import escape
from rich.table import Table

from emovid_assets.cli.shared import PlainConsole, fail
from emovid_assets.queries.running import aligned

NAME = "a\x1b[31m\x1b]0;owned\x07\x9b2J\r\u202eb [bold].mp4"
SHOWN = r"a\x1b[31m\x1b]0;owned\x07\x9b2J\r\u202eb [bold].mp4"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_lines_and_cells_show_escapes_as_they_are_written(is_terminal: bool) -> None:
    written = io.StringIO()
    console = PlainConsole(
        file=written, force_terminal=is_terminal, color_system=None, soft_wrap=True, highlight=False, width=200
    )
    table = Table(box=None)
    table.add_column("path")
    table.add_row(escape(NAME))
    console.print(NAME, markup=False)
    console.print(table)
    text = written.getvalue()
    assert text.count(SHOWN) == 2
    assert not set(text) & set("\x1b\x07\x9b\r\u202e")


def test_an_error_shows_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    fail(f"no such file: {NAME}")
    assert capsys.readouterr().err == f"error no such file: {SHOWN}\n"


def test_the_answer_of_a_query_shows_them_too() -> None:
    import pyarrow as pa

    assert SHOWN in aligned(pa.table({"path": [NAME]}))
