"""How many items scoring generated videos would compute, by the keys that scoring itself uses.

Belongs here: walking its steps with a project that counts (`freshness.amounts`). Does not belong here: the steps.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from emovid_assets.core.generation.trust import why_not_trusted
from emovid_assets.core.model_place import ModelNotUsableError
from emovid_assets.core.vlm.prompts import PromptError
from emovid_assets.resources.compute import Count
from emovid_assets.resources.generation import measuring, recognising, scoring
from emovid_assets.resources.models import LabellerOutOfDateError
from emovid_assets.resources.workplace import Workplace
from emovid_assets.tables.columns import rows_of

_LOG = logging.getLogger("emovid.plan")
Rows = Sequence[Mapping[str, Any]]


class Counted(NamedTuple):
    """Items of a step; null where nobody can say. `weight` is 0 where it is not known."""

    step: str
    items: int | None
    weight: float = 0.0


class Counting(Workplace):
    """A workplace whose steps count instead of computing."""

    def counted(self, step: str) -> Count:
        raise NotImplementedError


def features(project: Counting, domain: str, videos: Rows) -> Counted:
    """Of `generation_features`: the videos, each as often as models look at it, and the benchmark's real clips."""
    measured = measuring.measure(project, domain, videos, _LOG).payloads
    found = project.counted(measuring.STEP)
    settings = project.settings.generation
    if settings.text_model is None and settings.video_model is None:
        return Counted(measuring.STEP, len(found.todo_ids), found.todo_weight)
    try:
        scorers = scoring.scorers_of(project)
    except ModelNotUsableError:
        return Counted(scoring.STEP, None)
    scoring.score(project, domain, scorers, videos, measured, _LOG)
    left = len(project.counted(scoring.STEP).todo_ids) + len(found.todo_ids) * scorers.count
    if scorers.encoder:
        split = rows_of(project.read("benchmark_split", domain), ["clip_id", "split"])
        chosen = {row["clip_id"] for row in split if row["split"] == "benchmark"}
        clips = [row for row in rows_of(project.read("clip_media", domain)) if row["clip_id"] in chosen]
        scoring.encode_clips(project, domain, scorers, clips, _LOG)
        left += len(project.counted(scoring.CLIP_STEP).todo_ids)
    return Counted(scoring.STEP, left)


def labels(project: Counting, domain: str, videos: Rows) -> Counted | None:
    """Of `generation_scores`; null where no labeller that answers video by video will be asked."""
    labellers = rows_of(project.read("emotion_labeller"))
    if project.settings.labeller.backend == "embedded" or not labellers:
        return None
    if why_not_trusted(labellers[0], rows_of(project.read("validation_ratings", domain))):
        return None
    measured = measuring.measure(project, domain, videos, _LOG).payloads
    there = [video for video in videos if video["video_id"] in measured]
    try:
        recognising.recognise(project, labellers[0], recognising.GeneratedVideos(domain, there, measured), _LOG)
    except (ModelNotUsableError, PromptError, LabellerOutOfDateError):
        return Counted(recognising.STEP, len(videos))
    left = len(project.counted(recognising.STEP).todo_ids) + len(videos) - len(there)
    return Counted(recognising.STEP, left)
