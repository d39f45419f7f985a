"""Collecting as a person or a schedule does it: the command, the job, the table, and the build after it."""

import csv
from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets.resources.collection.collect import collect
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import build, errors_of, rows
from emovid_assets_tests.cli.conftest import Call, call
from emovid_assets_tests.collection.homes import movie_home, settings
from emovid_assets_tests.collection.servers import serving
from emovid_assets_tests.collection.sticker_services import KEY, Services, sticker
from emovid_assets_tests.collection.test_movies import DASHED, GONE, PLAIN, VideoHost, host
from emovid_assets_tests.media.films import film_to_serve
from emovid_assets_tests.sql.planting import SQL_FOLDER

__all__ = ["call", "host"]


def test_the_command_says_what_it_would_do_does_it_and_says_what_came(
    call: Call, tmp_path: Path, host: VideoHost
) -> None:
    host.status = {GONE: 404}
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED, PLAIN, GONE])
        dry = call("collect", "--domain", "movie", "--dry-run", home=home.root)
        assert (dry.exit_code, server.asked) == (0, [])
        assert "movie  3 due" in dry.output
        first = call("collect", "-d", "movie", "--limit", "1", home=home.root)
        assert "1 of 3 due tried" in first.output
        assert "the budget of this run is spent" in first.output
        rest = call("collect", "-d", "movie", home=home.root)
    assert rest.exit_code == 0, rest.output
    assert "2 of 2 due tried" in rest.output
    lines = [line.split() for line in rest.output.splitlines()]
    assert ["present", "2"] in lines
    assert ["unavailable", "1"] in lines
    assert "next: emovid build" in rest.output


def test_the_command_shows_no_key(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIPY_API_KEY", KEY + "x")
    services = Services()
    with serving(services) as server:
        home = Home(tmp_path / "home")
        settings(home, klipy_url=f"{server.url}/v2", allowed_hosts=(server.host,), request_pause_s=0)
        told = call("collect", "-d", "sticker", home=home.root).output
        dry = call("collect", "-d", "sticker", "--dry-run", home=home.root).output
    assert "refuses the key in KLIPY_API_KEY" in told
    assert "80 words, up to 50 stickers each" in dry
    assert "0123456789" not in told + dry


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("collect", "--from", "x", "-d", "movie"), "--from is for animations"),
        (("collect", "-d", "cartoon"), "'cartoon' is not a domain"),
        (("collect", "--limit", "-1"), "--limit"),
    ],
)
def test_wrong_arguments_are_named(call: Call, arguments: tuple[str, ...], said: str) -> None:
    done = call(*arguments)
    assert done.exit_code != 0
    assert said in done.output


def test_animations_come_from_a_folder_that_the_command_names(call: Call, tmp_path: Path) -> None:
    source = tmp_path / "set"
    source.mkdir()
    (source / "a.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    (source / "manifest.csv").write_text("path,region\na.mp4,Japan\n", encoding="utf-8")
    done = call("collect", "--from", str(source), home=tmp_path / "home")
    assert "animation  1 fetched" in done.output
    assert "movie" not in done.output


def test_an_empty_home_is_told_what_is_missing_in_every_domain(call: Call) -> None:
    done = call("collect", "--dry-run")
    assert done.exit_code == 0
    assert all(word in done.output for word in (*DOMAINS, "CSV files of Condensed Movies", "KLIPY_API_KEY", "--from"))


def test_the_job_collects_a_domain_and_shows_what_came(tmp_path: Path, host: VideoHost) -> None:
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED, PLAIN])
        definitions = build_defs(resource_overrides={"project": Project(home_folder=str(home.root))})
        job = definitions.resolve_job_def("collect_sources")
        config = {"ops": {"collect_domain": {"config": {"max_items": 1}}}}
        with dg.DagsterInstance.ephemeral() as instance:
            done = job.execute_in_process(instance=instance, partition_key="movie", run_config=config)
    (event,) = [event for event in done.all_events if event.event_type_value == "STEP_OUTPUT"]
    shown = {name: value.value for name, value in event.step_output_data.metadata.items()}
    assert {"fetched": 1, "due": 2, "now_present": 1, "now_wanted": 1}.items() <= shown.items()


def test_building_assets_downloads_nothing_and_shows_what_is_wanted(tmp_path: Path, host: VideoHost) -> None:
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED, PLAIN], {DASHED: 12})
        reports = build(home.root, domains=["movie"], selection="key:wanted_videos")
        assert server.asked == []
    assert errors_of(reports) == []
    found = {row["external_id"]: row for row in rows(home.root, "wanted_videos", "movie")}
    assert {name: row["status"] for name, row in found.items()} == {DASHED: "wanted", PLAIN: "wanted"}
    assert (found[DASHED]["film_id"], found[DASHED]["film_position"], found[DASHED]["trim_s"]) == ("tt1707386", 1, 12.0)


@pytest.mark.integration
def test_a_collected_film_is_trimmed_and_keeps_its_origin_to_the_catalogue(tmp_path: Path) -> None:
    host = VideoHost(film_to_serve(tmp_path / "film.mp4", 52, cuts=(200, 400, 650, 900)))
    with serving(host) as server:
        home = movie_home(tmp_path / "home", server, [DASHED], {DASHED: 20})
        collect(home, "movie")
    reports = build(
        home.root,
        domains=["movie"],
        selection="key:clips or key:segments or key:scanned_segments or key:source_videos or key:clip_facts",
    )
    assert errors_of(reports) == []
    (source,) = rows(home.root, "source_videos", "movie")
    assert (source["external_id"], source["film_id"], source["film_position"]) == (DASHED, "tt1707386", 1)
    assert (source["trim_s"], source["origin"]) == (20.0, "condensed_movies")
    assert source["duration_s"] > 50
    segments = rows(home.root, "segments", "movie")
    assert 20.0 <= max(segment["end_s"] for segment in segments) < 20.05
    with open_catalogue(home.root, SQL_FOLDER) as connection:
        found = connection.execute(
            "select distinct origin, license, attribution, terms_url from clip_catalogue"
        ).fetchall()
    ((origin, license_, attribution, terms_url),) = found
    assert (origin, license_) == ("condensed_movies", "no licence granted; non-commercial research")
    assert "Condensed Movies" in attribution
    assert terms_url.startswith("https://")


def test_stickers_of_a_table_have_every_column_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emovid_assets.resources.collection.collect import wanted_rows

    monkeypatch.setenv("KLIPY_API_KEY", KEY)
    services = Services({"amusement": ["fun"]}, {"fun": sticker("fun")})
    with serving(services) as server:
        services.bind(server)
        home = Home(tmp_path / "home")
        settings(home, klipy_url=f"{server.url}/v2", allowed_hosts=(server.host,), request_pause_s=0, pause_s=0)
        collect(home, "sticker")
        source = tmp_path / "set"
        source.mkdir()
        (source / "manifest.csv").write_text("path\na.mp4\n", encoding="utf-8")
        collect(home, "animation", sources=[str(source)])
    for domain in ("sticker", "animation"):
        assert TABLES["wanted_videos"].from_rows(wanted_rows(home, domain)).num_rows == 1
    with (home.collected("sticker") / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["path"] for row in csv.DictReader(stream)] == ["klipy-fun.gif"]
