"""`generated_videos` in the graph: from the demo's benchmark to rows, what a plan says before, what makes it stale."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from PIL import Image

from emovid_assets.assets import generated
from emovid_assets.building import runner
from emovid_assets.building.plan import plan
from emovid_assets.building.status import asset_states
from emovid_assets.checks.proofs import proofs
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.sensors import brought_files
from emovid_assets.resources.generation.brought import Brought
from emovid_assets.resources.generation.stage import Stage
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.project import Project
from emovid_assets.resources.quarantine import quarantined
from emovid_assets_tests.assets.homes import DEMO_SETTINGS, Demo, all_rows, errors_of, rows
from emovid_assets_tests.generation.homes import generator, write_settings
from emovid_assets_tests.generation.studies import video
from emovid_assets_tests.generation.test_imported import film
from emovid_assets_tests.orchestration.test_sensors import Ticks, old

pytestmark = pytest.mark.integration
Tiny = Callable[[str], Path]
ASSET = "key:generated_videos"
OTHERS = DEMO_SETTINGS.replace("[annotation]", "\n[annotation]")


def test_without_generators_and_files_the_table_is_empty_and_nothing_is_to_be_made(demo: Demo) -> None:
    assert all_rows(demo.home, "generated_videos") == []
    (place, *_), home = [one for one in plan(Home(demo.home)) if one.asset == "generated_videos"], demo.home
    assert (place.state, place.items) == ("up to date", None)
    assert not (home / "media" / "generated").exists()


@pytest.fixture
def home(demo: Demo, tmp_path: Path) -> Path:
    """A copy of the demo with Dagster's own state."""
    return Path(shutil.copytree(demo.home, tmp_path / "home"))


def built(home: Path, **options: Any) -> None:
    assert errors_of(list(runner.build(Home(home), selection=ASSET, **options))) == []


def planned(home: Path) -> dict[str, tuple[str, int | None, bool]]:
    return {
        str(one.domain): (one.state, one.items, one.seconds is not None)
        for one in plan(Home(home))
        if one.asset == "generated_videos"
    }


def test_each_generator_has_a_sheet_of_its_own_in_the_order_of_emotions(tmp_path: Path) -> None:
    made = [
        video(name, prompt, video_path=f"{name}-{prompt}.mp4", origin="run", task="t2v")
        for name in ("wan", "cog")
        for prompt in (3, 1, 2)
    ]
    for row in made:
        Image.new("RGB", (64, 48)).save(tmp_path / row["video_path"].replace(".mp4", ".jpg"))
    sheets: list[list[str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generated, "contact_sheet", lambda _, paths, captions: sheets.append(captions))
        shown = generated._shown(Project(home_folder=str(tmp_path)), Stage("movie", Brought()), made)
    assert [name for name in shown if "middle" in name] == ["middle frames: cog t2v", "middle frames: wan t2v"]
    assert sheets == [[EMOTION_NAMES[number] for number in (1, 2, 3)]] * 2


def test_the_line_of_a_build_says_what_a_generator_lacks_and_what_comes_otherwise_than_asked() -> None:
    stage = Stage(
        "movie", Brought(), lacking=["stick: no characters yet"], remarks=["wan: 5 frames where 6 are asked for."]
    )
    told = generated._told(stage, [])
    assert told == {"missing": "stick: no characters yet. wan: 5 frames where 6 are asked for."}
    assert generated._told(Stage("movie", Brought()), []) == {}


def test_videos_of_two_generators_and_a_character_come_out_of_the_benchmark(home: Path, tiny_generator: Tiny) -> None:
    characters = home / "library" / "characters"
    characters.mkdir(parents=True)
    Image.new("RGBA", (30, 50), (200, 40, 40, 255)).save(characters / "block.png")
    models = (
        generator("wan", tiny_generator("wan_t2v"), frames=8),
        generator("wan", tiny_generator("cogvideox_i2v"), "i2v"),
        generator("stick", tiny_generator("cogvideox_i2v"), "i2v", prompts="characters", is_trial=False),
    )
    write_settings(home, *models, more=OTHERS)
    benchmark = {row["clip_id"]: row for row in all_rows(home, "benchmark_split") if row["split"] == "benchmark"}
    per_domain = Counter(row["domain"] for row in benchmark.values())
    wanted = {domain: 2 * per_domain[domain] + (8 if domain == "sticker" else 0) for domain in DOMAINS}
    assert planned(home) == {domain: ("stale", wanted[domain], False) for domain in DOMAINS}
    built(home)
    found = all_rows(home, "generated_videos")
    assert Counter(row["domain"] for row in found) == wanted
    assert planned(home) == dict.fromkeys(DOMAINS, ("up to date", 0, True))
    for row in found:
        assert file_sha256(home / row["video_path"]) == row["sha256"]
        assert (row["origin"], row["frame_count"]) == ("run", 9)
        assert row["requested_frame_count"] == (8 if row["task"] == "t2v" else 9)
        assert row["is_trial"] == (row["generator"] == "wan")
        if row["generator"] == "wan":
            source = benchmark[row["clip_id"]]
            assert (row["prompt"], row["asked_emotion"]) == (source["prompt"], source["emotion"])
            assert row["first_frame_path"] == (source["first_frame_path"] if row["task"] == "i2v" else None)
        if row["task"] == "i2v":
            assert row["first_frame_sha256"] == file_sha256(home / row["first_frame_path"])
    proved = {one.name: one for one in proofs(Home(home))}
    assert proved["generated videos"].checked == len(found)
    assert {name: one.faults for name, one in proved.items() if one.faults} == {}
    stickers = [row for row in found if row["generator"] == "stick"]
    assert sorted(row["asked_emotion"] for row in stickers) == sorted(EMOTION_NAMES)
    assert {(row["domain"], row["character"], row["clip_id"]) for row in stickers} == {("sticker", "block.png", None)}
    # A second seed of one generator: the plan knows how many and, from those made, how long.
    write_settings(home, {**models[0], "seeds": [0, 1]}, *models[1:], more=OTHERS)
    assert planned(home) == {domain: ("stale", per_domain[domain], True) for domain in DOMAINS}


def test_files_that_people_bring_make_the_table_of_their_domain_stale_and_become_rows(home: Path) -> None:
    (clip, *others) = [row for row in rows(home, "benchmark_split", "movie") if row["split"] == "benchmark"]
    with runner.open_instance(Home(home)) as instance:
        ticks = Ticks(brought_files, home, instance)
        assert ticks.settled() == []
        old(film(home / "library" / "generated" / "vc2" / f"{clip['clip_id']}.mp4"))
        old(film(home / "library" / "generated" / "vc2" / "movie" / "holiday.webm", "libvpx-vp9"))
        ticks()
        (request,) = ticks().run_requests
        assert (request.partition_key, request.asset_selection) == ("movie", [dg.AssetKey("generated_videos")])
        assert ticks.settled() == []
    stale = {one.domain: one.state for one in asset_states(Home(home)) if one.asset == "generated_videos"}
    assert stale == {
        "movie": "stale: brought videos or characters have changed",
        "animation": "up to date",
        "sticker": "up to date",
    }
    built(home, domains=["movie"])
    (row,) = all_rows(home, "generated_videos")
    assert (row["generator"], row["task"], row["origin"], row["clip_id"]) == ("vc2", "t2v", "imported", clip["clip_id"])
    assert (row["prompt"], row["seed"], row["model_id"], row["adapters"]) == (clip["prompt"], 0, None, [])
    assert row["video_path"] == f"library/generated/vc2/{clip['clip_id']}.mp4"
    store = ItemStore(home / "state.sqlite")
    told = {one.path: one for one in quarantined(store, "movie") if one.step == "imported_videos"}
    store.close()
    assert {path: one.code for path, one in told.items()} == {
        "library/generated/vc2/movie/holiday.webm": "video_extra",
        "library/generated/vc2/t2v/movie": "video_missing",
    }
    said = f"vc2: {len(others)} of {len(others) + 1} clips of the benchmark have no video: "
    assert told["library/generated/vc2/t2v/movie"].message.startswith(said)
    assert planned(home)["movie"] == ("up to date", 0, True)
    assert row["is_trial"] is False
    write_settings(home, more=f'{OTHERS}\n[generation]\ntrial_imports = ["vc2"]\n')
    built(home, domains=["movie"])
    (marked,) = all_rows(home, "generated_videos")
    assert marked == row | {"is_trial": True}


def test_a_damaged_video_is_made_again(home: Path, tiny_generator: Tiny) -> None:
    write_settings(home, generator("a", tiny_generator("cogvideox_t2v"), domains=["animation"]), more=OTHERS)
    built(home)
    row, *_ = rows(home, "generated_videos", "animation")
    (home / row["video_path"]).write_bytes(b"")
    assert planned(home)["animation"][:2] == ("stale", 1)
    built(home)
    assert file_sha256(home / row["video_path"]) == row["sha256"]
    # Other bytes of the same size are no news for a build; a proof finds them.
    data = bytearray((home / row["video_path"]).read_bytes())
    data[-1] ^= 1
    (home / row["video_path"]).write_bytes(data)
    assert planned(home)["animation"][:2] == ("up to date", 0)
    (proof,) = [one for one in proofs(Home(home), repair=True) if one.name == "generated videos"]
    assert proof.faults == [f"{row['video_path']}: other bytes than were read"]
    built(home)
    assert file_sha256(home / row["video_path"]) == row["sha256"]
    # Out of the settings it loses its rows and keeps its films, which a proof counts and leaves.
    count = len(rows(home, "generated_videos", "animation"))
    write_settings(home, more=OTHERS)
    built(home)
    (proof,) = [one for one in proofs(Home(home), repair=True) if one.name == "generated videos"]
    assert (proof.checked, proof.faults) == (0, [])
    assert proof.note == f"{count} more that no row names: in media/generated/a, until you delete them"
    assert (home / row["video_path"]).is_file()


def test_a_build_names_a_generator_that_does_not_run_once_and_keeps_the_rows_of_others(
    home: Path, tiny_generator: Tiny
) -> None:
    good = generator("good", tiny_generator("cogvideox_t2v"), domains=["animation"])
    bad = generator("bad", home / "gone", domains=["animation"], seeds=[0, 1, 2])
    write_settings(home, good, bad, more=OTHERS)
    text = (home / "emovid.toml").read_text().replace("max_quarantined_share = 1.0", "max_quarantined_share = 0.5")
    (home / "emovid.toml").write_text(text)
    reports = list(runner.build(Home(home), selection=ASSET, domains=["animation"]))
    assert errors_of(reports) == []
    (report,) = [one for stage in reports for one in stage.assets if one.asset == "generated_videos"]
    assert report.rows
    assert report.missing.count("there is no model_index.json") == 1
    assert report.missing.startswith(f"{3 * report.rows} videos of bad t2v not made: ")
    assert {row["generator"] for row in rows(home, "generated_videos", "animation")} == {"good"}
