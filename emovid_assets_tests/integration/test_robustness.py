"""A full disk, a home that may not be written, files that vanish, builds that meet: clear words and right tables."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.building.runner import open_instance
from emovid_assets.checks.proofs import proofs
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse, content_hash
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT, build, draw_gif, emovid, errors_of, rows
from emovid_assets_tests.integration.disks import fill, mounted, needs_root, read_only

pytestmark = pytest.mark.integration

SELECTION = "+key:colour_attributes or +key:clip_media or +key:processing_errors"
BUILD = ("build", "-d", "sticker", "--select", SELECTION)

LOSE_WHEN_HASHED = """
import os
from pathlib import Path
from emovid_assets.resources import library
hashed = library.file_sha256

def hash_and_lose(path):
    found = hashed(path)
    if path == Path(os.environ["LOSE"]):
        os.rename(path, os.environ["TO"])
    return found

library.file_sha256 = hash_and_lose
from emovid_assets.cli import main
main()
"""
"""The command line, but a file goes away between the hash and the first look into it."""


def fill_library(home: Path, count: int = 4) -> None:
    for number in range(count):
        draw_gif(home / "library" / "sticker" / f"{number}.gif", (60 * number % 256, 90, 200 - number))


def tables_of(home: Path) -> dict[str, str]:
    """Content of every table of the stickers, without the moments at which things failed."""
    found = {}
    for name, table in TABLES.items():
        if table.is_partitioned and Warehouse(home / "warehouse").exists(name, "sticker"):
            read = Warehouse(home / "warehouse").read(name, "sticker")
            found[name] = content_hash(read.select([c for c in read.column_names if not c.endswith("_at")]))
    return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes; the logs of two runs take half of it."""
    with mounted(tmp_path / "disk", megabytes=24) as disk:
        yield disk


@needs_root
def test_a_full_disk_ends_with_a_sentence_and_the_same_command_finishes_once_there_is_space(
    small_disk: Path, tmp_path: Path
) -> None:
    home = small_disk / "home"
    fill_library(home)
    first = emovid(home, *BUILD)
    assert first.returncode == 0, first.stdout + first.stderr
    before = tables_of(home)
    fill_library(home, 8)

    ballast = fill(small_disk)
    full = emovid(home, *BUILD)
    said = full.stdout + full.stderr
    assert full.returncode != 0 or "write_failed" in said
    assert "Traceback" not in said
    assert any(word in said for word in ("disk", "space", "write_failed")), said
    after = tables_of(home)
    for name, content in after.items():
        assert content == before[name] or name in before, name
    assert not list((home / "warehouse").rglob("*.tmp"))

    ballast.unlink()
    again = emovid(home, *BUILD)
    assert again.returncode == 0, again.stdout + again.stderr
    undisturbed = tmp_path / "undisturbed"
    fill_library(undisturbed, 8)
    assert errors_of(build(undisturbed, domains=["sticker"], selection=SELECTION)) == []
    assert tables_of(home) == tables_of(undisturbed)
    assert [proof.faults for proof in proofs(Home(home)) if proof.faults] == []


@needs_root
def test_a_build_of_a_home_that_may_not_be_written_is_one_line_of_error(tmp_path: Path) -> None:
    home = tmp_path / "home"
    fill_library(home, 1)
    with read_only(home):
        done = emovid(home, *BUILD)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error ")
    assert str(home) in line
    assert sorted(path.name for path in home.iterdir()) == ["library"]


def test_a_source_that_is_removed_while_it_is_read_is_quarantined_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    fill_library(home)
    gone = home / "library/sticker/2.gif"
    hidden = tmp_path / "elsewhere.gif"
    lost = subprocess.run(
        [sys.executable, "-c", LOSE_WHEN_HASHED, *BUILD],
        env={**os.environ, "EMOVID_HOME": str(home), "PYTHONPATH": str(ROOT), "LOSE": str(gone), "TO": str(hidden)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert lost.returncode == 0, lost.stdout + lost.stderr
    assert not gone.exists()
    errors = {row["path"]: row["code"] for row in rows(home, "processing_errors", "sticker")}
    assert errors == {"library/sticker/2.gif": "vanished"}
    assert len(rows(home, "clips", "sticker")) == 3

    shutil.move(hidden, gone)
    assert errors_of(build(home, domains=["sticker"], selection=SELECTION)) == []
    assert rows(home, "processing_errors", "sticker") == []
    assert len(rows(home, "clip_media", "sticker")) == 4


WAIT_BEFORE_THE_RECORD = """
import os, time
from pathlib import Path
from emovid_assets.orchestration.io_managers import ParquetIOManager
store = ParquetIOManager.handle_output

def store_and_wait(self, context, obj):
    store(self, context, obj)
    Path(os.environ["STORED"]).touch()
    while not Path(os.environ["GO_ON"]).exists():
        time.sleep(0.05)

ParquetIOManager.handle_output = store_and_wait
from emovid_assets.cli import main
main()
"""
"""The command line, but time passes between a table and Dagster's record of it."""


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_build_waits_for_the_one_at_work_so_that_tables_and_records_are_of_one_run(
    tmp_path: Path, is_killed: bool
) -> None:
    home, stored, go_on = tmp_path / "home", tmp_path / "stored", tmp_path / "go on"
    fill_library(home, 1)
    command = ("build", "-d", "sticker", "--select", "key:source_videos")
    environment = {**os.environ, "EMOVID_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment |= {"STORED": str(stored), "GO_ON": str(go_on), "PYTHONUNBUFFERED": "1"}
    with contextlib.ExitStack() as ended:

        def started(*program: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, *program, *command], env=environment, stdout=subprocess.PIPE, text=True
            )
            ended.callback(process.kill)
            return process

        first = started("-c", WAIT_BEFORE_THE_RECORD)
        while not stored.exists():
            assert first.poll() is None
            time.sleep(0.05)
        fill_library(home, 2)
        second = started("-m", "emovid_assets.cli")
        assert second.stdout is not None
        line = second.stdout.readline()
        if is_killed:
            first.kill()
        go_on.touch()
        assert second.wait(timeout=120) == 0
        assert first.wait(timeout=120) == (-signal.SIGKILL if is_killed else 0)
    assert re.fullmatch(r"waiting for run \w+ \(.*, process \d+ on .*\): it has \w+ \[sticker\]", line.strip())
    with open_instance(Home(home)) as instance:
        filters = dg.AssetRecordsFilter(asset_key=dg.AssetKey("source_videos"), asset_partitions=["sticker"])
        record = instance.fetch_materializations(filters, limit=1).records[0].asset_materialization
    table = Warehouse(home / "warehouse").read("source_videos", "sticker")
    assert table.num_rows == 2
    assert record is not None
    assert (record.tags or {})["dagster/data_version"] == content_hash(table)
