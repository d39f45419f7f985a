"""Files of Dagster that are damaged, and a `dagster.yaml` of a person's own that cannot be used: a sentence says which
file it is, and following it helps."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.building.runner import open_instance
from emovid_assets.definitions import defs
from emovid_assets.freshness.dagster_records import records_of
from emovid_assets.freshness.sqlite_records import records_in
from emovid_assets.freshness.staleness import Lineage, Place
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.damage import INDEX, LOST, LOST_WITH_A_RUN, RUNS, SCHEDULES
from emovid_assets_tests.cli.conftest import Call, call

__all__ = ["call"]

pytestmark = pytest.mark.integration

COMMANDS = (("status",), ("plan",), ("build", "--select", "key:wanted_videos"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Dagster remembers two tables of it. Its files are no longer open."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    found = Home(tmp_path / "home")
    found.library.mkdir(parents=True)
    with open_instance(found) as instance:
        for asset in ("clips", "segments"):
            instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition="sticker"))
        assert instance.get_runs() == []
    return found


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 60)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage(home: Home, name: str, how: Callable[[Path], None]) -> Path:
    path = home.root / "dagster" / name
    with closing(sqlite3.connect(path)) as database:
        # Everything into the file itself.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for beside in path.parent.glob(f"{path.name}-*"):
        beside.unlink()
    how(path)
    return path


@pytest.mark.parametrize("name", [INDEX, RUNS, SCHEDULES])
@pytest.mark.parametrize("how", [garbage, half], ids=lambda how: how.__name__)
def test_a_damaged_file_is_named_with_what_its_loss_costs_and_without_it_everything_works(
    call: Call, home: Home, name: str, how: Callable[[Path], None]
) -> None:
    path = damage(home, name, how)
    for command in COMMANDS:
        done = call(*command, home=home.root)
        assert (done.exit_code, done.stdout) == (1, ""), command
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error {path} is damaged. ")
        assert line.endswith(f"lost is {LOST[name]}.")
    beside = re.findall(rf"{path.name}-\w+", line)
    for file in (path.name, *beside):
        path.with_name(file).unlink()
    for command in COMMANDS:
        done = call(*command, home=home.root)
        assert done.exit_code == 0, done.output


def test_the_damaged_log_of_a_run_that_failed_is_named_by_the_build_that_reads_it(call: Call, home: Home) -> None:
    """Dagster's own API reads it, which is asked where the settings of Dagster are a person's own."""
    with open_instance(home) as instance:
        run = instance.create_run_for_job(defs.resolve_implicit_global_asset_job_def())
        instance.report_run_failed(run, "by the test")
    path = damage(home, f"history/runs/{run.run_id}.db", garbage)
    assert call("build", "--select", "key:wanted_videos", home=home.root).exit_code == 0
    settings = home.root / "dagster" / "dagster.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").split("\n", 1)[1], encoding="utf-8")
    done = call("build", "--select", "key:wanted_videos", home=home.root)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error {path} is damaged. ")
    assert line.endswith(f"lost is {LOST_WITH_A_RUN}.")
    path.unlink()
    assert call("build", "--select", "key:wanted_videos", home=home.root).exit_code == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("storage: [\n", "expected the node content"),
        ("- a list\n", "to parse to dictionary"),
        ("storage:\n  nothing: 1\n", 'Received unexpected config entry "nothing"'),
        ("run_coordinator:\n  module: no.such\n  class: X\n", "Couldn't import module no.such"),
        ("\ufffe\x00", "special characters are not allowed"),
    ],
)
def test_a_dagster_yaml_of_a_persons_own_that_cannot_be_used_is_named_with_the_reason(
    call: Call, home: Home, text: str, why: str
) -> None:
    settings = home.root / "dagster" / "dagster.yaml"
    settings.write_text(text, encoding="utf-8")
    for command in COMMANDS:
        done = call(*command, home=home.root)
        assert (done.exit_code, done.stdout) == (1, ""), command
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error {settings}: Dagster cannot be opened by it: ")
        assert why in line
        assert "Correct it, or move it away" in line
        assert settings.read_text(encoding="utf-8") == text
    settings.unlink()
    assert call("status", home=home.root).exit_code == 0


def test_what_a_dagster_yaml_holds_of_passwords_is_not_shown(call: Call, home: Home) -> None:
    settings = home.root / "dagster" / "dagster.yaml"
    settings.write_text("storage: postgresql://emovid:Tr0ub4dor@db/x\n", encoding="utf-8")
    done = call("status", home=home.root)
    assert done.exit_code == 1
    assert "Tr0ub4dor" not in done.output


LOSSES = {
    "an asset's row": "DELETE FROM asset_keys WHERE asset_key = '[\"clips\"]'",
    "all rows of assets": "DELETE FROM asset_keys",
    "an event": "DELETE FROM event_logs WHERE asset_key = '[\"clips\"]'",
}


@pytest.mark.parametrize("loss", LOSSES)
def test_both_ways_say_the_same_of_records_that_have_lost_a_part(home: Home, loss: str) -> None:
    lineage = Lineage.of(defs.resolve_asset_graph())
    with closing(sqlite3.connect(home.root / "dagster" / INDEX)) as log:
        log.execute(LOSSES[loss])
        log.commit()
    short = records_in(home.root / "dagster", lineage)
    with open_instance(home) as instance:
        assert short == records_of(instance, lineage)
    assert short is not None
    assert short.made[Place("clips", "sticker")] is None


def test_both_ways_say_the_same_of_an_asset_that_was_wiped_and_built_again(home: Home) -> None:
    lineage = Lineage.of(defs.resolve_asset_graph())
    made = []
    with open_instance(home) as instance:
        for turn in range(2):
            instance.wipe_assets([dg.AssetKey("clips")])
            if turn:
                instance.report_runless_asset_event(dg.AssetMaterialization("clips", partition="sticker"))
            short = records_in(home.root / "dagster", lineage)
            assert short == records_of(instance, lineage)
            assert short is not None
            made.append(short.made[Place("clips", "sticker")])
    assert made[0] is None
    assert made[1] is not None


def test_both_ways_say_the_same_of_a_run_that_the_list_of_runs_has_lost(home: Home) -> None:
    lineage = Lineage.of(defs.resolve_asset_graph())
    with open_instance(home) as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        run = instance.create_run_for_job(
            job.get_subset(asset_selection={dg.AssetKey("clips")}),
            asset_selection=frozenset({dg.AssetKey("clips")}),
            tags={"dagster/partition": "sticker"},
        )
        assert records_of(instance, lineage).unbuilt == {Place("clips", "sticker")}
        with closing(sqlite3.connect(home.root / "dagster" / RUNS)) as runs:
            runs.execute("DELETE FROM runs WHERE run_id = ?", [run.run_id])
            runs.commit()
        short = records_in(home.root / "dagster", lineage)
        assert short == records_of(instance, lineage)
        assert short is not None
        assert short.unbuilt == frozenset()
