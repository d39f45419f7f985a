"""The YAML of a release: which files are which split, licences, sizes, the questions of a gate."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.release.card_yaml import CardFacts, data_files, front_matter, size_category
from emovid_assets.core.release.parts import Split, splits_of

TRAIN = Split("train", 5, 3, {".mp4": "movie/x.mp4", ".webm": "movie/y.webm"})
BENCHMARK = Split("benchmark", 2)
FACTS = CardFacts("EmoVid: of “here”", [TRAIN], ["cc-by-4.0"], "as-each-clip-says")


def read(facts: CardFacts) -> dict[str, Any]:
    before, text, after = front_matter(facts).split("---\n")
    assert (before, after) == ("", "")
    said: dict[str, Any] = yaml.safe_load(text)
    return said


def paths(*splits: Split) -> dict[str, Any]:
    said = read(replace(FACTS, splits=splits))
    (config,) = said["configs"]
    assert config["config_name"] == "default"
    return {entry["split"]: entry["path"] for entry in config["data_files"]}


ITS_OWN = ["train/metadata.parquet", "train/*/*.mp4"]
BORROWING = ["benchmark/metadata.parquet", "train/movie/x.mp4"]


def test_a_split_with_media_is_its_rows_and_what_datasets_knows_as_videos() -> None:
    assert paths(TRAIN) == {"train": ITS_OWN}


def test_a_split_without_any_medium_borrows_one_or_datasets_would_take_it_for_parquet() -> None:
    assert paths(BENCHMARK, TRAIN) == {"benchmark": BORROWING, "train": ITS_OWN}


def test_webm_is_nothing_that_datasets_knows_as_video() -> None:
    webm = replace(BENCHMARK, files={".webm": "movie/y.webm"})
    assert paths(webm, TRAIN)["benchmark"] == BORROWING
    assert paths(webm) == {"benchmark": "benchmark/metadata.parquet"}


def test_without_any_medium_all_splits_are_parquet() -> None:
    without = replace(TRAIN, files={})
    assert paths(without, BENCHMARK) == {"train": "train/metadata.parquet", "benchmark": "benchmark/metadata.parquet"}


def test_a_split_without_rows_is_none() -> None:
    assert paths(TRAIN, Split("unused", 0)) == {"train": ITS_OWN}
    with pytest.raises(ValueError, match="without a clip"):
        data_files([Split("unused", 0)])


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=4))
def test_every_split_with_rows_is_read_by_the_same_reader(counts: list[tuple[int, bool]]) -> None:
    splits = [
        Split(f"s{number}", count, count, {".mp4": "movie/x.mp4"} if has_media and count else {})
        for number, (count, has_media) in enumerate(counts)
    ]
    if not any(split.clip_count for split in splits):
        return
    found = data_files(splits)
    assert [split.name for split, _ in found] == [split.name for split in splits if split.clip_count]
    has_videos = any(split.files for split in splits)
    for split, said in found:
        patterns = [said] if isinstance(said, str) else said
        assert patterns[0] == f"{split.name}/metadata.parquet"
        holds_a_video = bool(split.files) or any(pattern.endswith(".mp4") for pattern in patterns)
        assert holds_a_video is has_videos


def test_splits_are_counted_with_a_file_of_each_suffix() -> None:
    rows = [("train", "b.mp4"), ("train", None), ("train", "a.mp4"), ("train", "c.webm"), ("benchmark", None)]
    assert splits_of(rows) == (
        Split("train", 4, 3, {".mp4": "b.mp4", ".webm": "c.webm"}),
        Split("benchmark", 1, 0, {}),
    )


@pytest.mark.parametrize(
    ("licences", "said"),
    [
        (["cc-by-4.0", "cc-by-4.0"], {"license": "cc-by-4.0"}),
        *(
            (licences, {"license": "other", "license_name": "as-each-clip-says", "license_link": "LICENSE.md"})
            for licences in (["cc-by-4.0", "mit"], ["other"], [])
        ),
    ],
)
def test_one_licence_is_named_and_several_are_other(licences: list[str], said: dict[str, str]) -> None:
    found = read(replace(FACTS, hub_licences=licences))
    assert {name: value for name, value in found.items() if name.startswith("license")} == said


@pytest.mark.parametrize(
    ("count", "word"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (22_758, "10K<n<100K"),
        (999_999_999, "100M<n<1B"),
        (10**9, "1B<n<10B"),
    ],
)
def test_sizes_are_the_words_of_the_hub(count: int, word: str) -> None:
    assert size_category(count) == word


def test_what_hubs_look_for_is_said() -> None:
    said = read(FACTS)
    assert said["pretty_name"] == "EmoVid: of “here”"
    assert said["task_categories"] == ["text-to-video", "image-to-video", "video-classification"]
    assert said["language"] == ["en"]
    assert said["annotations_creators"] == ["crowdsourced", "machine-generated"]
    assert read(replace(FACTS, label_sources=["vlm"]))["annotations_creators"] == ["machine-generated"]


def test_the_questions_of_a_gate_are_of_kinds_that_the_hub_knows() -> None:
    said = read(FACTS)
    assert "non-commercial" in said["extra_gated_prompt"]
    for field in said["extra_gated_fields"].values():
        kind = field["type"] if isinstance(field, dict) else field
        assert kind in ("text", "checkbox", "date_picker", "country", "select")
    assert not any(name.startswith("extra_gated") for name in read(replace(FACTS, is_gated=False)))
