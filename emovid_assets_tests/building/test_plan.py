"""`emovid plan` and `emovid build --only` on a home that was really built: exactly what depends, nothing is touched."""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from emovid_assets.building import runner
from emovid_assets.building.plan import PlannedAsset, plan
from emovid_assets.building.status import asset_states, unresolved_failures
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore
from emovid_assets_tests.assets.homes import DEMO_SETTINGS, Demo, draw_gif, rows
from emovid_assets_tests.cli.conftest import Call, call

__all__ = ["call"]

pytestmark = pytest.mark.integration

DOMAINS = ("movie", "animation", "sticker")
Done = set[tuple[str, str | None]]
REPORT: Done = {("dataset_report", None)}
"""It lists every setting on which results depend."""


@pytest.fixture(scope="module")
def built(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with Dagster's own state, whose settings may be changed."""
    return Path(shutil.copytree(demo.home, tmp_path_factory.mktemp("plan") / "home"))


@pytest.fixture
def home(built: Path) -> Iterator[Path]:
    yield built
    (built / "emovid.toml").write_text(DEMO_SETTINGS, encoding="utf-8")


def planned(home: Path, settings: str = "") -> dict[tuple[str, str | None], PlannedAsset]:
    (home / "emovid.toml").write_text(DEMO_SETTINGS + settings, encoding="utf-8")
    return {(one.asset, one.domain): one for one in plan(Home(home))}


def in_state(found: dict[tuple[str, str | None], PlannedAsset], state: str) -> Done:
    return {place for place, one in found.items() if one.state == state}


def untouched(found: dict[tuple[str, str | None], PlannedAsset]) -> Done:
    """What is up to date, but that the demo has made a benchmark and labels since the tasks were planned."""
    looking_back = in_state(found, "looks back")
    assert {asset for asset, _ in looking_back} <= {"annotation_tasks", "benchmark_split", "emotion_labeller"}
    return in_state(found, "up to date") | looking_back


MEASURED = ("scanned_segments", "generation_features", "generation_scores")
"""What reads pictures one after the other, of clips and of generated videos."""


def everywhere(*assets: str) -> Done:
    return {(asset, domain) for asset in assets for domain in DOMAINS}


def counts(found: dict[tuple[str, str | None], PlannedAsset], asset: str) -> dict[str, int | None]:
    return {domain: found[asset, domain].items for domain in DOMAINS}


def digest_of(home: Path) -> str:
    """Of everything but Dagster's state, which is opened, and SQLite's side files."""
    paths = sorted(path for path in home.rglob("*") if path.is_file() and "dagster" not in path.parts)
    found = hashlib.sha256()
    for path in paths:
        if path.suffix not in (".sqlite-wal", ".sqlite-shm"):
            found.update(str(path).encode() + path.read_bytes())
    return found.hexdigest()


def test_after_a_build_there_is_nothing_to_do_and_a_plan_leaves_everything_as_it_is(home: Path) -> None:
    assert untouched(planned(home)) == set(planned(home))
    before = digest_of(home)
    planned(home)
    draw_gif(home / "library" / "sticker" / "planned.gif", (3, 200, 90))
    with_file = digest_of(home)
    assert counts(planned(home), "source_videos") == {"movie": 0, "animation": 0, "sticker": 1}
    assert digest_of(home) == with_file
    (home / "library" / "sticker" / "planned.gif").unlink()
    assert digest_of(home) == before


def test_another_threshold_concerns_the_scans_and_what_reads_them(home: Path) -> None:
    found = planned(home, "[scenes]\nthreshold = 5.0\n")
    assert in_state(found, "stale") == everywhere(*MEASURED) | REPORT
    assert {one.reason for one in found.values() if one.state == "stale"} == {"scene_settings has changed"}
    scanned = {domain: len(rows(home, "source_videos", domain)) for domain in DOMAINS}
    assert counts(found, "scanned_segments") == scanned
    assert not any(found["scanned_segments", domain].is_estimate for domain in DOMAINS)
    assert all((found["scanned_segments", domain].seconds or 0) > 0 for domain in DOMAINS)
    assert counts(found, "source_videos") == dict.fromkeys(DOMAINS, 0)
    # As many clips as there are now may have to be written anew.
    assert found["clip_media", "movie"].is_estimate
    assert found["clip_media", "movie"].items == len(rows(home, "clips", "movie"))


def test_the_shortest_clip_of_a_cut_file_concerns_no_whole_file(home: Path) -> None:
    found = planned(home, "[scenes]\nmin_cut_s = 3.0\n")
    cut = len([row for row in rows(home, "source_videos", "animation") if row["duration_s"] > 30])
    movies = len(rows(home, "source_videos", "movie"))
    assert counts(found, "scanned_segments") == {"movie": movies, "animation": cut, "sticker": 0}


def test_clips_per_cell_concern_the_split_and_workers_concern_nothing(home: Path) -> None:
    found = planned(home).keys()
    settings = DEMO_SETTINGS.replace("per_cell = 1", "per_cell = 2")
    (home / "emovid.toml").write_text(settings, encoding="utf-8")
    changed = {(one.asset, one.domain): one for one in plan(Home(home))}
    # No labeller learns from benchmark clips, so how many there are concerns it too.
    stale = {asset for asset, _ in in_state(changed, "stale")}
    assert stale == {"benchmark_split", "emotion_labeller", "labeller_answers", "dataset_report"}
    assert {("catalogue", None), *everywhere("processing_errors")} <= in_state(changed, "follows")
    assert in_state(changed, "up to date") >= everywhere("segments", "captions", "human_labels")
    assert untouched(planned(home, "[media]\nworkers = 1\ntimeout_s = 99\n")) == set(found)


def test_another_stride_leaves_the_cuts_alone(home: Path) -> None:
    found = planned(home, "[scenes]\nframe_stride = 7\n")
    assert in_state(found, "stale") == everywhere(*MEASURED) | REPORT


@pytest.mark.parametrize("left", [None, 0, 100])
def test_a_clip_file_that_is_gone_empty_or_cut_short_makes_its_asset_stale(home: Path, left: int | None) -> None:
    file = home / rows(home, "clip_media", "sticker")[0]["media_path"]
    whole = file.read_bytes()
    file.unlink()
    if left is not None:
        file.write_bytes(whole[:left])
    found = planned(home)
    file.write_bytes(whole)
    assert in_state(found, "stale") == {("clip_media", "sticker")}
    lost = found["clip_media", "sticker"]
    assert (lost.items, lost.reason) == (1, "media that it made are gone or not whole")
    assert in_state(planned(home), "stale") == set()


def test_a_file_under_a_new_name_and_a_second_copy_are_no_items(home: Path) -> None:
    folder = home / "library" / "animation"
    first = next(path for path in sorted(folder.rglob("*")) if path.suffix in (".mp4", ".webm", ".mov", ".gif"))
    moved, copy = first.with_name(f"moved{first.suffix}"), first.with_name(f"copy{first.suffix}")
    shutil.copyfile(first, copy)
    first.rename(moved)
    found = planned(home)
    moved.rename(first)
    copy.unlink()
    assert in_state(found, "stale") == {("source_videos", "animation")}
    assert (found["source_videos", "animation"].items, found["scanned_segments", "animation"].items) == (0, 0)


def test_the_command_prints_what_is_to_be_done_and_json_has_everything(call: Call, home: Path) -> None:
    (home / "emovid.toml").write_text(DEMO_SETTINGS.replace("per_cell = 1", "per_cell = 2"), encoding="utf-8")
    text = call("plan", home=home).stdout
    assert text.count("benchmark_settings has changed") >= 3
    assert "more follow where results come out different" in text
    assert "catalogue" not in text
    assert "catalogue" in call("plan", "--all", home=home).stdout
    assert '"reason": "benchmark_settings has changed"' in call("plan", "--json", home=home).stdout
    done = call("plan", "--select", "key:nothing", home=home)
    assert (done.exit_code, "selects no asset" in done.stderr or "nothing" in done.stderr) == (1, True)


def test_only_stale_builds_what_is_stale_and_what_follows(call: Call, demo: Demo, tmp_path: Path) -> None:
    home = Path(shutil.copytree(demo.home, tmp_path / "home"))
    (home / "emovid.toml").write_text(DEMO_SETTINGS.replace("per_cell = 1", "per_cell = 2"), encoding="utf-8")
    done = call("build", "--only", "stale", home=home)
    assert done.exit_code == 0, done.output
    built = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and "rows" in line}
    assert "benchmark_split" in built
    # Tasks look back at the benchmark that the demo has made, and people are judged by them.
    assert built.isdisjoint({"source_videos", "scanned_segments", "clips", "clip_media", "captions"})
    assert {state.state for state in asset_states(Home(home))} == {"up to date"}
    # The new benchmark is looked back at, and after that nothing is left.
    assert call("build", home=home).exit_code == 0
    assert call("build", "--only", "stale", home=home).stdout.startswith("everything is up to date")
    # Set back: stale again, as it would be with any other value.
    assert in_state(planned(home), "stale") >= everywhere("benchmark_split")


def test_one_build_makes_media_again_that_a_power_cut_has_left_empty_and_items_that_the_state_has_lost(
    call: Call, demo: Demo, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(demo.home, tmp_path / "home"))
    lost = [
        home / rows(home, table, "sticker")[0][column]
        for table, column in (("clip_media", "media_path"), ("clips", "thumbnail_path"))
    ]
    lost.append(
        home
        / next(row["first_frame_path"] for row in rows(home, "benchmark_split", "sticker") if row["first_frame_path"])
    )
    whole = [path.read_bytes() for path in lost]
    for path in lost:
        path.write_bytes(b"")
    done = call("build", "--only", "stale", "-d", "sticker", home=home)
    assert done.exit_code == 0, done.output
    computed = [line.split()[0] for line in done.stdout.splitlines() if "1 computed" in line]
    assert computed == ["scanned_segments", "clip_media", "benchmark_split"]
    assert [path.read_bytes() for path in lost] == whole
    assert "is up to date" in call("build", "--only", "stale", "-d", "sticker", home=home).stdout
    # Without the state every item is missing. What waits for results that come out as they were is made all the same.
    for state in home.glob("state.sqlite*"):
        state.unlink()
    done = call("build", "-d", "sticker", home=home)
    assert done.exit_code == 0, done.output
    assert "benchmark_split" in done.stdout
    assert call("build", "-d", "sticker", home=home).stdout.startswith("everything is up to date")


def test_only_failed_builds_what_failed_and_tries_the_quarantine_again(tmp_path: Path) -> None:
    library = tmp_path / "library"
    draw_gif(library / "animation" / "good.gif")
    draw_gif(library / "sticker" / "good.gif")
    (library / "sticker" / "bad.gif").write_text("no picture", encoding="utf-8")
    blocked = tmp_path / "warehouse" / "clips" / "domain=animation" / "part-0.parquet"
    (blocked / "in the way").mkdir(parents=True)
    selection = "+key:clip_media"
    reports = list(runner.build(Home(tmp_path), domains=["animation", "sticker"], selection=selection))
    assert [bool(report.error) for report in reports] == [True, False]
    (failure,) = unresolved_failures(Home(tmp_path))
    assert (failure.asset, failure.domain, failure.job) == ("clips", "animation", "emovid build")
    (blocked / "in the way").rmdir()
    blocked.rmdir()
    again = list(runner.build(Home(tmp_path), selection=selection, scope="failed"))
    assert [report.error for report in again] == [None] * len(again)
    done = {(one.asset, one.domain) for report in again for one in report.assets}
    assert done == {("clips", "animation"), ("clip_media", "animation")} | {
        (name, "sticker") for name in ("source_videos", "scanned_segments", "segments", "clips", "clip_media")
    }
    assert unresolved_failures(Home(tmp_path)) == []
    store = ItemStore(tmp_path / "state.sqlite")
    (bad,) = store.failures("sticker")
    store.close()
    assert bad.attempt_count == 2


def test_after_an_upgrade_known_files_count_as_to_be_probed_and_scanned(tmp_path: Path) -> None:
    draw_gif(tmp_path / "library" / "sticker" / "rising.gif")
    list(runner.build(Home(tmp_path), domains=["sticker"], selection="key:source_videos or key:scanned_segments"))
    with sqlite3.connect(tmp_path / "state.sqlite") as store:
        # As an earlier version left them: another key, and a payload that names no streams.
        store.execute("UPDATE items SET item_key = 'earlier'")
        store.execute("UPDATE items SET payload = json_remove(payload, '$.tracks') WHERE step = 'probe'")
    shutil.rmtree(tmp_path / "warehouse" / "source_videos")

    found = {(one.asset, one.domain): one for one in plan(Home(tmp_path), ("sticker",))}

    assert found["source_videos", "sticker"].items == 1
    assert found["scanned_segments", "sticker"].items == 1
    assert found["clip_media", "sticker"].items == 1
