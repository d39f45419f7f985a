"""A loaded vision-language model: clips in, scores of labels or written text out.

Belongs here: batches of clips whose prompts differ in length, generation. Does not belong here: loading (`loading`),
chat templates (`chat_format`), how labels are scored (`label_scoring`), which clips and their files.
"""

import gc
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.model_place import ModelPlace
from emovid_assets.core.vlm.chat_format import ChatFormat
from emovid_assets.core.vlm.label_scoring import LabelScorer
from emovid_assets.core.vlm.loading import load

SAMPLING = {"temperature": 0.7, "top_p": 0.9}
"""Of attempts after the first: far enough from the greedy text that failed, near enough to sense."""


@dataclass(frozen=True)
class Prepared:
    """A clip and its prompt as a model takes them: tensors on the CPU, by the processor's names."""

    inputs: dict[str, Any]
    pts_s: list[float]

    @property
    def token_count(self) -> int:
        return int(self.inputs["input_ids"].shape[1])

    @property
    def byte_count(self) -> int:
        return sum(int(getattr(value, "nbytes", 0)) for value in self.inputs.values())


@dataclass(frozen=True)
class Written:
    """`is_finished`: the model ended by itself and was not cut off. `token_count` is of what it wrote."""

    text: str
    token_count: int
    is_finished: bool


class ChatModel:
    """`prepare` may be called from several threads, everything else from one."""

    def __init__(self, model: Any, processor: Any, log: logging.Logger | None = None) -> None:
        self.model, self.processor = model, processor
        self.device = str(next(model.parameters()).device)
        self.format = ChatFormat(processor, _end_ids(model))
        self.pad_id = _pad_id(processor.tokenizer, self.format)
        self.scorer = LabelScorer(model, self.format.answers, self.pad_id, log or logging.getLogger("emovid"))
        _make_greedy(model)

    def prepare(self, frames: Sequence[np.ndarray], pts_s: Sequence[float], prompt: str) -> Prepared:
        """A clip by its frames (uint8, height × width × 3, of one size), their stamps in seconds, and the prompt."""
        inputs = self.format.encoded(frames, pts_s, prompt)
        # Here and not at the model: half the bytes wait, and the model does not wait for the conversion.
        pixels = {name: value.to(self.model.dtype) for name, value in inputs.items() if name.startswith("pixel_values")}
        return Prepared(inputs | pixels, list(pts_s))

    def score(self, batch: Sequence[Prepared]) -> list[list[float]]:
        """log P(label and end | prompt) of each clip, for the eight emotions in EmoSet's order."""
        scores: dict[int, list[float]] = {}
        for members in _alike(batch):
            clips = [batch[index] for index in members]
            found = self.scorer.score(self._batched(clips), partial(self._alone, clips))
            scores.update(zip(members, found, strict=True))
        return [scores[index] for index in range(len(batch))]

    def batches(self, clips: Sequence[Prepared]) -> Iterator[tuple[list[int], dict[str, Any]]]:
        """Places of clips, and their tensors on the model's device: of all clips, in as few batches as they allow."""
        for members in _alike(clips):
            yield members, self._batched([clips[index] for index in members])

    def score_naive(self, prepared: Prepared) -> list[float]:
        """The same for one clip, with a full pass per label: slow, and right for every model."""
        return self.scorer.naive(self._batched([prepared]))

    def write(self, batch: Sequence[Prepared], *, max_tokens: int, seed: int | None = None) -> list[Written]:
        """What the model answers to each prompt: the likeliest tokens, or with a `seed` sampled ones.

        A sampled text depends on the seed and on the whole batch; one clip at a time makes it repeatable.
        """
        texts: dict[int, Written] = {}
        for members in _alike(batch):
            found = self._written(self._batched([batch[index] for index in members]), max_tokens, seed)
            texts.update(zip(members, found, strict=True))
        return [texts[index] for index in range(len(batch))]

    def _written(self, inputs: dict[str, Any], max_tokens: int, seed: int | None) -> list[Written]:
        import torch

        is_cuda = self.device.startswith("cuda")
        sampling: dict[str, Any] = {"do_sample": True, **SAMPLING} if seed is not None else {"do_sample": False}
        with torch.inference_mode(), torch.random.fork_rng(devices=[self.device] if is_cuda else []):
            if seed is not None:
                torch.manual_seed(seed)
            out = self.model.generate(
                **inputs,
                **sampling,
                max_new_tokens=max_tokens,
                num_beams=1,
                eos_token_id=self.format.end_ids,
                pad_token_id=self.pad_id,
            )
        return [self._ended(ids) for ids in out[:, inputs["input_ids"].shape[1] :].tolist()]

    def _ended(self, ids: list[int]) -> Written:
        end = next((place for place, token in enumerate(ids) if token in self.format.end_ids), None)
        kept = ids if end is None else ids[:end]
        text = self.processor.tokenizer.decode(kept, skip_special_tokens=True)
        return Written(text.strip(), len(kept) + (end is not None), end is not None)

    def _alone(self, clips: Sequence[Prepared], row: int) -> dict[str, Any]:
        return self._batched([clips[row]])

    def _batched(self, members: Sequence[Prepared]) -> dict[str, Any]:
        """One set of tensors on the model's device: prompts padded on the left, what belongs to pictures in a row."""
        import torch

        longest = max(member.token_count for member in members)
        batched: dict[str, Any] = {}
        for name, first in members[0].inputs.items():
            values = [member.inputs[name] for member in members]
            if not torch.is_tensor(first):
                batched[name] = [one for value in values for one in value]
                continue
            if first.shape == members[0].inputs["input_ids"].shape:
                fill = self.pad_id if name == "input_ids" else 0
                values = [torch.nn.functional.pad(v, (longest - v.shape[1], 0), value=fill) for v in values]
            batched[name] = torch.cat(values).to(self.device)
        return batched


_loaded: dict[tuple[Any, ...], ChatModel] = {}


def load_chat_model(
    place: ModelPlace, *, device: str, precision: str, trust_remote_code: bool = False, adapter: Path | None = None
) -> ChatModel:
    """The model, loaded once and kept for the process until another is asked for. Raises ModelNotUsableError."""
    key = (place, device, precision, trust_remote_code, adapter)
    if key not in _loaded:
        # The old one goes first: a GPU may not hold two.
        forget_chat_model()
        model, processor = load(
            place, device=device, precision=precision, trust_remote_code=trust_remote_code, adapter=adapter
        )
        _loaded[key] = ChatModel(model, processor)
    return _loaded[key]


def forget_chat_model() -> None:
    """Gives the memory of the loaded model back, where nobody else holds it."""
    if not _loaded:
        return
    import torch

    _loaded.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _alike(batch: Sequence[Prepared]) -> list[list[int]]:
    """Places of clips whose tensors can stand in one: all sizes but the first agree, lengths of prompts aside."""
    import torch

    groups: dict[Any, list[int]] = defaultdict(list)
    for index, prepared in enumerate(batch):
        shape = prepared.inputs["input_ids"].shape
        signature = tuple(
            (name, tuple(value.shape[1:]) if torch.is_tensor(value) and value.shape != shape else None)
            for name, value in prepared.inputs.items()
        )
        groups[signature].append(index)
    return list(groups.values())


def _end_ids(model: Any) -> list[int]:
    ids = getattr(model.generation_config, "eos_token_id", None)
    return [] if ids is None else list(ids) if isinstance(ids, list | tuple) else [int(ids)]


def _pad_id(tokenizer: Any, form: ChatFormat) -> int:
    """Behind the mask nobody reads it; it must only not be the placeholder of a picture."""
    return int(tokenizer.pad_token_id) if tokenizer.pad_token_id is not None else form.end_ids[0]


def _make_greedy(model: Any) -> None:
    """Settings that a model's folder brings for sampling; we say ourselves when we sample."""
    for name, value in {"do_sample": False, "temperature": None, "top_p": None, "top_k": None, "min_p": None}.items():
        if hasattr(model.generation_config, name):
            setattr(model.generation_config, name, value)
