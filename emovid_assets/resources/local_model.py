"""Labels and captions by a vision-language model in this process.

Belongs here: frames read ahead of the model, batches across clips, what happens to a clip that fails. Does not belong
here: the model (`core.vlm.chat_model`), which clips, keeping results.

Nothing that is wrong with one clip stops the others: a batch that fails is tried in halves, a clip that fails alone
ends with a code.
"""

import hashlib
import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from emovid_assets.core.statistics.softmax import log_softmax
from emovid_assets.core.video.errors import MediaError, sentence
from emovid_assets.core.vlm.caption_rules import FAULTS, CaptionRules
from emovid_assets.core.vlm.chat_model import ChatModel, Prepared, Written
from emovid_assets.core.vlm.exchange import CaptionAnswer, ClipRequest, LabelAnswer, Meter
from emovid_assets.core.vlm.frames import read
from emovid_assets.core.vlm.halving import in_halves, is_out_of_memory
from emovid_assets.resources.read_ahead import read_ahead
from emovid_assets.resources.workers import Done, Task

READ_AHEAD_BYTES = 2**29
"""Of prepared clips that wait for the model: a clip of eight frames of 448 pixels takes some ten megabytes."""
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class _Clip:
    """A clip that is ready for the model."""

    item_id: str
    prompt: str
    prepared: Prepared


def label_clips(
    model: ChatModel, tasks: Iterable[Task], *, batch_clips: int, threads: int, meter: Meter
) -> Generator[list[Done]]:
    """Ends of all tasks, whose arguments are a `ClipRequest`'s; payloads are a `LabelAnswer`'s."""

    def ends(batch: Sequence[_Clip]) -> list[Done]:
        start = time.perf_counter()
        scores = model.score([clip.prepared for clip in batch])
        each_s = (time.perf_counter() - start) / len(batch)
        return [_labelled(clip, own, each_s) for clip, own in zip(batch, scores, strict=True)]

    yield from _all(model, tasks, ends, batch_clips, threads, meter)


def caption_clips(
    model: ChatModel,
    tasks: Iterable[Task],
    *,
    batch_clips: int,
    threads: int,
    rules: CaptionRules,
    max_tokens: int,
    tries: int,
    meter: Meter,
) -> Generator[list[Done]]:
    """Ends of all tasks, whose arguments are a `ClipRequest`'s; payloads are a `CaptionAnswer`'s.

    The first caption is the likeliest one. One that breaks the rules is written again, sampled with a seed made of the
    clip's id and the attempt; after `tries` the clip ends as `bad_caption`.
    """

    def ends(batch: Sequence[_Clip]) -> list[Done]:
        start = time.perf_counter()
        written = model.write([clip.prepared for clip in batch], max_tokens=max_tokens)
        each_s = (time.perf_counter() - start) / len(batch)
        return [finished(clip, first, each_s) for clip, first in zip(batch, written, strict=True)]

    def finished(clip: _Clip, written: Written, model_s: float) -> Done:
        tokens, caption, fault = 0, "", None
        for attempt in range(1, tries + 1):
            if attempt > 1:
                start = time.perf_counter()
                # Alone, so that the text does not depend on who else failed.
                [written] = model.write([clip.prepared], max_tokens=max_tokens, seed=_seed(clip.item_id, attempt))
                model_s += time.perf_counter() - start
            tokens += written.token_count
            meter.output_token_count += written.token_count
            caption, fault = rules.judged(written.text, is_finished=written.is_finished, prompt=clip.prompt)
            if fault is None:
                answer = CaptionAnswer(
                    caption, clip.prepared.pts_s, attempt, clip.prepared.token_count, tokens, round(model_s, 6)
                )
                return Done(clip.item_id, answer.as_payload())
        why = f"{FAULTS[fault or 'not_text']}: {caption[:_SHOWN_CHARACTERS]!r}"
        return _failed(clip.item_id, "bad_caption", f"The last of {tries} captions is no good: {why}")

    yield from _all(model, tasks, ends, batch_clips, threads, meter)


def _labelled(clip: _Clip, scores: Sequence[float], model_s: float) -> Done:
    if not all(map(math.isfinite, scores)):
        return _failed(clip.item_id, "model_refused", "The model's numbers overflow")
    answer = LabelAnswer(
        log_softmax(scores).tolist(),
        clip.prepared.pts_s,
        mass=math.fsum(map(math.exp, scores)),
        prompt_token_count=clip.prepared.token_count,
        model_s=round(model_s, 6),
    )
    return Done(clip.item_id, answer.as_payload())


def _all(
    model: ChatModel,
    tasks: Iterable[Task],
    ends: Callable[[Sequence[_Clip]], list[Done]],
    batch_clips: int,
    threads: int,
    meter: Meter,
) -> Generator[list[Done]]:
    """Batches of clips in the order of the tasks; clips that cannot be read end at once."""
    ready = read_ahead(
        ((item_id, (item_id, arguments)) for item_id, arguments in tasks),
        partial(_prepared, model),
        threads=threads,
        # Two batches: one is made while the model is at the other.
        most=2 * batch_clips + threads,
        most_bytes=READ_AHEAD_BYTES,
        byte_count=lambda made: made.prepared.byte_count if isinstance(made, _Clip) else 0,
        begin=one_thread,
    )
    most, batch = batch_clips, list[_Clip]()
    with own_threads(), closing(ready):
        is_more = True
        while is_more:
            start = time.perf_counter()
            found = next(ready, None)
            meter.waiting_s += time.perf_counter() - start
            is_more = found is not None
            made = found[1] if found is not None else None
            if isinstance(made, Done):
                yield [made]
            elif made is not None:
                batch.append(made)
            if batch and (len(batch) >= most or not is_more):
                start = time.perf_counter()
                done, fitted = in_halves(batch, ends, _refused)
                meter.model_s += time.perf_counter() - start
                meter.clip_count += len(batch)
                meter.prompt_token_count += sum(clip.prepared.token_count for clip in batch)
                # What did not fit once will not fit the next time either.
                most, batch = min(most, fitted), []
                yield done


def _refused(clip: _Clip, error: Exception) -> Done:
    """The end of a clip that the model does not take by itself."""
    code = "model_memory" if is_out_of_memory(error) else "model_refused"
    return _failed(clip.item_id, code, f"{type(error).__name__}: {error}".splitlines()[0])


def _prepared(model: ChatModel, task: tuple[str, Mapping[str, Any]]) -> _Clip | Done:
    """In a thread of its own: the frames of a clip as the model takes them, or the end of the clip."""
    item_id, request = task[0], ClipRequest.of(dict(task[1]))
    try:
        frames = read(Path(request.path), request.stamps_s, request.side_px)
    except MediaError as error:
        return _failed(item_id, error.code, error.detail)
    except Exception as error:  # noqa: BLE001
        return _failed(item_id, "unexpected_error", f"{type(error).__name__}: {error}")
    try:
        pixels, pts_s = [pixels for _, pixels in frames], [stamp for stamp, _ in frames]
        return _Clip(item_id, request.prompt, model.prepare(pixels, pts_s, request.prompt))
    # Processors refuse pictures of odd shapes each in its own way.
    except Exception as error:  # noqa: BLE001
        return _failed(item_id, "model_refused", f"{type(error).__name__}: {error}".splitlines()[0])


@contextmanager
def own_threads() -> Iterator[None]:
    """What `one_thread` leaves behind for threads of other people is put right."""
    import torch

    count = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(count)


def one_thread() -> None:
    """Many threads prepare clips: each with helper threads of its own they would stand in each other's way."""
    import torch

    torch.set_num_threads(1)


def _failed(item_id: str, code: str, detail: str) -> Done:
    return Done(item_id, None, code, sentence(code, detail))


def _seed(item_id: str, attempt: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{item_id}|{attempt}".encode()).digest()[:4])
