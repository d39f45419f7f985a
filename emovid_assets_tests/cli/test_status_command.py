"""`emovid status` before a build, after it, and after each thing that makes an asset stale."""

import hashlib
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emovid_assets.building.plan import plan
from emovid_assets.building.status import AssetState, asset_states
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import Demo, draw_gif, rows
from emovid_assets_tests.cli.conftest import Call

ANSWERS = "library/annotations/answers.csv"
BUILT = " or ".join(
    f"key:{name}"
    for name in (
        *("source_videos", "scanned_segments", "segments", "clips"),
        *("annotation_tasks", "human_annotations"),
    )
)


def states(home: Path, domain: str = "sticker") -> dict[str, str]:
    return {state.asset: state.state for state in asset_states(Home(home), [domain])}


def built(call: Call, home: Path, selection: str, domain: str = "sticker") -> None:
    done = call("build", "-d", domain, "--select", selection, home=home)
    assert done.exit_code == 0, done.output


def test_before_the_first_build_everything_is_missing(call: Call, tmp_path: Path) -> None:
    found = asset_states(Home(tmp_path))
    assert len(found) == sum(len(DOMAINS) if table.is_partitioned else 1 for table in TABLES.values()) + 2
    assert {(state.state, state.rows, state.quarantined) for state in found} == {("missing", None, 0)}
    lines = call("status", "-d", "animation", home=tmp_path).stdout.splitlines()
    assert lines[0].split() == ["asset", "domain", "rows", "quarantined", "state"]
    assert lines[1].split() == ["wanted_videos", "animation", "missing"]
    assert lines[-1].split() == ["dataset_report", "all", "missing"]
    assert len(lines) == 1 + len(TABLES) + 2


@pytest.mark.parametrize("command", ["status", "plan", "build", "demo"])
def test_a_folder_of_dagster_that_is_none_is_told_in_a_sentence(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("EMOVID_DAGSTER_HOME", str(tmp_path / "none"))
    (tmp_path / "home").mkdir()
    done = call(command, home=tmp_path / "home")
    assert (done.exit_code, "Traceback" in done.output) == (1, False)
    assert "has no dagster.yaml: correct it or unset it" in " ".join(done.stderr.split())


@pytest.mark.integration
def test_a_state_follows_the_library_the_answers_the_parents_and_the_code(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library" / "sticker"
    draw_gif(library / "one.gif")
    (library / "broken.gif").write_text("no picture", encoding="utf-8")
    built(call, tmp_path, BUILT)
    found = {state.asset: state for state in asset_states(Home(tmp_path), ["sticker"])}
    assert found["source_videos"] == AssetState("source_videos", "sticker", 1, 1, "up to date")
    assert found["clips"] == AssetState("clips", "sticker", 1, 0, "up to date")
    assert found["human_annotations"] == AssetState("human_annotations", "sticker", 0, 0, "up to date")
    assert found["colour_attributes"].state == "missing"

    # The same content once more makes nothing stale.
    built(call, tmp_path, "key:source_videos")
    assert states(tmp_path)["scanned_segments"] == "up to date"

    (clip,) = rows(tmp_path, "clips", "sticker")
    answers = tmp_path / ANSWERS
    answers.parent.mkdir()
    answers.write_text(f"clip_id,annotator_id,label\n{clip['clip_id']},ann,awe\n", encoding="utf-8")
    assert states(tmp_path)["human_annotations"] == "stale: the annotation files have changed"
    assert states(tmp_path)["annotation_tasks"] == "up to date"
    answers.unlink()
    assert states(tmp_path)["human_annotations"] == "up to date"

    new = draw_gif(library / "two.gif", (9, 9, 200))
    assert states(tmp_path)["source_videos"] == "stale: the library has changed"
    assert states(tmp_path)["scanned_segments"] == "up to date"
    built(call, tmp_path, "key:source_videos")
    assert states(tmp_path)["source_videos"] == "up to date"
    assert states(tmp_path)["scanned_segments"] == "stale: source_videos has changed"
    built(call, tmp_path, "key:scanned_segments")
    assert states(tmp_path)["scanned_segments"] == "up to date"
    assert states(tmp_path)["clips"] == "stale: scanned_segments has changed; source_videos has changed"

    settings = tmp_path / "emovid.toml"
    settings.write_text("[scenes]\nthreshold = 5.0\n", encoding="utf-8")
    assert states(tmp_path)["scanned_segments"] == "stale: scene_settings has changed"
    assert states(tmp_path)["annotation_tasks"] != "stale: scene_settings has changed"
    settings.write_text("[media]\nworkers = 1\n", encoding="utf-8")
    assert states(tmp_path)["scanned_segments"] == "up to date"

    new.unlink()
    assert states(tmp_path)["source_videos"] == "stale: the library has changed"
    monkeypatch.setattr("emovid_assets.freshness.staleness.CODE_TAG", "a tag of other code")
    assert states(tmp_path)["scanned_segments"] == "stale: its code has changed"


@pytest.mark.integration
def test_manifests_subtitles_and_metadata_beside_the_videos_make_their_sources_stale(
    call: Call, tmp_path: Path
) -> None:
    library = tmp_path / "library" / "sticker"
    draw_gif(library / "one.gif")
    sources = "key:source_videos or key:scanned_segments"
    built(call, tmp_path, sources)
    for name, text, column, value in (
        ("manifest.csv", "path,title\none.gif,Tea\n", "title", "Tea"),
        ("one.srt", "words", "subtitle_sha256", hashlib.sha256(b"words").hexdigest()),
        ("one.srt", None, "subtitle_sha256", None),
    ):
        if text is None:
            (library / name).unlink()
        else:
            (library / name).write_text(text, encoding="utf-8")
        assert states(tmp_path)["source_videos"] == "stale: manifests, subtitles or metadata have changed"
        (planned,) = plan(Home(tmp_path), ["sticker"], "key:scanned_segments")
        assert (planned.state, planned.reason, planned.items) == ("follows", "if source_videos changes", 0)
        built(call, tmp_path, "key:source_videos")
        assert states(tmp_path)["source_videos"] == "up to date"
        assert states(tmp_path)["scanned_segments"] == "stale: source_videos has changed"
        assert rows(tmp_path, "source_videos", "sticker")[0][column] == value
        built(call, tmp_path, "key:scanned_segments")
    metadata = tmp_path / "library" / "movie" / "metadata"
    metadata.mkdir(parents=True)
    built(call, tmp_path, sources, domain="movie")
    (metadata / "clips.csv").write_text("videoid\n", encoding="utf-8")
    assert states(tmp_path, "movie")["source_videos"] == "stale: manifests, subtitles or metadata have changed"


@pytest.mark.integration
def test_a_file_that_is_no_video_makes_the_table_of_the_quarantine_stale(call: Call, tmp_path: Path) -> None:
    library = tmp_path / "library" / "sticker"
    draw_gif(library / "one.gif")
    built(call, tmp_path, "key:source_videos or key:processing_errors")
    os.mkfifo(library / "pipe.gif")
    assert states(tmp_path)["source_videos"] == "stale: the library has changed"
    built(call, tmp_path, "key:source_videos")
    assert states(tmp_path)["processing_errors"] == "stale: the quarantine has changed"
    built(call, tmp_path, "key:processing_errors")
    (row,) = rows(tmp_path, "processing_errors", "sticker")
    assert (row["path"], row["code"]) == ("library/sticker/pipe.gif", "not_a_video")
    assert {states(tmp_path)[name] for name in ("source_videos", "processing_errors")} == {"up to date"}


@pytest.mark.integration
def test_after_the_demo_the_table_of_the_command_is_all_up_to_date(call: Call, demo: Demo) -> None:
    done = call("status", home=demo.home)
    assert done.exit_code == 0
    lines = [line.rstrip() for line in done.stdout.splitlines()[1:]]
    assert all(line.endswith("up to date") for line in lines)
    (sources,) = [line for line in lines if line.split()[:2] == ["source_videos", "movie"]]
    assert sources.split()[2:4] == ["3", "1"]


def test_new_metadata_of_films_makes_the_wanted_videos_stale(call: Call, tmp_path: Path) -> None:
    built(call, tmp_path, "key:wanted_videos")
    assert call("build", "-d", "movie", "--select", "key:wanted_videos", home=tmp_path).exit_code == 0
    folder = tmp_path / "library" / "movie" / "metadata"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clips.csv").write_text(
        "videoid,year,clip_idx,clip_tot,upload_year,title,clip_name,imdbid\n"
        "Sv-BxH3SVS8,2012.0,6,10,2019,Les Misérables,One Day More Scene,tt1707386\n",
        encoding="utf-8",
    )
    found = {
        (state.domain, state.state)
        for state in asset_states(Home(tmp_path), ["movie", "sticker"])
        if state.asset == "wanted_videos"
    }
    assert found == {("movie", "stale: what there is to collect has changed"), ("sticker", "up to date")}


@pytest.mark.integration
def test_a_table_that_lacks_a_column_of_the_registry_is_stale_and_stops_neither_status_nor_plan(
    call: Call, tmp_path: Path
) -> None:
    draw_gif(tmp_path / "library" / "sticker" / "one.gif")
    built(call, tmp_path, BUILT)
    path = Warehouse(tmp_path / "warehouse").path("clips", "sticker")
    older = pq.read_table(path, partitioning=None).drop_columns(["fps"])
    path.unlink()
    pq.write_table(older, path)
    assert states(tmp_path)["clips"] == "stale: its columns have changed"
    planned = {one.asset: one for one in plan(Home(tmp_path), ["sticker"])}
    assert (planned["clips"].state, planned["clips"].reason) == ("stale", "its columns have changed")
