"""Two builds at a terminal, of one home and at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emovid_assets.building.status import asset_states
from emovid_assets.checks.proofs import proofs
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT, build, draw_gif, errors_of, rows

pytestmark = pytest.mark.integration


def test_two_builds_of_one_home_at_once_lose_and_corrupt_nothing(tmp_path: Path) -> None:
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    for home in (alone, shared):
        for number in range(3):
            draw_gif(home / "library" / "sticker" / "awe" / f"{number}.gif", (80 * number, 90, 200))
        (home / "library" / "sticker" / "bad.gif").write_text("no picture", encoding="utf-8")
    assert errors_of(build(alone, domains=["sticker"])) == []
    command = [sys.executable, "-m", "emovid_assets.cli", "build", "-d", "sticker"]
    environment = {**os.environ, "EMOVID_HOME": str(shared), "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=240)[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    for name, table in TABLES.items():
        for domain in DOMAINS if table.is_partitioned else (None,):
            found = []
            for home in (alone, shared):
                # Both may have tried the bad file before either knew of it.
                left_out = ("_at", "attempt_count")
                found.append(
                    [{k: v for k, v in row.items() if not k.endswith(left_out)} for row in rows(home, name, domain)]
                )
            assert found[0] == found[1], (name, domain)
    (bad,) = rows(shared, "processing_errors", "sticker")
    assert bad["attempt_count"] in (1, 2)
    assert {state.state for state in asset_states(Home(shared), ["sticker"])} == {"up to date"}
    assert [proof.faults for proof in proofs(Home(shared)) if proof.faults] == []
