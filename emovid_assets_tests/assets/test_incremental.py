"""A second build computes only what is new, forgets what is gone, and copes with nothing and with too much."""

from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest
from PIL import Image

from emovid_assets.building import runner
from emovid_assets.building.status import library_notes
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse, content_hash
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import (
    Demo,
    all_rows,
    build,
    copy_of,
    draw_gif,
    errors_of,
    report_of,
    rows,
)
from emovid_assets_tests.media.holes import with_damage
from emovid_assets_tests.media.making import beeps, scenery, write_video
from emovid_assets_tests.planted_tables import plant, valid_row

pytestmark = pytest.mark.integration

MEDIA = "+key:clip_media or +key:colour_attributes or +key:captions"


def paths(home: Path, domain: str = "sticker") -> list[str]:
    return [row["path"].removeprefix(f"library/{domain}/") for row in rows(home, "source_videos", domain)]


def computed(home: Path, **options: object) -> dict[str, int]:
    """How many items each step of the stickers computed."""
    reports = build(home, domains=["sticker"], selection=MEDIA, **options)
    assert errors_of(reports) == []
    return {one.asset: one.computed for report in reports for one in report.assets if one.computed is not None}


def test_only_a_new_file_is_computed_and_a_file_that_is_gone_leaves_no_row(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    before = {row["clip_id"]: row for row in rows(home, "colour_attributes", "sticker")}
    new = draw_gif(home / "library/sticker/awe/new.gif")
    assert computed(home) == {"source_videos": 1, "scanned_segments": 1, "clip_media": 1}
    (added,) = [row for row in rows(home, "source_videos", "sticker") if row["path"].endswith("new.gif")]
    assert added["intended_emotion"] == "awe"
    (clip,) = [row for row in rows(home, "clips", "sticker") if row["source_id"] == added["source_id"]]
    assert (clip["frame_count"], clip["duration_s"]) == (5, pytest.approx(0.5))
    after = {row["clip_id"]: row for row in rows(home, "colour_attributes", "sticker")}
    assert {name: row for name, row in after.items() if name != clip["clip_id"]} == before

    new.unlink()
    assert computed(home) == {"source_videos": 0, "scanned_segments": 0, "clip_media": 0}
    for table in ("source_videos", "segments", "clips", "clip_media", "colour_attributes", "clip_features", "captions"):
        now = Warehouse(home / "warehouse").read(table, "sticker")
        assert content_hash(now) == content_hash(Warehouse(demo.home / "warehouse").read(table, "sticker")), table


def test_a_file_that_moves_or_is_there_twice_is_not_computed_again(tmp_path: Path) -> None:
    library = tmp_path / "library" / "sticker"
    draw_gif(library / "b.gif")
    draw_gif(library / "c.gif", (10, 200, 40))
    assert computed(tmp_path) == {"source_videos": 2, "scanned_segments": 2, "clip_media": 2}
    (library / "c.gif").rename(library / "fear.gif")
    (library / "a.gif").write_bytes((library / "b.gif").read_bytes())
    assert computed(tmp_path) == {"source_videos": 0, "scanned_segments": 0, "clip_media": 0}
    assert sorted(paths(tmp_path)) == ["a.gif", "fear.gif"]
    duplicates = {tuple(row["duplicate_paths"]) for row in rows(tmp_path, "source_videos", "sticker")}
    assert duplicates == {("library/sticker/b.gif",), ()}

    # What was lost or asked for anew is made again, and nothing else.
    (media, _) = rows(tmp_path, "clip_media", "sticker")
    (tmp_path / media["media_path"]).unlink()
    assert computed(tmp_path) == {"source_videos": 0, "scanned_segments": 0, "clip_media": 1}
    (tmp_path / "emovid.toml").write_text("[scenes]\nframe_stride = 2\n", encoding="utf-8")
    assert computed(tmp_path) == {"source_videos": 0, "scanned_segments": 2, "clip_media": 0}
    assert {row["sampled_frame_count"] for row in rows(tmp_path, "colour_attributes", "sticker")} == {3}


def test_other_cut_settings_read_a_film_again_but_do_not_compare_its_frames_again(tmp_path: Path) -> None:
    frames = [scenery(scene, index) for scene in range(2) for index in range(120)]
    film = tmp_path / "library/movie/film.mov"
    film.parent.mkdir(parents=True)
    write_video(film, frames)

    def cuts() -> list[int]:
        assert errors_of(build(tmp_path, domains=["movie"], selection="+key:segments")) == []
        return [row["start_frame"] for row in rows(tmp_path, "segments", "movie")]

    assert cuts() == [0, 120]
    (kept,) = (tmp_path / "frame_changes/movie").iterdir()
    written = kept.stat()
    (tmp_path / "emovid.toml").write_text("[scenes]\nmin_content_value = 250\nframe_stride = 5\n", encoding="utf-8")
    assert cuts() == [0]
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_a_quarantined_file_is_tried_again_only_when_asked_or_when_it_has_changed(tmp_path: Path) -> None:
    library = tmp_path / "library" / "sticker"
    draw_gif(library / "good.gif")
    (library / "bad.gif").write_text("no picture", encoding="utf-8")
    selection = "+key:source_videos or key:processing_errors"

    def attempts() -> list[tuple[str, int]]:
        return [(row["path"], row["attempt_count"]) for row in rows(tmp_path, "processing_errors", "sticker")]

    for retry, expected in ((False, 1), (False, 1), (True, 2)):
        reports = build(tmp_path, domains=["sticker"], selection=selection, retry_quarantined=retry)
        assert report_of(reports, "source_videos", "sticker").quarantined == 1
        assert attempts() == [("library/sticker/bad.gif", expected)]
    draw_gif(library / "bad.gif", (0, 0, 250))
    reports = build(tmp_path, domains=["sticker"], selection=selection)
    sources = report_of(reports, "source_videos", "sticker")
    assert (sources.rows, sources.computed, sources.quarantined) == (2, 1, 0)
    assert attempts() == []


def test_a_library_of_mostly_bad_files_fails_loudly_and_leaves_the_other_domains_alone(tmp_path: Path) -> None:
    for number in range(3):
        bad = tmp_path / "library" / "movie" / f"bad-{number}.mp4"
        bad.parent.mkdir(parents=True, exist_ok=True)
        bad.write_text(f"no film {number}", encoding="utf-8")
    draw_gif(tmp_path / "library" / "movie" / "good.gif")
    draw_gif(tmp_path / "library" / "sticker" / "good.gif")
    movie, sticker = build(
        tmp_path, domains=["movie", "sticker"], selection="key:source_videos or key:scanned_segments"
    )
    assert movie.error is not None
    sentence = "3 of 4 items of probe [movie] failed, more than media.max_quarantined_share = 0.5 allows. First: "
    assert movie.error.startswith(f"source_videos: {sentence}library/movie/bad-")
    assert "Traceback" not in movie.error
    assert movie.assets == []
    assert sticker.error is None
    assert [one.rows for one in sticker.assets] == [1, 1]

    (tmp_path / "emovid.toml").write_text("[media]\nmax_quarantined_share = 0.75\n", encoding="utf-8")
    (movie,) = build(tmp_path, domains=["movie"], selection="key:source_videos")
    assert (movie.error, movie.assets[0].rows, movie.assets[0].quarantined) == (None, 1, 3)


def test_a_home_without_any_library_builds_and_every_table_is_empty(tmp_path: Path) -> None:
    reports = build(tmp_path)
    assert errors_of(reports) == []
    assert {check.check for report in reports for check in report.failed_checks} == {"cells_are_full"}
    assert not any(check.is_error for report in reports for check in report.failed_checks)
    for name, table in TABLES.items():
        for domain in DOMAINS if table.is_partitioned else (None,):
            assert Warehouse(tmp_path / "warehouse").exists(name, domain)
            assert rows(tmp_path, name, domain) == []
    assert (tmp_path / "catalogue.duckdb").is_file()


def test_a_clip_file_has_its_pictures_hashed_once_and_one_that_cannot_be_read_is_quarantined(tmp_path: Path) -> None:
    def hashed() -> int | None:
        reports = build(tmp_path, domains=["sticker"], selection="+key:clip_fingerprints")
        assert errors_of(reports) == []
        return report_of(reports, "clip_fingerprints", "sticker").computed

    library = tmp_path / "library" / "sticker"
    for number, name in enumerate("abc"):
        draw_gif(library / f"{name}.gif", (40 * number, 90, 200))
    assert hashed() == 3
    before = {row["clip_id"]: row for row in rows(tmp_path, "clip_fingerprints", "sticker")}
    assert {row["picture_count"] for row in before.values()} == {5}
    # The same bytes again, another file, and one that has been damaged since: its row is that of the file as written.
    (one, other, _) = rows(tmp_path, "clip_media", "sticker")
    (tmp_path / one["media_path"]).unlink()
    draw_gif(library / "d.gif", (200, 200, 0))
    assert hashed() == 1
    assert before.items() <= {row["clip_id"]: row for row in rows(tmp_path, "clip_fingerprints", "sticker")}.items()
    plant(tmp_path, "clip_media", [one, {**other, "sha256": "0" * 64}], "sticker")
    (tmp_path / other["media_path"]).write_bytes(b"no film")
    reports = build(tmp_path, domains=["sticker"], selection="key:clip_fingerprints or key:processing_errors")
    assert report_of(reports, "clip_fingerprints", "sticker").quarantined == 1
    (error,) = rows(tmp_path, "processing_errors", "sticker")
    assert (error["asset"], error["item_id"], error["code"]) == ("clip_fingerprints", other["clip_id"], "not_a_video")


def test_without_annotations_everything_else_is_built_and_the_message_says_what_is_missing(tmp_path: Path) -> None:
    draw_gif(tmp_path / "library" / "sticker" / "awe" / "one.gif")
    reports = build(tmp_path, domains=["sticker"])
    assert errors_of(reports) == []
    missing = report_of(reports, "emotion_labeller", None).missing
    assert missing is not None
    assert "at least 16 human-labelled clips" in missing
    assert "library/annotations/" in missing
    assert report_of(reports, "vlm_labels", "sticker").missing == "no labeller has been trained yet"
    count = {name: len(all_rows(tmp_path, name)) for name, table in TABLES.items() if table.is_partitioned}
    built = ("source_videos", "scanned_segments", "segments", "clips", "clip_media")
    built += ("colour_attributes", "clip_features", "clip_fingerprints", "captions")
    built += ("clip_embeddings", "annotation_tasks", "clip_facts")
    assert {name for name, rows_there in count.items() if rows_there} == set(built)
    # The emotion it was collected under is no label until a person has confirmed it.
    assert {row["purpose"] for row in all_rows(tmp_path, "annotation_tasks")} == {"verify", "validate"}
    assert rows(tmp_path, "emotion_labeller") == []


def test_a_rule_that_does_not_hold_stops_the_table_and_what_is_downstream(tmp_path: Path) -> None:
    # A clip of another domain in the partition makes tasks of another domain.
    plant(tmp_path, "source_videos", [])
    plant(tmp_path, "clips", [valid_row("clips", 0, "animation")])
    plant(tmp_path, "human_annotations", [])
    (report,) = build(tmp_path, domains=["movie"], selection="key:annotation_tasks or key:human_labels")
    assert report.assets == []
    (failed,) = [check for check in report.failed_checks if check.is_error]
    assert (failed.asset, failed.check, failed.domain) == ("annotation_tasks", "values_are_valid", "movie")
    assert "rows of another domain than movie" in failed.details
    assert "rows of another domain than movie" in str(report.error)
    for name in ("annotation_tasks", "human_labels"):
        assert not Warehouse(tmp_path / "warehouse").exists(name, "movie")


def test_a_label_outside_the_vocabulary_is_stopped_by_the_type_before_it_is_written(tmp_path: Path) -> None:
    plant(tmp_path, "annotation_tasks", [])
    answers = [valid_row("human_annotations", number, clip_id="c", purpose="label", label="joy") for number in range(3)]
    plant(tmp_path, "human_annotations", answers)
    (report,) = build(tmp_path, domains=["movie"], selection="key:human_labels")
    assert report.assets == []
    assert "emotion" in str(report.error)
    assert not Warehouse(tmp_path / "warehouse").exists("human_labels", "movie")


def test_the_folder_of_a_media_centre_builds_its_film_without_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "library" / "movie"
    folder.mkdir(parents=True)
    write_video(folder / "film.mp4", [scenery(0, index) for index in range(50)], codec="libx264", pix_fmt="yuv420p")
    for name in ("poster.jpg", "fanart.jpg", "Thumbs.db", "film.idx", "film.sub", "other.mp4.part", "film.nfo"):
        (folder / name).write_bytes(name.encode())
    Image.new("RGB", (16, 24)).save(folder / "film-poster.png")
    (folder.parent / "movies").mkdir()
    (report,) = runner.build(Home(tmp_path), domains=["movie"], selection="key:source_videos")
    with runner.open_instance(Home(tmp_path)) as instance:
        (made,) = instance.fetch_materializations(dg.AssetKey("source_videos"), limit=1).records
        logged = [entry.user_message for entry in instance.all_logs(report.run_id)]
    assert (report.error, [one.quarantined for one in report.assets]) == (None, [0])
    assert paths(tmp_path, "movie") == ["film.mp4"]
    assert made.asset_materialization is not None
    assert made.asset_materialization.metadata["side_files"].value == {
        "picture": 3,
        "subtitle": 2,
        "text": 1,
        "partial download": 1,
        "system file": 1,
    }
    told = "3 pictures, 2 subtitles, 1 text, 1 partial download, 1 system file"
    assert report.assets[0].side_files == told
    assert any(told in message for message in logged)
    assert any("is library/movie meant?" in message for message in logged)
    assert library_notes(Home(tmp_path), ["movie"])[0] == f"library/movie: beside the media {told}"


def test_sound_that_cannot_be_decoded_is_told_and_costs_neither_the_film_nor_its_clip(tmp_path: Path) -> None:
    folder = tmp_path / "library" / "animation"
    folder.mkdir(parents=True)
    frames = [scenery(0, index) for index in range(100)]
    whole = write_video(
        tmp_path / "whole.mp4", frames, codec="libx264", pix_fmt="yuv420p", sound=beeps(4.0, 1.0), sound_codec="aac"
    )
    with_damage(whole, folder / "film.mp4", 1.5, 2.5)
    (report,) = runner.build(
        Home(tmp_path),
        domains=["animation"],
        selection="key:source_videos or key:scanned_segments or key:segments or key:clips",
    )
    told = {one.asset: (one.quarantined, one.damaged_sound_tracks) for one in report.assets}
    assert (report.error, told["scanned_segments"]) == (None, (0, 1))
    with runner.open_instance(Home(tmp_path)) as instance:
        logged = [entry.user_message for entry in instance.all_logs(report.run_id)]
    assert any("library/animation/film.mp4: " in message and "cannot be decoded" in message for message in logged)
    (clip,) = pq.read_table(tmp_path / "warehouse" / "clips" / "domain=animation").to_pylist()
    assert clip["has_audio"]
    assert clip["sound_missing_s"] == pytest.approx(1.0, abs=0.1)


def test_a_library_that_is_gone_as_a_whole_is_not_forgotten_unless_its_domain_is_named(tmp_path: Path) -> None:
    """A disk that is not mounted looks like a library without files."""
    drawn = draw_gif(tmp_path / "library" / "sticker" / "awe" / "one.gif")
    assert errors_of(build(tmp_path, selection="key:source_videos")) == []
    drawn.unlink()
    (failure,) = errors_of(build(tmp_path, selection="key:source_videos"))
    assert "library/sticker/ is empty or gone, and 1 files were in it. Is the disk mounted?" in failure
    assert "emovid build -d sticker" in failure
    assert len(rows(tmp_path, "source_videos", "sticker")) == 1
    assert errors_of(build(tmp_path, domains=["sticker"], selection="key:source_videos")) == []
    assert rows(tmp_path, "source_videos", "sticker") == []


def test_what_was_never_built_in_a_domain_is_told_and_empties_no_table(tmp_path: Path) -> None:
    draw_gif(tmp_path / "library" / "sticker" / "a.gif")
    before = "key:source_videos or key:scanned_segments or key:segments or key:clips"
    assert errors_of(build(tmp_path, domains=["sticker"], selection=before)) == []
    (tmp_path / "warehouse" / "scanned_segments" / "domain=sticker" / "part-0.parquet").unlink()
    (report,) = build(tmp_path, domains=["sticker"], selection="key:segments or key:clips")
    assert "scanned_segments was never built in sticker" in str(report.error)
    assert "--select '+key:scanned_segments+'" in str(report.error)
    assert [len(rows(tmp_path, name, "sticker")) for name in ("segments", "clips")] == [1, 1]
