"""Labels and captions by a model behind an OpenAI-compatible server, clip by clip.

Belongs here: which requests a clip needs, and how many clips are under way. Does not belong here: how a request is
sent and repeated (`endpoint_client`), what tokens mean (`core.vlm.top_tokens`).

As many clips as `concurrency` says are asked about at once; as many threads as there are cores read frames ahead of
them, and hold them as JPEG. Nothing else is in memory, however many clips there are. A clip ends as soon as it is
answered, so a run that is killed repeats only what was under way.
"""

import os
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from emovid_assets.core.video.errors import MediaError, sentence
from emovid_assets.core.vlm import frames
from emovid_assets.core.vlm.caption_rules import FAULTS, CaptionRules
from emovid_assets.core.vlm.exchange import CaptionAnswer, ClipRequest, LabelAnswer, Meter, normalised
from emovid_assets.core.vlm.prompts import letter_options, word_options
from emovid_assets.core.vlm.top_tokens import (
    Reading,
    UnusableAnswerError,
    averaged,
    logarithms,
    read_letters,
    read_words,
    rotated,
)
from emovid_assets.layout import CaptionerSettings, LabellerSettings
from emovid_assets.resources.endpoint_answers import Answer
from emovid_assets.resources.endpoint_client import Endpoint, EndpointError, NoAnswerError
from emovid_assets.resources.endpoint_judge import End, Judge
from emovid_assets.resources.endpoint_manners import Clock, Manners
from emovid_assets.resources.endpoint_requests import (
    body,
    caption_fields,
    frame_parts,
    letter_fields,
    word_fields,
)
from emovid_assets.resources.workers import Done, Task

SHOWN_CHARACTERS = 80
"""Of a bad caption."""
PLACE = "{options}"
"""Of a prompt whose options are lettered."""


def label_clips(
    settings: LabellerSettings, tasks: Iterable[Task], *, meter: Meter, manners: Manners | None = None
) -> Generator[list[Done]]:
    """Ends of all tasks as they come: payloads of LabelAnswer, or why there is none.

    With `answer = "letters"` a clip is asked about in `rotations` orders, which are averaged; each has to be usable.
    Raises EndpointError where the server cannot be used; what has not ended then stays to do.
    """
    ask = _letters if settings.answer == "letters" else _words
    return _ends(settings, tasks, meter, manners, partial(ask, settings))


def caption_clips(
    settings: CaptionerSettings,
    tasks: Iterable[Task],
    *,
    rules: CaptionRules,
    meter: Meter,
    manners: Manners | None = None,
) -> Generator[list[Done]]:
    """Ends of all tasks as they come: payloads of CaptionAnswer, or why there is none.

    A caption that breaks the rules, or has no whole sentences before `max_tokens` cut it off, is written anew with
    another seed, up to `tries` times. Raises EndpointError as `label_clips` does.
    """
    return _ends(settings, tasks, meter, manners, partial(_caption, settings, rules))


class BadCaptionError(MediaError):
    """The server did answer, and no caption kept to the rules."""

    def __init__(self, detail: str) -> None:
        super().__init__("bad_caption", detail)


@dataclass
class _Clip:
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


_Finish = Callable[[float], dict[str, Any]]
"""Makes the payload, given the seconds that the clip is charged."""


def _letters(settings: LabellerSettings, clip: _Clip) -> _Finish:
    if PLACE not in clip.request.prompt:
        raise EndpointError(f'The prompt has no {PLACE}, which answer = "letters" needs for the lettered emotions.')
    readings = []
    for rotation in range(settings.rotations):
        order = rotated(rotation, settings.rotations)
        answer = clip.ask(clip.request.prompt.replace(PLACE, letter_options(order)), letter_fields())
        if not answer.positions:
            raise UnusableAnswerError("the answer has no log-probabilities")
        readings.append(read_letters(answer.positions[0], order))
    return partial(_label_payload, clip, averaged(readings))


def _words(settings: LabellerSettings, clip: _Clip) -> _Finish:
    answer = clip.ask(clip.request.prompt.replace(PLACE, word_options()), word_fields())
    if not clip.client.dialect.binds:
        raise EndpointError(
            "The server takes neither structured_outputs nor regex, so it cannot be bound to the eight words. "
            'Set answer = "letters".'
        )
    return partial(_label_payload, clip, read_words(answer.positions, answer.text))


def _label_payload(clip: _Clip, reading: Reading, model_s: float) -> dict[str, Any]:
    return LabelAnswer(
        log_probabilities=normalised(logarithms(reading)),
        frame_pts_s=clip.frame_pts_s,
        mass=reading.mass,
        prompt_token_count=clip.prompt_tokens,
        model_s=model_s,
    ).as_payload()


def _caption(settings: CaptionerSettings, rules: CaptionRules, clip: _Clip) -> _Finish:
    prompt = clip.request.prompt
    caption, fault = "", None
    for attempt in range(1, settings.tries + 1):
        answer = clip.ask(prompt, caption_fields(attempt, settings.max_tokens))
        written = clip.client.cleared(answer.text)
        caption, fault = rules.judged(written, is_finished=answer.finish_reason != "length", prompt=prompt)
        if fault is None:
            return partial(_caption_payload, clip, caption, attempt)
    why = f"{FAULTS[fault or 'not_text']}: {caption[:SHOWN_CHARACTERS]!r}"
    raise BadCaptionError(f"The last of {settings.tries} captions is no good: {why}")


def _caption_payload(clip: _Clip, caption: str, attempt: int, model_s: float) -> dict[str, Any]:
    return CaptionAnswer(
        caption=caption,
        frame_pts_s=clip.frame_pts_s,
        attempt_count=attempt,
        prompt_token_count=clip.prompt_tokens,
        output_token_count=clip.output_tokens,
        model_s=model_s,
    ).as_payload()


@dataclass
class _Run:
    """What the threads of a run share."""

    client: Endpoint
    model: str
    slots: threading.Semaphore
    ask: Callable[[_Clip], _Finish]
    clock: Clock = field(default_factory=Clock)

    def end_of(self, task: Task) -> End:
        """Reads the frames of a clip, waits for its turn, asks. Raises EndpointError only."""
        item_id, arguments = task
        clip: _Clip | None = None
        try:
            request = ClipRequest.of(arguments)
            seen = frames.read(Path(request.path), request.stamps_s, request.side_px)
            pts_s = [moment for moment, _ in seen]
            clip = _Clip(self.client, self.model, request, frame_parts(frame for _, frame in seen), pts_s)
            del seen
            finish, model_s = self._asked(clip)
            return _ended(Done(item_id, finish(model_s)), True, clip)
        except EndpointError:
            raise
        except NoAnswerError as error:
            return _ended(_bad(item_id, error.code, error.detail), False, clip)
        except BadCaptionError as error:
            return _ended(_bad(item_id, error.code, error.detail), True, clip)
        except MediaError as error:
            return _ended(_bad(item_id, error.code, error.detail), None, clip)
        except UnusableAnswerError as error:
            return _ended(_bad(item_id, "unusable_answer", self.client.cleared(_capital(str(error)))), True, clip)
        except Exception as error:  # noqa: BLE001 - one clip must not end the run of all others
            return _ended(
                _bad(item_id, "unexpected_error", self.client.cleared(f"{type(error).__name__}: {error}")), None, clip
            )

    def _asked(self, clip: _Clip) -> tuple[_Finish, float]:
        with self.slots:
            mark = self.clock.enter()
            model_s = 0.0
            try:
                finish = self.ask(clip)
            finally:
                model_s = self.clock.leave(mark)
            return finish, model_s


def _ended(done: Done, was_answered: bool | None, clip: _Clip | None) -> End:
    return End(done, was_answered, (clip and clip.prompt_tokens) or 0, (clip and clip.output_tokens) or 0)


def _bad(item_id: str, code: str, detail: str) -> Done:
    return Done(item_id, None, code, sentence(code, detail))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ends(
    settings: LabellerSettings | CaptionerSettings,
    tasks: Iterable[Task],
    meter: Meter,
    manners: Manners | None,
    ask: Callable[[_Clip], _Finish],
) -> Generator[list[Done]]:
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
            judge.check()
        if told := judge.rest():
            yield told
    finally:
        client.end()
        # What is under way cannot be called back; its answers are lost, as they would be if the process died.
        pool.shutdown(wait=False, cancel_futures=True)


def _measure(meter: Meter, run: _Run, ends: Sequence[End]) -> None:
    """`model_s` is the time in which any clip was under way, `waiting_s` the time in which none was."""
    meter.model_s, meter.waiting_s = run.clock.times()
    for end in ends:
        meter.clip_count += end.was_answered is True
        meter.prompt_token_count += end.prompt_tokens
        meter.output_token_count += end.output_tokens
    meter.notes |= {"request_count": run.client.request_count, "retry_count": run.client.retry_count}
    meter.notes |= run.client.dialect.notes()
