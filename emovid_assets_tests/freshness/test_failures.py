"""What failed runs have left unbuilt, however many runs came after them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest

from emovid_assets.freshness import runs
from emovid_assets.freshness.runs import unbuilt_since_failure
from emovid_assets.freshness.staleness import Place
from emovid_assets.resources.item_store import FailedRun

DOMAINS = dg.StaticPartitionsDefinition(["movie", "sticker"])
FAULTY: set[str] = set()


@dg.asset(partitions_def=DOMAINS)
def first() -> None: ...


@dg.asset(partitions_def=DOMAINS, deps=[first])
def second(context: dg.AssetExecutionContext) -> None:
    if context.partition_key in FAULTY:
        raise dg.Failure("Nothing works today")


@dg.asset(partitions_def=DOMAINS, deps=[second])
def third() -> None: ...


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    FAULTY.clear()
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(instance: dg.DagsterInstance, domain: str, *assets: object) -> str:
    chosen = assets or (first, second, third)
    result = dg.materialize(list(chosen), partition_key=domain, instance=instance, raise_on_error=False)
    return str(result.run_id)


def left(domain: str) -> set[Place]:
    return {Place("second", domain), Place("third", domain)}


def test_a_noted_failure_is_known_behind_any_number_of_later_runs(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LOOKED_AT", 1)
    FAULTY.update(("movie", "sticker"))
    old = FailedRun(run(instance, "movie"), "second", "movie", "job", "", datetime.now(UTC))
    run(instance, "sticker")
    assert unbuilt_since_failure(instance) == left("sticker")
    assert unbuilt_since_failure(instance, [old]) == left("movie") | left("sticker")
    # Somebody has deleted the run: what is noted of it is left.
    instance.delete_run(old.run_id)
    assert unbuilt_since_failure(instance, [old]) == {Place("second", "movie")} | left("sticker")


def test_runs_that_ended_well_hide_no_failure(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LOOKED_AT", 2)
    FAULTY.add("movie")
    run(instance, "movie")
    for _ in range(3):
        run(instance, "sticker")
    assert unbuilt_since_failure(instance) == left("movie")


def test_what_was_built_since_is_not_unbuilt(instance: dg.DagsterInstance) -> None:
    FAULTY.add("movie")
    failed = FailedRun(run(instance, "movie"), "second", "movie", "job", "", datetime.now(UTC))
    FAULTY.clear()
    run(instance, "movie", first, second)
    assert unbuilt_since_failure(instance, [failed]) == {Place("third", "movie")}
    run(instance, "movie")
    assert unbuilt_since_failure(instance, [failed]) == set()
