"""What a chat server's JSON says, as values.

Belongs here: the shape of answers and of error bodies. Does not belong here: what tokens mean (`core.vlm.top_tokens`).
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emovid_assets.core.vlm.top_tokens import Position

MOST_CHARACTERS = 300
"""Of an error body in a message."""


class WrongShapeError(ValueError):
    """The body is not a chat completion; the message says what is wrong with it."""


@dataclass(frozen=True)
class Answer:
    """What the server wrote. Token counts are None where it does not say; `positions` is empty without logprobs."""

    text: str
    finish_reason: str | None
    positions: Sequence[Position]
    prompt_token_count: int | None
    output_token_count: int | None


def answer_of(content: bytes) -> Answer:
    """The first choice of a chat completion. Raises WrongShapeError."""
    body = _decoded(content)
    try:
        choice = body["choices"][0]
        text = _text(choice["message"].get("content"))
        logprobs = (choice.get("logprobs") or {}).get("content") or []
        positions = [_position(one) for one in logprobs]
        usage = body.get("usage") or {}
        counts = [_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise WrongShapeError(f"the answer is not a chat completion ({type(error).__name__})") from None
    reason = choice.get("finish_reason")
    return Answer(text, reason if isinstance(reason, str) else None, positions, *counts)


def complaint_of(content: bytes) -> str:
    """What an error body says, in one line; shapes of OpenAI, vLLM, SGLang and FastAPI."""
    try:
        body = _decoded(content)
    except WrongShapeError:
        return _line(content.decode("utf-8", errors="replace"))
    said = body
    if isinstance(body, dict):
        said = body.get("error") or body.get("message") or body.get("detail") or body
    if isinstance(said, dict):
        parts = [str(said.get("message") or said), str(said.get("param") or "")]
        return _line(" ".join(part for part in parts if part and (part == parts[0] or part not in parts[0])))
    return _line(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))


def cut(text: str) -> str:
    """At most MOST_CHARACTERS of it."""
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise WrongShapeError("the answer is not JSON") from None


def _text(content: Any) -> str:
    """A message's text: plain, or in parts as VILA's own server writes it; empty where nothing was written."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(str(part["text"]) for part in content if part.get("type") == "text")


def _position(one: Any) -> Position:
    likeliest = [(str(top["token"]), _logarithm(top["logprob"])) for top in one.get("top_logprobs") or []]
    return Position(str(one["token"]), [pair for pair in likeliest if pair[1] > -math.inf])


def _logarithm(value: Any) -> float:
    """Servers write what a grammar rules out as -Infinity, null or -9999."""
    logarithm = -math.inf if value is None else float(value)
    if math.isnan(logarithm) or logarithm > 0.01:
        raise ValueError("not the logarithm of a probability")
    return -math.inf if logarithm <= -9999.0 else min(logarithm, 0.0)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _line(text: str) -> str:
    return " ".join(text.split())
