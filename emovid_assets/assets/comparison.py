"""Stage 4c: labellers and people on the same blind clips.

Belongs here: `labeller_answers`, `labeller_comparison`. Does not belong here: what the comparison means
(`core.labeller_comparison`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.pictures import confusion_matrix
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, markdown_table, result, table_asset
from emovid_assets.assets.training_clips import compared_clips, forest_examples, pool_of
from emovid_assets.core.annotator_quality import majority_of
from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.embedded_labeller import forest_of
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.core.labeller_comparison import PERSON
from emovid_assets.core.labeller_comparison import labeller_comparison as compared
from emovid_assets.core.labelling import LabelScore, NotEnoughLabelsError
from emovid_assets.core.training_pool import TrainingPool
from emovid_assets.core.vlm.exchange import LabelAnswer
from emovid_assets.resources import models, training, vlm
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "labels"
Row = dict[str, Any]


@table_asset(
    group=GROUP,
    code_version=f"3.{vlm.LABEL_VERSION}",
    settings=["labeller_settings", "labeller_training", "benchmark_settings", "review_annotators", "seed"],
    pool=MODEL_POOL,
)
def labeller_answers(
    context: dg.AssetExecutionContext,
    project: Project,
    source_videos: pa.Table,
    clips: pa.Table,
    clip_media: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
    clip_groups: pa.Table,
    annotation_tasks: pa.Table,
    human_annotations: pa.Table,
    human_labels: pa.Table,
    validation_ratings: pa.Table,
    vlm_labels: pa.Table,
    emotion_labeller: pa.Table,
) -> Rows:
    """The answers of models are there already; the forest learns here."""
    answers: dict[str, dict[str, str]] = {}
    domains: dict[str, str] = {}
    for row in each_row(validation_ratings):
        if row["rater_kind"] == "human":
            answers.setdefault(row["clip_id"], {})[row["rater_id"]] = row["label"]
            domains[row["clip_id"]] = row["domain"]
    majority = {clip_id: found for clip_id, given in answers.items() if (found := majority_of(given.values()))}
    people = [_person(clip_id, name, answers[clip_id]) for clip_id in sorted(majority) for name in answers[clip_id]]
    asked: list[Row] = []
    for labeller in rows_of(emotion_labeller) if majority else ():
        asked += _in_use(project, labeller, vlm_labels, set(majority))
        if labeller["kind"] == "embedded":
            continue
        tables = ClipTables(source_videos, clips, clip_media, clip_features, colour_attributes)
        if labeller["kind"] == "fine_tuned":
            blind = compared_clips(annotation_tasks, human_annotations)
            asked += _zero_shot(project, labeller, tables, blind, set(majority), context.log)
        pool = pool_of(
            project, "labeller_answers", tables, annotation_tasks, human_annotations, human_labels, clip_groups
        )
        asked += _forest(pool, tables, set(majority), project.settings.labeller.min_training_clips)
    rows = [
        {**row, "domain": domains[row["clip_id"]], "people_majority": majority[row["clip_id"]]}
        for row in (*people, *asked)
    ]
    if not asked:
        missing = "no blind clip on which two people agree yet" if not majority else "no labeller yet"
        context.log.info(f"Nothing to compare: {missing}.")
    return result("labeller_answers", TABLES["labeller_answers"].from_rows(rows), metadata={"clips": len(majority)})


def _person(clip_id: str, name: str, given: Mapping[str, str]) -> Row:
    others = [label for other, label in given.items() if other != name]
    return {
        "clip_id": clip_id,
        "rater_id": name,
        "rater_kind": PERSON,
        "model_revision": None,
        "label": given[name],
        "others_majority": majority_of(others),
        **{f"p_{emotion}": None for emotion in EMOTION_NAMES},
        "model_s": None,
        "prompt_token_count": None,
    }


def _in_use(project: Project, labeller: Mapping[str, Any], labels: pa.Table, wanted: set[str]) -> list[Row]:
    """What the labeller in use has said already; labels of an older one are passed over."""
    seconds = _seconds(project, wanted) if labeller["kind"] != "embedded" else {}
    return [
        {
            **_model_row(row["clip_id"], labeller["model_id"], labeller["kind"], labeller["revision"]),
            "label": row["emotion"],
            **{f"p_{name}": row[f"p_{name}"] for name in EMOTION_NAMES},
            "model_s": seconds.get(row["clip_id"]),
            "prompt_token_count": row["prompt_token_count"],
        }
        for row in each_row(labels)
        if row["clip_id"] in wanted
        and (row["model_id"], row["model_revision"]) == (labeller["model_id"], labeller["revision"])
    ]


def _seconds(project: Project, wanted: set[str]) -> dict[str, float | None]:
    """How long the model took for a clip, as its item says."""

    def read(store: ItemStore) -> dict[str, float | None]:
        finished = (one for domain in DOMAINS for one in store.finished("label", domain))
        return {clip_id: payload["model_s"] for clip_id, (_, payload) in finished if clip_id in wanted}

    found: dict[str, float | None] = project.with_store(read)
    return found


def _zero_shot(
    project: Project, labeller: Mapping[str, Any], tables: ClipTables, asked: set[str], wanted: set[str], log: Any
) -> list[Row]:
    """The model that was fine-tuned, as it was before: `emotion_labeller` has asked it."""
    model = vlm.model_of(project.home, project.settings.labeller, "labeller")
    temperature = training.found(project, labeller["path"], labeller["revision"]).record["zero_shot_temperature"]
    outcome, _ = training.scored(project, model, asked, tables, log, step=training.ZERO_SHOT_STEP, leave_failures=True)
    return [
        {
            **_model_row(clip_id, model.place.model_id, "zero_shot", model.place.revision),
            **_scored(models.score_of(LabelAnswer.of(payload), temperature)),
            "model_s": payload["model_s"],
        }
        for clip_id, payload in outcome.payloads.items()
        if clip_id in wanted
    ]


def _forest(pool: TrainingPool, tables: ClipTables, wanted: set[str], minimum: int) -> list[Row]:
    """The embedded labeller, taught with what the others could learn from."""
    try:
        forest = forest_of(forest_examples(pool, tables), minimum=minimum)
    except NotEnoughLabelsError:
        return []
    judged = [clip for clip in tables.evidence if clip.clip_id in wanted]
    return [
        {
            **_model_row(clip.clip_id, forest.model_id, "embedded", forest.revision),
            **_scored(score),
            "model_s": None,
        }
        for clip, score in zip(judged, forest.score(judged), strict=True)
    ]


def _scored(score: LabelScore) -> Row:
    return {
        "label": score.emotion,
        **{f"p_{name}": score.probabilities[name] for name in EMOTION_NAMES},
        "prompt_token_count": score.prompt_token_count,
    }


def _model_row(clip_id: str, model_id: str, kind: str, revision: str) -> Row:
    return {
        "clip_id": clip_id,
        "rater_id": model_id,
        "rater_kind": kind,
        "model_revision": revision,
        "others_majority": None,
    }


SHOWN = ("scope", "truth", "rater_id", "clip_count", "accuracy", "macro_f1", "kappa", "ece", "model_s_per_clip")


@table_asset(group=GROUP, code_version="3", kinds=["numpy"], settings=["seed"])
def labeller_comparison(project: Project, labeller_answers: pa.Table) -> Rows:
    answers = rows_of(labeller_answers)
    rows = compared(answers, seed=project.settings.seed)
    overall = [{name: row[name] for name in SHOWN} for row in rows if row["scope"] == TOTAL]
    return result(
        "labeller_comparison",
        TABLES["labeller_comparison"].from_rows(rows),
        metadata={"over_all_domains": markdown_table(overall), **_confusions(answers)},
    )


def _confusions(answers: Sequence[Mapping[str, Any]]) -> Row:
    """A matrix a labeller: the majority of the people by its choice."""
    found: Row = {}
    for name in sorted({row["rater_id"] for row in answers if row["rater_kind"] != PERSON}):
        matrix = [[0] * len(HUMAN_CHOICES) for _ in HUMAN_CHOICES]
        for row in answers:
            if row["rater_id"] == name:
                matrix[HUMAN_CHOICES.index(row["people_majority"])][HUMAN_CHOICES.index(row["label"])] += 1
        found[f"majority and {name}"] = confusion_matrix(matrix, "majority of the people", name, HUMAN_CHOICES)
    return found
