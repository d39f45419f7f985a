"""What a chat server is sent: frames and words, and the fields that not every server takes.

Belongs here: bodies of requests, and what is left out once a server has refused it. Does not belong here: sending.
"""

import base64
import io
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from emovid_assets.core.emotions import EMOTION_NAMES

JPEG_QUALITY = 90
MOST_LIKELIEST = 20
"""Tokens whose probabilities are asked for: the most that OpenAI's interface knows, and vLLM's default limit."""
FEWEST_LIKELIEST = 5
BINDING = ("structured_outputs", "regex")
LEFT_OUT = (*BINDING, "seed", "temperature", "top_p")
"""Fields without which a request still means the same or nearly so."""


def frame_parts(frames: Iterable[np.ndarray]) -> list[dict[str, Any]]:
    """A part of a message per frame (uint8, height × width × 3, RGB), as a JPEG inside the request."""
    return [{"type": "image_url", "image_url": {"url": _data_url(frame)}} for frame in frames]


def _data_url(frame: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def body(model: str, frames: list[dict[str, Any]], text: str, **fields: Any) -> dict[str, Any]:
    """A request: frames first, so that requests about one clip begin alike and a server can reuse what it has read."""
    content = [*frames, {"type": "text", "text": text}]
    return {"model": model, "messages": [{"role": "user", "content": content}], **fields}


def letter_fields() -> dict[str, Any]:
    """One token is written and none is read: the likeliest tokens at its place are the answer.

    At temperature 1 the probabilities are the model's own, whether a server tells them before or after scaling them.
    """
    return {"max_tokens": 1, "temperature": 1, "top_p": 1, "seed": 0, "logprobs": True, "top_logprobs": MOST_LIKELIEST}


def word_fields() -> dict[str, Any]:
    """One of the eight words is written: told to vLLM as `structured_outputs`, to SGLang as `regex`.

    Each of the two ignores the field that only the other one knows.
    """
    choice = {"structured_outputs": {"choice": list(EMOTION_NAMES)}, "regex": "|".join(EMOTION_NAMES)}
    return letter_fields() | {"max_tokens": 16} | choice


def caption_fields(attempt: int, max_tokens: int) -> dict[str, Any]:
    """The likeliest words at the first attempt (from 1), others at each later one."""
    return {"max_tokens": max_tokens, "temperature": 0.0 if attempt == 1 else 0.7, "seed": attempt}


class Dialect:
    """What the server has refused so far, for all requests of a run. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left_out: set[str] = set()
        self._likeliest = MOST_LIKELIEST
        self._renames_limit = False

    def spoken(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request without what the server does not take."""
        with self._lock:
            said = {name: value for name, value in request.items() if name not in self._left_out}
            if "top_logprobs" in said:
                said["top_logprobs"] = min(said["top_logprobs"], self._likeliest)
            if self._renames_limit and "max_tokens" in said:
                said["max_completion_tokens"] = said.pop("max_tokens")
            return said

    def learns(self, sent: Mapping[str, Any], complaint: str) -> bool:
        """Whether the same request would now be sent otherwise, after this complaint about `sent`."""

        def names(field: str) -> bool:
            return field in sent and re.search(rf"\b{field}\b", complaint) is not None

        with self._lock:
            # Another thread may have learnt it already, so what is remembered is not asked.
            if refused := [field for field in LEFT_OUT if names(field)]:
                self._left_out.update(refused)
                return True
            if names("max_tokens") and "max_completion_tokens" in complaint:
                self._renames_limit = True
                return True
            if names("top_logprobs") and sent["top_logprobs"] > 1:
                allowed = [int(n) for n in re.findall(r"\b\d+\b", complaint) if 0 < int(n) < sent["top_logprobs"]]
                self._likeliest = max(allowed, default=min(FEWEST_LIKELIEST, sent["top_logprobs"] - 1))
                return True
            return False

    @property
    def binds(self) -> bool:
        """Whether the server takes one of the fields that bind an answer to given words."""
        with self._lock:
            return not self._left_out.issuperset(BINDING)

    def notes(self) -> dict[str, Any]:
        """What differs from the plain request, for a run's record; empty where nothing does."""
        with self._lock:
            notes: dict[str, Any] = {"left_out": sorted(self._left_out)} if self._left_out else {}
            if self._likeliest < MOST_LIKELIEST:
                notes["top_logprobs"] = self._likeliest
            if self._renames_limit:
                notes["max_completion_tokens"] = True
            return notes
