"""Addresses of annotators become pseudonyms wherever others could read them, and who is who stays with the owner."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.annotations import read_annotation_file
from emovid_assets.core.pseudonyms import Pseudonyms
from emovid_assets.freshness.news import answer_versions
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import KeyFileError, pseudonyms
from emovid_assets.people.answers import read_answers
from emovid_assets.people.taking_in import import_files
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


def test_a_key_that_is_lost_is_not_replaced_while_people_are_noted_by_it(home: Home) -> None:
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,fear\n")
    accepted, _ = read(home)
    key = home.annotator_key.read_bytes()
    home.annotator_key.unlink()
    for is_kept in (True, False):
        with pytest.raises(KeyFileError, match="bring the key back from a copy"):
            read(home, is_kept=is_kept)
    assert not home.annotator_key.exists()
    home.annotator_key.write_bytes(key)
    assert read(home)[0] == accepted
    home.annotator_key.unlink()
    home.annotator_addresses.unlink()
    assert read(home)[0][0]["annotator_id"] != accepted[0]["annotator_id"]


def test_a_key_that_cannot_be_read_is_told_of(home: Home) -> None:
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,fear\n")
    home.annotator_key.mkdir(parents=True)
    with pytest.raises(KeyFileError, match=r"key cannot be read \(Is a directory\)"):
        read(home)


@pytest.mark.parametrize(
    "written",
    [
        "jo\u0308rg@example.org",
        "J\u00d6RG@EXAMPLE.ORG",
        "j\u00f6rg\u200b@example.org\ufeff",
        "\u202aj\u00f6rg@example.org\u202c",
        "mailto:j\u00f6rg@example.org.",
        "J\u00f6rg\u00a0<j\u00f6rg@example.org>",
        "j\u00f6rg\uff20example.org",
    ],
)
def test_however_an_address_is_written_it_is_one_person(written: str) -> None:
    people = Pseudonyms(lambda: b"k" * 32)
    assert people.annotator(written) == people.annotator("j\u00f6rg@example.org")
    assert list(people.addresses.values()) == ["j\u00f6rg@example.org"]


def test_a_name_loses_what_nobody_sees_and_nothing_else(home: Home) -> None:
    names = ("Ann\u200b", "\u202aAnn\u202c", "Ann", "\u0645\u06cc\u200c\u0631")
    rows = "".join(f"{CLIPS[0]},{name},fear\n" for name in names)
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{rows}")
    accepted, _ = read(home)
    assert {row["annotator_id"] for row in accepted} == {"Ann", "\u0645\u06cc\u200c\u0631"}


def test_no_message_quotes_an_address_from_another_column(home: Home) -> None:
    answer(
        home,
        "a.csv",
        f"clip_id,annotator_id,label,annotated_at,lead_time_s,eve@x.org\n{CLIPS[0]},bob,fear,ann@x.org,ann@x.org,\n",
    )
    answer(home, "b.csv", "clip_id,label,annotator@x.org\n")
    one = {"clip_id": CLIPS[1], "annotator": "bob", "emotion": "fear", "updated_at": "ann@x.org", "lead_time": "a@x"}
    answer(home, "c.json", json.dumps([one]))
    accepted, rejected = read(home)
    reasons = sorted(row["reason"] for row in rejected if row["reason"] != "too_few_annotators")
    remarks = ["bad_lead_time"] * 2 + ["bad_timestamp"] * 2
    assert (len(accepted), reasons) == (2, [*remarks, "unknown_column", "unreadable_file"])
    assert "@" not in json.dumps(rejected)


def test_a_file_that_is_named_after_an_address_is_known_by_its_pseudonym_and_keeps_its_ending(home: Home) -> None:
    answer(home, "ann@example.org.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,joy\n")
    _, (row,) = read(home)
    assert row["file_path"] == f"library/annotations/{row['annotator_id']}.csv"
    assert "csv" not in home.annotator_addresses.read_text(encoding="utf-8").lower().splitlines()[1]


def test_a_long_word_is_looked_through_once() -> None:
    people = Pseudonyms(lambda: b"k" * 32)
    assert people.hide("@ " + "a" * 200_000).startswith("@ aaa")
    assert people.addresses == {}


def test_a_note_that_a_program_for_tables_has_saved_keeps_everybody(home: Home) -> None:
    with pseudonyms(home) as people:
        people.annotator("ann@example.org")
    written = home.annotator_addresses.read_text(encoding="utf-8")
    home.annotator_addresses.write_bytes(written.replace(",", ";").replace("\n", "\r\n").encode("utf-16"))
    with pseudonyms(home) as people:
        people.annotator("bob@example.org")
    with home.annotator_addresses.open(encoding="utf-8", newline="") as file:
        assert {row["address"] for row in csv.DictReader(file)} == {"ann@example.org", "bob@example.org"}
    home.annotator_addresses.write_text("notes of mine\n", encoding="utf-8")
    with pytest.raises(KeyFileError, match="nobody is noted"), pseudonyms(home) as people:
        people.annotator("eve@example.org")
    assert home.annotator_addresses.read_text(encoding="utf-8") == "notes of mine\n"


def test_a_hidden_file_is_not_taken_because_no_build_would_read_it(home: Home, tmp_path: Path) -> None:
    path = tmp_path / ".mine.csv"
    path.write_text(f"clip_id,annotator_id,label\n{CLIPS[0]},ann,fear\n", encoding="utf-8")
    (report,) = import_files(home, [path])
    assert report.refusal is not None
    assert "give it another name" in report.refusal
    assert not home.annotations.exists()


def test_a_file_that_meets_a_folder_of_its_name_or_is_one_is_refused(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(f"clip_id,annotator_id,label\n{CLIPS[0]},ann,fear\n", encoding="utf-8")
    (home.annotations / path.name).mkdir(parents=True)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    met, is_one = import_files(home, [path, folder])
    assert met.refusal == "a folder of that name is at library/annotations/answers.csv; give the file another name"
    assert is_one.refusal == "the file cannot be read: Is a directory"


def test_a_file_of_another_person_takes_no_place_where_answers_wait_to_be_mended(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    reports = []
    for person, label in (("ben", "Freude"), ("ann", "fear"), ("ben", "awe")):
        path.write_text(f"clip_id,annotator_id,label\n{CLIPS[0]},{person},{label}\n", encoding="utf-8")
        reports += import_files(home, [path])
    waiting, refused, mended = reports
    assert (waiting.rejected, waiting.refusal) == (1, None)
    assert refused.refusal is not None
    assert "answers by ben, who has none in this one" in refused.refusal
    assert (mended.accepted, mended.is_replaced) == (1, True)


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


def test_a_file_is_parsed_once_as_long_as_it_is_the_same_and_people_are_noted_all_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def parse(path: Path, name: str, people: Any) -> Any:
        parsed.append(name)
        return read_annotation_file(path, name, people)

    monkeypatch.setattr("emovid_assets.people.answers.read_annotation_file", parse)
    # The first address makes the key.
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,fear\n")
    read(home)
    parsed.clear()
    first, again = read(home), read(home)
    assert parsed == ["library/annotations/a.csv"]
    assert first == again
    home.annotator_addresses.unlink()
    read(home)
    assert "ann@example.org" in home.annotator_addresses.read_text(encoding="utf-8")
    answer(home, "a.csv", f"clip_id,annotator_id,label\n{CLIPS[0]},ann@example.org,awe\n{CLIPS[1]},bob,awe\n")
    answer(home, "b.csv", f"clip_id,annotator_id,label\n{CLIPS[1]},eve,fear\n")
    assert {(row["annotator_id"], row["label"]) for row in read(home)[0]} == {
        (first[0][0]["annotator_id"], "awe"),
        ("bob", "awe"),
        ("eve", "fear"),
    }
    assert len(parsed) == 3
    # Another key, other pseudonyms.
    home.annotator_key.unlink()
    home.annotator_addresses.unlink()
    assert first[0][0]["annotator_id"] not in {row["annotator_id"] for row in read(home)[0]}
