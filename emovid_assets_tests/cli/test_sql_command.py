"""`emovid sql`: four formats, errors that help, and a catalogue that nobody can write to."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.tables import TABLES
from emovid_assets_tests.cli.conftest import Call
from emovid_assets_tests.planted_tables import plant, valid_row


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three sources, one of them with a position, and a title that needs quoting."""
    for number, (position, title) in enumerate([(None, "A, b"), (3, 'say "no"'), (None, "Zürich [x]")]):
        domain = DOMAINS[number]
        row = valid_row("source_videos", number, domain, film_position=position, title=title, duration_s=1.5 * number)
        plant(tmp_path, "source_videos", [row], domain)
    return tmp_path


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


def test_parquet_is_written_to_a_file_with_its_types(call: Call, home: Path) -> None:
    target = home / "out.parquet"
    done = call("sql", QUERY, "--format", "parquet", "--output", str(target), home=home)
    assert (done.exit_code, done.stdout) == (0, "")
    assert pq.read_table(target).to_pylist() == EXPECTED


def test_any_format_can_go_to_a_file_and_the_query_can_come_from_one(call: Call, home: Path) -> None:
    (home / "query.sql").write_text(f"-- which\n{QUERY}", encoding="utf-8")
    target = home / "out.json"
    done = call("sql", "--file", str(home / "query.sql"), "--format", "json", "-o", str(target), home=home)
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(target.read_text(encoding="utf-8")) == EXPECTED


def test_long_answers_are_cut_in_a_table_only(call: Call, home: Path) -> None:
    query = "SELECT i FROM range(1200) t(i)"
    assert call("sql", query, home=home).stdout.splitlines()[-1].startswith("… 200 more rows")
    assert len(call("sql", query, "--format", "csv", home=home).stdout.splitlines()) == 1201


def test_the_list_names_every_table_and_view_with_its_meaning(call: Call, home: Path) -> None:
    listed = json.loads(call("sql", "--list", "--format", "json", home=home).stdout)
    gives = {row["name"]: row["gives"] for row in listed}
    assert set(TABLES) | {"dataset_statistics", "rater_agreement", "benchmark_cells", "split_leaks"} <= set(gives)
    assert all(meaning for meaning in gives.values())
    assert gives["clips"].startswith(TABLES["clips"].meaning)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT domian FROM clips", '"domain"'),
        ("SELECT * FROM clip", "clips"),
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
        ([], "give a query, --file or --list"),
        (["SELECT 1", "--format", "yaml"], "--format 'yaml': use one of table, csv, json, parquet"),
        (["SELECT 1", "--format", "parquet"], "add --output FILE.parquet"),
        (["--file", "nowhere.sql"], "No such file or directory: 'nowhere.sql'"),
        (["SELECT 1", "-o", "/nowhere/out.csv"], "/nowhere/out.csv"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_in_one_line(
    call: Call, tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = call("sql", *arguments, home=tmp_path)
    assert done.exit_code == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_home_in_which_nothing_was_built_can_be_queried(call: Call, tmp_path: Path) -> None:
    done = call(
        "sql", "SELECT domain, clip_count FROM dataset_statistics ORDER BY 1", "--format", "json", home=tmp_path
    )
    assert done.exit_code == 0
    assert all(not row["clip_count"] for row in json.loads(done.stdout))
