"""What a build says at its end to somebody who sees it for the first time."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from emovid_assets.building import runner, terminal
from emovid_assets.home.folders import Home
from emovid_assets.home.run_locks import RunLocks
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.planted_tables import plant, valid_rows

QUARANTINE = 'what to do about the quarantine: emovid sql "SELECT path, message FROM processing_errors"'
EXPORT = "next: emovid annotate export to-annotate, then emovid annotate import what people have answered"
REPORT = "next: emovid report --open, or emovid sql --list"


def last_lines(monkeypatch: pytest.MonkeyPatch, home: Path, quarantined: int = 0) -> list[str]:
    """The last two of a build that has made the sources of stickers, and left out so many."""
    made = runner.AssetReport("source_videos", "sticker", 2, 0, quarantined, None)
    monkeypatch.setattr(runner, "build", lambda *_, **__: iter([runner.StageReport("run", "sticker", [made])]))
    written = io.StringIO()
    assert terminal.run_build(Console(file=written, soft_wrap=True), Home(home), ["sticker"])
    lines = [line.strip() for line in written.getvalue().splitlines()]
    assert "" not in lines
    return lines[-2:]


def test_an_empty_library_is_told_where_to_put_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = last_lines(monkeypatch, tmp_path)[-1]
    assert line == f"nothing to work on: put media files into {tmp_path}/library/sticker and build again"


def test_a_quarantine_is_told_where_it_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert last_lines(monkeypatch, tmp_path, quarantined=1)[0] == QUARANTINE


def test_a_build_ends_with_the_next_step_that_a_person_can_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(tmp_path, "source_videos", valid_rows("source_videos", 2, "sticker"), "sticker")
    made, last = last_lines(monkeypatch, tmp_path)
    assert made.split() == ["source_videos", "2", "rows", "0", "computed"]
    assert last == REPORT
    plant(tmp_path, "annotation_tasks", valid_rows("annotation_tasks", 2, "sticker"), "sticker")
    assert last_lines(monkeypatch, tmp_path)[-1] == EXPORT
    plant(tmp_path, "human_annotations", valid_rows("human_annotations", 2, "sticker"), "sticker")
    assert last_lines(monkeypatch, tmp_path)[-1] == REPORT


def test_damaged_sound_is_told_with_the_column_that_says_how_much(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = runner.AssetReport("scanned_segments", "movie", 3, 3, 0, None, damaged_sound_tracks=1)
    monkeypatch.setattr(runner, "build", lambda *_, **__: iter([runner.StageReport("run", "movie", [made])]))
    written = io.StringIO()
    assert terminal.run_build(Console(file=written, soft_wrap=True), Home(tmp_path), ["movie"])
    assert "3 computed, 1 with damaged sound (clips.sound_missing_s)" in written.getvalue()


@pytest.mark.integration
def test_ctrl_c_while_a_build_waits_for_another_ends_it_with_a_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (home.library / "sticker").mkdir(parents=True)
    command = [sys.executable, "-m", "emovid_assets.cli", "build", "-d", "sticker", "--select", "key:source_videos"]
    environment = {**os.environ, "EMOVID_HOME": str(home.root), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with (
        RunLocks(home.runs_at_work).held("another-run", "build", {"source_videos [sticker]": 1}, print),
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as build,
    ):
        assert build.stdout
        assert build.stdout.readline().startswith("waiting for run another-")
        build.send_signal(signal.SIGINT)
        out, err = build.communicate(timeout=120)
    assert (build.returncode, out) == (130, "")
    assert err == "stopped. What is finished is kept, and the same command goes on from there\n"
