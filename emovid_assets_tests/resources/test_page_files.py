"""Whether a catalogue is whole, whatever DuckDB has cut off its file."""

from pathlib import Path

import pytest

from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import build_catalogue, open_catalogue, refresh_catalogue
from emovid_assets.resources.page_files import is_whole_catalogue
from emovid_assets_tests.planted_tables import plant, valid_row

SQL = shipped_file("sql")


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return build_catalogue(tmp_path, SQL).path


def test_a_catalogue_is_whole_however_often_it_was_refreshed(catalogue: Path) -> None:
    for number in range(12):
        plant(catalogue.parent, "clips", [valid_row("clips", number)])
        assert refresh_catalogue(catalogue.parent, SQL)
        assert is_whole_catalogue(catalogue)


def test_so_is_the_file_that_a_copy_has_in_place_of_the_link_unless_it_is_cut_short(catalogue: Path) -> None:
    content = catalogue.read_bytes()
    catalogue.unlink()
    catalogue.write_bytes(content)
    assert is_whole_catalogue(catalogue)
    catalogue.write_bytes(content[: len(content) // 2])
    assert not is_whole_catalogue(catalogue)
    assert refresh_catalogue(catalogue.parent, SQL)
    assert is_whole_catalogue(catalogue)


@pytest.mark.parametrize("kept", [0, 4096, 12288, 0.5, -1])
def test_one_that_is_cut_short_is_not_and_the_next_refresh_makes_it_anew(catalogue: Path, kept: float) -> None:
    content = catalogue.read_bytes()
    size = int(len(content) * kept) if 0 < kept < 1 else int(kept)
    catalogue.resolve().write_bytes(content[:size])
    assert not is_whole_catalogue(catalogue)
    assert refresh_catalogue(catalogue.parent, SQL)
    assert is_whole_catalogue(catalogue)
    with open_catalogue(catalogue.parent, SQL) as connection:
        assert connection.execute("select count(*) from clips").fetchall() == [(0,)]
