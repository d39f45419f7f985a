"""A home that somebody may read and not write: whoever looks at it sees what its owner sees, and changes nothing."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import FinishedItem, ItemStore
from emovid_assets_tests.assets.homes import ROOT, Demo
from emovid_assets_tests.cli.conftest import Call, call
from emovid_assets_tests.integration.disks import AS_SOMEBODY_ELSE, needs_root, read_only

__all__ = ["call"]

pytestmark = [pytest.mark.integration, needs_root]

QUERY = "SELECT clip_id, emotion, brightness FROM clip_catalogue ORDER BY clip_id"
LOOKS = (("status",), ("plan", "--json"), ("verify", "--json"), ("sql", QUERY, "--format", "json"))
LOOK_TWICE = f"""
import json
from typer.testing import CliRunner
from emovid_assets.cli.app import app

done = [CliRunner().invoke(app, list(look)) for look in {(LOOKS[0], LOOKS[3])!r}]
print(json.dumps([(one.exit_code, one.stdout, one.stderr) for one in done]))
"""


@pytest.fixture(scope="module")
def home(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with Dagster's own state, at another place than it was built."""
    return Path(shutil.copytree(demo.home, tmp_path_factory.mktemp("looking") / "home"))


def looked(call: Call, home: Path) -> list[tuple[int, str]]:
    return [(done.exit_code, done.stdout) for done in (call(*look, home=home) for look in LOOKS)]


def test_a_home_on_a_read_only_disk_shows_what_it_shows_its_owner(call: Call, home: Path, tmp_path: Path) -> None:
    with read_only(home):
        # Its catalogue is of the place where it was built.
        before = looked(call, home)
        refused = call("report", home=home)
        report = call("report", "--output", str(tmp_path / "report.html"), home=home)
        repaired = call("verify", "--repair", home=home)
    assert looked(call, home) == before
    assert [code for code, _ in before] == [0] * len(LOOKS)
    assert before[0][1].count("up to date") > 20
    assert len(json.loads(before[3][1])) > 20
    assert (refused.exit_code, report.exit_code) == (1, 0)
    assert refused.stderr == f"error {home} may not be written: name a file for the report with --output\n"
    assert "<h1" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert (repaired.exit_code, len(repaired.stderr.splitlines())) == (1, 1)
    with read_only(home):
        # And now of this one.
        assert call(*LOOKS[3], home=home).stdout == before[3][1]


def test_somebody_else_sees_what_the_owner_sees(call: Call, home: Path) -> None:
    done = subprocess.run(
        [*AS_SOMEBODY_ELSE, sys.executable, "-c", LOOK_TWICE],
        env={"EMOVID_HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "200", "HOME": "/"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    own = [call(*look, home=home) for look in (LOOKS[0], LOOKS[3])]
    assert json.loads(done.stdout) == [[0, one.stdout, ""] for one in own]


def test_what_a_killed_writer_has_left_in_the_log_of_the_state_is_seen(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    writer = (
        "import os, sys; from pathlib import Path\n"
        "from emovid_assets.resources.item_store import FinishedItem, ItemStore\n"
        "store = ItemStore(Path(sys.argv[1])); store.settle('scan', 'movie', [FinishedItem('a', 'key', {})])\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", writer, str(home.state)], check=False, env={"PYTHONPATH": str(ROOT)})
    home.state.with_name("state.sqlite-shm").unlink()
    assert home.state.with_name("state.sqlite-wal").stat().st_size > 0
    with read_only(home.root), closing(ItemStore.to_read(home.state)) as store:
        assert store.finished_keys("scan", "movie") == {"a": ("key", {})}


def test_a_state_is_read_while_its_owner_writes_to_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with closing(ItemStore(home.state)) as owner:
        owner.settle("scan", "movie", [FinishedItem("a", "key", {})])
        with read_only(home.root), closing(ItemStore.to_read(home.state)) as store:
            assert store.finished_keys("scan", "movie") == {"a": ("key", {})}


def test_a_state_of_an_older_version_is_read_where_it_cannot_be_brought_up_to_date(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    ItemStore(home.state).close()
    with closing(sqlite3.connect(home.state)) as former:
        former.executescript(
            "DROP INDEX item_keys; ALTER TABLE items DROP COLUMN files;"
            "INSERT INTO items VALUES ('scan', 'a', 'movie', 'key', '{\"files\": [\"media/a.jpg\"]}');"
        )
    with read_only(home.root), closing(ItemStore.to_read(home.state)) as store:
        assert store.finished_keys("scan", "movie") == {"a": ("key", {"media/a.jpg": None})}


def test_whoever_looks_at_a_home_that_nothing_was_built_in_leaves_no_state(call: Call, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    for command in ("status", "plan"):
        done = call(command, home=tmp_path)
        assert done.exit_code == 0, done.output
    assert [path.name for path in tmp_path.iterdir()] == ["library"]
