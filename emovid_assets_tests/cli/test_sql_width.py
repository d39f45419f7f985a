"""Answers on a terminal: columns side by side where they can be read, else a line a value."""

import pyarrow as pa
import pytest
from rich.text import Text

from emovid_assets.queries.running import aligned


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 40 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")


def seen(rows: pa.Table) -> list[str]:
    """The lines without what makes letters bold."""
    return [line.rstrip() for line in Text.from_ansi(aligned(rows)).plain.splitlines()]


def test_an_answer_that_fits_stands_side_by_side_and_long_texts_are_folded(narrow: None) -> None:
    rows = pa.table({"path": ["a.mp4"], "message": ["one two three four five six seven eight nine ten"], "n": [1]})
    lines = seen(rows)
    assert lines[0].split() == ["path", "message", "n"]
    assert lines[1].split() == ["a.mp4", "one", "two", "three", "four", "five", "six", "1"]
    assert all(len(line) <= 40 for line in lines)


def test_an_answer_that_would_be_broken_into_letters_has_a_line_a_value(narrow: None) -> None:
    rows = pa.table(
        {f"a_rather_long_name_{number}": [number, None] for number in range(3)} | {"text": ["x " * 40, "y"]}
    )
    lines = seen(rows)
    assert [line.split() for line in lines[:3]] == [[f"a_rather_long_name_{n}", str(n)] for n in range(3)]
    assert "" in lines
    after = lines[lines.index("") + 1 :]
    assert after == [*(f"a_rather_long_name_{n}" for n in range(3)), "text                  y"]
    assert all(len(line) <= 40 for line in lines)


def test_a_file_or_a_pipe_has_columns_however_wide_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    rows = pa.table({f"a_rather_long_name_{number}": [number] for number in range(30)})
    assert len(seen(rows)) == 2
