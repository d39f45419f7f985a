"""Answer files: what is read, what counts, and that nothing which people drop in can raise."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emovid_assets.core.annotations import REMARKS, Answer, accept_answers, read_annotation_file
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import HUMAN_CHOICES
from emovid_assets.core.voting import human_labels
from emovid_assets.tables.registry import TABLES

CLIP = "movie-0123456789abcdef-00000000-00004000"
STICKER = "sticker-0123456789abcdef-00000000-00001000"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def read(tmp_path, content, name="answers.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_annotation_file(path, f"library/annotations/{name}")


def exported(*annotations, **data):
    """A Label Studio export of one task."""
    return json.dumps([{"id": 7, "data": {"clip_id": CLIP, **data}, "annotations": list(annotations)}])


def annotated(*choices, control="emotion", **fields):
    return {
        "id": 11,
        "completed_by": {"id": 2, "email": "ann@example.org"},
        "result": [{"from_name": control, "to_name": "video", "type": "choices", "value": {"choices": list(choices)}}],
        "was_cancelled": False,
        "created_at": "2026-11-20T11:00:00.000000Z",
        "updated_at": "2026-11-20T12:00:00.000000Z",
        "lead_time": 4.2,
        **fields,
    }


def answered(label="fear", *, clip_id=CLIP, purpose="label", person="ann", row=1, file="a.csv", at=None):
    return Answer(file, row, clip_id, purpose, person, label, at)


def reasons(rows):
    return [(row["row_number"], row["reason"]) for row in rows]


def assert_storable(accepted, rejected):
    TABLES["human_annotations"].from_rows(accepted)
    table = TABLES["rejected_annotations"].from_rows(rejected)
    keys = table.select(list(TABLES["rejected_annotations"].key)).to_pylist()
    assert len({tuple(key.values()) for key in keys}) == len(keys)
    assert all(row["message"].endswith(".") for row in rejected)


def test_a_csv_is_read_with_all_its_columns(tmp_path):
    answers, rejected = read(
        tmp_path,
        "clip_id,purpose,annotator_id,label,annotated_at,tool,lead_time_s\n"
        f"{CLIP},validate, ann ,fear,2026-11-20T13:00:00+01:00,paper,7.5\n",
    )
    assert rejected == []
    file = "library/annotations/answers.csv"
    assert answers == [Answer(file, 1, CLIP, "validate", "ann", "fear", NOON, "paper", lead_time_s=7.5)]


SECONDS: list[tuple[Any, float | None]] = [
    ("4,5", 4.5),
    ("4.2", 4.2),
    (" 3 ", 3.0),
    ("0", 0.0),
    ("", None),
    ("-1", None),
    ("nan", None),
    ("inf", None),
    ("1e999", None),
    ("a moment", None),
]


@pytest.mark.parametrize(("written", "seconds"), SECONDS)
def test_a_lead_time_that_cannot_be_is_unknown_and_named_and_its_answer_counts(tmp_path, written, seconds):
    answers, remarks = read(tmp_path, f'clip_id,annotator_id,label,lead_time_s\n{CLIP},ann,fear,"{written}"\n')
    assert [(answer.label, answer.lead_time_s) for answer in answers] == [("fear", seconds)]
    assert_named(remarks, written, seconds, "line 2")


def assert_named(remarks, written, seconds, place):
    assert [one.reason for one in remarks] == ["bad_lead_time"] * (seconds is None and written not in ("", None))
    assert all(one.message.startswith(f"{place}: `lead_time_s` is '") for one in remarks)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [*SECONDS, (12, 12.0), (0.25, 0.25), (None, None), (True, None), (-3.5, None), ([4], None), (10**400, None)],
)
def test_the_lead_time_of_label_studio_is_read_by_the_same_rule(tmp_path, written, seconds):
    answers, remarks = read(tmp_path, exported(annotated("fear", lead_time=written)), "export.json")
    assert [answer.lead_time_s for answer in answers] == [seconds]
    assert_named(remarks, written, seconds, "annotation 1")
    accepted, _ = accept_answers(answers, domain="movie", known_clip_ids={CLIP})
    assert [row["lead_time_s"] for row in accepted] == [seconds]


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeffclip_id,purpose,annotator_id,label\n{CLIP},,ann,fear\n",
        f"clip_id,annotator_id,label\r\n{CLIP},ann,fear\r\n",
        f"\ufeffLabel,Annotator_ID, clip_id \nfear,ann,{CLIP}",
    ],
)
def test_a_byte_order_mark_column_order_and_missing_purpose_do_no_harm(tmp_path, content):
    answers, rejected = read(tmp_path, content)
    assert rejected == []
    assert answers == [Answer("library/annotations/answers.csv", 1, CLIP, "label", "ann", "fear", None, "csv")]


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20T12:00:00", NOON),
        ("2026-11-20 12:00", NOON),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_time_without_a_zone_is_utc(tmp_path, written, time):
    answers, _ = read(tmp_path, f"clip_id,annotator_id,label,annotated_at\n{CLIP},ann,fear,{written}\n")
    assert answers[0].annotated_at == time


@pytest.mark.parametrize(
    "written", ["yesterday", "20.11.2026", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59", "1"]
)
def test_a_time_that_cannot_be_read_is_named_and_its_answer_counts(tmp_path, written):
    answers, remarks = read(tmp_path, f"clip_id,annotator_id,label,annotated_at\n{CLIP},ann,fear,{written}\n")
    assert [(answer.label, answer.annotated_at) for answer in answers] == [("fear", None)]
    assert (remarks[0].reason, remarks[0].row_number, remarks[0].label) == ("bad_timestamp", 1, "fear")
    assert f"line 2: `annotated_at` is '{written}'" in remarks[0].message


def test_rows_count_from_the_line_below_the_header_and_empty_ones_are_skipped(tmp_path):
    answers, rejected = read(
        tmp_path,
        f"clip_id,annotator_id,label\n{CLIP},ann,fear\n\n,,\n{CLIP},bob\n{CLIP},bob,fear,awe\n{CLIP},cem,awe\n",
    )
    assert [(answer.row_number, answer.annotator_id) for answer in answers] == [(1, "ann"), (6, "cem")]
    assert [(one.row_number, one.reason, one.annotator_id) for one in rejected] == [
        (4, "bad_row", "bob"),
        (5, "bad_row", "bob"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\xff\xfe\x00binary"),
        ("a.csv", b"clip_id,label\n"),
        ("a.csv", b"clip_id,annotator_id,label,label\n"),
        ("a.csv", b"clip_id,annotator_id,label\n" + b"x" * 200_000),
        ("a.json", b""),
        ("a.json", b"{not json"),
        ("a.json", b'{"tasks": []}'),
        ("a.json", b'"text"'),
        ("a.json", b"[" * 200_000),
        ("a.json", b"[" + b"9" * 10_000 + b"]"),
        ("a.txt", b"clip_id,annotator_id,label\n"),
        ("noextension", b""),
    ],
)
def test_a_file_that_cannot_be_used_is_one_rejection(tmp_path, name, content):
    answers, rejected = read(tmp_path, content, name)
    assert answers == []
    assert [(one.row_number, one.reason) for one in rejected] == [(0, "unreadable_file")]
    assert_storable([], accept_answers([], domain="movie", known_clip_ids=set(), rejected=rejected)[1])


def test_an_open_quotation_mark_costs_one_answer_and_is_named_with_its_line(tmp_path):
    rows = [f"{CLIP},person-{number},fear,fine" for number in range(202)]
    rows[1] = f'{CLIP},person-1,fear,"great'
    answers, (remark, *rejected) = read(tmp_path, "clip_id,annotator_id,label,notes\n" + "\n".join(rows) + "\n")
    assert [answer.row_number for answer in answers] == [1, *range(3, 203)]
    ((row_number, reason, message),) = [(one.row_number, one.reason, one.message) for one in rejected]
    assert (row_number, reason) == (2, "bad_row")
    assert "line 3 is no CSV" in message
    assert "quotation mark" in message
    assert (remark.reason, remark.message) == ("unknown_column", "the column `notes` is read by nothing.")


def test_an_open_quotation_mark_in_the_header_is_named(tmp_path):
    answers, (rejected,) = read(tmp_path, f'clip_id,annotator_id,label,"notes\n{CLIP},ann,fear,x\n')
    assert (answers, rejected.row_number, rejected.reason) == ([], 0, "unreadable_file")
    assert "line 1 is no CSV" in rejected.message


def test_a_missing_file_and_a_folder_are_rejections(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name in ("gone.json", "folder.csv"):
        answers, rejected = read_annotation_file(tmp_path / name, name)
        assert (answers, [one.reason for one in rejected]) == ([], ["unreadable_file"])


def test_a_label_studio_export_is_read(tmp_path):
    answers, rejected = read(tmp_path, exported(annotated("fear"), domain="movie"), "export.json")
    assert rejected == []
    file = "library/annotations/export.json"
    assert answers == [Answer(file, 1, CLIP, "label", "ann@example.org", "fear", NOON, "label-studio", 4.2)]


def test_a_verification_in_label_studio_names_its_purpose_and_tool(tmp_path):
    export = exported(annotated("accept", control="verification"), purpose="verify", tool="simulated")
    answers, _ = read(tmp_path, export, "EXPORT.JSON")
    assert [(answer.purpose, answer.label, answer.tool) for answer in answers] == [("verify", "accept", "simulated")]


@pytest.mark.parametrize(
    ("completed_by", "person"), [({"id": 2}, "2"), (3, "3"), ("ann", "ann"), ({"email": "", "id": 4}, "4")]
)
def test_the_person_is_the_address_or_the_number(tmp_path, completed_by, person):
    answers, _ = read(tmp_path, exported(annotated("fear", completed_by=completed_by)), "export.json")
    assert answers[0].annotator_id == person


@pytest.mark.parametrize("completed_by", [None, {}, [], True, {"email": None}, {"id": [1]}])
def test_an_answer_by_nobody_is_rejected(tmp_path, completed_by):
    answers, _ = read(tmp_path, exported(annotated("fear", completed_by=completed_by)), "export.json")
    accepted, rejected = accept_answers(answers, domain="movie", known_clip_ids={CLIP})
    assert (accepted, reasons(rejected)) == ([], [(1, "missing_annotator")])


def test_the_time_of_an_annotation_falls_back_to_its_creation(tmp_path):
    annotations = [annotated("fear", updated_at=None), annotated("fear", updated_at=None, created_at=None)]
    answers, _ = read(tmp_path, exported(*annotations), "export.json")
    assert [answer.annotated_at for answer in answers] == [datetime(2026, 11, 20, 11, tzinfo=UTC), None]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (annotated("fear", was_cancelled=True), "cancelled"),
        (annotated(was_cancelled=True, result=[]), "cancelled"),
        (annotated(), "bad_row"),
        (annotated("fear", "awe"), "bad_row"),
        (annotated("fear", control="mood"), "bad_row"),
        (annotated("fear", result=None), "bad_row"),
        (annotated("fear", result=[{"type": "choices", "from_name": "emotion", "value": "fear"}, 3]), "bad_row"),
        ("not an annotation", "bad_row"),
        (None, "bad_row"),
    ],
)
def test_an_annotation_without_one_answer_is_rejected(tmp_path, annotation, reason):
    answers, rejected = read(tmp_path, exported(annotation, annotated("awe")), "export.json")
    assert [(answer.row_number, answer.label) for answer in answers] == [(2, "awe")]
    assert [(one.row_number, one.reason, one.clip_id) for one in rejected] == [(1, reason, CLIP)]


def short(**fields):
    return {
        "video": "x.mp4",
        "clip_id": CLIP,
        "id": 7,
        "emotion": "fear",
        "annotator": 3,
        "annotation_id": 11,
        **fields,
    }


def test_an_export_in_the_short_format_is_read(tmp_path):
    times = {"lead_time": 4.2, "created_at": "2026-11-20T11:00:00Z", "updated_at": "2026-11-20T12:00:00Z"}
    answers, rejected = read(tmp_path, json.dumps([short(**times), 5, short(emotion=None)]), "min.json")
    file = "library/annotations/min.json"
    assert answers == [Answer(file, 1, CLIP, "label", "3", "fear", NOON, "label-studio", 4.2)]
    assert [(one.row_number, one.reason) for one in rejected] == [(2, "bad_row"), (3, "not_answered")]


def test_the_same_export_as_csv_is_read(tmp_path):
    answers, rejected = read(tmp_path, f"annotation_id,annotator,clip_id,emotion,id,lead_time\n11,3,{CLIP},awe,7,4.2\n")
    assert (answers, rejected) == (
        [Answer("library/annotations/answers.csv", 1, CLIP, "label", "3", "awe", None, "label-studio", 4.2)],
        [],
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Yes", "accept"), ("no", "reject"), ("ACCEPT", "accept"), ("1", "accept"), ("0.0", "reject")],
)
@pytest.mark.parametrize("purpose", ["verify", "Verify", ""])
def test_a_sticker_is_verified_with_the_words_of_the_screen(tmp_path, purpose, written, meant):
    answers, _ = read(tmp_path, f"clip_id,purpose,annotator_id,label\n{STICKER},{purpose},ann,{written}\n")
    accepted, rejected = accept_answers(answers, domain="sticker", known_clip_ids={STICKER})
    assert rejected == []
    assert [(row["purpose"], row["label"]) for row in accepted] == [("verify", meant)]


@pytest.mark.parametrize("written", ["Fear", "FEAR", "fear ", "\u200bfear"])
def test_a_label_is_known_in_any_case(tmp_path, written):
    answers, _ = read(tmp_path, f"clip_id,annotator_id,label\n{CLIP},ann,{written}\n{CLIP},bob,No Specific-Emotion\n")
    accepted, _ = accept_answers(answers, domain="movie", known_clip_ids={CLIP})
    assert [row["label"] for row in accepted] == ["fear", "no_specific_emotion"]


def test_what_is_no_answer_is_told_with_its_line_and_the_words_that_are(tmp_path):
    answers, _ = read(tmp_path, f"clip_id,purpose,annotator_id,label\n\n{STICKER},verify,ann,fear\n{CLIP},,ann,yes\n")
    for domain, place, words in (
        ("sticker", "line 3", "accept, reject, yes, no"),
        ("movie", "line 4", "amusement, awe"),
    ):
        _, (rejected,) = accept_answers(answers, domain=domain, known_clip_ids={CLIP, STICKER})
        assert rejected["message"].startswith(f"{place}: `label` is '")
        assert f"use one of {words}" in rejected["message"]


def test_every_cell_that_is_wrong_is_told_of_in_one_row(tmp_path):
    answers, remarks = read(
        tmp_path,
        "clip_id,purpose,annotator_id,label,annotated_at,lead_time_s\nclip_1,label,,joy,today,soon\nx,guess,ann,fear,,\n",
    )
    _, (first, second) = accept_answers(answers, domain="movie", known_clip_ids={CLIP})
    assert (first["reason"], second["reason"]) == ("unknown_clip", "unknown_clip")
    named = re.findall("`([a-z_]+)`", " ".join([first["message"], *(one.message for one in remarks)]))
    assert named == ["clip_id", "annotator_id", "label", "annotated_at", "lead_time_s"]
    assert re.findall("`([a-z_]+)`", second["message"]) == ["clip_id", "purpose"]


@pytest.mark.parametrize("number", ["7", "7.0", " 7 "])
def test_a_person_s_number_is_one_however_a_program_writes_it(tmp_path, number):
    answers, _ = read(tmp_path, f"clip_id,annotator_id,label\n{CLIP},{number},fear\n{CLIP},Ann  B,fear\n")
    assert [answer.annotator_id for answer in answers] == ["7", "Ann B"]


def test_a_short_export_in_which_nobody_is_named_is_unreadable(tmp_path):
    _, (rejected,) = read(tmp_path, json.dumps([{"clip_id": CLIP, "emotion": "fear"}]), "min.json")
    assert (rejected.row_number, rejected.reason) == (0, "unreadable_file")
    assert "names its annotator" in rejected.message


def test_a_task_without_annotations_yields_nothing(tmp_path):
    assert read(tmp_path, exported(), "export.json") == ([], [])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answered(clip_id="movie-0123456789abcdef-00000000-00009999"), "unknown_clip"),
        (answered(clip_id="clip_1"), "unknown_clip"),
        (answered(clip_id=""), "unknown_clip"),
        (answered(purpose="guess"), "unknown_purpose"),
        (answered(person=""), "missing_annotator"),
        (answered("joy"), "unknown_label"),
        (answered(""), "unknown_label"),
        (answered("accept"), "unknown_label"),
        (answered("fear", purpose="verify"), "unknown_label"),
        (answered("no_specific_emotion", purpose="verify"), "unknown_label"),
    ],
)
def test_an_answer_that_cannot_count_is_kept_with_its_reason(answer, reason):
    accepted, rejected = accept_answers([answer], domain="movie", known_clip_ids={CLIP})
    assert (accepted, reasons(rejected)) == ([], [(1, reason)])
    assert rejected[0]["label"] == (answer.label or None)
    assert_storable(accepted, rejected)


@pytest.mark.parametrize("purpose", ["label", "validate", "review"])
@pytest.mark.parametrize("label", HUMAN_CHOICES)
def test_all_nine_choices_are_answers(label, purpose):
    accepted, rejected = accept_answers([answered(label, purpose=purpose)], domain="movie", known_clip_ids={CLIP})
    assert rejected == []
    assert accepted == [
        {
            "clip_id": CLIP,
            "domain": "movie",
            "purpose": purpose,
            "annotator_id": "ann",
            "label": label,
            "annotated_at": None,
            "tool": "csv",
            "lead_time_s": None,
        }
    ]
    assert_storable(accepted, rejected)


def task(purpose="label", *, people=3, clip_id=CLIP):
    return {
        "clip_id": clip_id,
        "domain": "movie",
        "purpose": purpose,
        "required_annotators": people,
        "intended_emotion": None,
    }


def given_by(*people, purpose="label", label="fear"):
    return [answered(label, person=name, purpose=purpose, row=row) for row, name in enumerate(people, start=1)]


@pytest.mark.parametrize(
    ("answers", "tasks", "missing"),
    [
        (given_by("ann", "bob"), [task()], 1),
        (given_by("ann"), [task()], 2),
        (given_by("ann"), [], 2),
        (given_by("ann", "bob", "cem"), [task()], 0),
        (given_by("ann", "bob", "cem"), [task(people=4)], 0),
        (given_by("ann"), [task(people=1)], 0),
        (given_by("ann", "bob", purpose="validate"), [task(), task("validate")], 1),
        (given_by("ann", purpose="review"), [task("review", people=1)], 0),
        (given_by("ann", purpose="validate"), [], 0),
    ],
)
def test_answers_of_too_few_people_are_kept_and_it_is_said_how_many_are_missing(answers, tasks, missing):
    accepted, rejected = accept_answers(answers, domain="movie", known_clip_ids={CLIP}, tasks=tasks)
    assert len(accepted) == len(answers)
    assert reasons(rejected) == [(answer.row_number, "too_few_annotators") for answer in answers if missing]
    assert all(f"{missing} more {'has' if missing == 1 else 'have'} to" in row["message"] for row in rejected)
    assert_storable(accepted, rejected)


def test_a_person_who_answers_twice_is_one_person_and_a_nonsensical_answer_is_none():
    answers = [*given_by("ann", "bob"), answered("awe", row=3, at=NOON), answered("joy", person="cem", row=4)]
    accepted, rejected = accept_answers(answers, domain="movie", known_clip_ids={CLIP}, tasks=[task()])
    assert sorted((row["annotator_id"], row["label"]) for row in accepted) == [("ann", "awe"), ("bob", "fear")]
    assert sorted(reasons(rejected)) == [
        (1, "superseded"),
        (2, "too_few_annotators"),
        (3, "too_few_annotators"),
        (4, "unknown_label"),
    ]


def test_the_answers_of_too_few_people_count_when_the_others_have_answered():
    early = given_by("ann", "bob")
    known = {"domain": "movie", "known_clip_ids": {CLIP}, "tasks": [task()]}
    accepted, rejected = accept_answers(early, **known)
    assert human_labels(accepted, [task()]) == ([], 1)
    accepted, rejected = accept_answers([*early, answered("awe", person="cem", row=3)], **known)
    assert rejected == []
    (label,), waiting = human_labels(accepted, [task()])
    assert (label["emotion"], label["agree_count"], waiting) == ("fear", 2, 0)


def test_without_a_plan_nobody_is_missing():
    accepted, rejected = accept_answers(given_by("ann"), domain="movie", known_clip_ids={CLIP})
    assert (len(accepted), rejected) == (1, [])


def test_an_address_and_a_number_are_two_people_because_nothing_can_join_them(tmp_path):
    people = [{"id": 2, "email": "ann@example.org"}, 2]
    annotations = [annotated("fear", completed_by=person) for person in people]
    answers, _ = read(tmp_path, exported(*annotations), "export.json")
    accepted, _ = accept_answers(answers, domain="movie", known_clip_ids={CLIP})
    assert sorted(row["annotator_id"] for row in accepted) == ["2", "ann@example.org"]


def test_of_several_answers_by_one_person_the_latest_counts():
    later = datetime(2026, 11, 21, tzinfo=UTC)
    answers = [
        answered("awe", row=1, at=later),
        answered("fear", row=2, at=NOON),
        answered("anger", row=3),
        answered("fear", row=4, person="bob", at=NOON),
        answered("fear", row=5, purpose="validate", at=NOON),
    ]
    accepted, rejected = accept_answers(answers, domain="movie", known_clip_ids={CLIP})
    assert sorted((row["annotator_id"], row["purpose"], row["label"]) for row in accepted) == [
        ("ann", "label", "awe"),
        ("ann", "validate", "fear"),
        ("bob", "label", "fear"),
    ]
    assert sorted(reasons(rejected)) == [(2, "superseded"), (3, "superseded")]
    assert all("row 1 of a.csv" in row["message"] for row in rejected)


def test_equal_times_go_by_file_and_row_whatever_the_order_of_reading():
    answers = [answered("fear", file="b.csv", row=1), answered("awe", file="a.csv", row=9), answered("anger", row=2)]
    for order in (answers, answers[::-1]):
        accepted, _ = accept_answers(order, domain="movie", known_clip_ids={CLIP})
        assert [row["label"] for row in accepted] == ["fear"]


def test_an_answer_that_cannot_count_supersedes_nothing():
    answers = [answered("fear", row=1, at=NOON), answered("joy", row=2, at=datetime(2026, 12, 1, tzinfo=UTC))]
    accepted, rejected = accept_answers(answers, domain="movie", known_clip_ids={CLIP})
    assert ([row["label"] for row in accepted], reasons(rejected)) == (["fear"], [(2, "unknown_label")])


def test_the_same_export_twice_says_that_nothing_needs_to_be_done(tmp_path):
    once, _ = read(tmp_path, exported(annotated("fear")), "monday.json")
    twice, _ = read(tmp_path, exported(annotated("fear")), "tuesday.json")
    accepted, rejected = accept_answers(once + twice, domain="movie", known_clip_ids={CLIP})
    assert (len(accepted), reasons(rejected)) == (1, [(1, "superseded")])
    assert "nothing needs to be done" in rejected[0]["message"]


def test_every_answer_is_kept_in_exactly_one_domain(tmp_path):
    answers, rejected = read(
        tmp_path,
        "clip_id,purpose,annotator_id,label\n"
        f"{CLIP},label,ann,fear\n{STICKER},verify,ann,accept\nclip_1,label,ann,fear\n"
        f"animation-x-0-1,label,ann,fear\n{STICKER},verify,bob\nclip_2,bob\n",
    )
    _, unreadable = read(tmp_path, b"", "empty.csv")
    kept = {}
    for domain in DOMAINS:
        accepted, refused = accept_answers(
            answers, domain=domain, known_clip_ids={CLIP, STICKER}, rejected=rejected + unreadable
        )
        assert_storable(accepted, refused)
        kept[domain] = (len(accepted), sorted(reasons(refused)))
    assert kept == {
        "movie": (1, [(0, "unreadable_file"), (3, "unknown_clip"), (6, "bad_row")]),
        "animation": (0, [(4, "unknown_clip")]),
        "sticker": (1, [(5, "bad_row")]),
    }


def test_text_that_tables_cannot_hold_is_replaced_or_cut(tmp_path):
    odd = '[{"data": {"clip_id": "movie-\\ud800"}, "annotations": [{"completed_by": "\\udfff", "result": []}]}]'
    _, from_json = read(tmp_path, odd, "odd.json")
    _, from_csv = read(tmp_path, f"clip_id,annotator_id,label\n{'m' * 5000},ann\n")
    _, refused = accept_answers([], domain="movie", known_clip_ids=set(), rejected=from_json + from_csv)
    assert_storable([], refused)
    assert [len(row["clip_id"]) for row in refused] == [7, 200]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def either(*usual):
    """Mostly what an export holds, sometimes anything."""
    return st.one_of(*(st.just(value) for value in usual), json_values)


results = st.fixed_dictionaries(
    {
        "from_name": either("emotion", "verification"),
        "type": either("choices"),
        "value": st.fixed_dictionaries({"choices": st.lists(either("fear", "accept"), max_size=2)}) | json_values,
    }
)
annotation_objects = st.fixed_dictionaries(
    {"result": st.lists(results | json_values, max_size=2) | json_values},
    optional={
        "completed_by": st.fixed_dictionaries({"email": either("ann@example.org")}) | json_values,
        "was_cancelled": either(False, True),
        "updated_at": either("2026-11-20T12:00:00Z", "2026-11-20T12:00:00"),
        "lead_time": either(3.5),
        "created_at": either("2026-11-20T12:00:00Z"),
    },
)
task_objects = st.fixed_dictionaries(
    {},
    optional={
        "data": st.fixed_dictionaries({"clip_id": either(CLIP, STICKER), "purpose": either("label", "verify")})
        | json_values,
        "annotations": st.lists(annotation_objects | json_values, max_size=3) | json_values,
    },
)


def assert_everything_is_kept_once(tmp_path_factory, name, content):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    answers, rejected = read_annotation_file(path, name)
    kept = 0
    for domain in DOMAINS:
        accepted, refused = accept_answers(answers, domain=domain, known_clip_ids={CLIP, STICKER}, rejected=rejected)
        assert_storable(accepted, refused)
        kept += len(accepted) + len(refused)
    assert kept == len(answers) + len(rejected)
    numbers = [one.row_number for one in (*answers, *rejected) if getattr(one, "reason", "") not in REMARKS]
    assert len(set(numbers)) == len(numbers)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(task_objects | json_values, max_size=4) | json_values)
def test_no_json_raises_and_nothing_is_lost(tmp_path_factory, content):
    assert_everything_is_kept_once(tmp_path_factory, "fuzz.json", json.dumps(content).encode())


cells = st.sampled_from([CLIP, STICKER, "label", "verify", "ann", "fear", "accept", "2026-11-20", "", '"', "\x00"])
csv_texts = st.lists(st.lists(cells | st.text(max_size=5), max_size=6).map(",".join), max_size=6).map("\n".join)


@settings(deadline=None)
@given(
    st.sampled_from(
        [b"", b"clip_id,purpose,annotator_id,label,annotated_at,lead_time_s\n", b"clip_id,annotator_id,label\r\n"]
    ),
    st.binary(max_size=60) | csv_texts.map(lambda text: text.encode("utf-8", "replace")),
)
def test_no_csv_raises_and_nothing_is_lost(tmp_path_factory, header, body):
    assert_everything_is_kept_once(tmp_path_factory, "fuzz.csv", header + body)
