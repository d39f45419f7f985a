"""`emovid sql`: four formats, named queries, errors that help, and a catalogue that nobody can write to."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.queries.named import read_named_queries
from emovid_assets.resources.sql_files import read_function_files, read_view_files
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.cli.conftest import Call
from emovid_assets_tests.planted_tables import plant, valid_row
from emovid_assets_tests.sql.planting import SQL_FOLDER, derive_all


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sources, one of them with a position, and a title that needs quoting. Tests only read it."""
    folder = tmp_path_factory.mktemp("sources")
    for number, (position, title) in enumerate([(None, "A, b"), (3, 'say "no"'), (None, "Zürich [x]")]):
        domain = DOMAINS[number]
        row = valid_row("source_videos", number, domain, film_position=position, title=title, duration_s=1.5 * number)
        plant(folder, "source_videos", [row], domain)
    return folder


QUERY = "SELECT source_id, film_position, duration_s, title FROM source_videos ORDER BY source_id"
EXPECTED: list[dict[str, object]] = [
    {"source_id": "source_id-0", "film_position": None, "duration_s": 0.0, "title": "A, b"},
    {"source_id": "source_id-1", "film_position": 3, "duration_s": 1.5, "title": 'say "no"'},
    {"source_id": "source_id-2", "film_position": None, "duration_s": 3.0, "title": "Zürich [x]"},
]


def test_json_is_a_list_of_objects(call: Call, home: Path) -> None:
    assert json.loads(call("sql", QUERY, "--format", "json", home=home).stdout) == EXPECTED


def test_csv_quotes_what_needs_it_and_keeps_whole_numbers_whole(call: Call, home: Path) -> None:
    text = call("sql", QUERY, "--format", "csv", home=home).stdout
    assert list(csv.DictReader(io.StringIO(text))) == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in EXPECTED
    ]


def test_a_table_is_aligned_and_shows_brackets_as_they_are(call: Call, home: Path) -> None:
    lines = call("sql", QUERY, home=home).stdout.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["source_id", "film_position", "duration_s", "title"],
        ["source_id-0", "0", "A,", "b"],
    ]
    assert lines[3].endswith("Zürich [x]")
    assert len({line.index(word) for line, word in zip(lines, ("title", "A, b", "say", "Z"), strict=True)}) == 1


def test_parquet_is_written_to_a_file_with_its_types(call: Call, home: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    done = call("sql", QUERY, "--format", "parquet", "--output", str(target), home=home)
    assert (done.exit_code, done.stdout) == (0, "")
    assert pq.read_table(target).to_pylist() == EXPECTED


def test_any_format_can_go_to_a_file_and_the_query_can_come_from_one(call: Call, home: Path, tmp_path: Path) -> None:
    (tmp_path / "query.sql").write_text(f"-- which\n{QUERY}", encoding="utf-8")
    target = tmp_path / "out.json"
    done = call("sql", "--file", str(tmp_path / "query.sql"), "--format", "json", "-o", str(target), home=home)
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(target.read_text(encoding="utf-8")) == EXPECTED


def test_long_answers_are_cut_in_a_table_only(call: Call, home: Path) -> None:
    query = "SELECT i FROM range(1200) t(i)"
    assert call("sql", query, home=home).stdout.splitlines()[-1].startswith("… 200 more rows")
    assert len(call("sql", query, "--format", "csv", home=home).stdout.splitlines()) == 1201


def test_the_list_names_every_table_view_and_query_with_its_meaning(call: Call, home: Path) -> None:
    listed = json.loads(call("sql", "--list", "--format", "json", home=home).stdout)
    kinds = {row["name"]: row["kind"] for row in listed}
    views = {file.name for file in read_view_files(SQL_FOLDER)}
    functions = {file.name for file in read_function_files(SQL_FOLDER)}
    assert kinds == {
        **dict.fromkeys(views, "view"),
        **dict.fromkeys(TABLES, "table"),
        **dict.fromkeys(functions, "function"),
        **dict.fromkeys(read_named_queries(), "query"),
    }
    gives = {row["name"]: row["gives"] for row in listed}
    assert all(gives.values())
    assert gives["clips"].startswith(TABLES["clips"].meaning)
    assert gives["what_follows"] == "What follows fear? (--set emotion)"


def test_a_view_is_described_with_grain_units_and_source(call: Call, home: Path) -> None:
    done = call("sql", "--describe", "dataset_statistics", home=home)
    assert done.exit_code == 0
    for words in (
        "dataset_statistics (view): How many clips there are",
        "one row per: domain, and `total`",
        "source: paper, Table 2",
        "reads: scopes, clip_facts",
        "note: The standard deviation is the sample one",
    ):
        assert words in done.stdout
    columns = json.loads(call("sql", "--describe", "dataset_statistics", "--format", "json", home=home).stdout)
    assert columns[2] == {
        "column": "duration_mean_s",
        "type": "DOUBLE",
        "unit": "s",
        "meaning": "mean length; null without clips",
        "limits": "",
    }


def test_a_table_is_described_with_its_key_files_and_limits(call: Call, home: Path) -> None:
    text = call("sql", "--describe", "colour_attributes", home=home).stdout
    assert "key: clip_id\n" in text
    assert "files: warehouse/colour_attributes/domain=<domain>/part-0.parquet\n" in text
    columns = json.loads(call("sql", "--describe", "colour_attributes", "--format", "json", home=home).stdout)
    assert {c["column"]: c["limits"] for c in columns}["hue"] == "0 to 359; may be null"


def test_a_function_is_described_with_its_arguments(call: Call, home: Path) -> None:
    done = call("sql", "--describe", "normal_upper_tail", home=home)
    assert done.stdout.startswith("normal_upper_tail(")
    assert "returns: DOUBLE" in done.stdout


def test_a_function_that_gives_rows_is_described_as_a_view_is(call: Call, home: Path) -> None:
    done = call("sql", "--describe", "changes_since", home=home)
    assert done.stdout.startswith("from changes_since(version) (function): What has changed")
    assert "argument version: VARCHAR, name of the snapshot" in done.stdout
    assert "returns: TABLE, a row per clip" in done.stdout
    columns = json.loads(call("sql", "--describe", "changes_since", "--format", "json", home=home).stdout)
    assert [column["column"] for column in columns] == ["clip_id", "change", "column_name", "before", "after"]
    listed = json.loads(call("sql", "--list", "--format", "json", home=home).stdout)
    (one,) = [row for row in listed if (row["name"], row["kind"]) == ("changes_since", "function")]
    assert one["gives"].endswith(" from changes_since(version)")


def test_a_named_query_is_described_with_its_text_and_parameters(call: Call, home: Path) -> None:
    done = call("sql", "--describe", "what_follows", home=home)
    assert done.stdout.startswith("what_follows (query): What follows fear?\n")
    assert "from_emotion = $emotion" in done.stdout
    parameters = json.loads(call("sql", "--describe", "what_follows", "--format", "json", home=home).stdout)
    assert parameters == [{"parameter": "emotion", "type": "VARCHAR", "default": "fear", "meaning": "the emotion"}]


def test_a_named_query_takes_values_and_formats(call: Call, tmp_path: Path) -> None:
    home = tmp_path
    plant(home, "emotion_labels", [valid_row("emotion_labels", n, emotion="awe") for n in range(3)])
    plant(home, "clips", [valid_row("clips", n) for n in range(3)])
    derive_all(home)
    arguments = ("sql", "--name", "brightest_clips", "--set", "emotion=awe", "--set", "limit=2", "--format", "csv")
    lines = call(*arguments, home=home).stdout.splitlines()
    assert lines[0] == "clip_id,brightness_mean,title,media_path"
    assert [line.split(",")[0] for line in lines[1:]] == ["clip_id-0", "clip_id-1"]


def test_values_are_bound_and_never_become_a_part_of_the_query(call: Call, home: Path) -> None:
    hostile = "' OR 1=1; DROP VIEW clips --"
    query = "SELECT $word AS word, $word = title AS is_title FROM source_videos LIMIT 1"
    done = call("sql", query, "--set", f"word={hostile}", "--format", "json", home=home)
    assert json.loads(done.stdout) == [{"word": hostile, "is_title": False}]
    done = call("sql", "SELECT count(*) AS n FROM source_videos WHERE film_position = $p", "--set", "p=3", home=home)
    assert done.stdout.split() == ["n", "1"]


def test_a_query_can_be_piped_in(call: Call, home: Path) -> None:
    done = call("sql", "--format", "json", home=home, input=f"{QUERY};\n")
    assert json.loads(done.stdout) == EXPECTED
    assert json.loads(call("sql", "-f", "-", "--format", "json", home=home, input=QUERY).stdout) == EXPECTED


def test_several_queries_give_several_tables(call: Call, home: Path) -> None:
    done = call("sql", "SET threads = 1; SELECT 1 AS a; SELECT 2 AS b", home=home)
    assert done.stdout == "a\n1\n\nb\n2\n"


def test_the_home_folder_is_a_parameter_of_every_query(call: Call, home: Path) -> None:
    assert call("sql", "SELECT $home AS place", "--format", "csv", home=home).stdout == f"place\n{home}\n"


def test_values_that_json_does_not_know_are_written_as_it_can(call: Call, home: Path) -> None:
    query = (
        "SELECT 1/3::DOUBLE AS third, 'nan'::DOUBLE AS nothing, [DATE '2020-01-02', NULL] AS days, "
        "{'a': 1.50::DECIMAL(4, 2)} AS inner, 2::HUGEINT AS big, TIMESTAMPTZ '2020-01-02 03:04:05+00' AS at"
    )
    (row,) = json.loads(call("sql", query, "--format", "json", home=home).stdout)
    assert row["third"] == 1 / 3
    assert (row["nothing"], row["days"], row["inner"], row["big"]) == (None, ["2020-01-02", None], {"a": 1.5}, 2)
    assert datetime.fromisoformat(row["at"]) == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_lists_in_csv_are_json(call: Call, home: Path) -> None:
    text = call("sql", "SELECT ['a', 'b,c'] AS words, NULL::INTEGER[] AS none", "--format", "csv", home=home).stdout
    (row,) = csv.DictReader(io.StringIO(text))
    assert json.loads(row["words"]) == ["a", "b,c"]
    assert row["none"] == ""


def test_no_rows_are_an_empty_list_a_header_and_a_file_with_its_types(call: Call, home: Path, tmp_path: Path) -> None:
    query = "SELECT clip_id, duration_s FROM clips"
    assert json.loads(call("sql", query, "--format", "json", home=home).stdout) == []
    assert call("sql", query, "--format", "csv", home=home).stdout == "clip_id,duration_s\n"
    call("sql", query, "--format", "parquet", "-o", str(tmp_path / "none.parquet"), home=home)
    assert pq.read_schema(tmp_path / "none.parquet").names == ["clip_id", "duration_s"]


def test_a_file_is_kept_where_the_new_answer_fails(call: Call, home: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("before", encoding="utf-8")
    query = "SELECT CASE WHEN i < 150000 THEN i ELSE error('broken') END AS i FROM range(200000) t(i)"
    assert call("sql", query, "--format", "csv", "-o", str(target), home=home).exit_code == 1
    assert target.read_text(encoding="utf-8") == "before"
    assert not list(tmp_path.glob(".out.csv*"))


def test_more_rows_than_a_batch_are_all_written(call: Call, home: Path, tmp_path: Path) -> None:
    query = "SELECT i, i / 7 AS share FROM range(25001) t(i)"
    target = tmp_path / "many.parquet"
    call("sql", query, "--format", "parquet", "-o", str(target), home=home)
    assert pq.read_table(target)["i"].to_pylist() == list(range(25001))
    rows = json.loads(call("sql", query, "--format", "json", home=home).stdout)
    assert rows == [{"i": i, "share": i / 7} for i in range(25001)]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT domian FROM clips", '"domain"'),
        ("SELECT * FROM clip", "did you mean clips"),
        ("SELECT * FROM zzz", "emovid sql --list shows all"),
        ("SELECT * FROM brightest_clips", "brightest_clips is a named query: emovid sql --name brightest_clips"),
        (
            "SELECT valence FROM clips",
            '"valence" is a column of clip_catalogue, clip_facts, emotion_labels, emotion_wheel.',
        ),
        ("SELECT brightnes FROM clips", "did you mean brightness"),
        ("SELECT clips.valence FROM clips", '"valence" is a column of clip_catalogue'),
        ("SELECT * EXCLUDE (valence) FROM clips", '"valence" is a column of clip_catalogue'),
        ("SELECT $emotion", "Values were not provided for the following parameters: emotion"),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("CREATE TABLE mine (a INTEGER)", "read-only"),
        ("DROP VIEW clips", "read-only"),
        ("INSERT INTO clips VALUES (1)", "clips is not an table"),
        ("DELETE FROM clips", "Can only delete from base table"),
        ("SELECT 1 AS a, 2 AS a", "two columns of the answer are called 'a': give one another name with AS"),
        ("SELECT [1, 2] + '[/red]'", "'+(INTEGER[], STRING_LITERAL)'"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(call: Call, home: Path, query: str, told: str) -> None:
    done = call("sql", query, home=home)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error ")
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert call("sql", "SELECT count(*) AS n FROM source_videos", "--format", "csv", home=home).stdout == "n\n3\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give a query, --file, --name or --list"),
        (["SELECT 1", "--list"], "give one of these: a query, --file, --name, --describe, --list"),
        (["--name", "disputed_clip"], "no query is named 'disputed_clip'"),
        (["--name", "what_follows", "--set", "emotion=feer"], "emotion='feer': use one of amusement, awe"),
        (["--name", "what_follows", "--set", "emotions=fear"], "no parameter 'emotions'; its parameters are emotion"),
        (["--name", "changes_since"], "needs --set before=…: name of the snapshot"),
        (["SELECT 1", "--set", "emotion"], "--set 'emotion': write it as name=value"),
        (["SELECT 1", "--set", "emotion=fear"], "the query has no parameter $emotion"),
        (["--describe", "clip"], "no table, view or query is named 'clip'"),
        (["SELECT 1 AS a; SELECT 2 AS a", "--format", "csv"], "have room for one"),
        (["SELECT 1", "--format", "yaml"], "--format 'yaml': use one of table, csv, json, parquet"),
        (["SELECT 1", "--format", "parquet"], "add --output FILE.parquet"),
        (["--file", "nowhere.sql"], "No such file or directory: 'nowhere.sql'"),
        (["SELECT 1", "-o", "/nowhere/out.csv"], "/nowhere/out.csv"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_in_one_line(
    call: Call, home: Path, arguments: list[str], told: str
) -> None:
    done = call("sql", *arguments, home=home)
    assert done.exit_code == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_home_in_which_nothing_was_built_can_be_queried_and_says_what_to_type(call: Call, tmp_path: Path) -> None:
    query = "SELECT domain, clip_count FROM dataset_statistics ORDER BY 1"
    done = call("sql", query, "--format", "json", home=tmp_path)
    assert done.exit_code == 0
    assert all(not row["clip_count"] for row in json.loads(done.stdout))
    assert "nothing is built in" in done.stderr
    assert "type `emovid build`, or `emovid demo`" in done.stderr
    assert call("sql", "SELECT 1 AS a", home=tmp_path).stderr == ""


def test_an_empty_answer_says_which_tables_are_not_built(call: Call, home: Path) -> None:
    done = call("sql", "SELECT * FROM emotion_transitions WHERE transition_count > 0", home=home)
    assert "note not built yet: clip_facts; `emovid status` shows what is missing" in done.stderr
    assert call("sql", "SELECT * FROM source_videos WHERE title = 'x'", home=home).stderr == "note no rows\n"
    assert call("sql", QUERY, home=home).stderr == ""


@pytest.mark.integration
def test_a_reader_that_has_seen_enough_ends_the_answer_without_a_word(home: Path) -> None:
    command = [sys.executable, "-m", "emovid_assets.cli", "sql", "SELECT i FROM range(1000000) t(i)", "--format", "csv"]
    environment = {**os.environ, "EMOVID_HOME": str(home)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"i\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_an_answer_is_never_put_in_the_place_of_a_device_or_a_pipe(call: Call, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = call("sql", "SELECT 1", "--format", "csv", "--output", str(pipe))
    assert (done.exit_code, "is no regular file" in done.stderr, pipe.is_fifo()) == (1, True, True)
