"""Stage 6b: what is measured of generated videos, and their features beside those of the benchmark's real clips.

Belongs here: `generation_features`, `generation_scores`. Does not belong here: videos (`generated`), what differences
of generators are worth (`generation_results`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa

from emovid_assets.assets.table_asset import MODEL_POOL, Rows, markdown_table, result, table_asset
from emovid_assets.core.clip_content import OF_FRAMES
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets.core.generation import measuring, text_model, video_encoder
from emovid_assets.core.generation.trust import why_not_trusted
from emovid_assets.core.labelling import ClipEvidence, LabelScore
from emovid_assets.core.vlm.exchange import Meter
from emovid_assets.resources import vlm
from emovid_assets.resources.compute import Outcome
from emovid_assets.resources.evidence import evidence_of
from emovid_assets.resources.generation import recognising, scoring
from emovid_assets.resources.generation.measuring import MEASURED_ID, STEP, measure
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "generation"
NO_VIDEOS = {"missing": "there are no generated videos"}
NO_LABELLER = "No labeller has been trained yet, so the emotions of generated videos stay empty."
_VERSIONS = f"{measuring.VERSION}.{scoring.VERSION}.{text_model.VERSION}.{video_encoder.VERSION}"
_HANDED_ON = ("video_id", "domain", "generator", "task", "clip_id", "asked_emotion", "seed")
_SHOWN = ("caption_cosine", "label_cosine", "first_frame_consistency", "flicker_native", "flicker_common")
Row = dict[str, Any]


@table_asset(
    group=GROUP,
    code_version=f"1.{_VERSIONS}",
    kinds=["pytorch"],
    settings=["scoring_models", "common_settings", "scene_settings", "frame_sampling"],
    pool=MODEL_POOL,
)
def generation_features(
    context: dg.AssetExecutionContext,
    project: Project,
    generated_videos: pa.Table,
    benchmark_split: pa.Table,
    clip_media: pa.Table,
    clip_features: pa.Table,
    colour_attributes: pa.Table,
) -> Rows:
    table, domain, log = TABLES["generation_features"], context.partition_key, context.log
    videos = rows_of(generated_videos)
    if not videos:
        project.leave_out(domain, STEP, scoring.STEP, scoring.CLIP_STEP)
        return result(table.name, table.empty(), metadata=NO_VIDEOS)
    scorers = scoring.scorers_of(project)
    meter = Meter()
    measured = measure(project, domain, videos, log)
    scored = scoring.score(project, domain, scorers, videos, measured.payloads, log, meter=meter)
    real = _real_evidence(benchmark_split, clip_features, colour_attributes)
    outcomes = [measured, scored]
    if scorers.encoder is None:
        project.leave_out(domain, scoring.CLIP_STEP)
        rows = list(_measured_rows(domain, videos, measured, real))
        extractor = f"{MEASURED_ID}@{measuring.VERSION}"
    else:
        clips = list(_clip_rows(clip_media, real))
        encoded = scoring.encode_clips(project, domain, scorers, clips, log, meter=meter)
        outcomes.append(encoded)
        of_videos = {
            video["video_id"]: scored.payloads.get(scoring.item_of(video["video_id"], scoring.ENCODER))
            for video in videos
        }
        rows = [
            _feature_row(
                item_id, domain, kind, payload["frame_count"], scoring.vector_of(payload), **vars(scorers.encoder)
            )
            for kind, payloads in (("generated", of_videos), ("real", encoded.payloads))
            for item_id, payload in payloads.items()
            if payload is not None
        ]
        extractor = f"{scorers.encoder.model_id}@{scorers.encoder.revision}"
    return result(
        table.name,
        table.from_rows(rows),
        failures=[failure for outcome in outcomes for failure in outcome.failures],
        computed_count=sum(outcome.computed_count for outcome in outcomes),
        metadata={
            "extractor": extractor,
            "generated": sum(row["kind"] == "generated" for row in rows),
            "real": sum(row["kind"] == "real" for row in rows),
            **({"waiting_for_frames_share": round(meter.waiting_share, 4)} if meter.clip_count else {}),
        },
    )


def _real_evidence(split: pa.Table, features: pa.Table, colours: pa.Table) -> list[ClipEvidence]:
    chosen = {row["clip_id"] for row in rows_of(split, ["clip_id", "split"]) if row["split"] == "benchmark"}
    return [clip for clip in evidence_of(features, colours) if clip.clip_id in chosen]


def _clip_rows(clip_media: pa.Table, real: list[ClipEvidence]) -> Iterator[Row]:
    chosen = {clip.clip_id for clip in real}
    rows = rows_of(clip_media, ["clip_id", "media_path", "duration_s", *OF_FRAMES])
    return (row for row in rows if row["clip_id"] in chosen)


def _measured_rows(domain: str, videos: list[Row], measured: Outcome, real: list[ClipEvidence]) -> Iterator[Row]:
    payloads = measured.payloads
    made = [
        measuring.evidence_of_video(video["video_id"], domain, payloads[video["video_id"]])
        for video in videos
        if video["video_id"] in payloads
    ]
    for kind, clips in (("generated", made), ("real", real)):
        for clip in clips:
            vector, frames = measuring.picture_features(clip), clip.colour["sampled_frame_count"]
            yield _feature_row(clip.clip_id, domain, kind, frames, vector, MEASURED_ID, measuring.VERSION)


def _feature_row(
    item_id: str,
    domain: str,
    kind: str,
    frame_count: int,
    features: np.ndarray,
    model_id: str,
    revision: str,
    folder: Any = None,
) -> Row:
    return {
        "item_id": item_id,
        "domain": domain,
        "kind": kind,
        "extractor_id": model_id,
        "extractor_revision": revision,
        "frame_count": frame_count,
        "features": features.astype(np.float64),
    }


@table_asset(
    group=GROUP,
    code_version=f"1.{_VERSIONS}.{vlm.LABEL_VERSION}",
    kinds=["pytorch"],
    settings=["scoring_models", "common_settings", "scene_settings", "frame_sampling", "labeller_settings"],
    deps=["generation_features"],
    pool=MODEL_POOL,
)
def generation_scores(
    context: dg.AssetExecutionContext,
    project: Project,
    generated_videos: pa.Table,
    emotion_labeller: pa.Table,
    validation_ratings: pa.Table,
) -> Rows:
    table, domain, log = TABLES["generation_scores"], context.partition_key, context.log
    videos = rows_of(generated_videos)
    if not videos:
        project.leave_out(domain, recognising.STEP)
        return result(table.name, table.empty(), metadata=NO_VIDEOS)
    # `generation_features` has read the videos for both: here everything is found, or failed there.
    scorers = scoring.scorers_of(project)
    measured = measure(project, domain, videos, log, leave_failures=True)
    found = measured.payloads
    scored = scoring.score(project, domain, scorers, videos, found, log, leave_failures=True).payloads
    there = [video for video in videos if video["video_id"] in found]
    why_not, by_video, by_labeller, shown = _recognised(
        project, domain, there, found, rows_of(emotion_labeller), rows_of(validation_ratings), log
    )
    is_trial = project.settings.generation.scorers_are_trial
    rows = [
        {
            **{name: video[name] for name in _HANDED_ON},
            **_by_models(scorers, scored, video["video_id"], found[video["video_id"]]),
            **_emotion(by_video.get(video["video_id"]), video["asked_emotion"]),
            **by_labeller,
            "is_trial": video["is_trial"] or is_trial,
        }
        for video in there
    ]
    return result(
        table.name,
        table.from_rows(rows),
        **shown.pop("items", {}),
        metadata={
            "means": _means(rows),
            **({"what_was_done": why_not} if why_not else {}),
            **shown,
            **({"trial": "a model of random weights had part in it: these numbers say nothing"} if is_trial else {}),
        },
    )


def _recognised(
    project: Project,
    domain: str,
    videos: list[Row],
    measured: Mapping[str, Row],
    labellers: list[Row],
    ratings: list[Row],
    log: Any,
) -> tuple[str | None, Mapping[str, LabelScore], Row, Row]:
    """(why there are no emotions, scores by video, columns that name the labeller, what is shown)."""
    nobody: Row = {"labeller_id": None, "labeller_revision": None}
    why_not = why_not_trusted(labellers[0], ratings) if labellers else NO_LABELLER
    if why_not is not None:
        log.warning(why_not)
        project.leave_out(domain, recognising.STEP)
        return why_not, {}, nobody, {}
    answers = recognising.recognise(project, labellers[0], recognising.GeneratedVideos(domain, videos, measured), log)
    by_labeller = {"labeller_id": answers.model_id, "labeller_revision": answers.revision}
    return None, dict(answers.by_clip), by_labeller, {"items": answers.shown, **answers.metadata}


def _by_models(scorers: scoring.Scorers, scored: Mapping[str, Row], video_id: str, measured: Row) -> Row:
    row = {
        "caption_cosine": None,
        "label_cosine": None,
        "prompt_token_count": None,
        "first_frame_consistency": measured["first_frame_consistency"],
        "flicker_native": measured["flicker_native"],
        "flicker_common": measured["flicker_common"],
        "text_scorer_id": None,
        "text_scorer_revision": None,
        "picture_scorer_id": MEASURED_ID,
        "picture_scorer_revision": measuring.VERSION,
    }
    if scorers.text is None:
        return row
    told: Mapping[str, Any] = scored.get(scoring.item_of(video_id, scoring.TEXT), {})
    names = ("caption_cosine", "label_cosine", "prompt_token_count", "first_frame_consistency")
    model = {"id": scorers.text.model_id, "revision": scorers.text.revision}
    return {
        **row,
        # A measured number among a model's would be another quantity under the same name.
        **{name: told.get(name) for name in names},
        **{f"{part}_scorer_{name}": value for part in ("text", "picture") for name, value in model.items()},
    }


def _emotion(score: LabelScore | None, asked: str) -> Row:
    probabilities = score.probabilities if score else {}
    emotion = score.emotion if score else None
    return {
        "emotion": emotion,
        "confidence": probabilities.get(emotion) if emotion else None,
        **{f"p_{name}": probabilities.get(name) for name in EMOTION_NAMES},
        "is_emotion_right": emotion == asked if emotion else None,
        "is_polarity_right": _polarity(emotion) == _polarity(asked) if emotion else None,
    }


def _polarity(emotion: str) -> str:
    return EMOTION_BY_NAME[emotion].polarity


def _means(rows: list[Row]) -> dg.MetadataValue:
    """A row a generator and task: the mean of each number, where there is one."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["generator"], row["task"]), []).append(row)
    return markdown_table(
        [
            {"generator": generator, "task": task, "videos": len(members)}
            | {name: _mean(members, name) for name in (*_SHOWN, "is_emotion_right")}
            for (generator, task), members in sorted(groups.items())
        ]
    )


def _mean(rows: list[Row], name: str) -> float | None:
    values = [row[name] for row in rows if row[name] is not None]
    return float(np.mean(values)) if values else None
