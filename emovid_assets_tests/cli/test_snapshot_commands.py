"""`emovid snapshot` and `emovid sql --at`: what is typed, what is told, and what cannot be."""

from pathlib import Path

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.cli.conftest import Call
from emovid_assets_tests.sql.planting import row


def write(home: Path, *clips: str) -> None:
    for table in ("clips", "clip_facts"):
        rows = [row(table, clip_id=clip, domain="movie") for clip in clips]
        Warehouse(Home(home).warehouse).write(table, "movie", TABLES[table].from_rows(rows))


def test_a_state_is_kept_listed_asked_compared_and_removed(call: Call, tmp_path: Path) -> None:
    listed = call("snapshot", "list")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "make one with: emovid snapshot make NAME" in listed.stderr
    write(tmp_path, "a", "b")
    made = call("snapshot", "make", "1.0.0")
    assert made.exit_code == 0
    assert made.stdout.startswith("snapshot 1.0.0: 2 clips, 2 tables, 0.0 MB that the home has too\n")
    write(tmp_path, "b", "c", "d")
    lines = call("snapshot", "list").stdout.splitlines()
    assert lines[0].split() == ["name", "made", "at", "(UTC)", "clips", "MB", "software"]
    assert (lines[1].split()[0], lines[1].split()[3]) == ("1.0.0", "2")
    query = "select clip_id from clips order by clip_id"
    assert call("sql", query, "--format", "csv").stdout == "clip_id\nb\nc\nd\n"
    assert call("sql", "--at", "1.0.0", query, "--format", "csv").stdout == "clip_id\na\nb\n"
    assert call("sql", "--at", "1.0.0", "--format", "csv", input=f"{query};\n").stdout == "clip_id\na\nb\n"
    since = "select clip_id, change from changes_since('1.0.0') order by all"
    assert call("sql", since, "--format", "csv").stdout == "clip_id,change\na,removed\nc,added\nd,added\n"
    named = call("sql", "--name", "changes_since", "--set", "before=1.0.0", "--format", "csv").stdout
    assert named.splitlines()[1:] == ["c,added,,,", "d,added,,,", "a,removed,,,"]
    removed = call("snapshot", "remove", "1.0.0")
    assert (removed.exit_code, removed.stdout) == (0, "snapshot 1.0.0 is removed\n")
    assert call("snapshot", "list").stdout == ""


def test_a_snapshot_without_a_name_is_called_as_the_time(call: Call, tmp_path: Path) -> None:
    write(tmp_path, "a")
    assert call("snapshot", "make").exit_code == 0
    (line,) = call("snapshot", "list").stdout.splitlines()[1:]
    name, day, minute, *_ = line.split()
    assert name.startswith(f"{day}.{minute.replace(':', '')}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("snapshot", "make", "../x"), "cannot be the name of a snapshot"),
        (("snapshot", "make", "1.0.0"), "there is a snapshot 1.0.0, and none is ever changed"),
        (("snapshot", "remove", "2.0.0"), "there is no snapshot 2.0.0: there are 1.0.0"),
        (("sql", "--at", "2.0.0", "select 1"), "there is no snapshot 2.0.0: there are 1.0.0"),
        (("sql", "--at", "", "select 1"), "cannot be the name of a snapshot"),
        (("sql", "from changes_since('2.0.0')"), "there is no snapshot 2.0.0; there are: 1.0.0"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(call: Call, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    write(tmp_path, "a")
    call("snapshot", "make", "1.0.0")
    done = call(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr


def test_nothing_built_is_told_and_a_damaged_snapshot_is_named(call: Call, tmp_path: Path) -> None:
    assert "nothing is built" in call("snapshot", "make", "a").stderr
    (tmp_path / "snapshots" / "b").mkdir(parents=True)
    done = call("snapshot", "list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert (
        "snapshots/b is no snapshot: it has no snapshot.json; remove it with: emovid snapshot remove b" in done.stderr
    )
    assert call("snapshot", "remove", "b").exit_code == 0
