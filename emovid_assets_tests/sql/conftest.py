"""One catalogue for all tests of this folder: views read the files anew, so a test only plants its tables."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets_tests.sql.planting import SQL_FOLDER, derive, plant


class Library:
    """A home folder with a catalogue and, at first, no table at all. Derived tables follow what is planted.

    The catalogue stays open: its views look for the files of each query anew.
    """

    def __init__(self, home: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.home = home
        self._connection = connection
        self._planted: set[str] = set()

    def clear(self) -> None:
        self._planted.clear()
        shutil.rmtree(self.home / "warehouse", ignore_errors=True)

    def plant(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        plant(self.home, table, rows)
        self._planted.add(table)

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The catalogue, once all that follows from the planted tables is there too."""
        if self._planted:
            derive(self.home, self._connection, self._planted)
            self._planted.clear()
        yield self._connection

    def query(self, sql: str) -> list[dict[str, Any]]:
        with self.opened() as connection:
            return connection.sql(sql).to_arrow_table().to_pylist()

    def find(self, view: str, **values: Any) -> dict[str, Any]:
        """The only row of a view with these values."""
        rows = [row for row in self.query(f"select * from {view}") if values.items() <= row.items()]
        assert len(rows) == 1, f"{len(rows)} rows of {view} have {values}"
        return rows[0]


@pytest.fixture(scope="session")
def _built_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    home = tmp_path_factory.mktemp("home")
    with open_catalogue(home, SQL_FOLDER) as connection:
        yield Library(home, connection)


@pytest.fixture
def library(_built_library: Library) -> Iterator[Library]:
    _built_library.clear()
    yield _built_library
    _built_library.clear()
