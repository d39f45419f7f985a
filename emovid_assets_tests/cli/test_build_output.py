"""What a build says at its end to somebody who sees it for the first time."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from emovid_assets.building import runner, terminal
from emovid_assets.home.folders import Home


def last_line(monkeypatch: pytest.MonkeyPatch, home: Path, sources: Sequence[tuple[int, int]]) -> str:
    """Of a build whose domains have so many sources (rows, quarantined)."""
    reports = [
        runner.StageReport("run", "sticker", [runner.AssetReport("source_videos", "sticker", kept, 0, failed, None)])
        for kept, failed in sources
    ]
    monkeypatch.setattr(runner, "build", lambda *_, **__: iter(reports))
    written = io.StringIO()
    assert terminal.run_build(Console(file=written, soft_wrap=True), Home(home), ["sticker"])
    return written.getvalue().strip().splitlines()[-1].strip()


def test_an_empty_library_is_told_where_to_put_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = last_line(monkeypatch, tmp_path, [(0, 0)])
    assert line == f"nothing to work on: put media files into {tmp_path}/library/sticker and build again"


def test_a_quarantine_is_told_where_it_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = last_line(monkeypatch, tmp_path, [(2, 0), (0, 1)])
    assert line == 'what to do about the quarantine: emovid sql "SELECT path, message FROM processing_errors"'


def test_a_build_without_faults_ends_with_its_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert last_line(monkeypatch, tmp_path, [(2, 0)]).split() == ["source_videos", "2", "rows", "0", "computed"]


def test_damaged_sound_is_told_with_the_column_that_says_how_much(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = runner.AssetReport("scanned_segments", "movie", 3, 3, 0, None, damaged_sound_tracks=1)
    monkeypatch.setattr(runner, "build", lambda *_, **__: iter([runner.StageReport("run", "movie", [made])]))
    written = io.StringIO()
    assert terminal.run_build(Console(file=written, soft_wrap=True), Home(tmp_path), ["movie"])
    assert "3 computed, 1 with damaged sound (clips.sound_missing_s)" in written.getvalue()
