"""Answers about pairs of videos: what is read of files, what counts, and which rule leaves out what."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.generation.preference_answers import accept_preferences, statements, with_exclusions
from emovid_assets.core.generation.preference_files import Answer, Rejected, read_preferences
from emovid_assets.core.generation.study_pairs import QUESTIONS, plan_study
from emovid_assets.core.pseudonyms import Pseudonyms
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.generation.studies import answer, videos

TASKS = plan_study(videos(("amber", "birch"), 32), domain="movie", pair_count=32, check_count=8, seed="seed")
PAIRS = [task for task in TASKS if task["expected"] is None]
CHECKS = [task for task in TASKS if task["expected"] is not None]
PAIR = PAIRS[0]["task_id"]
HEADER = "task_id,annotator_id,emotion,quality,prompt,answered_at,lead_time_s"


def read(text: str, name: str = "library/preferences/x.csv", **options: Any) -> tuple[list[Answer], list[Rejected]]:
    return read_preferences(text.encode(), name, **options)


def judged(text: str, name: str = "library/preferences/x.csv") -> tuple[dict[tuple[str, str], str], Counter[str]]:
    """By person and question what counts, and how often which reason was given."""
    answers, refused = read(text, name)
    accepted, rejected = accept_preferences(answers, domain="movie", tasks=TASKS, rejected=refused)
    TABLES["preferences"].from_rows(accepted)
    TABLES["rejected_preferences"].from_rows(rejected)
    found = {(row["annotator_id"], row["question"]): row["choice"] for row in accepted}
    return found, Counter(row["reason"] for row in rejected)


def exported(*annotations: dict[str, Any], task_id: str = PAIR) -> str:
    data = {"task_id": task_id, "left": "/data/x", "right": "/data/y", "text": "t", "asked_emotion": "awe"}
    return json.dumps([{"data": data, "annotations": list(annotations)}])


def annotation(who: str = "ann", at: str = "2026-11-20T10:00:00Z", **choices: str | list[str]) -> dict[str, Any]:
    result = [
        {"from_name": name, "type": "choices", "value": {"choices": [said] if isinstance(said, str) else said}}
        for name, said in choices.items()
    ]
    return {"completed_by": {"email": who}, "result": result, "updated_at": at, "lead_time": 7.5}


def test_a_row_answers_three_questions_with_one_time_for_all() -> None:
    answers, rejected = read(f"{HEADER}\n{PAIR},ann,a,b,tie,2026-11-20T10:00:00Z,7.5\n")
    assert rejected == []
    assert {one.question: one.choice for one in answers} == {"emotion": "a", "quality": "b", "prompt": "tie"}
    assert {one.lead_time_s for one in answers} == {7.5}
    assert {one.answered_at for one in answers} == {datetime(2026, 11, 20, 10, tzinfo=UTC)}


def test_case_and_blanks_make_no_difference_to_an_answer() -> None:
    found, reasons = judged(f"{HEADER}\n{PAIR},ann,A, b ,TIE,,\n")
    assert reasons == {}
    assert found == {("ann", "emotion"): "a", ("ann", "quality"): "b", ("ann", "prompt"): "tie"}


@pytest.mark.parametrize("said", ["left", "right", "1", "2", "0", "=", "no difference", "none"])
def test_no_other_word_is_an_answer(said: str) -> None:
    assert judged(f"{HEADER}\n{PAIR},ann,{said},b,tie,,\n") == (
        {("ann", "quality"): "b", ("ann", "prompt"): "tie"},
        {"unknown_choice": 1},
    )


def test_what_is_wrong_with_a_row_is_told_once() -> None:
    answers, refused = read(f"{HEADER}\n{PAIR},,a,better,b,,\nmovie-pair-00000000000000aa,,a,a,a,,\n")
    _, rows = accept_preferences(answers, domain="movie", tasks=TASKS, rejected=refused)
    assert [(row["row_number"], row["question"], row["choice"], row["reason"]) for row in rows] == [
        (1, "all", None, "missing_annotator"),
        (2, "all", None, "unknown_task"),
    ]
    assert "names nobody" in rows[1]["message"]


def test_an_earlier_answer_says_on_which_line_the_later_one_stands() -> None:
    answers, refused = read(f"{HEADER}\n{PAIR},ann,a,,,,\n{PAIR},ann,b,,,,\n")
    _, rows = accept_preferences(answers, domain="movie", tasks=TASKS, rejected=refused)
    (row,) = [row for row in rows if row["reason"] == "superseded"]
    assert row["message"] == (
        "line 2: ann answered again in line 3 of library/preferences/x.csv, which counts: remove that one to restore "
        "this."
    )


def test_label_studio_s_export_is_read_with_the_person_s_address_hidden() -> None:
    text = exported(annotation("ann@example.org", emotion="a", quality="tie", prompt="b"))
    answers, _ = read(text, "x.json", people=Pseudonyms(lambda: b"k" * 32))
    assert {one.question: one.choice for one in answers} == {"emotion": "a", "quality": "tie", "prompt": "b"}
    assert {one.tool for one in answers} == {"label-studio"}
    assert all(one.annotator_id.startswith("annotator-") for one in answers)


def test_json_min_is_read_too() -> None:
    row = {"task_id": PAIR, "emotion": "a", "quality": "b", "prompt": "tie", "annotator": 7, "lead_time": 3.0}
    found, reasons = judged(json.dumps([row]), "x.json")
    assert (found, reasons) == ({("7", "emotion"): "a", ("7", "quality"): "b", ("7", "prompt"): "tie"}, {})


@pytest.mark.parametrize(
    ("text", "name", "reasons"),
    [
        (f"{HEADER}\nmovie-pair-00000000000000aa,ann,a,a,a,,\n", "x.csv", {"unknown_task": 1}),
        (f"{HEADER}\n{PAIR},ann,better,a,a,,\n", "x.csv", {"unknown_choice": 1}),
        (f"{HEADER}\n{PAIR},,a,a,a,,\n", "x.csv", {"missing_annotator": 1}),
        (f"{HEADER}\n{PAIR},ann,,,,,\n", "x.csv", {"not_answered": 1}),
        (f"{HEADER}\n{PAIR},ann,a,,b,,\n", "x.csv", {"not_answered": 1}),
        (f"{HEADER}\n{PAIR},ann,a,b,b,yesterday,soon\n", "x.csv", {"bad_timestamp": 1, "bad_lead_time": 1}),
        (f"{HEADER},mood\n{PAIR},ann,a,b,b,,,x\n", "x.csv", {"unknown_column": 1}),
        (f"{HEADER}\n{PAIR},ann,a\n", "x.csv", {"bad_row": 1}),
        ("task_id,emotion\nx,a\n", "x.csv", {"unreadable_file": 1}),
        ("{", "x.json", {"unreadable_file": 1}),
        ("{}", "x.json", {"unreadable_file": 1}),
        ('[7, {"data": 3}]', "x.json", {"bad_row": 2}),
        (exported({"was_cancelled": True, "result": [], "completed_by": 1}), "x.json", {"cancelled": 1}),
        (exported(annotation(emotion=["a", "b"], quality="a", prompt="a")), "x.json", {"unknown_choice": 1}),
        (exported(annotation(emotion="joy", quality="a", prompt="a")), "x.json", {"unknown_choice": 1}),
        (exported(annotation(quality="a")), "x.json", {"not_answered": 2}),
    ],
)
def test_what_cannot_count_is_kept_with_its_reason(text: str, name: str, reasons: dict[str, int]) -> None:
    assert judged(text, name)[1] == reasons


def test_a_rejection_says_where_it_stands_and_what_to_do() -> None:
    answers, refused = read(f"{HEADER}\n{PAIR},ann,better,a,a,,\n")
    _, (row,) = accept_preferences(answers, domain="movie", tasks=TASKS, rejected=refused)
    assert row["message"] == "line 2: `emotion` is 'better': use a (left), b (right) or tie (no difference)."


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_an_empty_file_is_called_empty(name: str) -> None:
    _, (refused,) = read("\n", name)
    assert (refused.reason, refused.message.partition(":")[0]) == ("unreadable_file", "The file is empty")


def test_of_two_answers_by_one_person_the_later_one_counts_question_by_question() -> None:
    later = annotation(at="2026-11-21T10:00:00Z", emotion="b")
    text = exported(later, annotation(emotion="a", quality="a", prompt="tie"))
    found, reasons = judged(text, "x.json")
    assert found == {("ann", "emotion"): "b", ("ann", "quality"): "a", ("ann", "prompt"): "tie"}
    assert reasons == {"superseded": 1, "not_answered": 2}


def test_each_answer_is_kept_in_one_domain_and_what_names_none_in_the_first() -> None:
    answers, refused = read(f"{HEADER}\nsticker-pair-00000000000000aa,ann,a,a,a,,\nnonsense,bob,a,a,a,,\n")
    kept = {
        domain: accept_preferences(answers, domain=domain, tasks=[], rejected=refused)[1]
        for domain in ("movie", "animation", "sticker")
    }
    assert {domain: {row["annotator_id"] for row in rows} for domain, rows in kept.items()} == {
        "movie": {"bob"},
        "animation": set(),
        "sticker": {"ann"},
    }


def test_statements_are_what_a_file_that_takes_another_s_place_must_not_lose() -> None:
    content = f"{HEADER}\n{PAIR},ann,A,nonsense,tie,,\n".encode()
    assert statements(content, "x.csv") == {(PAIR, "emotion", "ann", "a"), (PAIR, "prompt", "ann", "tie")}


@given(st.binary(max_size=300), st.sampled_from(["x.csv", "x.json"]))
def test_no_bytes_raise(content: bytes, name: str) -> None:
    answers, refused = read_preferences(content, name)
    accept_preferences(answers, domain="movie", tasks=TASKS, rejected=refused)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "annotations", "result", "task_id", "value", "choices", "from_name", "type", "emotion"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=3))
def test_no_json_raises(tasks: list[Any]) -> None:
    answers, refused = read_preferences(json.dumps(tasks).encode(), "x.json")
    accept_preferences(answers, domain="movie", tasks=TASKS, rejected=refused)


def checks_answered(person: str, failed: int, count: int = len(CHECKS)) -> list[dict[str, Any]]:
    rows = []
    for place, task in enumerate(CHECKS[:count]):
        wrong = "b" if task["expected"] == "a" else "a"
        choice = wrong if place < failed else task["expected"]
        rows += [answer(task, person, question, choice) for question in QUESTIONS]
    return rows


def exclusions(rows: list[dict[str, Any]]) -> list[str | None]:
    """Of the answers about pairs that are no checks."""
    checks = {task["task_id"] for task in CHECKS}
    return [row["exclusion"] for row in with_exclusions(rows, TASKS) if row["task_id"] not in checks]


@pytest.mark.parametrize(
    ("failed", "answered", "is_out"),
    [(0, 8, False), (2, 8, False), (3, 8, True), (1, 2, False), (2, 2, True), (1, 1, False)],
)
def test_who_fails_more_than_a_quarter_of_the_checks_and_two_or_more_is_out(
    failed: int, answered: int, is_out: bool
) -> None:
    rows = [*checks_answered("ann", failed, answered), answer(PAIRS[0], "ann", "quality", "a")]
    assert exclusions(rows) == ["failed_checks" if is_out else None]


def test_checks_themselves_never_count() -> None:
    rows = with_exclusions(checks_answered("ann", 0), TASKS)
    assert {row["exclusion"] for row in rows} == {"attention_check"}


def test_a_check_is_passed_by_who_sees_no_emotion_in_either_and_failed_by_who_sees_no_worse_quality() -> None:
    def of(emotion: str, quality: str) -> list[str | None]:
        rows = [
            answer(task, "ann", question, said or task["expected"])
            for task in CHECKS
            for question, said in {"emotion": emotion, "quality": quality, "prompt": "tie"}.items()
        ]
        return exclusions([*rows, answer(PAIRS[0], "ann", "quality", "a")])

    assert of("tie", "") == [None]
    assert of("tie", "tie") == ["failed_checks"]


def test_who_always_names_the_same_side_is_out_with_all_answers_and_who_prefers_a_generator_is_not() -> None:
    left = [answer(task, "left", "emotion", "a") for task in PAIRS[:12]] + [answer(PAIRS[0], "left", "quality", "b")]
    short = [answer(task, "short", "emotion", "a") for task in PAIRS[:11]]
    ties = [answer(task, "ties", "emotion", "tie") for task in PAIRS]
    fan = [answer(task, "fan", "emotion", "a" if task["generator_a"] == "amber" else "b") for task in PAIRS]
    assert set(exclusions(left)) == {"one_side"}
    assert set(exclusions([*short, *ties, *fan])) == {None}


def test_an_answer_that_is_faster_than_the_videos_last_is_out_and_the_others_of_the_person_stay() -> None:
    times = [PAIRS[0]["shown_s"] - 0.01, PAIRS[0]["shown_s"], None]
    rows = [answer(task, "ann", "quality", "a", lead_time_s=s) for task, s in zip(PAIRS, times, strict=False)]
    assert exclusions(rows) == ["too_fast", None, None]
