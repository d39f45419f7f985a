"""Generated videos as items of the step `score_video`: an item is a video and a scorer, and a video is decoded once for
all of its scorers.

Belongs here: which scorers there are, items and their keys, frames read ahead of the models, what becomes of a video
that fails. Does not belong here: the models (`core.generation.text_model`, `.video_encoder`).

Where one scorer is changed, the items of the other are still done, and the video goes through the changed one alone.
"""

import base64
import hashlib
import json
import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.clip_content import frames_content
from emovid_assets.core.generation import text_model, video_encoder
from emovid_assets.core.generation.flicker import NearestShown
from emovid_assets.core.generation.prompts import prompt_parts
from emovid_assets.core.generation.text_model import TextModel, load_text_model
from emovid_assets.core.generation.video_encoder import VideoEncoder, load_video_encoder
from emovid_assets.core.model_place import ModelPlace, find_model
from emovid_assets.core.video.errors import MediaError, sentence
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.rgb import RgbConverter, upright
from emovid_assets.core.vlm.exchange import Meter
from emovid_assets.core.vlm.frames import uniform
from emovid_assets.core.vlm.halving import in_halves, is_out_of_memory
from emovid_assets.resources.compute import BatchStep, Item, Outcome
from emovid_assets.resources.generation.measure_step import tracks_of
from emovid_assets.resources.generation.measuring import common_of
from emovid_assets.resources.local_model import one_thread, own_threads
from emovid_assets.resources.read_ahead import read_ahead
from emovid_assets.resources.workers import Done, Task
from emovid_assets.resources.workplace import Workplace

STEP, CLIP_STEP, VERSION = "score_video", "encode_clip", "1"
TEXT, ENCODER = "text", "encoder"
TEXT_FRAMES_AT_MOST = 256
"""The text model sees every frame of a video of up to so many, else so many at equal distances: memory stays flat."""
READ_AHEAD_BYTES = 2**29
"""Of videos that wait for the models: 81 frames of 224 pixels take 49 MB."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Scorers:
    """Where the configured models are; null where none is."""

    text: ModelPlace | None
    encoder: ModelPlace | None

    @property
    def count(self) -> int:
        return (self.text is not None) + (self.encoder is not None)


def scorers_of(project: Workplace) -> Scorers:
    """Raises ModelNotUsableError."""
    settings, root = project.settings.generation, project.home.root
    text, video = settings.text_model, settings.video_model
    return Scorers(
        find_model(text, root, settings.text_revision, setting=text_model.SETTING) if text else None,
        find_model(video, root, settings.video_revision, setting=video_encoder.SETTING) if video else None,
    )


def score(
    project: Workplace,
    domain: str,
    scorers: Scorers,
    videos: Iterable[Row],
    measured: Mapping[str, Row],
    log: logging.Logger,
    *,
    meter: Meter | None = None,
    leave_failures: bool = False,
) -> Outcome:
    """Payloads by `item_of(video_id, scorer)` of the rows of `generated_videos` that were measured.

    Of the text model: `caption_cosine` (null without a caption), `label_cosine`, `prompt_token_count`,
    `first_frame_consistency` (null of one frame), `frame_count`; of the encoder: `float32`, for `vector_of`, and
    `frame_count`.
    """
    step = _step(STEP, project, scorers, log, meter or Meter())
    items = _items(project, scorers, videos, measured)
    return project.compute(step, domain, items, log, leave_failures=leave_failures)


def encode_clips(
    project: Workplace,
    domain: str,
    scorers: Scorers,
    clips: Iterable[Row],
    log: logging.Logger,
    *,
    meter: Meter | None = None,
) -> Outcome:
    """Payloads of the encoder by `clip_id`, of rows that hold what `frames_content` asks for, `media_path`
    and `duration_s`."""
    assert scorers.encoder is not None
    key, root = _encoder_key(project, scorers.encoder), project.home.root
    items = (
        Item(
            clip["clip_id"],
            content=f"{frames_content(clip)}|{key}",
            arguments={"scorer": ENCODER, **_reading(root / clip["media_path"], clip, is_ours=True)},
            path=clip["media_path"],
            input_sha256=clip["sha256"],
        )
        for clip in clips
    )
    return project.compute(_step(CLIP_STEP, project, scorers, log, meter or Meter()), domain, items, log)


def item_of(video_id: str, scorer: str) -> str:
    return f"{video_id}/{scorer}"


def vector_of(payload: Row) -> np.ndarray:
    """float32 (dimensions,) of a payload of the encoder."""
    return np.frombuffer(base64.b64decode(payload["float32"]), "<f4")


def _step(name: str, project: Workplace, scorers: Scorers, log: logging.Logger, meter: Meter) -> BatchStep:
    settings = project.settings.generation

    def all_of(tasks: Iterable[Task], known: Task | None) -> Generator[list[Done]]:
        models = Models(
            text=load_text_model(scorers.text, settings.device) if scorers.text else None,
            encoder=load_video_encoder(scorers.encoder, settings.device) if scorers.encoder else None,
            length_s=settings.common_s,
        )
        yield from score_videos(models, tasks, batch_frames=settings.batch_frames, threads=project.threads, meter=meter)

    return BatchStep(name, VERSION, "per scorer", all_of)


def _items(project: Workplace, scorers: Scorers, videos: Iterable[Row], measured: Mapping[str, Row]) -> Iterator[Item]:
    root = project.home.root
    for video in videos:
        found = measured.get(video["video_id"])
        if found is None:
            continue
        frames = frames_content({**found, "sha256": video["sha256"]})
        is_ours = video["origin"] == "run"
        reading = _reading(root / video["video_path"], found, is_ours=is_ours)
        asked = {**prompt_parts(video["prompt"], video["asked_emotion"])._asdict(), "prompt": video["prompt"]}
        parts: list[tuple[str, str, dict[str, Any]]] = []
        if scorers.text:
            digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
            key = f"{scorers.text.model_id}@{scorers.text.revision}|{text_model.VERSION}"
            parts.append((TEXT, f"{key}|{digest}", asked))
        if scorers.encoder:
            parts.append((ENCODER, _encoder_key(project, scorers.encoder), {}))
        for scorer, key, more in parts:
            yield Item(
                item_of(video["video_id"], scorer),
                content=f"{frames}|{key}",
                arguments={"scorer": scorer, **reading, **more},
                path=video["video_path"],
                input_sha256=video["sha256"],
                group=video["video_id"],
            )


def _encoder_key(project: Workplace, place: ModelPlace) -> str:
    length_s = common_of(project.settings.generation).length_s
    return f"{place.model_id}@{place.revision}|{video_encoder.VERSION}|{length_s:g} s"


def _reading(path: Path, known: Row, *, is_ours: bool) -> dict[str, Any]:
    return {
        "path": str(path),
        "is_ours": is_ours,
        "duration_s": known["duration_s"],
        # Only the text model asks.
        "frame_count": known.get("frame_count", 1),
    }


@dataclass(frozen=True)
class Models:
    """The loaded scorers. The encoder sees the first `length_s` of a video, or all of a shorter one."""

    text: TextModel | None
    encoder: VideoEncoder | None
    length_s: float


@dataclass
class _Read:
    """A video on its way: what each scorer is asked, and its frames as the models take them, or why there are none."""

    asked: dict[str, tuple[str, Row]]
    pictures: list[Any] = field(default_factory=list)
    video: Any = None
    fault: tuple[str, str] | None = None

    @property
    def byte_count(self) -> int:
        tensors = [*self.pictures, *([] if self.video is None else [self.video])]
        return sum(one.nbytes for one in tensors)


def score_videos(
    models: Models, tasks: Iterable[Task], *, batch_frames: int, threads: int, meter: Meter
) -> Generator[list[Done]]:
    """Ends of all tasks, in their order; those of one path that follow each other are read together."""
    together = ((path, list(group)) for path, group in groupby(tasks, lambda task: str(task[1]["path"])))
    ready = read_ahead(
        together,
        partial(_read, models),
        threads=threads,
        most=threads + 1,
        most_bytes=READ_AHEAD_BYTES,
        byte_count=lambda made: made.byte_count,
        begin=one_thread,
    )
    with own_threads(), closing(ready):
        while True:
            start = time.perf_counter()
            found = next(ready, None)
            meter.waiting_s += time.perf_counter() - start
            if found is None:
                return
            read = found[1]
            start = time.perf_counter()
            ends = [_end(models, read, scorer, item_id, batch_frames) for scorer, (item_id, _) in read.asked.items()]
            meter.model_s += time.perf_counter() - start
            meter.clip_count += 1
            yield ends


def _end(models: Models, read: _Read, scorer: str, item_id: str, batch_frames: int) -> Done:
    if read.fault is not None:
        return _failed(item_id, *read.fault)
    work: Callable[[], dict[str, Any]] = (
        partial(_told, models.text, read.pictures, read.asked[TEXT][1], batch_frames)
        if scorer == TEXT
        else partial(_encoded, models.encoder, read.video)
    )
    try:
        return Done(item_id, work())
    except _OverflowError:
        return _failed(item_id, "model_refused", "The model's numbers overflow")
    # Whatever a model of unknown make raises at one video is no reason to lose the others.
    except Exception as error:
        if "CUDA error" in str(error) and not is_out_of_memory(error):
            raise
        code = "model_memory" if is_out_of_memory(error) else "model_refused"
        return _failed(item_id, code, f"{type(error).__name__}: {error}".splitlines()[0])


class _OverflowError(Exception):
    """A model gave what is no number."""


def _told(model: TextModel | None, pictures: Sequence[Any], asked: Row, batch_frames: int) -> dict[str, Any]:
    """What the text model says of a video."""
    assert model is not None
    vectors: list[np.ndarray] = []
    for first in range(0, len(pictures), batch_frames):
        made, _ = in_halves(pictures[first : first + batch_frames], lambda batch: list(model.pictures(batch)), _raised)
        vectors += made
    frames = np.stack(vectors).astype(np.float64)
    texts = [asked["label"], *([asked["caption"]] if asked["caption"] else [])]
    cosines = np.clip(frames @ model.texts(texts).astype(np.float64).T, -1, 1)
    if not np.isfinite(cosines).all():
        raise _OverflowError
    later = np.clip(frames[1:] @ frames[0], -1, 1)
    return {
        "label_cosine": float(cosines[:, 0].mean()),
        "caption_cosine": float(cosines[:, 1].mean()) if len(texts) > 1 else None,
        "first_frame_consistency": float(later.mean()) if len(later) else None,
        "prompt_token_count": model.token_count(asked["prompt"]),
        "frame_count": len(frames),
    }


def _encoded(encoder: VideoEncoder | None, video: Any) -> dict[str, Any]:
    assert encoder is not None
    vector = encoder.encode(video).astype("<f4")
    if not np.isfinite(vector).all():
        raise _OverflowError
    return {"float32": base64.b64encode(vector.tobytes()).decode(), "frame_count": encoder.frame_count}


def _raised(_: Any, error: Exception) -> np.ndarray:
    raise error


def _read(models: Models, tasks: Sequence[Task]) -> _Read:
    """In a thread of its own: one decoding of a video for all that is asked of it."""
    read = _Read({arguments["scorer"]: (item_id, arguments) for item_id, arguments in tasks})
    try:
        _read_into(read, models, tasks[0][1])
    except MediaError as error:
        read.fault = error.code, error.detail
    # Processors refuse pictures of odd shapes each in its own way.
    except Exception as error:  # noqa: BLE001
        read.fault = "model_refused", f"{type(error).__name__}: {error}".splitlines()[0]
    return read


def _read_into(read: _Read, models: Models, first: Row) -> None:
    path, frame_count = Path(first["path"]), int(first["frame_count"])
    text = models.text if TEXT in read.asked else None
    encoder = models.encoder if ENCODER in read.asked else None
    converter, chosen = RgbConverter(), list[np.ndarray]()
    wanted = encoder.frame_count if encoder else 0
    stamps = uniform(min(first["duration_s"], models.length_s), wanted, wanted) if wanted else []
    nearest = NearestShown[Frame](stamps)
    distance = -(-frame_count // TEXT_FRAMES_AT_MOST)
    last: tuple[Frame, np.ndarray] | None = None

    def rgb(frame: Frame) -> np.ndarray:
        nonlocal last
        if last is None or last[0] is not frame:
            last = frame, upright(converter.rgb(frame.picture), frame.rotation)
        return last[1]

    tracks = tracks_of(path, is_ours=first["is_ours"])
    with closing(Video(path, tracks).frames()) as frames:
        first_pts: int | None = None
        for frame in frames:
            first_pts = frame.pts if first_pts is None else first_pts
            if text is not None and frame.index % distance == 0:
                read.pictures.append(text.prepare(rgb(frame)))
            if not nearest.is_complete:
                shown_s = float((frame.pts - first_pts) * frame.picture.time_base)
                chosen += (rgb(one) for one in nearest.add(shown_s, frame))
            elif text is None:
                break
    if first_pts is None:
        raise MediaError("corrupt_frames", "The video holds no frame")
    if encoder is not None:
        read.video = encoder.prepare([*chosen, *(rgb(one) for one in nearest.finish())])


def _failed(item_id: str, code: str, detail: str) -> Done:
    return Done(item_id, None, code, sentence(code, detail))
