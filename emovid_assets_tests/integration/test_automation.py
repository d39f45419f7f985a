"""A home that fills by itself: a real daemon, files that arrive, nobody who asks for anything."""

import os
import time
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from emovid_assets.building.status import asset_states
from emovid_assets.home.folders import Home
from emovid_assets_tests.assets.homes import draw_gif, rows
from emovid_assets_tests.integration.test_backfill import daemon, prepare_hasty_instance, until

pytestmark = pytest.mark.integration

LOOK_EVERY_S = 1.0
"""A look at all states costs half a second that the runs could use."""


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
    folder = prepare_hasty_instance(home)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    environment = {**os.environ, "EMOVID_HOME": str(home), "EMOVID_AUTOMATION": "on", "EMOVID_TICK_S": "1"}
    with dg.DagsterInstance.from_config(str(folder)) as instance, daemon(environment, log):
        draw_gif(home / "library" / "sticker" / "awe" / "sticker.gif")
        until(lambda: is_at_rest(home, instance, "sticker"), log, LOOK_EVERY_S)
        first = instance.get_runs()
        assert rows(home, "emotion_labels", "sticker") == []

        (clip,) = rows(home, "clips", "sticker")
        answers = home / "library" / "annotations" / "answers.csv"
        answers.parent.mkdir()
        answers.write_text(
            f"clip_id,purpose,annotator_id,label\n{clip['clip_id']},verify,ann,accept\n", encoding="utf-8"
        )
        until(lambda: bool(rows(home, "benchmark_split", "sticker")), log)
        until(lambda: is_at_rest(home, instance, "sticker"), log, LOOK_EVERY_S)
        (label,) = rows(home, "emotion_labels", "sticker")
        assert (label["emotion"], label["label_source"]) == ("awe", "human")
        # The only group there is is left to train on.
        assert rows(home, "benchmark_split", "sticker")[0]["split"] == "train"

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
        # A tick that asks for nothing says little: Dagster keeps what each has said.
        logs = (folder / "compute_logs" / "__repository__" / "automation").glob("*.err")
        assert min(size for path in logs if (size := path.stat().st_size)) < 10_000
