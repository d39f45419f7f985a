"""Snapshots: a state of the tables under a name, whole or not there, asked by the same views, of one file with the
tables."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.placing import remove
from emovid_assets.core.release.changes import changes
from emovid_assets.core.release.names import name_fault
from emovid_assets.home.folders import Home, HomeError
from emovid_assets.home.run_locks import RunLocks
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets.resources.release import snapshots
from emovid_assets.resources.release.snapshots import (
    SnapshotError,
    SnapshotExistsError,
    find_snapshot,
    make_snapshot,
    read_snapshot,
    remove_snapshot,
    snapshots_of,
)
from emovid_assets.resources.sql_files import CatalogueError
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.sql.planting import SQL_FOLDER, row

FACTS = TABLES["clip_facts"]
Asked = Callable[[Home, str], list[tuple[Any, ...]]]


def write(home: Home, emotions: dict[str, str | None], **other: Any) -> None:
    """`clips` and `clip_facts` of these clips of movies, as a build writes them."""
    warehouse = Warehouse(home.warehouse)
    for table in ("clips", "clip_facts"):
        facts = [
            row(
                table,
                clip_id=clip,
                domain="movie",
                **({"emotion": emotion, **other} if table == "clip_facts" else {}),
            )
            for clip, emotion in emotions.items()
        ]
        warehouse.write(table, "movie", TABLES[table].from_rows(facts))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    write(made, {"a": "fear", "b": "awe"})
    return made


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of views with what is asked here: to make all of them takes a second."""
    folder = tmp_path_factory.mktemp("sql")
    for name in ("clip_catalogue.sql", "functions/changes_since.sql"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(SQL_FOLDER / name)
    return folder


@pytest.fixture
def asked(few: Path) -> Asked:
    def ask(home: Home, query: str) -> list[tuple[Any, ...]]:
        with open_catalogue(home.root, few) as connection:
            return connection.execute(query).fetchall()

    return ask


def at(home: Home, name: str) -> Home:
    return Home(find_snapshot(home, name).folder)


def test_a_snapshot_keeps_what_the_tables_were(home: Home, asked: Asked) -> None:
    made = make_snapshot(home, "before")
    write(home, {"a": "awe", "c": "awe"})
    query = "select clip_id, emotion from clip_catalogue order by clip_id"
    assert asked(at(home, "before"), query) == [("a", "fear"), ("b", "awe")]
    assert asked(home, query) == [("a", "awe"), ("c", "awe")]
    assert (made.name, made.clip_count, {part.table for part in made.parts}) == ("before", 2, {"clips", "clip_facts"})
    assert snapshots_of(home).snapshots == (made,)


def test_the_files_are_second_names_of_those_of_the_tables_and_stay_when_these_are_replaced(
    home: Home, asked: Asked
) -> None:
    made = make_snapshot(home, "before")
    (kept,) = (made.folder / part.path for part in made.parts if part.table == "clips")
    version = Warehouse(home.warehouse).version("clips", "movie")
    assert version is not None
    assert kept.samefile(version)
    content = kept.read_bytes()
    (part,) = (part for part in made.parts if part.table == "clips")
    assert version.name == f".part-{part.version}.version"
    for number in range(3):
        write(home, {f"c{number}": "fear"})
    assert kept.read_bytes() == content
    assert remove(version) is None
    assert asked(at(home, "before"), "select count(*) from clips") == [(2,)]


def test_where_files_cannot_have_two_names_they_are_copied(
    home: Home, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    made = make_snapshot(home, "before")
    assert all(os.stat(made.folder / part.path).st_nlink == 1 for part in made.parts)
    assert asked(at(home, "before"), "select count(*) from clips") == [(2,)]


def test_a_table_that_this_program_has_not_written_is_kept_too(home: Home) -> None:
    path = home.warehouse / "clips" / "domain=sticker" / "part-0.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(TABLES["clips"].from_rows([row("clips", clip_id="s", domain="sticker")]), path)
    assert make_snapshot(home, "before").clip_count == 3


def test_settings_are_those_of_then_and_what_was_no_setting_then_is_as_nobody_has_set_it(
    home: Home, asked: Asked
) -> None:
    (home.root / "emovid.toml").write_text("[benchmark]\nper_cell = 3\n", encoding="utf-8")
    made = make_snapshot(home, "before")
    (home.root / "emovid.toml").write_text("[benchmark]\nper_cell = 5\n", encoding="utf-8")
    query = "select value from library_settings where key = 'benchmark.per_cell'"
    assert asked(at(home, "before"), query) == [("3",)]
    assert asked(home, query) == [("5",)]
    said = json.loads((made.folder / "snapshot.json").read_text(encoding="utf-8"))
    del said["settings"]["benchmark.per_cell"]
    (made.folder / "snapshot.json").write_text(json.dumps(said), encoding="utf-8")
    assert asked(at(home, "before"), query) == [("10",)]


@pytest.mark.parametrize("name", ["1.0.0", "2.10.3", "1.0.0+metadata", "before", "a", "x-1_y.z", "2026-11-30.015200"])
def test_versions_and_plain_words_are_names(home: Home, name: str) -> None:
    assert make_snapshot(home, name).folder == home.snapshots / name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "../up", "/etc", "a\\b", "a b", "a\n", "é", "x*", "a.", "-", "x" * 65, "a\0b"],
)
def test_a_name_that_is_a_path_or_hidden_or_a_pattern_is_refused(home: Home, name: str) -> None:
    for act in (make_snapshot, find_snapshot, remove_snapshot):
        with pytest.raises(SnapshotError, match="cannot be the name of a snapshot"):
            act(home, name)
    assert not home.snapshots.exists()


@given(st.text(max_size=8))
def test_what_may_be_a_name_stays_in_its_folder(name: str) -> None:
    if name_fault(name) is None:
        assert Path("/x", name).resolve().parent == Path("/x")
        assert not name.startswith((".", "-"))


def test_a_name_is_given_once(home: Home) -> None:
    first = make_snapshot(home, "before")
    write(home, {"c": "fear"})
    with pytest.raises(SnapshotExistsError, match="emovid snapshot remove before"):
        make_snapshot(home, "before")
    assert read_snapshot(first.folder) == first


def test_none_is_made_while_a_run_is_at_work(home: Home) -> None:
    with (
        RunLocks(home.runs_at_work).held("run-1", "build_dataset", {"clips": 1}, print),
        pytest.raises(SnapshotError, match=r"\(build_dataset, process .* is at work.*wait for its end"),
    ):
        make_snapshot(home, "before")
    assert snapshots_of(home).snapshots == ()
    make_snapshot(home, "before")


def test_none_is_made_of_tables_that_are_replaced_meanwhile(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([{("clips", "movie"): "one"}, {("clips", "movie"): "other"}])
    monkeypatch.setattr(snapshots, "states_of_tables", lambda _: next(states))
    with pytest.raises(SnapshotError, match="replaced tables meanwhile"):
        make_snapshot(home, "before")
    assert [path.name for path in home.snapshots.iterdir()] == [snapshots.LOCK]


def test_none_is_made_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="nothing is built"):
        make_snapshot(Home(tmp_path), "before")


def test_what_a_killed_one_leaves_is_no_snapshot(home: Home) -> None:
    """Killed while its files are put into place: the process ends within the copy of the first one."""
    code = (
        "import os, sys; from pathlib import Path; from emovid_assets.home.folders import Home\n"
        "from emovid_assets.resources.release import snapshots\n"
        "snapshots.put_text = lambda *_: os.kill(os.getpid(), 9)\n"
        "snapshots.make_snapshot(Home(Path(sys.argv[1])), 'before')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home.root)], check=False, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == -9
    (left,) = (path for path in home.snapshots.iterdir() if path.name != snapshots.LOCK)
    assert left.name.endswith(".tmp")
    assert snapshots_of(home) == snapshots.Found((), {})
    assert make_snapshot(home, "before").clip_count == 2


def test_a_snapshot_is_removed_at_once_and_the_tables_and_others_stay(home: Home, asked: Asked) -> None:
    make_snapshot(home, "one")
    make_snapshot(home, "two")
    remove_snapshot(home, "one")
    assert [one.name for one in snapshots_of(home).snapshots] == ["two"]
    assert asked(at(home, "two"), "select count(*) from clips") == asked(home, "select count(*) from clips") == [(2,)]
    with pytest.raises(SnapshotError, match="there is no snapshot one: there are two"):
        remove_snapshot(home, "one")
    remove_snapshot(home, "two")
    with pytest.raises(SnapshotError, match="make NAME"):
        find_snapshot(home, "two")


def test_a_damaged_one_is_told_and_can_be_removed(home: Home, few: Path) -> None:
    made = make_snapshot(home, "gone")
    (made.folder / made.parts[0].path).unlink()
    (make_snapshot(home, "torn").folder / "snapshot.json").write_text("{", encoding="utf-8")
    (make_snapshot(home, "later").folder / "snapshot.json").write_text('{"format": 99}', encoding="utf-8")
    (home.snapshots / "strange").mkdir()
    found = snapshots_of(home)
    assert found.snapshots == ()
    assert {name: sentence.split(": ")[0].split(";")[0] for name, sentence in found.broken.items()}.keys() == {
        *("gone", "torn", "later", "strange")
    }
    assert f"{made.parts[0].path} is gone" in found.broken["gone"]
    assert "later version" in found.broken["later"]
    with pytest.raises(CatalogueError, match="is gone"):
        open_catalogue(made.folder, few)
    for name in found.broken:
        remove_snapshot(home, name)
    assert snapshots_of(home).broken == {}


def test_a_snapshot_of_an_older_version_lacks_columns_and_tables_which_are_null_and_empty(
    home: Home, asked: Asked
) -> None:
    older = TABLES["clip_facts"].from_rows([row("clip_facts", clip_id="a", domain="movie", emotion="fear", title="x")])
    Warehouse(home.warehouse).path("clip_facts", "movie").unlink()
    path = home.warehouse / "clip_facts" / "domain=movie" / "part-0.parquet"
    columns = older.drop_columns(["caption", "title"]).append_column("a_column_of_the_past", pa.array([1]))
    pq.write_table(columns, path)
    make_snapshot(home, "old")
    write(home, {"a": "fear"}, caption="It rains.")
    assert asked(at(home, "old"), "select emotion, caption from clip_facts") == [("fear", None)]
    assert asked(at(home, "old"), "select * from captions") == []
    since = "select clip_id, column_name, before, after from changes_since('old') where change = 'changed'"
    assert asked(home, since) == [("a", "caption", None, "It rains.")]


def test_a_table_that_had_no_domains_then_is_read_as_it_was(home: Home, asked: Asked) -> None:
    made = make_snapshot(home, "old")
    said = json.loads((made.folder / "snapshot.json").read_text(encoding="utf-8"))
    for part in said["parts"]:
        before = made.folder / part["path"]
        part |= {"domain": None, "path": f"warehouse/{part['table']}/part-0.parquet"}
        before.rename(made.folder / part["path"])
    (made.folder / "snapshot.json").write_text(json.dumps(said), encoding="utf-8")
    assert asked(at(home, "old"), "select clip_id, domain from clips order by all") == [("a", "movie"), ("b", "movie")]


def test_the_views_of_a_snapshot_are_made_once_and_in_a_home_that_may_not_be_written_elsewhere(
    home: Home, few: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_snapshot(home, "before").folder
    monkeypatch.setattr(Home, "is_writable", False)
    assert asked(Home(folder), "select count(*) from clips") == [(2,)]
    assert not (folder / "catalogue.duckdb").exists()
    monkeypatch.setattr(Home, "is_writable", True)
    open_catalogue(folder, few).close()
    made = (folder / "catalogue.duckdb").resolve()
    open_catalogue(folder, few).close()
    assert (folder / "catalogue.duckdb").resolve() == made
    with duckdb.connect(str(folder / "catalogue.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from clips").fetchall() == [(2,)]
    monkeypatch.setattr(Home, "is_writable", False)
    assert asked(Home(folder), "select count(*) from clips") == [(2,)]


def test_a_home_that_is_moved_takes_its_snapshots_along(home: Home, asked: Asked, tmp_path: Path) -> None:
    make_snapshot(home, "before")
    asked(at(home, "before"), "select 1")
    write(home, {"a": "awe", "b": "awe"})
    moved = Home(home.root.rename(tmp_path / "it's [moved]"))
    assert asked(at(moved, "before"), "select emotion from clip_facts order by clip_id") == [("fear",), ("awe",)]
    assert asked(moved, "select clip_id, column_name, before, after from changes_since('before')") == [
        ("a", "emotion", "fear", "awe")
    ]


def test_a_snapshot_is_no_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_snapshot(home, "before")
    monkeypatch.setenv("EMOVID_HOME", str(made.folder))
    with pytest.raises(HomeError, match=f"is a snapshot, not a home: set EMOVID_HOME to {home.root}"):
        Home.from_environment()


def test_changes_are_asked_of_one_that_is_there(home: Home, asked: Asked) -> None:
    with pytest.raises(Exception, match="there is no snapshot before; there are: none"):
        asked(home, "from changes_since('before')")
    make_snapshot(home, "before")
    make_snapshot(home, "1.0.0")
    for name in ("1.0", "../home", "*", "", "1.0.?"):
        with pytest.raises(Exception, match=r"there is no snapshot .*; there are: 1\.0\.0, before"):
            asked(home, f"from changes_since('{name}')")
    assert asked(home, "from changes_since('before')") == []


def test_two_snapshots_are_compared_in_the_catalogue_of_one(home: Home, asked: Asked) -> None:
    make_snapshot(home, "1.0.0")
    write(home, {"b": "fear", "c": "awe"})
    make_snapshot(home, "1.1.0")
    write(home, {"z": "awe"})
    query = "select clip_id, change, column_name, before, after from changes_since('1.0.0') order by clip_id"
    assert asked(at(home, "1.1.0"), query) == [
        ("a", "removed", None, None, None),
        ("b", "changed", "emotion", "awe", "fear"),
        ("c", "added", None, None, None),
    ]


numbers = st.sampled_from([None, 0.0, 0.1, float("nan")])
facts = st.dictionaries(
    st.sampled_from("abcd"),
    st.fixed_dictionaries({"emotion": st.sampled_from([None, "fear", "awe"]), "valence": numbers}),
    min_size=1,
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, few: Path) -> Iterator[tuple[Home, duckdb.DuckDBPyConnection]]:
    """A home with a catalogue that is open: its views read whatever files there are."""
    made = Home(tmp_path_factory.mktemp("compared"))
    with open_catalogue(made.root, few) as connection:
        yield made, connection


@settings(deadline=None, max_examples=10)
@given(facts, facts)
def test_the_function_finds_what_a_comparison_of_the_tables_finds(
    compared: tuple[Home, duckdb.DuckDBPyConnection], before: dict[str, Any], after: dict[str, Any]
) -> None:
    home, connection = compared

    def put(found: dict[str, Any]) -> pa.Table:
        rows = FACTS.from_rows([row("clip_facts", clip_id=k, domain="movie", **v) for k, v in found.items()])
        path = home.warehouse / "clip_facts" / "domain=movie" / "part-0.parquet"
        remove(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path)
        return rows

    was = put(before)
    remove(home.snapshots / "x")
    make_snapshot(home, "x")
    now = put(after)
    found = connection.sql("from changes_since('x')").to_arrow_table().to_pylist()
    expected = changes(was, now).to_pylist()
    assert Counter(tuple(one.values()) for one in found) == Counter(tuple(one.values()) for one in expected)
