"""The round trip with annotators: tasks out, answers in, and nothing that gives the answer away."""

import csv
import errno
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.core.label_studio import label_screen, verify_screen
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import build, errors_of, rows
from emovid_assets_tests.cli.conftest import Call
from emovid_assets_tests.planted_tables import plant, valid_row

MOVIE, STICKER, UNSEEN = (
    "movie-00000000000000aa-00000000-00005000",
    "sticker-00000000000000bb-00000000-00001000",
    "sticker-00000000000000cc-00000000-00001000",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A movie clip to label and to validate, a sticker to verify and to validate, and a clip without a file."""
    home = tmp_path / "home"

    def task(clip_id: str, purpose: str, people: int, intended: str | None) -> dict[str, Any]:
        return {
            "clip_id": clip_id,
            "domain": clip_id.split("-")[0],
            "purpose": purpose,
            "required_annotators": people,
            "intended_emotion": intended,
        }

    for domain, clip_ids in {"movie": [MOVIE], "sticker": [STICKER, UNSEEN]}.items():
        plant(home, "clips", [valid_row("clips", n, domain, clip_id=name) for n, name in enumerate(clip_ids)], domain)
    for clip_id in (MOVIE, STICKER):
        domain = clip_id.split("-")[0]
        path = f"media/clips/{domain}/{clip_id}.mp4"
        plant(home, "clip_media", [valid_row("clip_media", 0, domain, clip_id=clip_id, media_path=path)], domain)
    plant(home, "annotation_tasks", [task(MOVIE, "label", 3, None), task(MOVIE, "validate", 3, None)], "movie")
    sticker_tasks = [task(STICKER, "verify", 1, "disgust"), task(STICKER, "validate", 3, "disgust")]
    plant(home, "annotation_tasks", [*sticker_tasks, task(UNSEEN, "verify", 1, "fear")], "sticker")
    return home


def exported(call: Call, home: Path, *arguments: str) -> Path:
    folder = home.parent / "out [1]"
    done = call("annotate", "export", str(folder), *arguments, home=home)
    assert done.exit_code == 0, done.output
    assert str(folder) in done.stdout
    return folder


def test_half_an_export_is_taken_back_and_a_second_try_finds_its_folder_empty(
    call: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = home.parent / "out [1]"
    with monkeypatch.context() as patched:
        patched.setattr("emovid_assets.people.files.page", fail)
        assert isinstance(call("annotate", "export", str(folder), home=home).exception, OSError)
    assert list(folder.iterdir()) == []
    exported(call, home)


def tasks_in(folder: Path, purpose: str) -> list[dict[str, Any]]:
    return json.loads((folder / f"label-studio-{purpose}.json").read_text(encoding="utf-8"))


def table_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def filled_in(path: Path, target: Path, answers: list[tuple[str, str]]) -> Path:
    """The exported CSV with a row per (annotator, label), under another name."""
    (row,) = table_in(path)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerows({**row, "annotator_id": name, "label": label} for name, label in answers)
    return target


def test_a_task_holds_the_clip_and_its_file_and_those_that_cannot_be_shown_are_left_out(call: Call, home: Path) -> None:
    folder = exported(call, home)
    assert tasks_in(folder, "label") == [
        {
            "data": {
                "video": f"/data/local-files/?d=clips/movie/{MOVIE}.mp4",
                "clip_id": MOVIE,
                "purpose": "label",
            }
        }
    ]
    assert [task["data"]["clip_id"] for task in tasks_in(folder, "validate")] == [MOVIE, STICKER]
    assert [task["data"]["clip_id"] for task in tasks_in(folder, "verify")] == [STICKER]
    names = {path.name for path in folder.iterdir()}
    people = {"label": 3, "validate": 3, "verify": 1}
    assert names == {
        *("screen-label.xml", "screen-verify.xml", "how-to-answer.html"),
        *(f"label-studio-{purpose}.json" for purpose in people),
        *(f"{purpose}-{number}.csv" for purpose, count in people.items() for number in range(1, count + 1)),
    }


def said(home: Path, *people: str) -> None:
    answers = [
        valid_row("human_annotations", 0, clip_id=MOVIE, purpose="label", annotator_id=name, label=label)
        for name, label in zip(people, HUMAN_CHOICES, strict=False)
    ]
    plant(home, "human_annotations", answers)


def test_a_disagreement_has_files_of_its_own_until_one_more_person_has_answered(call: Call, home: Path) -> None:
    task = {"clip_id": MOVIE, "domain": "movie", "purpose": "label", "intended_emotion": None}
    plant(home, "annotation_tasks", [{**task, "required_annotators": 4}])
    said(home, "bob", "ann", "cem")
    folder = exported(call, home, "-d", "movie")
    assert [task["data"] for task in tasks_in(folder, "adjudicate")] == [
        {"video": f"/data/local-files/?d=clips/movie/{MOVIE}.mp4", "clip_id": MOVIE, "purpose": "label"}
    ]
    (row,) = table_in(folder / "adjudicate-1.csv")
    assert (row["clip_id"], row["purpose"], row["label"]) == (MOVIE, "label", "")
    assert row["answered_by"] == "ann bob cem"
    assert not re.search("|".join(EMOTION_NAMES), (folder / "adjudicate-1.csv").read_text(encoding="utf-8"))
    assert not (folder / "label-1.csv").exists()

    said(home, "bob", "ann", "cem", "dee")
    shutil.rmtree(folder)
    done = call("annotate", "export", str(folder), "-d", "movie", home=home)
    assert (done.exit_code, done.stderr) == (1, "error every annotation task has its answers; run: emovid build\n")
    assert not folder.exists()


def test_the_exported_tables_have_every_column_of_an_answer(call: Call, home: Path) -> None:
    (row,) = table_in(exported(call, home) / "label-1.csv")
    answer = set(TABLES["human_annotations"].column_names)
    assert answer - {"domain"} <= set(row)


def test_only_a_verification_names_the_emotion_that_the_sticker_was_collected_for(call: Call, home: Path) -> None:
    folder = exported(call, home)
    for purpose in ("label", "validate"):
        for name in (f"label-studio-{purpose}.json", f"{purpose}-1.csv"):
            text = (folder / name).read_text(encoding="utf-8")
            assert "intended" not in text
            assert not re.search("|".join(EMOTION_NAMES), text)
    assert tasks_in(folder, "verify")[0]["data"]["intended_emotion"] == "disgust"
    assert table_in(folder / "verify-1.csv")[0]["intended_emotion"] == "disgust"


def test_one_domain_can_be_exported_by_itself(call: Call, home: Path) -> None:
    folder = exported(call, home, "-d", "movie")
    assert [task["data"]["clip_id"] for task in tasks_in(folder, "validate")] == [MOVIE]
    assert not (folder / "verify-1.csv").exists()


def test_without_tasks_the_export_says_what_to_build(call: Call, tmp_path: Path) -> None:
    done = call("annotate", "export", str(tmp_path / "out"), home=tmp_path)
    assert done.exit_code == 1
    assert done.stderr == "error there are no annotation tasks yet; run: emovid build\n"
    assert not (tmp_path / "out").exists()


def test_the_exported_tables_filled_in_come_back_as_labels(call: Call, home: Path) -> None:
    folder = exported(call, home)
    movies = filled_in(
        folder / "label-1.csv",
        folder / "people.csv",
        [("ann", "awe"), ("bob", "awe"), ("cem", "fear"), ("dee", "joy"), ("ann", "awe")],
    )
    stickers = filled_in(folder / "verify-1.csv", folder / "stickers.csv", [("ann", "Yes")])
    done = call("annotate", "import", str(movies), str(stickers), home=home)
    assert done.exit_code == 3, done.output
    assert done.stdout.splitlines() == [
        "library/annotations/people.csv: 3 accepted, 2 rejected",
        "        1 superseded",
        "          line 2: The same answer stands in row 5 of",
        "            library/annotations/people.csv, which counts: nothing needs to be",
        "            done.",
        "        1 unknown_label",
        "          line 5: `label` is 'joy', no answer to purpose 'label': use one of",
        "            amusement, awe, contentment, excitement, anger, disgust, fear,",
        "            sadness, no_specific_emotion.",
        "library/annotations/stickers.csv: 1 accepted, 0 rejected",
    ]
    selection = "key:human_annotations or key:rejected_annotations or key:human_labels"
    assert errors_of(build(home, domains=["movie", "sticker"], selection=selection)) == []
    (movie,) = rows(home, "human_labels", "movie")
    assert (movie["clip_id"], movie["emotion"], movie["agree_count"]) == (MOVIE, "awe", 2)
    (sticker,) = rows(home, "human_labels", "sticker")
    assert (sticker["clip_id"], sticker["emotion"], sticker["outcome"]) == (STICKER, "disgust", "agreed")
    rejected = {row["reason"]: row for row in rows(home, "rejected_annotations", "movie")}
    assert set(rejected) == {"unknown_label", "superseded"}
    assert (rejected["unknown_label"]["annotator_id"], rejected["unknown_label"]["row_number"]) == ("dee", 4)


def test_faults_are_told_from_the_first_line_to_the_last_whatever_domains_the_rows_are_of(
    call: Call, home: Path
) -> None:
    file = home.parent / "answers.csv"
    lines = [f"{clip_id},ann,{label}" for clip_id, label in ((STICKER, "joy"), (MOVIE, "glee"), (UNSEEN, "woe"))]
    file.write_text("\n".join(["clip_id,annotator_id,label", *lines]), encoding="utf-8")
    done = call("annotate", "import", str(file), home=home)
    assert re.findall(r"line (\d): `label` is '(\w+)'", done.stdout) == [("2", "joy"), ("3", "glee"), ("4", "woe")]


def test_what_label_studio_exports_of_our_tasks_is_read(call: Call, home: Path) -> None:
    folder = exported(call, home)
    (task,) = tasks_in(folder, "label")
    screen = ElementTree.fromstring((folder / "screen-label.xml").read_text(encoding="utf-8"))
    control = screen.find(".//Choices")
    assert control is not None
    task["annotations"] = [
        {
            "completed_by": {"id": number, "email": f"person-{number}@example.org"},
            "was_cancelled": False,
            "updated_at": "2026-11-20T10:00:00Z",
            "result": [
                {
                    "from_name": control.get("name"),
                    "to_name": control.get("toName"),
                    "type": "choices",
                    "value": {"choices": [choice.get("alias")]},
                }
            ],
        }
        for number, choice in enumerate(control)
    ]
    file = folder / "export.json"
    file.write_text(json.dumps([task]), encoding="utf-8")
    done = call("annotate", "import", str(file), home=home)
    assert done.stdout == "library/annotations/export.json: 9 accepted, 0 rejected\n"


def test_answers_are_never_overwritten(call: Call, home: Path) -> None:
    file = home.parent / "answers.csv"
    file.write_text(f"clip_id,annotator_id,label\n{MOVIE},ann,awe\n", encoding="utf-8")
    for _ in range(2):
        assert call("annotate", "import", str(file), home=home).exit_code == 0
    kept = home / "library" / "annotations" / "answers.csv"
    before = kept.read_bytes()
    file.write_text(f"clip_id,annotator_id,label\n{MOVIE},ann,fear\n", encoding="utf-8")
    done = call("annotate", "import", str(file), home=home)
    assert done.exit_code == 1
    assert done.stderr == (
        "error library/annotations/answers.csv is not taken, and nothing of it is kept: a file of that name is there "
        f"with 1 answers that this one does not have, the first by ann: 'awe' for {MOVIE} (label); give the new file "
        "another name\n"
    )
    assert kept.read_bytes() == before
    assert [path.name for path in kept.parent.iterdir()] == ["answers.csv"]


@pytest.mark.parametrize(
    ("name", "told"), [("answers.xlsx", "CSV files or Label Studio JSON exports"), (None, "no such")]
)
def test_a_file_that_cannot_be_imported_is_refused(call: Call, tmp_path: Path, name: str | None, told: str) -> None:
    file = tmp_path / (name or "absent.csv")
    if name:
        file.write_bytes(b"x")
    done = call("annotate", "import", str(file), home=tmp_path)
    assert done.exit_code == 1
    assert told in done.stderr
    assert not (tmp_path / "library").exists()


def test_nothing_is_kept_of_an_unreadable_file_and_the_mended_one_is_taken_under_its_name(
    call: Call, home: Path
) -> None:
    file = home.parent / "answers.csv"
    header, kept = "clip_id;annotator_id;label\n", home / "library" / "annotations" / "answers.csv"
    file.write_text(f"clip_id;label\n{MOVIE};fear\n", encoding="utf-16")
    done = call("annotate", "import", str(file), home=home)
    assert (done.exit_code, done.stdout, kept.exists()) == (1, "", False)
    assert "nothing of it is kept: The table cannot be read: the header has no column `annotator_id`" in done.stderr

    file.write_text(f'{header}{MOVIE};ann;No Specific Emotion\n{MOVIE};bob;"fear\n', encoding="utf-16")
    done = call("annotate", "import", str(file), home=home)
    assert done.exit_code == 3
    assert done.stdout.splitlines()[0] == "library/annotations/answers.csv: 1 accepted, 1 rejected"
    assert "line 3 is no CSV (it never ends)" in done.stdout

    file.write_text(f"{header}{MOVIE};ann;no_specific_emotion\n{MOVIE};bob;FEAR\n", encoding="utf-16")
    done = call("annotate", "import", str(file), home=home)
    told = "library/annotations/answers.csv: 2 accepted, 0 rejected (in place of the one before)\n"
    assert (done.exit_code, done.stdout) == (0, told)
    assert kept.read_bytes() == file.read_bytes()


def test_named_people_have_a_file_each_without_what_they_have_answered(call: Call, home: Path) -> None:
    said(home, "ann")
    folder = exported(call, home, "-d", "movie", "-p", "ann", "-p", "Ben B.", "-p", "cem@example.org")
    (cem,) = csv_rows(home / "annotators" / "addresses.csv")
    assert cem["address"] == "cem@example.org"
    asked = {
        path.name: [(row["clip_id"], row["annotator_id"]) for row in table_in(path)] for path in folder.glob("*.csv")
    }
    assert asked == {
        f"label-{cem['annotator_id']}.csv": [(MOVIE, cem["annotator_id"])],
        "label-Ben_B.csv": [(MOVIE, "Ben B.")],
        f"validate-{cem['annotator_id']}.csv": [(MOVIE, cem["annotator_id"])],
        "validate-Ben_B.csv": [(MOVIE, "Ben B.")],
        "validate-ann.csv": [(MOVIE, "ann")],
    }
    assert "cem@example.org" not in "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())


def test_whoever_is_asked_is_known_however_the_name_is_written_and_whatever_the_tables_say(
    call: Call, home: Path
) -> None:
    said(home, "cem@example.org", "Ren\u00e9")
    people = ("-p", "CEM@example.org", "-p", "Rene\u0301", "-p", "Ren\u00e9 ", "-p", "dee", "-p", " ")
    folder = exported(call, home, "-d", "movie", *people)
    assert [path.name for path in folder.glob("label-*.csv")] == ["label-dee.csv"]
    assert len(list(folder.glob("validate-*.csv"))) == 3
    assert "@" not in "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.csv"))


def csv_rows(path: Path) -> list[dict[str, str]]:
    assert path.stat().st_mode & 0o777 == 0o600
    return table_in(path)


def test_the_page_beside_the_files_says_what_to_fill_in_and_how_it_comes_back(call: Call, home: Path) -> None:
    text = (exported(call, home, "-d", "movie") / "how-to-answer.html").read_text(encoding="utf-8")
    told = ["label-1.csv", "annotator_id", "emovid annotate import FILE", *HUMAN_CHOICES]
    assert [word for word in told if word not in text] == []
    assert not re.search("src=|https?:|url\\(", text)


def test_an_export_does_not_touch_files_that_people_may_have_filled_in(call: Call, home: Path) -> None:
    folder = exported(call, home)
    done = call("annotate", "export", str(folder), home=home)
    assert done.exit_code == 1
    assert "is not empty: give a new folder" in done.stderr


def choices_of(screen: str, name: str) -> list[dict[str, str]]:
    view = ElementTree.fromstring(screen)
    assert view.tag == "View"
    (control,) = view.iter("Choices")
    (player,) = [one for one in view.iter() if one.get("name") == control.get("toName")]
    assert "$video" in str(player.get("value"))
    assert (control.get("name"), control.get("choice"), control.get("required")) == (name, "single-radio", "true")
    return [choice.attrib for choice in control.findall("Choice")]


def test_the_label_screen_is_well_formed_and_has_nine_choices_with_a_key_each() -> None:
    choices = choices_of(label_screen(), "emotion")
    assert [choice["value"] for choice in choices] == list(HUMAN_CHOICES)
    assert [choice["alias"] for choice in choices] == list(HUMAN_CHOICES)
    assert [choice["hotkey"] for choice in choices] == [str(number) for number in range(1, 10)]
    assert "intended" not in label_screen()


def test_the_verify_screen_asks_about_the_intended_emotion_and_takes_yes_or_no() -> None:
    assert [choice["value"] for choice in choices_of(verify_screen(), "verification")] == ["accept", "reject"]
    header = ElementTree.fromstring(verify_screen()).find("Header")
    assert header is not None
    assert "$intended_emotion" in str(header.get("value"))
