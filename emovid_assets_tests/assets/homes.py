"""Homes that tests build on: a few files drawn in a moment, and one demo that is built once per test run.

Tests may read what `built_demo` gives; whoever changes something takes a `copy_of` it.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import dagster as dg
import pytest
from PIL import Image, ImageDraw

from emovid_assets.building import runner
from emovid_assets.building.runner import AssetReport, StageReport
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of
from emovid_assets_tests.once import made_once

ROOT = Path(__file__).resolve().parents[2]

# Few clips: people label all but a small validation set, so that enough are left for a labeller.
DEMO_SETTINGS = """\
[annotation]
human_fraction = 1.0
validation_minimum = 4

[benchmark]
per_cell = 1
"""


class Demo(NamedTuple):
    """A home that `emovid demo --size small` has built, what it printed, and which settings each asset has read."""

    home: Path
    output: str
    settings_read: dict[str, set[str]]


def emovid(
    home: Path, *arguments: str, program: Sequence[str] = ("emovid_assets.cli",), timeout_s: float = 600
) -> subprocess.CompletedProcess[str]:
    """The real command line in a process of its own."""
    environment = {**os.environ, "EMOVID_HOME": str(home), "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *program, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, env=environment, cwd=home.parent, check=False
    )


def built_demo(temporary: pytest.TempPathFactory) -> Demo:
    """The demo of this test run, whichever folder of tests and whichever process asks first."""
    folder = made_once(temporary, "demo", _build_demo)
    read = json.loads((folder / "settings_read.json").read_text(encoding="utf-8"))
    return Demo(
        folder / "home",
        (folder / "output.txt").read_text(encoding="utf-8"),
        {asset: set(keys) for asset, keys in read.items()},
    )


def _build_demo(folder: Path) -> None:
    home = folder / "home"
    home.mkdir(parents=True)
    (home / "emovid.toml").write_text(DEMO_SETTINGS, encoding="utf-8")
    program = ("emovid_assets_tests.assets.noting_settings", str(folder / "settings_read.json"))
    done = emovid(home, "demo", "--size", "small", program=program)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")


def copy_of(home: Path, target: Path) -> Path:
    """A copy with the times of the files, so that nothing looks changed; without Dagster's own state."""
    return Path(shutil.copytree(home, target, ignore=shutil.ignore_patterns("dagster")))


def build(home: Path, **options: Any) -> list[StageReport]:
    """`runner.build` with an instance in memory: writing the event log takes most of the time of a small build."""
    with mock.patch.object(runner, "open_instance", return_value=dg.DagsterInstance.ephemeral()):
        return list(runner.build(Home(home), **options))


def report_of(reports: list[StageReport], asset: str, domain: str | None) -> AssetReport:
    (found,) = [one for report in reports for one in report.assets if (one.asset, one.domain) == (asset, domain)]
    return found


def errors_of(reports: list[StageReport]) -> list[str]:
    return [report.error for report in reports if report.error]


def rows(home: Path, table: str, domain: str | None = None) -> list[dict[str, Any]]:
    return rows_of(Warehouse(Home(home).warehouse).read(table, domain))


def all_rows(home: Path, table: str) -> list[dict[str, Any]]:
    return [row for domain in DOMAINS for row in rows(home, table, domain)]


def draw_gif(
    path: Path, colour: tuple[int, int, int] = (200, 40, 40), frame_count: int = 5, delay_ms: int = 100
) -> Path:
    """A square that walks over a ground of one colour; different colours give different files."""
    pictures = []
    for index in range(frame_count):
        picture = Image.new("RGB", (48, 32), colour)
        ImageDraw.Draw(picture).rectangle((4 + 6 * index, 10, 12 + 6 * index, 20), fill=(20, 20, 90))
        pictures.append(picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=delay_ms, loop=0)
    return path
