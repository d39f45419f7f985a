"""The document of Croissant: that it says everything, and only what the vocabularies know.

That mlcroissant reads all of it is proved in `test_read_everywhere.py`.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from emovid_assets.core.release.croissant import CroissantFacts, as_json, croissant
from emovid_assets.core.release.croissant_rai import LISTS, TEXTS, checked, statements
from emovid_assets.core.release.parts import Split
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.release import RELEASE_CLIPS
from emovid_assets_tests.release.released import croissant_facts

SUMS = {"train/metadata.parquet": "1" * 64, "tables/human_annotations.parquet": "2" * 64, "clips.csv": "3" * 64}


def facts(**other: Any) -> CroissantFacts:
    splits = [Split("train", 3, 1, {".webm": "movie/x.webm"}), Split("unused", 0)]
    return replace(croissant_facts(splits, SUMS), **other)


def record_set(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for one in document["recordSet"] if one["name"] == name)
    return dict(found)


def test_every_column_is_described_with_its_unit_and_words() -> None:
    fields = {field["name"]: field for field in record_set(croissant(facts()), "clips")["field"]}
    assert list(fields) == list(RELEASE_CLIPS.column_names)
    for column in RELEASE_CLIPS.columns:
        described = fields[column.name]["description"]
        assert column.meaning in described
        assert column.unit is None or f"[{column.unit}]" in described
        assert all(word in described for word in column.vocabulary or ())
    assert fields["frame_count"]["dataType"] == "sc:Integer"
    assert fields["caption_frame_pts_s"]["dataType"] == "sc:Float"
    assert fields["caption_frame_pts_s"]["repeated"] is True
    assert "repeated" not in fields["start_s"]
    assert fields["split"]["references"] == {"field": {"@id": "splits/name"}}
    assert fields["emotion"]["references"] == {"field": {"@id": "emotions/name"}}


def test_every_reference_is_to_something_that_is_there() -> None:
    document = croissant(facts())
    ids: set[str] = set()
    asked: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "@id" in node:
                (ids if "@type" in node else asked).add(node["@id"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk({name: value for name, value in document.items() if name != "@context"})
    assert asked <= ids


def test_the_splits_are_those_with_rows() -> None:
    found = record_set(croissant(facts()), "splits")
    assert found["dataType"] == "cr:Split"
    assert found["data"] == [{"splits/name": "train", "splits/url": "cr:TrainingSplit", "splits/clip_count": 3}]
    assert croissant(facts())["distribution"][0]["includes"] == ["train/metadata.parquet"]


def test_the_eight_emotions_are_an_enumeration() -> None:
    found = record_set(croissant(facts()), "emotions")
    assert found["dataType"] == "sc:Enumeration"
    assert len(found["data"]) == 8
    assert found["data"][6] | {"emotions/definition": ""} == {
        "emotions/name": "fear",
        "emotions/polarity": "negative",
        "emotions/valence": 2.93,
        "emotions/arousal": 6.14,
        "emotions/definition": "",
    }


def test_single_files_have_their_sums() -> None:
    sums = {entry["@id"]: entry["sha256"] for entry in croissant(facts())["distribution"] if "contentUrl" in entry}
    assert sums == {**SUMS, "release": "ab" * 32}


def test_videos_are_of_the_suffixes_that_there_are() -> None:
    (videos,) = (one for one in croissant(facts())["distribution"] if one["@id"] == "clip-videos")
    assert videos["includes"] == ["train/*/*.webm"]
    assert videos["encodingFormat"] == ["video/webm"]


def test_without_media_there_is_no_set_of_videos() -> None:
    document = croissant(facts(splits=[Split("train", 3)]))
    assert {one["name"] for one in document["recordSet"]} == {"clips", "splits", "emotions", "human_annotations"}
    assert "clip-videos" not in json.dumps(document)


def test_answers_of_people_are_there_where_the_release_has_them() -> None:
    fields = record_set(croissant(facts()), "human_annotations")["field"]
    assert [field["name"] for field in fields] == list(TABLES["human_annotations"].column_names)
    without = croissant(facts(annotations=None))
    assert "human_annotations" not in {one["name"] for one in without["recordSet"]}


def test_the_address_is_a_name_until_somebody_has_pushed_it() -> None:
    assert croissant(facts())["url"] == f"urn:sha256:{'ab' * 32}"
    assert croissant(facts(url="https://example.org/emovid"))["url"] == "https://example.org/emovid"


def test_the_same_facts_give_the_same_bytes_and_no_number_that_json_lacks() -> None:
    assert as_json(croissant(facts())) == as_json(croissant(facts()))
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"x": float("nan")})


def test_all_of_responsible_ai_is_said_under_its_own_names() -> None:
    said = croissant(facts())
    names = {name.removeprefix("rai:") for name in said if name.startswith("rai:")}
    assert names == {*TEXTS, *LISTS} - {"dataCollectionTimeFrame"}
    assert said["rai:annotationsPerItem"] == "three people"
    assert all(isinstance(said[f"rai:{name}"], str) for name in names & set(TEXTS))
    assert all(isinstance(said[f"rai:{name}"], list) for name in names & set(LISTS))
    assert "dataDataManipulationProtocol" not in json.dumps(said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dataBiasses": ["x"]}, "dataBiasses: no property of the RAI vocabulary"),
        ({"annotationsPerItem": 3}, "rai:annotationsPerItem is one text, not 3"),
        ({"dataBiases": "x"}, "rai:dataBiases is a list of texts, not 'x'"),
        ({"dataCollection": ["x"]}, "rai:dataCollection is one text"),
    ],
)
def test_what_nobody_else_would_notice_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        checked(given)


def test_what_is_empty_is_left_out() -> None:
    said = statements(machine_tools=[], annotators_per_clip="three", languages="English")
    assert "rai:machineAnnotationTools" not in checked(said)
