"""Connections to the files of Dagster live from one statement to the next, and not for ever."""

from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
from sqlalchemy.pool import NullPool

from emovid_assets.building.runner import open_instance
from emovid_assets.home.folders import Home
from emovid_assets.orchestration import connections as dagster_connections
from emovid_assets.orchestration.connections import MOST_FILES, PREFIX


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> dagster_connections._Engines:
    """Engines of nobody else."""
    made = dagster_connections._Engines()
    monkeypatch.setattr(dagster_connections, "_ENGINES", made)
    return made


def open_files(folder: Path) -> set[str]:
    links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return {target.name for link in links if (target := link.readlink()).parent == folder}


def test_statements_share_one_connection_that_loses_no_file_at_a_power_cut(engines, tmp_path: Path) -> None:
    address = f"{PREFIX}{tmp_path / 'a.db'}"
    engines.of(address, poolclass=NullPool).connect().close()
    connections = set()
    for _ in range(3):
        engine = engines.of(address, poolclass=NullPool)
        with engine.connect() as connection:
            connections.add(id(connection.connection.dbapi_connection))
            assert connection.execute(sqlalchemy.text("PRAGMA synchronous")).scalar_one() == 1
        engine.dispose()
    assert len(connections) == 1


def test_a_file_that_was_deleted_and_made_anew_is_opened_anew(engines, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    for value in (1, 2):
        file.unlink(missing_ok=True)
        # Holds the number of the file that is gone, so that the new one cannot have it.
        file.with_name(f"other-{value}").touch()
        for statement in ("create table found (value)", f"insert into found values ({value})"):
            with engines.of(f"{PREFIX}{file}").begin() as connection:
                connection.execute(sqlalchemy.text(statement))
        with engines.of(f"{PREFIX}{file}").connect() as connection:
            assert connection.execute(sqlalchemy.text("select value from found")).all() == [(value,)]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are told by Linux only")
def test_only_the_files_that_were_used_last_stay_open(engines, tmp_path: Path) -> None:
    for number in range(MOST_FILES + 5):
        (tmp_path / f"{number}.db").touch()
        with engines.of(f"{PREFIX}{tmp_path / f'{number}.db'}").begin() as connection:
            connection.execute(sqlalchemy.text("create table found (value)"))
    assert open_files(tmp_path) == {f"{number}.db" for number in range(5, MOST_FILES + 5)}


def test_an_instance_whose_connections_are_kept_records_as_any_other(engines, tmp_path: Path, monkeypatch) -> None:
    @dg.asset
    def thing() -> None: ...

    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Home(tmp_path)) as instance:
        runs = [dg.materialize([thing], instance=instance).run_id for _ in range(3)]
    with open_instance(Home(tmp_path)) as instance:
        assert {run.run_id for run in instance.get_runs()} == set(runs)
        records = instance.fetch_materializations(dg.AssetKey("thing"), limit=10).records
        assert [record.run_id for record in records] == runs[::-1]


def test_a_file_that_is_not_there_yet_leaves_no_open_handle(engines, tmp_path: Path) -> None:
    for number in range(20):
        engine = engines.of(f"{PREFIX}{tmp_path / str(number)}", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("create table t (x)"))
        engine.dispose()
    assert open_files(tmp_path) == set()
