"""From answers to a human label: the majority vote, the verification of stickers, the review of the benchmark.

Belongs here: the rules of SPEC §5 "Majority" and of the second review (requirements R9, R13, R28; ADR 10). Does not
belong here: which answers are accepted at all, and how far people agree (`agreement`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emovid_assets.core.emotions import NO_SPECIFIC_EMOTION

Row = dict[str, Any]

REQUIRED_ANSWERS = 3
MIN_AGREE = 2


@dataclass(frozen=True)
class Vote:
    """The result for one clip. `emotion` is None unless `outcome` is `agreed`.

    `agree_count` is the number of people behind the outcome; for `no_majority` it is the size of the largest camp.
    """

    emotion: str | None
    agree_count: int
    annotator_count: int
    outcome: str


def human_label(answers: Sequence[str], *, required: int = REQUIRED_ANSWERS, min_agree: int = MIN_AGREE) -> Vote | None:
    """The majority of the answers to a `label` task; None while fewer than `required` people have answered.

    The one choice with most answers wins where at least `min_agree` people chose it; a tie at the top is
    `no_majority`, also with four or more answers. A winning `no_specific_emotion` is that outcome, without emotion.
    """
    if not answers or len(answers) < required:
        return None
    (label, agree_count), *others = Counter(answers).most_common()
    is_tie = bool(others) and others[0][1] == agree_count
    if is_tie or agree_count < min_agree:
        return Vote(None, agree_count, len(answers), "no_majority")
    if label == NO_SPECIFIC_EMOTION:
        return Vote(None, agree_count, len(answers), "no_specific_emotion")
    return Vote(label, agree_count, len(answers), "agreed")


def verified_label(answers: Sequence[str], intended: str, *, required: int = 1) -> Vote | None:
    """The intended emotion where it is accepted; None while fewer than `required` people have answered.

    `answers` are `accept` or `reject`. Of several, more than half have to accept: a sticker whose emotion people
    dispute evenly is `rejected`, because it enters the dataset by confirmation only.
    """
    if not answers or len(answers) < required:
        return None
    accept_count = sum(answer == "accept" for answer in answers)
    if 2 * accept_count > len(answers):
        return Vote(intended, accept_count, len(answers), "agreed")
    return Vote(None, len(answers) - accept_count, len(answers), "rejected")


def failed_reviews(
    annotations: Iterable[Mapping[str, Any]], labels: Iterable[Mapping[str, Any]], *, required: int = 1
) -> set[str]:
    """Clips whose second review contradicts their label: they are no benchmark clips.

    `annotations` are rows of `human_annotations`, of which `review` counts; `labels` have clip_id and emotion. A
    review says which emotion the reviewer sees, without knowing the label. It confirms where more than half
    of the reviewers name the label's emotion; an even dispute fails, because the benchmark is what all agree on. A
    clip without a label, or with fewer than `required` reviewers so far, has not failed.
    """
    emotions = {label["clip_id"]: label["emotion"] for label in labels if label["emotion"]}
    confirms: dict[str, list[bool]] = defaultdict(list)
    for annotation in annotations:
        clip_id = annotation["clip_id"]
        if annotation["purpose"] == "review" and clip_id in emotions:
            confirms[clip_id].append(annotation["label"] == emotions[clip_id])
    return {
        clip_id
        for clip_id, given in confirms.items()
        if len(given) >= max(required, 1) and 2 * sum(given) <= len(given)
    }


def needed_answers(purpose: str, task: Mapping[str, Any] | None, *, label_annotators: int = REQUIRED_ANSWERS) -> int:
    """How many people have to answer before something follows from it.

    A `label` is decided as soon as the usual number has answered: the additional person of an adjudication
    can turn `no_majority` into a label, but nothing waits for that person. `label` answers without a task count by
    the usual number too; for the other purposes no task means that nothing is needed (0).
    """
    if purpose == "label":
        return min(task["required_annotators"], label_annotators) if task else label_annotators
    return int(task["required_annotators"]) if task else 0


def human_labels(
    annotations: Iterable[Mapping[str, Any]],
    tasks: Iterable[Mapping[str, Any]],
    *,
    label_annotators: int = REQUIRED_ANSWERS,
) -> tuple[list[Row], int]:
    """Rows of `human_labels`, sorted by clip, and the number of clips that still wait for answers.

    `annotations` are rows of `human_annotations` (one a person, clip and purpose), `tasks` of `annotation_tasks`;
    purposes other than `label` and `verify` play no part. A clip waits where it has a task and no result yet.
    Where both purposes have a result, `label` wins, being the judgement that suggests nothing. `label` answers to a
    clip without a task count too, by the usual number: work that was done is not thrown away. A verification
    needs its task, which names the intended emotion. `label_annotators` is that usual number of people; a disputed
    clip is `no_majority` from then on, until an additional answer decides it (`needed_answers`).
    """
    tasks_by_key = {(task["clip_id"], task["purpose"]): task for task in tasks}
    answers: dict[tuple[str, str], list[str]] = defaultdict(list)
    domains: dict[str, str] = {task["clip_id"]: task["domain"] for task in tasks_by_key.values()}
    for annotation in annotations:
        answers[annotation["clip_id"], annotation["purpose"]].append(annotation["label"])
        domains[annotation["clip_id"]] = annotation["domain"]

    asked = {clip_id for clip_id, purpose in tasks_by_key if purpose in ("label", "verify")}
    answered = {clip_id for clip_id, purpose in answers if purpose in ("label", "verify")}
    rows: list[Row] = []
    waiting = 0
    for clip_id in sorted(asked | answered):
        label_task = tasks_by_key.get((clip_id, "label"))
        required = needed_answers("label", label_task, label_annotators=label_annotators)
        vote = human_label(answers.get((clip_id, "label"), []), required=required, min_agree=min(MIN_AGREE, required))
        verify_task = tasks_by_key.get((clip_id, "verify"))
        if vote is None and verify_task and verify_task["intended_emotion"]:
            vote = verified_label(
                answers.get((clip_id, "verify"), []),
                verify_task["intended_emotion"],
                required=verify_task["required_annotators"],
            )
        if vote is None:
            waiting += clip_id in asked
            continue
        rows.append(
            {
                "clip_id": clip_id,
                "domain": domains[clip_id],
                "emotion": vote.emotion,
                "agree_count": vote.agree_count,
                "annotator_count": vote.annotator_count,
                "outcome": vote.outcome,
            }
        )
    return rows, waiting
