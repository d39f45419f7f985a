"""A tiny vision-language model behind `ChatServer`: real weights, real log-probabilities, real text."""

import base64
import io
import math
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emovid_assets.core.model_place import find_model
from emovid_assets.core.vlm.chat_model import ChatModel, load_chat_model
from emovid_assets.core.vlm.prompts import LETTERS
from emovid_assets_tests.resources.chat_server import Call, Reply, completion


class TinyModel:
    """Answers with letters as a model does that was taught to: their logits are lifted, for random weights were not."""

    def __init__(self, folder: Path, lift: float = 8.0) -> None:
        self.chat: ChatModel = load_chat_model(
            find_model(str(folder), Path()), device="cpu", precision="float32", trust_remote_code=False
        )
        self._lift = lift
        self._lock = threading.Lock()

    @cached_property
    def tokens(self) -> list[str]:
        tokenizer = self.chat.processor.tokenizer
        return [tokenizer.decode([index]) for index in range(len(tokenizer))]

    def probabilities(self, frames: Sequence[np.ndarray], text: str) -> np.ndarray:
        """float64 (vocabulary,) of the token after the prompt."""
        import torch

        prepared = self.prepared(frames, text)
        with self._lock, torch.inference_mode():
            logits = self.chat.model(**prepared.inputs).logits[0, -1].double().numpy()[: len(self.tokens)]
        logits = logits + self._lift * np.array([token.strip() in LETTERS and token != "" for token in self.tokens])
        exponents = np.exp(logits - logits.max())
        return np.asarray(exponents / exponents.sum())

    def prepared(self, frames: Sequence[np.ndarray], text: str) -> Any:
        return self.chat.prepare(frames, [float(place) for place in range(len(frames))], text)

    def answer(self, call: Call) -> Reply:
        frames = [decoded(url) for url in call.frames]
        if call.body.get("logprobs"):
            probabilities = self.probabilities(frames, call.text)
            likeliest = np.argsort(-probabilities, kind="stable")[: call.body["top_logprobs"]]
            # Several tokens may read alike, as in OpenAI's answers; a mapping would lose all but one.
            told = [(self.tokens[index], float(probabilities[index])) for index in likeliest]
            return listed(told, usage={"prompt_tokens": self._length(frames, call.text), "completion_tokens": 1})
        with self._lock:
            seed = call.body["seed"] if call.body.get("temperature") else None
            [written] = self.chat.write(
                [self.prepared(frames, call.text)], max_tokens=call.body["max_tokens"], seed=seed
            )
        return completion(
            written.text,
            finish_reason="stop" if written.is_finished else "length",
            usage={"prompt_tokens": self._length(frames, call.text), "completion_tokens": written.token_count},
        )

    def _length(self, frames: Sequence[np.ndarray], text: str) -> int:
        return int(self.prepared(frames, text).token_count)


def listed(told: Sequence[tuple[str, float]], usage: dict[str, int]) -> Reply:
    """A completion of one token whose likeliest tokens may read alike."""
    import json

    top = [{"token": token, "logprob": math.log(probability), "bytes": None} for token, probability in told]
    body = json.loads(completion(told[0][0], usage=usage).body)
    body["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return Reply(body=json.dumps(body).encode())


def decoded(url: str) -> np.ndarray:
    """uint8 (height, width, 3) of a data URL."""
    kind, _, content = url.partition(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
