"""The catalogue as a file: its views, their comments, when it is rebuilt, and who may read meanwhile."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTIONS
from emovid_assets.queries.help import explained
from emovid_assets.resources.catalogue import (
    CATALOGUE_NAME,
    build_catalogue,
    catalogue_is_current,
    open_catalogue,
    refresh_catalogue,
)
from emovid_assets.resources.catalogue_statements import duckdb_type
from emovid_assets.resources.sql_files import (
    CatalogueError,
    read_function_files,
    read_view_files,
    split_function_header,
    split_sql_header,
)
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import NOON, SQL_FOLDER, plant, row

VIEW_NAMES = [file.name for file in read_view_files(SQL_FOLDER)]
ROWS_ON_AN_EMPTY_WAREHOUSE = {
    "domains": 3,
    "scopes": 4,
    "protocol_statistics": 4,
    "emotion_wheel": 8,
    "dataset_statistics": 4,
    "dataset_comparison": 7,
    "emotion_distribution": 32,
    "polarity_by_colour": 22,
    "colour_by_emotion": 8,
    "colour_anova": 8,
    "colour_variance": 8,
    "hue_tests": 44,
    "polarity_trend": 8,
    "transition_tests": 2,
    "emotion_transitions": 128,
    "benchmark_cells": 24,
    "human_labels_by_outcome": 16,
    "paper_numbers": 187,
    "paper_comparison": 187,
    "generation_leaderboard": 10,
}
OF_FEW_ROWS = {
    "warning",
    *("domain", "emotion", "from_emotion", "to_emotion", "outcome", "kind", "attribute", "bin", "test", "rank"),
    *("generator", "pair of generators", "scope", "asked emotion", "recognised emotion", "metric"),
    *("task", "question", "model", "dataset", "printed value", "asset", "code", "annotator", "pair of raters"),
}
"""Terms of a grain of which there are as many in a large library as in a small one, or as there are people."""
HEADER = """\
-- view: pairs
-- gives: Pairs of numbers.
-- grain: number
-- source: this
--   test
-- depends on: nothing
-- columns:
--   a (BIGINT, px): the number
--     that is counted
--   b (VARCHAR[]): words
"""
FUNCTION_HEADER = """\
-- function: half
-- gives: Half of a number.
-- source: this test
-- depends on: nothing
-- arguments:
--   x (DOUBLE): the number
--   scale (BIGINT): what it is
--     multiplied with
-- returns: DOUBLE; x × scale / 2
"""
FUNCTION_BODY = "create or replace macro half(x, scale) as x * scale / 2"
TABLE_HEADER = """\
-- function: notes
-- gives: Notes of a name.
-- source: this test
-- depends on: a
-- arguments:
--   name (VARCHAR): whose
-- returns: TABLE; a row per note
-- columns:
--   text (VARCHAR): what it says
--   one (INTEGER, s): of the view
"""
TABLE_BODY = """\
create or replace macro notes(name) as table
select content as text, a.a as one from read_text($home || '/notes/' || name || '*.txt') cross join a"""
BODY = "create or replace view pairs as select 1::bigint as a, ['x'] as b"


def _view(name: str, depends_on: str = "nothing") -> str:
    return (
        f"-- view: {name}\n-- gives: Ones.\n-- grain: one\n-- source: test\n-- depends on: {depends_on}\n"
        f"-- columns:\n--   a (INTEGER): one\ncreate or replace view {name} as select 1 as a"
    )


def _folder(path: Path, **files: str) -> Path:
    path.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        (path / f"{name}.sql").write_text(text, encoding="utf-8")
    return path


def _few_views(home: Path) -> Path:
    """For tests of the file: what becomes of it is the same with one view as with all, which take a second to make."""
    return _folder(home / "sql", a=_view("a"))


@pytest.mark.parametrize("view", VIEW_NAMES)
def test_every_view_works_before_any_table_exists(library: Library, view: str) -> None:
    assert len(library.query(f"select * from {view}")) == ROWS_ON_AN_EMPTY_WAREHOUSE.get(view, 0)


@pytest.fixture(scope="module")
def without_rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    home = tmp_path_factory.mktemp("without_rows")
    for table in TABLES.values():
        for folder in [f"domain={name}" for name in DOMAINS] if table.is_partitioned else ["."]:
            path = home / "warehouse" / table.name / folder / "part-0.parquet"
            path.parent.mkdir(parents=True)
            pq.write_table(table.empty(), path)
    with open_catalogue(home, SQL_FOLDER) as connection:
        yield Library(home, connection)


@pytest.mark.parametrize("view", VIEW_NAMES)
def test_every_view_works_on_tables_without_rows(without_rows: Library, view: str) -> None:
    assert len(without_rows.query(f"select * from {view}")) == ROWS_ON_AN_EMPTY_WAREHOUSE.get(view, 0)


def test_every_view_has_the_columns_that_its_header_declares(library: Library) -> None:
    for file in read_view_files(SQL_FOLDER):
        described = library.query(f"select column_name, column_type from (describe {file.name})")
        assert [(row["column_name"], row["column_type"]) for row in described] == [
            (column.name, column.type) for column in file.columns
        ]


def test_every_table_has_a_view_with_the_columns_of_the_registry(library: Library) -> None:
    def written(name: str) -> str:
        """As DuckDB writes the type, which puts some names of fields into quotation marks."""
        return str(library.query(f"select typeof(null::{name}) as name")[0]["name"])

    for table in TABLES.values():
        described = library.query(f"select column_name, column_type from (describe {table.name})")
        assert [(row["column_name"], row["column_type"]) for row in described] == [
            (column.name, written(duckdb_type(column.type))) for column in table.columns
        ]


def test_every_view_and_every_column_has_a_comment(library: Library) -> None:
    views = library.query("select view_name, comment from duckdb_views() where not internal")
    columns = library.query("select table_name, column_name, comment from duckdb_columns() where not internal")
    own = {"catalogue_files", "catalogue_info", "library_settings"}
    assert {row["view_name"] for row in views} == {*TABLES, *VIEW_NAMES, *own}
    assert [row for row in (*views, *columns) if not row["comment"]] == []


def test_every_function_has_a_comment_with_its_arguments(library: Library) -> None:
    rows = library.query("select function_name, comment from duckdb_functions() where not internal")
    comments = {row["function_name"]: row["comment"] for row in rows}
    assert set(comments) == {file.name for file in read_function_files(SQL_FOLDER)}
    assert comments["t_upper_tail"].startswith("t_upper_tail(t, df): Probability that Student's t exceeds a value")


def test_the_declared_dependencies_are_what_a_function_calls_and_reads() -> None:
    files = read_function_files(SQL_FOLDER)
    known = {*TABLES, *VIEW_NAMES, "library_settings"}
    for file in files:
        code = "\n".join(line for line in file.sql.splitlines() if not line.lstrip().startswith("--"))
        called = {other.name for other in files if f"{other.name}(" in code and other.name != file.name}
        read = set(re.findall(r"\b(?:from|join)\s+(\w+)", code)) & known
        assert called | read == set(file.depends_on), file.name


def test_a_function_may_give_rows_of_what_lies_in_the_home_and_of_views(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    _folder(sql / "functions", notes=TABLE_HEADER + TABLE_BODY)
    home = tmp_path / "it's [home]"
    (home / "notes").mkdir(parents=True)
    (home / "notes" / "x.txt").write_text("kept", encoding="utf-8")
    with open_catalogue(home, sql) as connection:
        assert connection.execute("from notes('x')").fetchall() == [("kept", 1)]
        assert connection.execute("from notes('y')").fetchall() == []
        ((comment,),) = connection.execute(
            "select comment from duckdb_functions() where function_name = 'notes'"
        ).fetchall()
    assert comment == "notes(name): Notes of a name. Returns a row per note."
    home.rename(tmp_path / "moved")
    with open_catalogue(tmp_path / "moved", sql) as connection:
        assert connection.execute("from notes('x')").fetchall() == [("kept", 1)]


def test_the_header_of_a_function_that_gives_rows_lists_its_columns() -> None:
    file = split_function_header(TABLE_HEADER + TABLE_BODY)
    assert (file.is_table, file.result, file.depends_on) == (True, "a row per note", ("a",))
    assert [argument.name for argument in file.arguments] == ["name"]
    assert [(c.name, c.type, c.unit, c.meaning) for c in file.columns] == [
        ("text", "VARCHAR", None, "what it says"),
        ("one", "INTEGER", "s", "of the view"),
    ]


def test_a_view_may_call_a_function_of_the_folder(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a").replace("1 as a", "half(4.0, 1)::integer as a"))
    _folder(sql / "functions", half=FUNCTION_HEADER + FUNCTION_BODY)
    assert build_catalogue(tmp_path, sql).functions == ("half",)
    with duckdb.connect(str(tmp_path / CATALOGUE_NAME), read_only=True) as connection:
        assert connection.execute("select a, half(3.0, 1) from a").fetchall() == [(2, 1.5)]


def test_a_changed_function_makes_the_catalogue_outdated(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    _folder(sql / "functions", half=FUNCTION_HEADER + FUNCTION_BODY)
    build_catalogue(tmp_path, sql)
    assert catalogue_is_current(tmp_path, sql)
    _folder(sql / "functions", half=FUNCTION_HEADER + FUNCTION_BODY.replace("/ 2", "* 0.5"))
    assert not catalogue_is_current(tmp_path, sql)


def test_the_header_of_a_function_is_read_into_its_parts() -> None:
    file = split_function_header(FUNCTION_HEADER + FUNCTION_BODY)
    assert (file.signature, file.meaning, file.depends_on) == ("half(x, scale)", "Half of a number.", ())
    assert (file.returns, file.result) == ("DOUBLE", "x × scale / 2")
    assert [(a.name, a.type, a.meaning) for a in file.arguments] == [
        ("x", "DOUBLE", "the number"),
        ("scale", "BIGINT", "what it is multiplied with"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--   scale (", "--   size ("), r"header says \(x, size\) and DOUBLE, the function has \(x, scale\)"),
        (("DOUBLE; x", "BIGINT; x"), r"and BIGINT, the function has \(x, scale\) and DOUBLE"),
        (("DOUBLE; x", "x"), "write `-- returns: TYPE; meaning`"),
        (("x * scale", "y * scale"), "half.sql does not run"),
        (("/ 2", "/ 2; select 1"), "half.sql holds 2 statements"),
        (("function: half", "function: other"), "names the function other; name both alike"),
        (("depends on: nothing", "depends on: clips"), "is named clips"),
        (("-- arguments:", "-- colours:"), "`colours` is none of"),
        (("-- arguments:", "-- columns:"), "lacks arguments"),
        (("DOUBLE; x", "TABLE; x"), "`-- columns:` belong to one that `returns: TABLE; …`"),
    ],
)
def test_a_function_that_is_not_what_its_header_says_is_not_built(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    _folder(sql / "functions", half=(FUNCTION_HEADER + FUNCTION_BODY).replace(*change))
    with pytest.raises(CatalogueError, match=message):
        build_catalogue(tmp_path, sql)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("--   name (", "--   who ("),
            r"header says \(who\) and text VARCHAR, one INTEGER, the function has \(name\)",
        ),
        (
            ("one (INTEGER", "one (BIGINT"),
            r"and text VARCHAR, one BIGINT, the function has \(name\) and text VARCHAR, one I",
        ),
        (("TABLE; a", "VARCHAR; a"), "`-- columns:` belong to one that `returns: TABLE; …`"),
        (("--   text (VARCHAR): what it says\n--   one (INTEGER, s): of the view\n", ""), "lacks columns"),
        (("depends on: a", "depends on: b"), "is named b"),
        (("content as", "contents as"), "notes.sql does not run"),
    ],
)
def test_a_function_that_gives_other_rows_than_its_header_says_is_not_built(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    _folder(sql / "functions", notes=(TABLE_HEADER + TABLE_BODY).replace(*change))
    with pytest.raises(CatalogueError, match=message):
        build_catalogue(tmp_path, sql)


def test_a_comment_names_the_unit_and_the_grain(library: Library) -> None:
    (column,) = library.query(
        "select comment from duckdb_columns() where table_name = 'clips' and column_name = 'duration_s'"
    )
    (view,) = library.query("select comment from duckdb_views() where view_name = 'benchmark_cells'")
    assert column["comment"] == "length by presentation stamps [s]"
    assert "One row per domain × emotion" in view["comment"]


def test_the_declared_dependencies_are_the_ones_that_a_view_reads() -> None:
    known = {*TABLES, *VIEW_NAMES, "library_settings"}
    for file in read_view_files(SQL_FOLDER):
        query = "\n".join(line for line in file.sql.splitlines() if not line.lstrip().startswith("--"))
        assert set(re.findall(r"\b(?:from|join)\s+(\w+)", query)) & known == set(file.depends_on), file.name


def test_the_wheel_is_the_vocabulary_of_the_code(library: Library) -> None:
    rows = library.query("select * from emotion_wheel")
    assert [row.pop("emotion_index") for row in rows] == list(range(8))
    assert rows == [
        {
            "emotion": emotion.name,
            "polarity": emotion.polarity,
            "valence": emotion.valence,
            "arousal": emotion.arousal,
            "is_high_arousal": emotion.is_high_arousal,
        }
        for emotion in EMOTIONS
    ]


def test_the_domains_are_those_of_the_code(library: Library) -> None:
    assert [row["domain"] for row in library.query("select * from domains")] == list(DOMAINS)
    assert [row["domain"] for row in library.query("select * from scopes")] == [*DOMAINS, TOTAL]


def test_a_view_with_a_total_has_it_under_one_name(library: Library) -> None:
    """Whatever is asked per domain and over all of them; `scopes` alone says what there is."""
    for file in read_view_files(SQL_FOLDER):
        domain = next((column for column in file.columns if column.name == "domain"), None)
        has_total = domain is not None and "total" in domain.meaning
        assert ("`total`" in file.grain) == (has_total and not file.name.startswith("paper_")), file.name
        if has_total:
            found = {row["domain"] for row in library.query(f"select domain from {file.name}")}
            assert found <= {*DOMAINS, TOTAL, None}, file.name


def test_only_views_that_do_not_grow_with_the_library_are_sorted() -> None:
    """To sort the rows of all clips costs whoever asks for one of them; the grain says what the rows are of."""
    for file in read_view_files(SQL_FOLDER):
        grain = re.sub(r"\(.*?\)|[;,].*", "", file.grain)
        grows = not {term.strip() for term in grain.split("×")} <= OF_FEW_ROWS
        last = [line for line in file.sql.rstrip().splitlines() if not line.startswith(" ")][-1]
        assert last.startswith("order by") != grows, file.name


def test_planted_rows_come_back_as_they_were(library: Library) -> None:
    row = {
        "domain": "sticker",
        "asset": "clips",
        "item_id": "sticker-1",
        "path": "library/ö 'x'.gif",
        "code": "truncated",
        "message": "Fetch it again.",
        "attempt_count": 2,
        "first_seen_at": NOON,
        "last_seen_at": NOON,
        "input_sha256": None,
        "code_version": "1",
    }
    library.plant("processing_errors", [row])
    assert library.query("select * from processing_errors") == [row]


def test_hidden_temporary_files_are_not_read(library: Library) -> None:
    library.plant("clips", [{"domain": "movie", "clip_id": "a"}])
    (library.home / "warehouse/clips/domain=movie/.part-0.parquet.tmp").write_bytes(b"half a file")
    assert library.query("select clip_id from clips") == [{"clip_id": "a"}]


def test_an_older_file_without_a_column_reads_as_null_there(library: Library) -> None:
    library.plant("clip_media", [{"domain": "movie", "clip_id": "a"}])
    path = library.home / "warehouse/clip_media/domain=sticker/part-0.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"clip_id": ["b"], "domain": ["sticker"], "a_column_of_the_past": [1]}), path)
    assert library.query("select clip_id, size_bytes from clip_media order by clip_id") == [
        {"clip_id": "a", "size_bytes": 1},
        {"clip_id": "b", "size_bytes": None},
    ]


@pytest.mark.parametrize("name", ["it's a home", "höme 映画", "with [brackets] and *stars*", 'a "quoted" one'])
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    plant(home, "clips", [{"domain": "movie", "clip_id": "a"}])
    with open_catalogue(home, _few_views(tmp_path)) as connection:
        assert connection.execute("select clip_id from clips").fetchall() == [("a",)]
    assert catalogue_is_current(home, _few_views(tmp_path))


def test_a_home_that_duckdb_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="question mark"):
        build_catalogue(tmp_path / "what?", SQL_FOLDER)


def test_the_summary_lists_the_views_in_their_order_of_creation(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a", "b"), b=_view("b", "clips, c"), c=_view("c"))
    summary = build_catalogue(tmp_path, sql)
    assert summary.path == tmp_path / CATALOGUE_NAME
    assert summary.views == (*TABLES, "c", "b", "a", "catalogue_files", "catalogue_info", "library_settings")
    folder = (tmp_path / CATALOGUE_NAME).resolve().parent.name
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder, ".catalogue.lock", CATALOGUE_NAME, "sql"]


def test_a_catalogue_is_current_until_a_view_changes_or_the_home_moves(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    home = tmp_path / "home"
    assert not catalogue_is_current(home, sql)
    build_catalogue(home, sql)
    assert catalogue_is_current(home, sql)
    home.rename(tmp_path / "moved")
    assert not catalogue_is_current(tmp_path / "moved", sql)
    build_catalogue(tmp_path / "moved", sql)
    _folder(sql, b=_view("b"))
    assert not catalogue_is_current(tmp_path / "moved", sql)


def test_opening_builds_what_is_missing_stale_or_torn(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    with open_catalogue(tmp_path, sql) as connection:
        assert connection.execute("select a from a").fetchall() == [(1,)]
    _folder(sql, b=_view("b"))
    with open_catalogue(tmp_path, sql) as connection:
        assert connection.execute("select a from b").fetchall() == [(1,)]
    (tmp_path / CATALOGUE_NAME).write_bytes(b"torn by a power cut")
    with open_catalogue(tmp_path, sql) as connection:
        assert connection.execute("select a from b").fetchall() == [(1,)]


def test_opening_does_not_rebuild_what_is_current(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    open_catalogue(tmp_path, sql).close()
    before = (tmp_path / CATALOGUE_NAME).stat()
    open_catalogue(tmp_path, sql).close()
    after = (tmp_path / CATALOGUE_NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_an_open_catalogue_is_read_only(library: Library) -> None:
    with open_catalogue(library.home, SQL_FOLDER) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("create table mine (a integer)")


def test_a_former_catalogue_that_is_still_open_here_stands_in_nobodys_way(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    with open_catalogue(tmp_path, sql) as former:
        _folder(sql, b=_view("b"))
        with open_catalogue(tmp_path, sql) as connection:
            assert connection.execute("select a from b").fetchall() == [(1,)]
        assert former.execute("select a from a").fetchall() == [(1,)]
        with pytest.raises(duckdb.CatalogException, match="b does not exist"):
            former.execute("select a from b")


def test_the_catalogue_is_a_link_to_a_file_that_is_never_written_again(tmp_path: Path) -> None:
    """DuckDB opens a file three times; through the link, all three are one file."""
    build_catalogue(tmp_path, _few_views(tmp_path))
    first = (tmp_path / CATALOGUE_NAME).resolve()
    content = first.read_bytes()
    with duckdb.connect(str(tmp_path / CATALOGUE_NAME), read_only=True) as connection:
        assert connection.execute("select current_database()").fetchall() == [("catalogue",)]
        assert connection.execute("select path from duckdb_databases() where path is not null").fetchall() == [
            (str(first),)
        ]
    _clips(tmp_path, 1.0)
    second = (tmp_path / CATALOGUE_NAME).resolve()
    assert second != first
    assert first.read_bytes() == content
    # A home that is renamed or copied as a whole takes its catalogue along.
    assert not (tmp_path / CATALOGUE_NAME).readlink().is_absolute()


def test_a_catalogue_that_is_a_plain_file_becomes_a_link(tmp_path: Path) -> None:
    build_catalogue(tmp_path, _few_views(tmp_path))
    content = (tmp_path / CATALOGUE_NAME).read_bytes()
    (tmp_path / CATALOGUE_NAME).unlink()
    (tmp_path / CATALOGUE_NAME).write_bytes(content)
    _clips(tmp_path, 1.0)
    assert (tmp_path / CATALOGUE_NAME).is_symlink()
    assert catalogue_is_current(tmp_path, _few_views(tmp_path))


def test_whoever_may_read_the_home_may_read_the_catalogue(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        build_catalogue(tmp_path, _few_views(tmp_path))
    finally:
        os.umask(before)
    file = (tmp_path / CATALOGUE_NAME).resolve()
    assert (file.stat().st_mode & 0o044, file.parent.stat().st_mode & 0o055) == (0o044, 0o055)


def test_a_home_that_was_copied_without_its_hidden_folders_gets_a_new_catalogue(tmp_path: Path) -> None:
    (tmp_path / CATALOGUE_NAME).symlink_to(".catalogue-left-behind/catalogue.duckdb")
    open_catalogue(tmp_path, _few_views(tmp_path)).close()
    assert catalogue_is_current(tmp_path, _few_views(tmp_path))


def test_what_was_replaced_or_left_by_a_killed_build_is_removed_once_it_is_old(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    build_catalogue(tmp_path, sql)
    former = (tmp_path / CATALOGUE_NAME).resolve().parent
    old, young = tmp_path / ".catalogue-old", tmp_path / ".catalogue-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / CATALOGUE_NAME).write_bytes(b"half")
    os.utime(old, (0, 0))
    # In use for long, but replaced only now: a reader may be about to open it.
    os.utime(former, (0, 0))
    build_catalogue(tmp_path, sql)
    assert (old.exists(), young.exists(), former.exists()) == (False, True, True)
    os.utime(former, (0, 0))
    build_catalogue(tmp_path, sql)
    assert not former.exists()


def _clips(home: Path, mark: float, count: int = 500, sql: Path | None = None) -> Path:
    """Written as a build does it: the file, then the catalogue that names it."""
    rows = [row("clips", domain="movie", clip_id=f"{i:05}", duration_s=mark) for i in range(count)]
    path = Warehouse(home / "warehouse").write("clips", "movie", TABLES["clips"].from_rows(rows))
    refresh_catalogue(home, sql or _few_views(home))
    return path


def _marks(connection: duckdb.DuckDBPyConnection) -> list[float]:
    return [mark for (mark,) in connection.execute("select distinct duration_s from clips").fetchall()]


def test_a_refreshed_catalogue_names_the_version_that_was_written(tmp_path: Path) -> None:
    build_catalogue(tmp_path, _few_views(tmp_path))
    for mark in (1.0, 2.0):
        _clips(tmp_path, mark)
        version = Warehouse(tmp_path / "warehouse").version("clips", "movie")
        assert version is not None
        with duckdb.connect(str(tmp_path / CATALOGUE_NAME), read_only=True) as connection:
            assert _marks(connection) == [mark]
            files = connection.execute("from catalogue_files").fetchall()
        assert files == [("clips", version.relative_to(tmp_path).as_posix())]
    assert catalogue_is_current(tmp_path, _few_views(tmp_path))


def test_a_refreshed_catalogue_differs_from_a_new_one_in_nothing(tmp_path: Path) -> None:
    def contents() -> list[list[Any]]:
        with duckdb.connect(str(tmp_path / CATALOGUE_NAME), read_only=True) as connection:
            return [
                connection.execute(f"select {columns} from duckdb_{kind}() where not internal order by all").fetchall()
                for kind, columns in (
                    ("views", "view_name, sql, comment"),
                    ("columns", "table_name, column_index, column_name, data_type, comment"),
                    ("functions", "function_name, macro_definition, comment"),
                )
            ]

    build_catalogue(tmp_path, SQL_FOLDER)
    _clips(tmp_path, 1.0, sql=SQL_FOLDER)
    refreshed = contents()
    build_catalogue(tmp_path, SQL_FOLDER)
    assert contents() == refreshed


def test_a_refresh_changes_nothing_where_nothing_was_written_and_makes_no_catalogue(tmp_path: Path) -> None:
    _clips(tmp_path, 1.0)
    assert not (tmp_path / CATALOGUE_NAME).exists()
    build_catalogue(tmp_path, _few_views(tmp_path))
    before = (tmp_path / CATALOGUE_NAME).stat()
    assert not refresh_catalogue(tmp_path, _few_views(tmp_path))
    after = (tmp_path / CATALOGUE_NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_refresh_builds_a_catalogue_of_other_views_anew(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    build_catalogue(tmp_path, sql)
    _folder(sql, b=_view("b"))
    assert refresh_catalogue(tmp_path, sql)
    assert catalogue_is_current(tmp_path, sql)


def test_a_refresh_takes_up_what_a_killed_build_wrote_and_did_not_show(tmp_path: Path) -> None:
    build_catalogue(tmp_path, _few_views(tmp_path))
    Warehouse(tmp_path / "warehouse").write("captions", "movie", TABLES["captions"].from_rows([row("captions")]))
    _clips(tmp_path, 1.0)
    with duckdb.connect(str(tmp_path / CATALOGUE_NAME), read_only=True) as connection:
        assert connection.execute("select count(*) from captions").fetchall() == [(1,)]


def test_opening_shows_what_was_written_without_a_refresh(tmp_path: Path) -> None:
    _clips(tmp_path, 1.0)
    open_catalogue(tmp_path, _few_views(tmp_path)).close()
    rows = [row("clips", domain="movie", clip_id="a", duration_s=2.0)]
    Warehouse(tmp_path / "warehouse").write("clips", "movie", TABLES["clips"].from_rows(rows))
    with open_catalogue(tmp_path, _few_views(tmp_path)) as connection:
        assert _marks(connection) == [2.0]


def test_whoever_opened_the_catalogue_before_a_build_sees_the_tables_as_they_were(tmp_path: Path) -> None:
    _clips(tmp_path, 1.0)
    with open_catalogue(tmp_path, _few_views(tmp_path)) as connection:
        for mark in (2.0, 3.0, 4.0):
            _clips(tmp_path, mark)
            assert _marks(connection) == [1.0]
    with open_catalogue(tmp_path, _few_views(tmp_path)) as connection:
        assert _marks(connection) == [4.0]


def test_a_version_that_is_gone_is_an_error_and_not_an_empty_table(tmp_path: Path) -> None:
    _clips(tmp_path, 1.0)
    rows = [row("clips", domain="sticker", clip_id="a", duration_s=2.0)]
    Warehouse(tmp_path / "warehouse").write("clips", "sticker", TABLES["clips"].from_rows(rows))
    with open_catalogue(tmp_path, _few_views(tmp_path)) as connection:
        version = Warehouse(tmp_path / "warehouse").version("clips", "movie")
        assert version is not None
        version.unlink()
        with pytest.raises(duckdb.Error, match="No files found") as failed:
            connection.execute("from clips").fetchall()
        assert explained(connection, str(failed.value)).endswith("open it again.")


def test_a_file_without_a_version_is_read_beside_those_that_have_one(tmp_path: Path) -> None:
    _clips(tmp_path, 1.0)
    plant(tmp_path, "clips", [{"domain": "sticker", "clip_id": "a", "duration_s": 2.0}])
    with open_catalogue(tmp_path, _few_views(tmp_path)) as connection:
        assert sorted(_marks(connection)) == [1.0, 2.0]


def test_a_glob_over_the_warehouse_reads_one_version(tmp_path: Path) -> None:
    for mark in (1.0, 2.0):
        _clips(tmp_path, mark)
    found = duckdb.sql(f"select count(*), max(duration_s) from read_parquet('{tmp_path}/warehouse/**/*.parquet')")
    assert found.fetchall() == [(500, 2.0)]


def test_readers_see_one_state_of_two_tables_and_no_error_while_both_are_replaced(tmp_path: Path) -> None:
    """Two processes open the catalogue by DuckDB alone, as any client does, while it is replaced all the time."""
    build_catalogue(tmp_path, _few_views(tmp_path))
    _clips(tmp_path, 0.0)
    # A reader goes on until it met a second state: on a busy machine forty looks can fit between two writes.
    code = (
        "import duckdb, json, sys, time\n"
        "found, end = [], time.monotonic() + 60\n"
        "while len(found) < 80 or (len({high for _, _, high in found}) < 2 and time.monotonic() < end):\n"
        "    with duckdb.connect(sys.argv[1], read_only=True) as connection:\n"
        "        query = 'select count(*), min(duration_s), max(duration_s) from clips'\n"
        "        found += [connection.execute(query).fetchall()[0] for _ in range(2)]\n"
        "print(json.dumps(found))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / CATALOGUE_NAME)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    mark = 0
    while any(reader.poll() is None for reader in readers):
        mark += 1
        _clips(tmp_path, float(mark), 500 + mark)
    told = [json.loads(reader.communicate()[0]) for reader in readers]
    assert [reader.returncode for reader in readers] == [0, 0]
    for found in told:
        assert {(count - 500, low) for count, low, _ in found} == {(high, high) for _, _, high in found}
        # Both queries of a connection are of one state.
        assert found[::2] == found[1::2]
        assert len({high for _, _, high in found}) > 1


def test_a_header_is_read_into_its_parts() -> None:
    file = split_sql_header(HEADER + BODY)
    assert (file.name, file.meaning, file.grain, file.source) == ("pairs", "Pairs of numbers.", "number", "this test")
    assert (file.depends_on, file.note) == ((), None)
    assert [(c.name, c.type, c.unit, c.meaning) for c in file.columns] == [
        ("a", "BIGINT", "px", "the number that is counted"),
        ("b", "VARCHAR[]", None, "words"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("-- grain: number\n", ""), "lacks grain"),
        (("-- grain: number\n", "-- grain:\n"), "lacks grain"),
        (("-- grain: number\n", "-- grains: number\n"), "`grains` is none of"),
        (("-- grain: number\n", "-- gives: more\n"), "`gives` is there twice"),
        (("--   a (BIGINT, px): the number\n", "--   a BIGINT the number\n"), "write a column as"),
        (("--   b (VARCHAR[]): words\n", "--b\n"), "write `-- key: value`"),
    ],
)
def test_a_wrong_header_is_refused_with_a_sentence(change: tuple[str, str], message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        split_sql_header(HEADER.replace(*change) + BODY)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (BODY.replace("::bigint", "::integer"), r"Only in the header: a \(BIGINT\). Only in the view: a \(INTEGER\)"),
        (BODY.replace(", ['x'] as b", ""), r"Only in the header: b \(VARCHAR\[\]\)"),
        (BODY.replace("select 1::bigint as a, ['x'] as b", "select ['x'] as b, 1::bigint as a"), "in their order"),
        (BODY.replace("create or replace view pairs", "create or replace view other"), "Only in the view: none"),
        (BODY + "; select 1", "2 statements"),
        (BODY.replace("select", "selekt"), "does not run"),
        (BODY + " from missing_table", "does not run"),
    ],
)
def test_a_view_that_is_not_what_its_header_says_is_not_built(tmp_path: Path, body: str, message: str) -> None:
    sql = _folder(tmp_path / "sql", pairs=HEADER + body)
    with pytest.raises(CatalogueError, match=message):
        build_catalogue(tmp_path, sql)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".catalogue.lock", "sql"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "No view files"),
        ({"other": HEADER + BODY}, "name both alike"),
        ({"clips": _view("clips")}, "name of a table"),
        ({"a": _view("a", "nowhere")}, "is named nowhere"),
        ({"a": _view("a", "b"), "b": _view("b", "a")}, "a, b depend on each other in a circle"),
    ],
)
def test_a_folder_of_views_must_fit_together(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read_view_files(_folder(tmp_path / "sql", **files))


def test_a_failed_build_leaves_the_former_catalogue(tmp_path: Path) -> None:
    sql = _folder(tmp_path / "sql", a=_view("a"))
    build_catalogue(tmp_path, sql)
    before = (tmp_path / CATALOGUE_NAME).read_bytes()
    _folder(sql, a=_view("a").replace("1 as a", "1 as b"))
    with pytest.raises(CatalogueError):
        build_catalogue(tmp_path, sql)
    assert (tmp_path / CATALOGUE_NAME).read_bytes() == before
