"""Which clips a family is trained on: those of the training split alone, at its rate, as often as settings say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.splits import leaks, prompt_of, split_clips
from emovid_assets.core.tuning.families import FAMILIES
from emovid_assets.core.tuning.rows import NO_FILE, NOT_ASKED_FOR, TOO_SHORT, TrainingClip, set_rows, training_clips
from emovid_assets_tests.assets.homes import rows
from emovid_assets_tests.sql.planting import plant
from emovid_assets_tests.tuning.materialising import materialise_sets

ONCE = {"movie": 1, "animation": 1, "sticker": 1}


def clip(name: str, domain: str = "movie", seconds: float | None = 10.0, size: tuple[int, int] = (1920, 1080)) -> Any:
    return TrainingClip(name, domain, f"group of {name}", f"A {name}.", seconds, *size)


def counts(family: str, *clips: TrainingClip) -> dict[str, int]:
    found, _ = set_rows(clips, FAMILIES[family], ONCE)
    return {row["clip_id"]: row["frame_count"] for row in found}


def test_a_clip_has_as_many_frames_as_fit_at_the_rate_of_its_family() -> None:
    clips = [clip("long"), clip("exact", seconds=81 / 16), clip("short", seconds=4.0), clip("hair", seconds=80.9 / 16)]
    # 64 ticks of four seconds are 61 of 4k + 1; a last picture that is shown for most of a tick fills it.
    assert counts("wan", *clips) == {"long": 81, "exact": 81, "short": 61, "hair": 81}
    assert counts("hunyuanvideo", *clips) == {"long": 129, "exact": 121, "short": 93, "hair": 121}
    assert counts("cogvideox", *clips) == {"long": 49, "exact": 41, "short": 25, "hair": 41}


def test_a_sticker_is_as_long_as_its_family_wants_it_and_anything_else_as_long_as_it_is() -> None:
    short = [clip("sticker", "sticker", 0.5), clip("animation", "animation", 0.5)]
    assert counts("wan", *short) == {"sticker": 81, "animation": 5}


def test_what_is_no_more_than_a_still_is_left_out_and_why_is_told() -> None:
    clips = [
        clip("a", "animation", 0.25),
        clip("b", "animation", 4 / 16 + 0.002),
        clip("c", "movie", None),
        clip("d", "sticker", 0.1),
    ]
    found, left_out = set_rows(clips, FAMILIES["wan"], {**ONCE, "sticker": 0})
    assert [row["clip_id"] for row in found] == ["b"]
    assert left_out == {("animation", TOO_SHORT): 1, ("movie", NO_FILE): 1, ("sticker", NOT_ASKED_FOR): 1}


def test_each_clip_goes_to_the_bucket_of_its_shape() -> None:
    shapes = {"wide": (1920, 800), "tall": (720, 1280), "square": (300, 300), "old": (640, 480), "phone": (480, 640)}
    found, _ = set_rows([clip(name, size=size) for name, size in shapes.items()], FAMILIES["wan"], ONCE)
    assert {row["clip_id"]: (row["width_px"], row["height_px"]) for row in found} == {
        "wide": (832, 480),
        "tall": (480, 832),
        "square": (624, 624),
        "old": (720, 544),
        "phone": (544, 720),
    }


def test_repeats_are_those_of_the_domain_and_weights_sum_to_one() -> None:
    clips = [clip("a"), clip("b"), clip("c", "sticker")]
    found, _ = set_rows(clips, FAMILIES["wan"], {"movie": 1, "animation": 1, "sticker": 3})
    assert {row["clip_id"]: row["repeats"] for row in found} == {"a": 1, "b": 1, "c": 3}
    assert [row["weight"] for row in found] == [pytest.approx(0.2), pytest.approx(0.2), pytest.approx(0.6)]


def planted(count: int, domain: str, group_size: int = 3) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "clip_id": f"{domain}-{number:04d}",
            "domain": domain,
            "emotion": ("anger", "awe")[number % 2],
            "label_source": "human",
            "group_id": f"{domain}-group-{number // group_size}",
            "caption": f"A thing\u2028of  {number}.\n",
        }


def test_only_clips_of_the_training_split_are_taken_and_movies_up_to_their_limit() -> None:
    labelled = [*planted(300, "movie"), *planted(90, "sticker")]
    split = split_clips(labelled, per_cell=5, train_limit={"movie": 100})
    sizes = [{"clip_id": one["clip_id"], "width_px": 640, "height_px": 360} for one in labelled]
    lengths = [{"clip_id": one["clip_id"], "duration_s": 8.0} for one in labelled]
    chosen = training_clips(split, sizes, lengths)
    assert [one.clip_id for one in chosen] == sorted(row["clip_id"] for row in split if row["split"] == "train")
    assert sum(one.domain == "movie" for one in chosen) == 100
    assert leaks(split) == []
    tested = {row["group_id"] for row in split if row["split"] == "benchmark"}
    assert tested
    assert not tested & {one.group_id for one in chosen}
    assert chosen == training_clips(reversed(split), reversed(sizes), reversed(lengths))


def test_captions_are_the_prompts_of_the_benchmark_on_one_line() -> None:
    split = [{"clip_id": "a", "domain": "movie", "split": "train", "group_id": "g", "emotion": "awe"}]
    hostile = "\ufeffA dog\r\nruns,\u2028then\x0bsits\x1c\x85down\u200b."
    split[0]["prompt"] = prompt_of(hostile, "awe")
    (found,) = training_clips(split, [{"clip_id": "a", "width_px": 2, "height_px": 2}], [])
    assert found.caption == 'A dog runs, then sits down. The video is in the "awe" emotion.'


def test_the_asset_has_a_set_of_every_family_from_all_domains(tmp_path: Path) -> None:
    plant_split(tmp_path)
    materialise_sets(tmp_path)
    found = rows(tmp_path, "training_sets")
    assert {row["set_id"] for row in found} == set(FAMILIES)
    wan = {row["clip_id"]: row for row in found if row["set_id"] == "wan"}
    assert {name: (row["frame_count"], row["fps"]) for name, row in wan.items()} == {
        "animation-a": (61, 16.0),
        "movie-a": (61, 16.0),
        "sticker-a": (81, 16.0),
    }
    assert wan["movie-a"]["caption"] == "The movie-a."


def plant_split(home: Path) -> None:
    for domain in ("movie", "animation", "sticker"):
        for name, split in (("a", "train"), ("b", "benchmark"), ("c", "unused")):
            one = {"clip_id": f"{domain}-{name}", "domain": domain}
            plant_more(home, "benchmark_split", {**one, "split": split, "prompt": f"The {domain}-{name}."})
            plant_more(home, "clips", {**one, "width_px": 640, "height_px": 360})
            plant_more(home, "clip_media", {**one, "duration_s": 4.0})


def plant_more(home: Path, table: str, row: dict[str, Any]) -> None:
    plant(home, table, [*rows(home, table, row["domain"]), row])
