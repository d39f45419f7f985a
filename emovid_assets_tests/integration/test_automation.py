"""A home that fills by itself: a real daemon, files that arrive, nobody who asks for anything. Two builds at once."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from emovid_assets.building.status import asset_states
from emovid_assets.checks.proofs import proofs
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.instance import prepare_instance_folder
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT, build, draw_gif, errors_of, rows
from emovid_assets_tests.integration.test_backfill import daemon, until

pytestmark = pytest.mark.integration


def is_at_rest(home: Path, instance: dg.DagsterInstance, domain: str) -> bool:
    """Everything of the domain, and over all domains, is up to date, and no run is under way."""
    if any(not run.is_finished for run in instance.get_runs()):
        return False
    return {state.state for state in asset_states(Home(home), [domain])} == {"up to date"}


def has_looked(instance: dg.DagsterInstance, since: float) -> bool:
    """Every sensor that may ask for runs has looked at the home from beginning to end."""
    names = {"library_files", "annotation_files", "automation"}
    asking = [state for state in instance.all_instigator_state() if state.instigator_name in names]
    ended = [TickStatus.SKIPPED, TickStatus.SUCCESS]
    return len(asking) == len(names) and all(
        instance.get_ticks(state.instigator_origin_id, state.selector_id, after=since, statuses=ended)
        for state in asking
    )


def test_files_and_answers_that_arrive_bring_labels_and_the_benchmark_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, log = tmp_path / "home", tmp_path / "daemon.log"
    home.mkdir()
    folder = prepare_instance_folder(home)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    environment = {**os.environ, "EMOVID_HOME": str(home), "EMOVID_AUTOMATION": "on", "EMOVID_TICK_S": "1"}
    with dg.DagsterInstance.from_config(str(folder)) as instance, daemon(environment, log):
        draw_gif(home / "library" / "sticker" / "awe" / "sticker.gif")
        until(lambda: is_at_rest(home, instance, "sticker"), log)
        first = instance.get_runs()
        assert rows(home, "emotion_labels", "sticker") == []

        (clip,) = rows(home, "clips", "sticker")
        answers = home / "library" / "annotations" / "answers.csv"
        answers.parent.mkdir()
        answers.write_text(
            f"clip_id,purpose,annotator_id,label\n{clip['clip_id']},verify,ann,accept\n", encoding="utf-8"
        )
        until(lambda: bool(rows(home, "benchmark_split", "sticker")), log)
        until(lambda: is_at_rest(home, instance, "sticker"), log)
        (label,) = rows(home, "emotion_labels", "sticker")
        assert (label["emotion"], label["label_source"]) == ("awe", "human")
        assert rows(home, "benchmark_split", "sticker")[0]["split"] == "benchmark"

        runs = instance.get_runs()
        assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
        asked_by = Counter(run.tags.get("dagster/sensor_name") for run in runs)
        assert (asked_by["library_files"], asked_by["annotation_files"]) == (1, 1)
        # Domain, labeller, domain, all domains; after the answers the same once more at most.
        assert (len(first), len(runs)) == (5, 10)
        # Quiet from now on: everything is looked at once more, and nothing asked for.
        at_rest = time.time()
        until(lambda: has_looked(instance, at_rest), log)
        assert len(instance.get_runs()) == len(runs)


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
