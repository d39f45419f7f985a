"""What is told of two releases: on the terminal, as a list in every format, and by `release_diff` in SQL."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from emovid_assets.cli.release_diff import WIDTH, diff
from emovid_assets.core.placing import remove
from emovid_assets.core.release.changes import changes
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets_tests.release.planted_releases import clip, plant_release, table_of
from emovid_assets_tests.sql.planting import SQL_FOLDER

Diff = Callable[..., Result]
BEFORE = [clip(f"movie-{n}", domain="movie", emotion="fear", caption="It rains.") for n in range(6)]
AFTER = [
    *({**row, "emotion": "awe", "vlm_p_fear": 0.25} for row in BEFORE[1:4]),
    {**BEFORE[4], "emotion": "sadness", "caption": None},
    BEFORE[5],
    clip("animation-a", domain="animation", split="benchmark"),
]
LISTED = [
    ("animation-a", "added", None, None, None),
    ("movie-0", "removed", None, None, None),
    *(
        row
        for n in (1, 2, 3)
        for row in (
            (f"movie-{n}", "changed", "emotion", "fear", "awe"),
            (f"movie-{n}", "changed", "vlm_p_fear", None, "0.25"),
        )
    ),
    ("movie-4", "changed", "emotion", "fear", "sadness"),
    ("movie-4", "changed", "caption", "It rains.", None),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    releases = tmp_path / "home" / "releases"
    plant_release(releases / "1.0.0", table_of(BEFORE))
    plant_release(releases / "2.0.0", table_of(AFTER), version="2.0.0", created_at="2026-12-24T00:00:00+00:00")
    return tmp_path / "home"


@pytest.fixture
def call(home: Path, monkeypatch: pytest.MonkeyPatch) -> Diff:
    app = typer.Typer()
    app.command()(diff)

    def invoke(*arguments: str, at: Path = home) -> Result:
        monkeypatch.setenv("EMOVID_HOME", str(at))
        return CliRunner().invoke(app, list(arguments))

    return invoke


def test_the_summary_says_what_has_changed_in_eighty_columns(call: Diff) -> None:
    done = call("1.0.0", "2.0.0")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= WIDTH
    words = [line.split() for line in lines]
    assert lines[0] == "from EmoVid of here 1.0.0, full, 2026-11-30, 1.0.0"
    assert lines[1] == "to   EmoVid of here 2.0.0, full, 2026-12-24, 2.0.0"
    for row in (
        ["before", "added", "removed", "changed", "after"],
        ["movie", "6", "0", "1", "4", "5"],
        ["animation", "0", "1", "0", "0", "1"],
        ["sticker", "0", "0", "0", "0", "0"],
        ["together", "6", "1", "1", "4", "6"],
        ["emotion", "4", "0", "0"],
        ["vlm_p_fear", "0", "3", "0"],
        ["caption", "0", "0", "1"],
        ["fear", "awe", "3"],
        ["fear", "sadness", "1"],
    ):
        assert row in words
    assert "by the rule of versions this is a major step, 1.0.0 to 2.0.0:" in lines
    assert "  emotion: 4 clips of another value" in lines


def test_of_equal_ones_nothing_is_told(call: Diff) -> None:
    done = call("1.0.0", "1.0.0")
    assert "the rows say the same" in done.stdout
    assert "clips by column" not in done.stdout
    assert call("1.0.0", "1.0.0", "--clips", "--format", "json").stdout == "[]\n"


def test_the_list_comes_in_every_format(call: Diff, tmp_path: Path) -> None:
    names = ["clip_id", "change", "column_name", "before", "after"]
    table = call("1.0.0", "2.0.0", "--clips").stdout.splitlines()
    assert (table[0].split(), len(table)) == (names, len(LISTED) + 1)
    rows = list(csv.reader(io.StringIO(call("1.0.0", "2.0.0", "--format", "csv").stdout)))
    assert rows == [names, *([cell or "" for cell in row] for row in LISTED)]
    told = json.loads(call("1.0.0", "2.0.0", "--clips", "--format", "json").stdout)
    assert [tuple(row.values()) for row in told] == LISTED
    target = tmp_path / "changes.parquet"
    done = call("1.0.0", "2.0.0", "--format", "parquet", "-o", str(target))
    assert (done.exit_code, done.stdout) == (0, "")
    assert [tuple(row.values()) for row in pq.read_table(target).to_pylist()] == LISTED


def test_folders_anywhere_are_compared_without_a_home(call: Diff, home: Path, tmp_path: Path) -> None:
    fetched = (home / "releases" / "1.0.0").rename(tmp_path / "fetched")
    done = call(str(fetched), str(home / "releases" / "2.0.0"), "--format", "json", at=tmp_path / "nowhere")
    assert (done.exit_code, len(json.loads(done.stdout))) == (0, len(LISTED))
    assert not (tmp_path / "nowhere").exists()


def test_of_two_tiers_media_are_not_compared(call: Diff, home: Path) -> None:
    facts = {"file_name": "movie/a.mp4", "permission": "full"}
    plant_release(home / "releases" / "3.0.0", table_of([clip("a", **facts)]), version="3.0.0")
    bare = table_of([clip("a", permission="full")])
    plant_release(home / "releases" / "3.0.0+metadata", bare, version="3.0.0", tier="metadata")
    done = call("3.0.0", "3.0.0+metadata")
    assert "one holds media and the other none: whether there is a file is not compared" in done.stdout
    assert "the rows say the same" in done.stdout


def test_columns_that_came_went_or_are_of_another_type_are_named(call: Diff, home: Path) -> None:
    older = table_of(BEFORE).drop_columns(["caption", "prompt"])
    plant_release(home / "releases" / "0.9.0", older, version="0.9.0")
    assert "columns added: caption, prompt" in call("0.9.0", "1.0.0").stdout
    assert "columns gone: caption, prompt" in call("1.0.0", "0.9.0").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("1.0.0", "3.0.0"), "there is no release '3.0.0': there are 1.0.0, 2.0.0, and a folder may be named"),
        (("1.0.0", "2.0.0", "--format", "yaml"), "--format 'yaml': use one of table, csv, json, parquet"),
        (("1.0.0", "2.0.0", "--format", "parquet"), "add --output FILE.parquet"),
        (("1.0.0", "2.0.0", "-o", "/nowhere/x.csv", "--format", "csv"), "the folder is not there"),
    ],
)
def test_what_cannot_be_compared_is_told(call: Diff, arguments: tuple[str, ...], told: str) -> None:
    done = call(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr


def test_damaged_rows_and_rows_that_are_there_twice_are_told(call: Diff, home: Path) -> None:
    plant_release(home / "releases" / "4.0.0", table_of([clip("a"), clip("a")]), version="4.0.0")
    assert "1.0.0 and 4.0.0 cannot be compared: a clip has no id, or two rows" in call("1.0.0", "4.0.0").stderr
    (home / "releases" / "2.0.0" / "train" / "metadata.parquet").write_bytes(b"torn")
    assert "damaged; fetch or copy it again" in call("1.0.0", "2.0.0").stderr


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A home whose catalogue has the function, and hardly anything else."""
    folder = tmp_path_factory.mktemp("released")
    for name in ("clip_catalogue.sql", "functions/release_diff.sql"):
        (folder / "sql" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "sql" / name).symlink_to(SQL_FOLDER / name)
    with open_catalogue(folder / "home", folder / "sql") as connection:
        yield folder / "home", connection


facts = st.dictionaries(
    st.sampled_from("abcd"),
    st.fixed_dictionaries(
        {
            "emotion": st.sampled_from(["fear", "awe"]),
            "brightness": st.sampled_from([None, 0.1, float("nan")]),
            "hash_times_s": st.sampled_from([None, [], [0.0, float("nan")], [0.5]]),
            "split": st.sampled_from(["train", "benchmark"]),
        }
    ),
    min_size=1,
)


@settings(deadline=None, max_examples=8)
@given(facts, facts)
def test_sql_finds_what_the_command_finds(
    opened: tuple[Path, duckdb.DuckDBPyConnection], before: dict[str, Any], after: dict[str, Any]
) -> None:
    home, connection = opened
    tables = [table_of([clip(name, **one) for name, one in rows.items()]) for rows in (before, after)]
    remove(home / "releases")
    for version, table in zip(("1.0.0", "1.1.0"), tables, strict=True):
        plant_release(home / "releases" / version, table, version=version)
    found = connection.execute("from release_diff('1.0.0', '1.1.0')").fetchall()
    assert Counter(found) == Counter(tuple(row.values()) for row in changes(*tables).to_pylist())


def test_sql_names_the_releases_that_there_are(opened: tuple[Path, duckdb.DuckDBPyConnection]) -> None:
    home, connection = opened
    remove(home / "releases")
    with pytest.raises(duckdb.Error, match=r"there is no release 1\.0\.0; there are: none"):
        connection.execute("from release_diff('1.0.0', '1.0.0')").fetchall()
    plant_release(home / "releases" / "1.0.0", table_of(BEFORE))
    plant_release(home / "releases" / ".making-x", table_of(BEFORE))
    for name in ("2.0.0", "*", "", "../home", ".making-x"):
        with pytest.raises(duckdb.Error, match=r"there is no release .*; there are: 1\.0\.0$"):
            connection.execute("from release_diff('1.0.0', ?)", [name]).fetchall()
    assert connection.execute("from release_diff('1.0.0', '1.0.0')").fetchall() == []
