"""Asks a server about many clips at once.

Belongs here: how many clips are under way, and how each ends. Does not belong here: what is asked about a clip
(`endpoint`), whose fault a bad end is (`endpoint_judge`).

As many clips as `concurrency` says are asked about at once; as many threads as there are cores read frames ahead of
them, and hold them as JPEG. Nothing else is in memory, however many clips there are. A clip ends as soon as it is
answered, so a run that is killed repeats only what was under way.
"""

import os
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from emovid_assets.core.video.errors import MediaError, sentence
from emovid_assets.core.vlm import frames
from emovid_assets.core.vlm.exchange import ClipRequest, Meter
from emovid_assets.core.vlm.top_tokens import UnusableAnswerError
from emovid_assets.home.settings import CaptionerSettings, LabellerSettings
from emovid_assets.resources.endpoint_answers import Answer
from emovid_assets.resources.endpoint_client import Endpoint, EndpointError, NoAnswerError
from emovid_assets.resources.endpoint_judge import End, Judge
from emovid_assets.resources.endpoint_manners import Clock, Manners
from emovid_assets.resources.endpoint_requests import body, frame_parts
from emovid_assets.resources.workers import Done, Task


class BadCaptionError(MediaError):
    """The server did answer, and no caption kept to the rules."""

    def __init__(self, detail: str) -> None:
        super().__init__("bad_caption", detail)


@dataclass
class Clip:
    """A clip that is being asked about. Counts are of all its requests; None where the server does not tell them."""

    client: Endpoint
    model: str
    request: ClipRequest
    parts: list[dict[str, Any]]
    frame_pts_s: list[float]
    prompt_tokens: int | None = None
    output_tokens: int | None = None

    def ask(self, text: str, fields: dict[str, Any]) -> Answer:
        answer = self.client.ask(body(self.model, self.parts, text, **fields))
        if answer.prompt_token_count is not None:
            self.prompt_tokens = (self.prompt_tokens or 0) + answer.prompt_token_count
        if answer.output_token_count is not None:
            self.output_tokens = (self.output_tokens or 0) + answer.output_token_count
        return answer


Finish = Callable[[float], dict[str, Any]]
"""Makes the payload, given the seconds that the clip is charged."""


@dataclass
class _Run:
    """What the threads of a run share."""

    client: Endpoint
    model: str
    slots: threading.Semaphore
    ask: Callable[[Clip], Finish]
    clock: Clock = field(default_factory=Clock)

    def end_of(self, task: Task) -> End:
        """Reads the frames of a clip, waits for its turn, asks. Raises EndpointError only."""
        item_id, arguments = task
        clip: Clip | None = None
        try:
            request = ClipRequest.of(arguments)
            seen = frames.read(Path(request.path), request.stamps_s, request.side_px)
            pts_s = [moment for moment, _ in seen]
            clip = Clip(self.client, self.model, request, frame_parts(frame for _, frame in seen), pts_s)
            del seen
            finish, model_s = self._asked(clip)
            return _ended(Done(item_id, finish(model_s)), True, clip)
        except EndpointError:
            raise
        except NoAnswerError as error:
            return _ended(_bad(item_id, error.code, error.detail), False, clip)
        except BadCaptionError as error:
            return _ended(_bad(item_id, error.code, self.client.redact(error.detail)), True, clip)
        except MediaError as error:
            return _ended(_bad(item_id, error.code, error.detail), None, clip)
        except UnusableAnswerError as error:
            return _ended(_bad(item_id, "unusable_answer", self.client.redact(_capital(str(error)))), True, clip)
        except Exception as error:  # noqa: BLE001 - one clip must not end the run of all others
            return _ended(
                _bad(item_id, "unexpected_error", self.client.redact(f"{type(error).__name__}: {error}")), None, clip
            )

    def _asked(self, clip: Clip) -> tuple[Finish, float]:
        with self.slots:
            mark = self.clock.enter()
            model_s = 0.0
            try:
                finish = self.ask(clip)
            finally:
                model_s = self.clock.leave(mark)
            return finish, model_s


def _ended(done: Done, was_answered: bool | None, clip: Clip | None) -> End:
    return End(done, was_answered, (clip and clip.prompt_tokens) or 0, (clip and clip.output_tokens) or 0)


def _bad(item_id: str, code: str, detail: str) -> Done:
    return Done(item_id, None, code, sentence(code, detail))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def asked_about(
    settings: LabellerSettings | CaptionerSettings,
    tasks: Iterable[Task],
    meter: Meter,
    manners: Manners | None,
    ask: Callable[[Clip], Finish],
    known: Task | None,
) -> Generator[list[Done]]:
    """Ends of all tasks as they come. `ask` says what is asked about a clip; `known` as of `endpoint.label_clips`."""
    assert settings.base_url is not None
    assert settings.model is not None
    client = Endpoint(
        settings.base_url,
        settings.key_variable,
        timeout_s=settings.timeout_s,
        attempts=settings.attempts,
        manners=manners,
    )
    run = _Run(client, settings.model, threading.Semaphore(settings.concurrency), ask)
    judge = Judge(client.url, settings.concurrency)
    ahead = min(settings.concurrency, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(settings.concurrency + ahead)
    waiting = iter(tasks)
    under_way: set[Future[End]] = set()
    try:
        while True:
            room = settings.concurrency + ahead - len(under_way)
            under_way |= {pool.submit(run.end_of, task) for task in islice(waiting, room)}
            if not under_way:
                break
            finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            broken = [error for one in finished if (error := one.exception()) is not None]
            ends = [one.result() for one in finished if one.exception() is None]
            _measure(meter, run, ends)
            if told := judge.passes(ends):
                yield told
            if broken:
                raise broken[0]
            if judge.is_due and (told := _proven(run, judge, known, meter)):
                yield told
            judge.check()
        if told := [*_proven(run, judge, known, meter), *judge.rest()]:
            yield told
    finally:
        client.end()
        # What is under way cannot be called back; its answers are lost, as they would be if the process died.
        pool.shutdown(wait=False, cancel_futures=True)


def _proven(run: _Run, judge: Judge, known: Task | None, meter: Meter) -> list[Done]:
    """What may be told because the server answers now what it has answered before."""
    if not judge.is_open or known is None:
        return []
    end = run.end_of(known)
    # It costs, and is no clip of this run.
    _measure(meter, run, [replace(end, was_answered=None)])
    return judge.proven() if end.done.payload is not None else []


def _measure(meter: Meter, run: _Run, ends: Sequence[End]) -> None:
    """`model_s` is the time in which any clip was under way, `waiting_s` the time in which none was."""
    meter.model_s, meter.waiting_s = run.clock.times()
    for end in ends:
        meter.clip_count += end.was_answered is True
        meter.prompt_token_count += end.prompt_tokens
        meter.output_token_count += end.output_tokens
    meter.notes |= {"request_count": run.client.request_count, "retry_count": run.client.retry_count}
    meter.notes |= run.client.dialect.notes()
