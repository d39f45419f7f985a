"""Addresses of annotators become pseudonyms wherever others could read them, and who is who stays with the owner."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.pseudonyms import Pseudonyms
from emovid_assets.freshness.news import answer_versions
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import KeyFileError, pseudonyms
from emovid_assets.people.answers import read_answers
from emovid_assets.people.files import import_files
from emovid_assets.resources.warehouse import Warehouse, content_hash
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.planted_tables import plant, valid_row

CLIPS = [f"movie-00000000000000aa-{start:08d}-{start + 5000:08d}" for start in (0, 5000)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    plant(tmp_path, "clips", [valid_row("clips", number, clip_id=name) for number, name in enumerate(CLIPS)])
    return Home(tmp_path)


def answer(home: Home, name: str, text: str) -> None:
    home.annotations.mkdir(parents=True, exist_ok=True)
    (home.annotations / name).write_text(text, encoding="utf-8")


def read(home: Home, **options: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    warehouse = Warehouse(home.warehouse)
    return read_answers(
        home,
        "movie",
        clips=warehouse.read("clips", "movie"),
        annotation_tasks=warehouse.read("annotation_tasks", "movie"),
        label_annotators=3,
        **options,
    )


def export(clip_id: str, address: str, label: str) -> str:
    """Label Studio's, of one answer."""
    result = {"from_name": "emotion", "type": "choices", "value": {"choices": [label]}}
    annotation = {"completed_by": {"id": 1, "email": address}, "result": [result]}
    return json.dumps([{"data": {"clip_id": clip_id}, "annotations": [annotation]}])


def test_a_home_with_addresses_keeps_every_answer_and_every_person(home: Home) -> None:
    answer(
        home,
        "ann@example.org.csv",
        "clip_id,annotator_id,label\n"
        f"{CLIPS[0]},ann@example.org,fear\n{CLIPS[1]},Ann <ANN@example.org>,awe\n{CLIPS[0]},bob,awe\n"
        f"{CLIPS[0]},eve@lab,joy\n{CLIPS[0]}@x.org,eve@lab,fear\n",
    )
    answer(home, "export.json", export(CLIPS[1], "ann@example.org", "sadness"))
    accepted, rejected = read(home)
    with home.annotator_addresses.open(encoding="utf-8", newline="") as file:
        known = {row["address"]: row["annotator_id"] for row in csv.DictReader(file)}
    ann = known["ann@example.org"]
    assert ann.startswith("annotator-")
    assert {(row["clip_id"], row["annotator_id"]) for row in accepted} == {
        (CLIPS[0], ann),
        (CLIPS[1], ann),
        (CLIPS[0], "bob"),
    }
    assert len({known["eve@lab"], ann}) == 2
    assert "@" not in json.dumps([accepted, rejected], default=str)
    assert {row["reason"]: row["annotator_id"] for row in rejected} == {
        "superseded": ann,
        "unknown_label": known["eve@lab"],
        "unknown_clip": known["eve@lab"],
        "too_few_annotators": rejected[-1]["annotator_id"],
    }
    assert read(home) == (accepted, rejected)


def test_only_the_owner_can_read_who_is_who(home: Home) -> None:
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,fear\n")
    previous = os.umask(0)
    try:
        read(home)
    finally:
        os.umask(previous)
    paths = (home.annotator_key.parent, home.annotator_key, home.annotator_addresses)
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o700, 0o600, 0o600]
    assert not home.annotator_key.is_relative_to(home.warehouse)
    assert "ann@example.org" not in home.annotator_key.read_text(encoding="ascii")


def test_whoever_only_looks_leaves_nothing_and_sees_what_a_build_would_make(home: Home) -> None:
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,fear\n")
    before = answer_versions(home, "movie")
    assert not home.annotator_key.parent.exists()
    accepted, _ = read(home)
    version = content_hash(TABLES["human_annotations"].from_rows(accepted))
    assert before["human_annotations"] != version
    assert answer_versions(home, "movie")["human_annotations"] == version


def test_a_home_without_addresses_needs_no_key(home: Home) -> None:
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann,fear\n")
    ((row,), _) = read(home)
    assert (row["annotator_id"], home.annotator_key.parent.exists()) == ("ann", False)


def test_a_name_in_both_normal_forms_is_one_person(home: Home) -> None:
    rows = f"{CLIPS[0]},Rene\u0301,fear\n{CLIPS[0]},Ren\u00e9,fear\n"
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{rows}")
    accepted, _ = read(home)
    assert [row["annotator_id"] for row in accepted] == ["Ren\u00e9"]


def test_a_key_that_is_none_is_told_of_and_never_replaced(home: Home) -> None:
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,fear\n")
    home.annotator_key.parent.mkdir()
    home.annotator_key.write_text("half", encoding="ascii")
    with pytest.raises(KeyFileError, match="bring it back from a copy"):
        read(home)
    assert home.annotator_key.read_text(encoding="ascii") == "half"


def test_what_an_import_says_holds_no_address(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "eve@example.org.csv"
    path.write_text(f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,ann@example.org\n", encoding="utf-8")
    (report,) = import_files(home, [path])
    assert (report.accepted, report.rejected) == (0, 1)
    assert "@" not in str(report)
    path.write_text("clip_id,label\n", encoding="utf-8")
    (report,) = import_files(home, [path])
    assert report.refusal is not None
    assert "@" not in str(report)


def test_a_note_of_who_is_who_grows_and_loses_nobody(home: Home) -> None:
    for address in ("ann@example.org", "bob@example.org"):
        with pseudonyms(home) as people:
            people.annotator(address)
    with home.annotator_addresses.open(encoding="utf-8", newline="") as file:
        assert {row["address"] for row in csv.DictReader(file)} == {"ann@example.org", "bob@example.org"}


people = st.from_regex(r"\A[a-z0-9.+_-]{1,12}@[a-z0-9-]{1,8}(\.[a-z]{2,4})?\Z")


@given(people, people, st.text(max_size=20).filter(lambda text: "@" not in text))
def test_pseudonyms_are_one_to_one_and_no_address_is_left_in_a_text(one: str, other: str, around: str) -> None:
    known = Pseudonyms(lambda: b"k" * 32)
    first, second = known.annotator(one), known.annotator(other)
    assert (first == second) == (one == other)
    assert known.annotator(f"  {one.upper()} ".strip()) == first
    assert "@" not in known.hide(f"{around} {one} {around}")
    assert Pseudonyms(lambda: b"o" * 32).annotator(one) != first
