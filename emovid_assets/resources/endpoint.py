"""Labels and captions by a model behind an OpenAI-compatible server: what is asked about a clip and read in answers.

Belongs here: which requests a clip needs. Does not belong here: how many clips are under way (`endpoint_run`), how a
request is sent and repeated (`endpoint_client`), what tokens mean (`core.vlm.top_tokens`).
"""

from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

from emovid_assets.core.statistics.softmax import log_softmax
from emovid_assets.core.vlm.caption_rules import FAULTS, CaptionRules
from emovid_assets.core.vlm.exchange import CaptionAnswer, LabelAnswer, Meter
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
from emovid_assets.home.settings import CaptionerSettings, LabellerSettings
from emovid_assets.resources.endpoint_client import EndpointError
from emovid_assets.resources.endpoint_manners import Manners
from emovid_assets.resources.endpoint_requests import caption_fields, letter_fields, word_fields
from emovid_assets.resources.endpoint_run import BadCaptionError, Clip, Finish, asked_about
from emovid_assets.resources.workers import Done, Task

SHOWN_CHARACTERS = 80
"""Of a bad caption."""
PLACE = "{options}"
"""Of a prompt whose options are lettered."""


def label_clips(
    settings: LabellerSettings,
    tasks: Iterable[Task],
    *,
    meter: Meter,
    manners: Manners | None = None,
    known: Task | None = None,
) -> Generator[list[Done]]:
    """Ends of all tasks as they come: payloads of LabelAnswer, or why there is none.

    With `answer = "letters"` a clip is asked about in `rotations` orders, which are averaged; each has to be usable.
    `known` is a clip that has been answered before: it is asked about once more where no answer of the run is usable.
    Raises EndpointError where the server cannot be used; what has not ended then stays to do.
    """
    ask = _letters if settings.answer == "letters" else _words
    return asked_about(settings, tasks, meter, manners, partial(ask, settings), known)


def caption_clips(
    settings: CaptionerSettings,
    tasks: Iterable[Task],
    *,
    rules: CaptionRules,
    meter: Meter,
    manners: Manners | None = None,
    known: Task | None = None,
) -> Generator[list[Done]]:
    """Ends of all tasks as they come: payloads of CaptionAnswer, or why there is none.

    A caption that breaks the rules, or has no whole sentences before `max_tokens` cut it off, is written anew with
    another seed, up to `tries` times. `known` and errors as of `label_clips`.
    """
    return asked_about(settings, tasks, meter, manners, partial(_caption, settings, rules), known)


def _letters(settings: LabellerSettings, clip: Clip) -> Finish:
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


def _words(settings: LabellerSettings, clip: Clip) -> Finish:
    answer = clip.ask(clip.request.prompt.replace(PLACE, word_options()), word_fields())
    if not clip.client.dialect.binds:
        raise EndpointError(
            "The server takes neither structured_outputs nor regex, so it cannot be bound to the eight words. "
            'Set answer = "letters".'
        )
    return partial(_label_payload, clip, read_words(answer.positions, answer.text))


def _label_payload(clip: Clip, reading: Reading, model_s: float) -> dict[str, Any]:
    return LabelAnswer(
        log_probabilities=log_softmax(logarithms(reading)).tolist(),
        frame_pts_s=clip.frame_pts_s,
        mass=reading.mass,
        prompt_token_count=clip.prompt_tokens,
        model_s=model_s,
    ).as_payload()


def _caption(settings: CaptionerSettings, rules: CaptionRules, clip: Clip) -> Finish:
    prompt = clip.request.prompt
    caption, fault = "", None
    for attempt in range(1, settings.tries + 1):
        answer = clip.ask(prompt, caption_fields(attempt, settings.max_tokens))
        written = clip.client.redact.without_secrets(answer.text)
        caption, fault = rules.judged(written, is_finished=answer.finish_reason != "length", prompt=prompt)
        if fault is None:
            return partial(_caption_payload, clip, caption, attempt)
    why = f"{FAULTS[fault or 'not_text']}: {caption[:SHOWN_CHARACTERS]!r}"
    raise BadCaptionError(f"The last of {settings.tries} captions is no good: {why}")


def _caption_payload(clip: Clip, caption: str, attempt: int, model_s: float) -> dict[str, Any]:
    return CaptionAnswer(
        caption=caption,
        frame_pts_s=clip.frame_pts_s,
        attempt_count=attempt,
        prompt_token_count=clip.prompt_tokens,
        output_token_count=clip.output_tokens,
        model_s=model_s,
    ).as_payload()
