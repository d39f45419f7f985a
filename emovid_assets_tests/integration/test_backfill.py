"""All three domains as a backfill that the daemon launches, as it happens from the UI."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from emovid_assets.core.domains import DOMAINS
from emovid_assets.instance import prepare_instance_folder
from emovid_assets_tests.assets.homes import ROOT, draw_gif, rows

pytestmark = pytest.mark.integration

TIMEOUT_S = 240
WORKSPACE = str(ROOT / "workspace.yaml")
PROGRAMS = Path(sys.executable).parent


@contextmanager
def daemon(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon with its code server and run workers; all of them are gone afterwards."""
    command = [str(PROGRAMS / "dagster-daemon"), "run", "-w", WORKSPACE]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, signal.SIGINT)
                process.wait(30)
            # Whatever the daemon has left of its group; nothing is the usual case.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def test_a_backfill_of_all_domains_runs_once_per_domain_and_succeeds(tmp_path: Path) -> None:
    library = tmp_path / "library"
    draw_gif(library / "movie" / "film.gif", (10, 90, 200), frame_count=6, delay_ms=1000)
    draw_gif(library / "animation" / "short.gif", (10, 200, 90))
    draw_gif(library / "sticker" / "awe" / "sticker.gif")
    folder = prepare_instance_folder(tmp_path)
    environment = {**os.environ, "DAGSTER_HOME": str(folder), "EMOVID_HOME": str(tmp_path)}
    log = tmp_path / "daemon.log"
    with dg.DagsterInstance.from_config(str(folder)) as instance, daemon(environment, log) as process:
        command = [str(PROGRAMS / "dagster"), "job", "backfill", "-w", WORKSPACE, "-j", "build_dataset", "--noprompt"]
        asked = subprocess.run(
            command,
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert asked.returncode == 0, asked.stdout + asked.stderr
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline and process.poll() is None:
            (backfill,) = instance.get_backfills()
            runs = instance.get_runs()
            if len(runs) == len(DOMAINS) and all(run.is_finished for run in runs):
                break
            time.sleep(0.5)
        told = log.read_text(encoding="utf-8", errors="replace")[-4000:]
        assert {run.tags.get("dagster/partition") for run in runs} == set(DOMAINS), told
        assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}, told
        assert backfill.status not in (BulkActionStatus.FAILED, BulkActionStatus.COMPLETED_FAILED)
        evaluations = [
            event.asset_check_evaluation_data
            for run in runs
            for event in (
                record.event_log_entry.dagster_event for record in instance.get_records_for_run(run.run_id).records
            )
            if event and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ]
        # A check belongs to the domain that was checked, not to all.
        assert {evaluation.partition for evaluation in evaluations} == set(DOMAINS)
    for domain in DOMAINS:
        (clip,) = rows(tmp_path, "clips", domain)
        assert [row["clip_id"] for row in rows(tmp_path, "captions", domain)] == [clip["clip_id"]]
        assert (tmp_path / "warehouse" / "benchmark_split" / f"domain={domain}" / "part-0.parquet").is_file()
