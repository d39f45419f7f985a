"""The reference page is what the registry and the view headers say."""

from pathlib import Path

import pytest

from emovid_assets.pages import reference
from emovid_assets.resources.sql_files import read_view_files
from emovid_assets.tables.columns import INTEGER, TEXT, Column
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.sql.planting import SQL_FOLDER


def test_the_reference_page_is_up_to_date() -> None:
    assert reference.main(["--check"]) == 0, "run `python -m emovid_assets.pages.reference`"


def test_every_table_view_and_column_is_on_the_page() -> None:
    page = reference.render_reference(SQL_FOLDER)
    for name, columns in [
        *((table.name, table.column_names) for table in TABLES.values()),
        *((file.name, tuple(column.name for column in file.columns)) for file in read_view_files(SQL_FOLDER)),
    ]:
        _, _, rest = page.partition(f"\n### {name}\n")
        section, _, _ = rest.partition("\n### ")
        assert [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")] == list(columns)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (Column("a", INTEGER, "", minimum=0, maximum=359, is_nullable=True), "0 to 359; may be null"),
        (Column("a", INTEGER, "", minimum=1), "≥ 1"),
        (Column("a", INTEGER, "", maximum=1), "≤ 1"),
        (Column("a", TEXT, "", vocabulary=("x", "y")), "`x`, `y`"),
        (Column("a", TEXT, ""), ""),
    ],
)
def test_limits_are_put_into_words(column: Column, words: str) -> None:
    assert reference.limits(column) == words


def test_checking_fails_on_an_outdated_page_and_writing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "REFERENCE_PATH", tmp_path / "reference.md")
    assert reference.main(["--check"]) == 1
    assert "python -m emovid_assets.pages.reference" in capsys.readouterr().err
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
