"""The vote of three, and the verification of stickers."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.emotions import HUMAN_CHOICES, NO_SPECIFIC_EMOTION
from emovid_assets.core.voting import Vote, failed_reviews, human_label, human_labels, needed_answers, verified_label

CLIP = "movie-a-00000000-00004000"
STICKER = "sticker-a-00000000-00001000"


def task(clip_id, purpose, *, required=3, intended=None):
    domain = clip_id.split("-")[0]
    return {
        "clip_id": clip_id,
        "domain": domain,
        "purpose": purpose,
        "required_annotators": required,
        "intended_emotion": intended,
    }


def said(clip_id, purpose, *labels):
    return [
        {
            "clip_id": clip_id,
            "domain": clip_id.split("-")[0],
            "purpose": purpose,
            "annotator_id": f"p{n}",
            "label": label,
            "annotated_at": None,
            "tool": "csv",
        }
        for n, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("answers", "vote"),
    [
        (["fear"] * 3, Vote("fear", 3, 3, "agreed")),
        (["fear", "awe", "fear"], Vote("fear", 2, 3, "agreed")),
        (["fear", "awe", "anger"], Vote(None, 1, 3, "no_majority")),
        ([NO_SPECIFIC_EMOTION, "awe", NO_SPECIFIC_EMOTION], Vote(None, 2, 3, "no_specific_emotion")),
        (["fear", "fear", "awe", "awe"], Vote(None, 2, 4, "no_majority")),
        (["fear", "fear", "awe", "anger"], Vote("fear", 2, 4, "agreed")),
        (["fear", "fear", NO_SPECIFIC_EMOTION, NO_SPECIFIC_EMOTION], Vote(None, 2, 4, "no_majority")),
        (["fear", "awe"], None),
        (["fear", "fear"], None),
        ([], None),
    ],
)
def test_the_vote_of_two_out_of_three_wins(answers, vote):
    assert human_label(answers) == vote


@settings(deadline=None)
@given(st.lists(st.sampled_from(HUMAN_CHOICES), min_size=3, max_size=9), st.randoms())
def test_the_order_of_the_answers_plays_no_part_and_a_winner_is_unique(answers, random):
    vote = human_label(answers)
    shuffled = list(answers)
    random.shuffle(shuffled)
    assert human_label(shuffled) == vote
    counts = Counter(answers)
    assert vote.annotator_count == len(answers)
    assert vote.agree_count == max(counts.values())
    leaders = [label for label, count in counts.items() if count == vote.agree_count]
    has_winner = len(leaders) == 1 and vote.agree_count >= 2
    assert (vote.outcome == "no_majority") == (not has_winner)
    assert vote.emotion == (leaders[0] if has_winner and leaders != [NO_SPECIFIC_EMOTION] else None)
    assert (vote.outcome == "agreed") == (vote.emotion is not None)


@pytest.mark.parametrize(
    ("answers", "vote"),
    [
        (["accept"], Vote("awe", 1, 1, "agreed")),
        (["reject"], Vote(None, 1, 1, "rejected")),
        (["accept", "reject", "accept"], Vote("awe", 2, 3, "agreed")),
        (["accept", "reject"], Vote(None, 1, 2, "rejected")),
        ([], None),
    ],
)
def test_a_sticker_stays_where_more_than_half_confirm_it(answers, vote):
    assert verified_label(answers, "awe") == vote


def test_rows_have_the_columns_of_the_table_and_the_rest_waits():
    other = "movie-a-00004000-00008000"
    rows, waiting = human_labels(
        said(CLIP, "label", "fear", "fear", "awe") + said(other, "label", "fear", "fear"),
        [task(CLIP, "label"), task(other, "label"), task(STICKER, "verify", required=1, intended="awe")],
    )
    assert rows == [
        {
            "clip_id": CLIP,
            "domain": "movie",
            "emotion": "fear",
            "agree_count": 2,
            "annotator_count": 3,
            "outcome": "agreed",
        }
    ]
    assert waiting == 2


def test_validation_and_review_answers_are_no_labels():
    rows, waiting = human_labels(
        said(CLIP, "validate", "fear", "fear", "fear") + said(CLIP, "review", "fear", "fear", "fear"),
        [task(CLIP, "validate"), task(CLIP, "review")],
    )
    assert (rows, waiting) == ([], 0)


def test_a_verified_sticker_gets_its_intended_emotion():
    rows, waiting = human_labels(
        said(STICKER, "verify", "accept"), [task(STICKER, "verify", required=1, intended="awe")]
    )
    assert (rows[0]["emotion"], rows[0]["outcome"], waiting) == ("awe", "agreed", 0)


def test_of_a_label_and_a_verification_the_label_wins_once_it_is_complete():
    tasks = [task(STICKER, "verify", required=1, intended="awe"), task(STICKER, "label")]
    verified = said(STICKER, "verify", "accept")
    rows, waiting = human_labels(verified + said(STICKER, "label", "fear", "fear"), tasks)
    assert (rows[0]["emotion"], waiting) == ("awe", 0)
    rows, waiting = human_labels(verified + said(STICKER, "label", "fear", "fear", "awe"), tasks)
    assert (rows[0]["emotion"], waiting) == ("fear", 0)


def test_three_labels_count_without_a_task_and_fewer_do_not_wait():
    other = "movie-a-00004000-00008000"
    rows, waiting = human_labels(said(CLIP, "label", "awe", "awe", "awe") + said(other, "label", "awe"), [])
    assert ([row["clip_id"] for row in rows], waiting) == ([CLIP], 0)


def test_a_verification_without_its_task_gives_nothing():
    assert human_labels(said(STICKER, "verify", "accept"), []) == ([], 0)


def test_a_task_for_one_person_is_decided_by_one():
    rows, _ = human_labels(said(CLIP, "label", "awe"), [task(CLIP, "label", required=1)])
    assert (rows[0]["emotion"], rows[0]["outcome"]) == ("awe", "agreed")


three_different = st.lists(st.sampled_from(HUMAN_CHOICES), min_size=3, max_size=3, unique=True)


@settings(deadline=None)
@given(three_different)
def test_a_disagreement_is_no_majority_while_the_fourth_answer_is_missing_and_waits_for_nothing(answers):
    rows, waiting = human_labels(said(CLIP, "label", *answers), [task(CLIP, "label", required=4)])
    assert [(row["outcome"], row["emotion"], row["annotator_count"]) for row in rows] == [("no_majority", None, 3)]
    assert waiting == 0


@settings(deadline=None)
@given(three_different, st.sampled_from(HUMAN_CHOICES))
def test_the_fourth_answer_decides_a_disagreement_or_leaves_it_as_it_is(answers, fourth):
    (row,), waiting = human_labels(said(CLIP, "label", *answers, fourth), [task(CLIP, "label", required=4)])
    assert (row["annotator_count"], waiting) == (4, 0)
    if fourth not in answers:
        assert (row["outcome"], row["emotion"], row["agree_count"]) == ("no_majority", None, 1)
    elif fourth == NO_SPECIFIC_EMOTION:
        assert (row["outcome"], row["emotion"], row["agree_count"]) == ("no_specific_emotion", None, 2)
    else:
        assert (row["outcome"], row["emotion"], row["agree_count"]) == ("agreed", fourth, 2)


@settings(deadline=None)
@given(st.lists(st.sampled_from(HUMAN_CHOICES), max_size=5), st.sampled_from([3, 4]))
def test_an_adjudicated_task_is_decided_by_the_same_rule_as_any_other(answers, required):
    given_answers = said(CLIP, "label", *answers)
    assert human_labels(given_answers, [task(CLIP, "label", required=required)]) == human_labels(
        given_answers, [task(CLIP, "label")]
    )


def test_two_of_four_people_who_should_all_answer_decide_nothing():
    tasks = [task(CLIP, "label", required=5)]
    assert human_labels(said(CLIP, "label", "fear", "fear", "awe", "awe"), tasks, label_annotators=5) == ([], 1)


def test_how_many_people_are_needed_is_what_the_task_says_but_for_the_person_who_adjudicates():
    assert needed_answers("label", task(CLIP, "label", required=4)) == 3
    assert needed_answers("label", task(CLIP, "label", required=1)) == 1
    assert needed_answers("label", None) == 3
    assert needed_answers("label", None, label_annotators=5) == 5
    assert needed_answers("validate", task(CLIP, "validate", required=4)) == 4
    assert needed_answers("validate", None) == 0


def labelled(clip_id, emotion):
    return {"clip_id": clip_id, "emotion": emotion}


@pytest.mark.parametrize(
    ("reviews", "required", "has_failed"),
    [
        ([], 1, False),
        (["fear"], 1, False),
        (["awe"], 1, True),
        ([NO_SPECIFIC_EMOTION], 1, True),
        (["fear", "awe"], 1, True),
        (["awe"], 2, False),
        (["fear", "awe", "fear"], 3, False),
        (["fear", "awe", "anger"], 3, True),
        (["awe"], 0, True),
    ],
)
def test_a_review_fails_unless_more_than_half_of_the_reviewers_name_the_label(reviews, required, has_failed):
    failed = failed_reviews(said(CLIP, "review", *reviews), [labelled(CLIP, "fear")], required=required)
    assert failed == ({CLIP} if has_failed else set())


def test_only_reviews_of_labelled_clips_can_fail():
    other = "movie-a-00004000-00008000"
    answers = said(CLIP, "label", "awe", "awe", "awe") + said(CLIP, "validate", "awe") + said(other, "review", "awe")
    assert failed_reviews(answers, [labelled(CLIP, "fear"), labelled(other, None)]) == set()
    assert failed_reviews(answers, []) == set()


def test_a_label_that_is_corrected_to_what_the_reviewer_saw_has_not_failed():
    review = said(CLIP, "review", "awe")
    assert failed_reviews(review, [labelled(CLIP, "fear")]) == {CLIP}
    assert failed_reviews(review, [labelled(CLIP, "awe")]) == set()


def test_nothing_gives_nothing():
    assert human_labels([], []) == ([], 0)
