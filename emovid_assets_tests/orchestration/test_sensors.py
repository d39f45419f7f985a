"""The sensors: what they notice, what they ask for, and what they say when they ask for nothing."""

import os
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets.building import runner
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.sensors import annotation_files, library_files, sensors, settings_file
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.project import Project
from emovid_assets_tests.assets.homes import Demo, build, copy_of, draw_gif, rows

LONG_AGO_S = 1_000_000_000


class Ticks:
    """A sensor that ticks on, with its cursor."""

    def __init__(self, function: Any, home: Path, instance: dg.DagsterInstance | None = None) -> None:
        self._function, self._home = function, home
        self._instance = instance or dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None

    def __call__(self) -> Any:
        context = dg.build_sensor_context(cursor=self.cursor, instance=self._instance)
        answer = self._function(context, Project(home_folder=str(self._home)))
        if isinstance(answer, dg.SensorResult):
            self.cursor = answer.cursor
        return answer

    def asked(self) -> list[str]:
        """Domains that a tick asks for. A tick that asks for nothing must say why."""
        answer = self()
        requests = answer.run_requests or []
        assert bool(requests) != bool(answer.skip_reason)
        return [request.partition_key for request in requests]

    def settled(self) -> list[str]:
        """What two ticks ask for, as at rest."""
        return self.asked() + self.asked()


def old(path: Path, text: str | None = None) -> Path:
    """The file, as if it had been written long ago."""
    if text is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    return path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


def test_a_new_file_asks_once_for_the_sources_of_its_domain_and_of_no_other(tmp_path: Path, library: Path) -> None:
    ticks = Ticks(library_files, tmp_path)
    assert ticks.settled() == []
    old(draw_gif(library / "sticker" / "a.gif"))
    first = ticks()
    assert first.skip_reason.skip_message.endswith("sticker: files are still coming")
    second = ticks()
    (request,) = second.run_requests
    assert request.partition_key == "sticker"
    assert set(request.asset_selection) == {dg.AssetKey("source_videos"), dg.AssetKey("wanted_videos")}
    assert ticks.settled() == []
    assert "sticker: nothing new" in ticks().skip_reason.skip_message


def test_a_file_that_is_still_written_is_left_alone(tmp_path: Path, library: Path) -> None:
    ticks = Ticks(library_files, tmp_path)
    path = draw_gif(library / "movie" / "film.gif")
    # Just written: two ticks alike are not enough.
    assert ticks.settled() == []
    with path.open("ab") as file:
        file.write(b"more")
    # The times are old, as with a copy that keeps them, but it grows between ticks.
    old(path)
    assert ticks.asked() == []
    with path.open("ab") as file:
        file.write(b"more")
    old(path)
    assert ticks.asked() == []
    assert ticks.asked() == ["movie"]


def test_a_disk_whose_clock_is_behind_lets_no_file_be_taken_that_is_still_written(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = time.time
    monkeypatch.setattr(time, "time", lambda: here() + 600)
    ticks = Ticks(library_files, tmp_path)
    draw_gif(library / "movie" / "film.gif")
    assert ticks.settled() == []


def test_a_clock_that_is_ahead_holds_no_file_back(tmp_path: Path, library: Path) -> None:
    ticks = Ticks(library_files, tmp_path)
    path = draw_gif(library / "movie" / "film.gif")
    os.utime(path, (time.time() + 9999, time.time() + 9999))
    assert ticks.settled() == ["movie"]


def test_changed_renamed_and_vanished_files_and_manifests_ask_again(tmp_path: Path, library: Path) -> None:
    ticks = Ticks(library_files, tmp_path)
    first, second = (old(draw_gif(library / "animation" / name)) for name in ("a.gif", "b.gif"))
    assert ticks.settled() == ["animation"]
    old(draw_gif(first, frame_count=4))
    assert ticks.settled() == ["animation"]
    first.rename(first.with_name("c.gif"))
    assert ticks.settled() == ["animation"]
    second.unlink()
    assert ticks.settled() == ["animation"]
    manifest = library / "animation" / "manifest.csv"
    old(manifest, "path,title\nc.gif,Sea\n")
    assert ticks.settled() == ["animation"]
    old(manifest.with_name("c.srt"), "1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    assert ticks.settled() == ["animation"]
    # Notes beside the media say nothing.
    (library / "animation" / "c.txt").write_text("a note", encoding="utf-8")
    assert ticks.settled() == []


def test_metadata_without_a_film_asks_for_what_is_wanted_alone(tmp_path: Path, library: Path) -> None:
    ticks = Ticks(library_files, tmp_path)
    clips = old(library / "movie" / "metadata" / "clips.csv", "videoid\n")
    ticks()
    (request,) = ticks().run_requests
    assert (request.partition_key, request.asset_selection) == ("movie", [dg.AssetKey("wanted_videos")])
    old(draw_gif(library / "movie" / "film.gif"))
    assert ticks.settled() == ["movie"]
    old(clips, "videoid,year\n")
    assert ticks.settled() == ["movie"]


def test_a_library_that_returns_to_a_former_state_is_taken_up_again_under_another_key(
    tmp_path: Path, library: Path
) -> None:
    ticks, keys = Ticks(library_files, tmp_path), []
    old(draw_gif(library / "sticker" / "a.gif"))
    added = library / "sticker" / "b.gif"
    for is_there in (False, True, False):
        if is_there:
            old(draw_gif(added))
        else:
            added.unlink(missing_ok=True)
        ticks()
        keys += [request.run_key for request in ticks().run_requests]
    assert len(set(keys)) == 3
    # Content, not the moment, makes the key: the digests of the first and the last are the same.
    assert keys[0].split("-")[1] == keys[2].split("-")[1] != keys[1].split("-")[1]


@pytest.mark.integration
def test_a_library_that_is_gone_as_a_whole_asks_for_nothing_and_says_so(tmp_path: Path, library: Path) -> None:
    draw_gif(library / "sticker" / "a.gif")
    build(tmp_path, domains=["sticker"], selection="key:source_videos")
    ticks = Ticks(library_files, tmp_path)
    assert ticks.settled() == []
    assert "sticker: nothing new" in ticks().skip_reason.skip_message
    (library / "sticker").rename(library / "elsewhere")
    ticks()
    assert "emovid build -d sticker" in ticks().skip_reason.skip_message
    (library / "elsewhere").rename(library / "sticker")
    assert ticks.settled() == []


@pytest.mark.integration
def test_a_home_that_was_built_before_asks_for_nothing_until_something_changes(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    ticks = Ticks(library_files, home)
    assert ticks.settled() == []
    old(draw_gif(home / "library" / "movie" / "new.gif"))
    assert ticks.settled() == ["movie"]


@pytest.mark.integration
def test_new_answers_ask_for_the_tables_of_answers_of_their_domain(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for a busy machine to look twice.
    monkeypatch.setattr("emovid_assets.orchestration.sensors.SETTLE_S", 120.0)
    for domain in ("sticker", "animation"):
        draw_gif(library / domain / "a.gif")
    answers_and_all_before = "+key:human_annotations or +key:rejected_annotations"
    reports = runner.build(Home(tmp_path), domains=["sticker", "animation"], selection=answers_and_all_before)
    assert all(report.error is None for report in reports)
    with runner.open_instance(Home(tmp_path)) as instance:
        ticks = Ticks(annotation_files, tmp_path, instance)
        assert ticks.settled() == []
        (clip,) = rows(tmp_path, "clips", "sticker")
        answers = library / "annotations" / "answers.csv"
        answers.parent.mkdir()
        answers.write_text(f"clip_id,annotator_id,label\n{clip['clip_id']},ann,accept\n", encoding="utf-8")
        assert ticks.settled() == []  # just written
        old(answers)
        ticks()
        (request,) = ticks().run_requests
        assert request.partition_key == "sticker"
        assert set(request.asset_selection) == {dg.AssetKey("human_annotations"), dg.AssetKey("rejected_annotations")}
        assert ticks.settled() == []


def test_settings_are_observed_once_and_a_faulty_file_is_told_of(tmp_path: Path) -> None:
    ticks, file = Ticks(settings_file, tmp_path), tmp_path / "emovid.toml"
    first = ticks()
    assert len(first.asset_events) > 10
    assert ticks().skip_message == "nothing new"
    file.write_text("[scenes]\nthreshold = 5.0\n[media]\nworkers = 1\n", encoding="utf-8")
    (event,) = ticks().asset_events
    assert (event.asset_key, event.metadata["values"].value["scenes.threshold"]) == (
        dg.AssetKey("scene_settings"),
        5.0,
    )
    file.write_text("[scenes]\nthreshold = -1\n", encoding="utf-8")
    assert "scenes.threshold" in ticks().skip_message


def test_a_failed_run_is_remembered_with_asset_domain_and_sentence(tmp_path: Path) -> None:
    domains = dg.StaticPartitionsDefinition(["movie"])

    @dg.asset(partitions_def=domains)
    def fine() -> None: ...

    @dg.asset(partitions_def=domains, deps=[fine])
    def broken() -> None:
        raise dg.Failure("Nothing works today")

    @dg.asset(partitions_def=domains, deps=[broken])
    def after() -> None: ...

    (sensor,) = [one for one in sensors(dg.DefaultSensorStatus.STOPPED, 5) if one.name == "failed_runs"]
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([fine, broken, after], partition_key="movie", instance=instance, raise_on_error=False)
        event = next(event for event in result.all_events if event.event_type_value == "PIPELINE_FAILURE")
        context = dg.build_run_status_sensor_context(
            "failed_runs",
            event,
            instance,
            result.dagster_run,
            resources={"project": Project(home_folder=str(tmp_path))},
        ).for_run_failure()
        sensor(context)
    store = ItemStore(tmp_path / "state.sqlite")
    (failed,) = store.failed_runs()
    store.close()
    assert (failed.asset, failed.domain, failed.run_id) == ("broken", "movie", result.run_id)
    assert failed.error == "Nothing works today"
