"""When a build's tables are shown: together at the end of a run, and at once by whoever holds nothing back."""

from pathlib import Path

import duckdb
import pytest

from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources import catalogue
from emovid_assets.resources.catalogue import build_catalogue, catalogue_is_current
from emovid_assets.resources.refreshing import EVERY_S, _refreshed_at, held_back
from emovid_assets.resources.workplace import PlainWorkplace
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.sql.planting import row

SQL = shipped_file("sql")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    build_catalogue(tmp_path, SQL)
    return tmp_path


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The homes whose catalogue was refreshed, one after the other."""
    found: list[Path] = []
    plain = catalogue.refresh_catalogue

    def refresh(home: Path, sql_folder: Path) -> bool:
        found.append(home)
        return plain(home, sql_folder)

    monkeypatch.setattr(catalogue, "refresh_catalogue", refresh)
    return found


def write(home: Path, mark: float, *domains: str) -> None:
    for domain in domains:
        rows = [row("clips", domain=domain, clip_id="a", duration_s=mark)]
        PlainWorkplace(str(home)).write("clips", domain, TABLES["clips"].from_rows(rows))


def test_a_table_that_nobody_holds_back_is_shown_at_once(home: Path, refreshed: list[Path]) -> None:
    write(home, 1.0, "movie", "sticker")
    assert refreshed == [home, home]
    assert catalogue_is_current(home, SQL)


def test_the_tables_of_a_run_are_shown_at_its_end(home: Path, refreshed: list[Path]) -> None:
    with held_back(home), held_back(home):
        write(home, 1.0, "movie")
        # Before it: what a killed build has left behind is made up for before anything more is replaced.
        assert refreshed == [home]
        write(home, 1.0, "animation", "sticker")
        assert refreshed == [home]
        assert not catalogue_is_current(home, SQL)
    assert refreshed == [home, home]
    assert catalogue_is_current(home, SQL)


def test_a_run_that_fails_shows_what_it_has_written(home: Path) -> None:
    def run() -> None:
        with held_back(home):
            write(home, 1.0, "movie", "sticker")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run()
    assert catalogue_is_current(home, SQL)


def test_a_run_that_replaces_nothing_refreshes_nothing(home: Path, refreshed: list[Path]) -> None:
    write(home, 1.0, "movie")
    refreshed.clear()
    with held_back(home):
        write(home, 1.0, "movie")
    assert refreshed == []


def test_a_long_run_shows_its_tables_now_and_then(
    home: Path, refreshed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    with held_back(home):
        write(home, 1.0, "movie", "sticker")
        assert len(refreshed) == 1
        now_s += EVERY_S
        write(home, 2.0, "movie")
        assert len(refreshed) == 2
        write(home, 2.0, "sticker")
        assert len(refreshed) == 2
    assert len(refreshed) == 3


def test_what_a_killed_build_has_written_is_named_before_it_is_replaced(home: Path) -> None:
    write(home, 1.0, "movie")
    warehouse = PlainWorkplace(str(home)).warehouse
    # Of the killed one: a table that no view names.
    warehouse.write("clips", "movie", TABLES["clips"].from_rows([row("clips", domain="movie", duration_s=2.0)]))
    left = warehouse.version("clips", "movie")
    _refreshed_at.clear()
    with held_back(home):
        write(home, 3.0, "movie")
        with duckdb.connect(str(home / "catalogue.duckdb"), read_only=True) as connection:
            named = connection.execute("select path from catalogue_files where table_name = 'clips'").fetchall()
            assert connection.execute("select duration_s from clips").fetchall() == [(2.0,)]
        assert left is not None
        assert named == [(left.relative_to(home).as_posix(),)]
    assert catalogue_is_current(home, SQL)
