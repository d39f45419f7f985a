"""Embeddings by a vision model as items: each clip once per content, model and revision.

Belongs here: batches over clips, keeping vectors. Does not belong here: the model (`core.vision_tower`). One process
holds one model; threads decode while it works.
"""

import base64
import logging
from collections import deque
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.clip_content import frames_content
from emovid_assets.core.model_place import ModelPlace
from emovid_assets.core.video.errors import MediaError, sentence
from emovid_assets.core.video.sampled import sampled_frames
from emovid_assets.core.vision_tower import VisionTower, load_tower, pooled
from emovid_assets.core.vlm.exchange import Meter
from emovid_assets.resources.compute import BatchStep, Item, Outcome
from emovid_assets.resources.read_ahead import read_ahead
from emovid_assets.resources.workers import Done, ModelWork, Task
from emovid_assets.resources.workplace import Workplace

STEP, VERSION = "embed", "1"
CLIPS_AT_ONCE = 64
"""That one call of a worker elsewhere embeds."""
READ_AHEAD = 2
"""Clips that are decoded ahead of the model, per thread: their prepared frames take some 0.6 MB each."""


def embed(
    project: Workplace,
    domain: str,
    place: ModelPlace,
    media: Iterable[Mapping[str, Any]],
    stamps: Mapping[str, list[float]],
    log: logging.Logger,
) -> Outcome:
    """The embedding of each row of `clip_media`, by the frames at `stamps` (clip id → seconds)."""
    settings, root = project.settings.embeddings, project.home.root

    def all_of(tasks: Iterable[Task], known: Task | None) -> Generator[list[Done]]:
        tower = load_tower(place, settings.device)
        log.info(f"{place.model_id} is loaded on {tower.device}")
        yield from embed_clips(tower, tasks, batch_frames=settings.batch_frames, threads=project.threads)

    elsewhere = ModelWork(
        embed_by,
        {"place": place, "device": settings.device, "batch_frames": settings.batch_frames},
        at_once=CLIPS_AT_ONCE,
        meter=Meter(),
    )
    step = BatchStep(STEP, VERSION, f"{place.model_id}@{place.revision}", all_of, elsewhere)
    items = (
        Item(
            row["clip_id"],
            content=f"{frames_content(row)}|{stamps[row['clip_id']]}",
            arguments={"path": str(root / row["media_path"]), "stamps_s": stamps[row["clip_id"]]},
            path=row["media_path"],
            input_sha256=row["sha256"],
        )
        for row in media
        if row["clip_id"] in stamps
    )
    return project.compute(step, domain, items, log)


def embed_by(
    tasks: Iterable[Task], *, place: ModelPlace, device: str, batch_frames: int, threads: int, meter: Meter
) -> Generator[list[Done]]:
    """As `embed_clips`, in a process elsewhere."""
    return embed_clips(load_tower(place, device), tasks, batch_frames=batch_frames, threads=threads)


def vector_of(payload: Mapping[str, Any]) -> np.ndarray:
    """float32 (dimensions,) of a payload."""
    return np.frombuffer(base64.b64decode(payload["float32"]), "<f4")


@dataclass
class _Clip:
    """A clip on its way through the model: frames may go through in several batches."""

    item_id: str
    frame_count: int
    vectors: list[np.ndarray] = field(default_factory=list)


def embed_clips(tower: VisionTower, tasks: Iterable[Task], *, batch_frames: int, threads: int) -> Generator[list[Done]]:
    """Ends of all tasks, in their order but for clips that cannot be read, which end at once."""
    waiting: deque[tuple[_Clip, Any]] = deque()
    for item_id, frames in read_ahead(tasks, partial(_prepared, tower), threads=threads, most=READ_AHEAD * threads + 1):
        if isinstance(frames, MediaError):
            yield [Done(item_id, None, frames.code, sentence(frames.code, frames.detail))]
            continue
        clip = _Clip(item_id, len(frames))
        waiting.extend((clip, frame) for frame in frames)
        while len(waiting) >= batch_frames:
            yield _through(tower, waiting, batch_frames)
    while waiting:
        yield _through(tower, waiting, batch_frames)


def _through(tower: VisionTower, waiting: deque[tuple[_Clip, Any]], count: int) -> list[Done]:
    """Sends the first frames through the model; ends the clips that are then complete."""
    batch = [waiting.popleft() for _ in range(min(count, len(waiting)))]
    done = []
    for (clip, _), vector in zip(batch, tower.embed([frame for _, frame in batch]), strict=True):
        clip.vectors.append(vector)
        if len(clip.vectors) == clip.frame_count:
            kept = pooled(np.stack(clip.vectors)).astype("<f4")
            done.append(Done(clip.item_id, {"float32": base64.b64encode(kept.tobytes()).decode()}))
    return done


def _prepared(tower: VisionTower, arguments: Mapping[str, Any]) -> list[Any] | MediaError:
    try:
        return [tower.prepare(frame) for frame in sampled_frames(Path(arguments["path"]), arguments["stamps_s"])]
    except MediaError as error:
        return error
