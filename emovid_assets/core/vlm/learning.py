"""How likely an answer is, with what it takes to make it likelier.

Belongs here: the one pass through a model that gradients flow back from. Does not belong here: steps (`fine_tuning`),
scores that nobody learns from (`label_scoring`).
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from emovid_assets.core.vlm.chat_model import ChatModel, Prepared
from emovid_assets.core.vlm.label_scoring import log_p_of


def log_p(chat: ChatModel, clips: Sequence[Prepared], answers: Sequence[Sequence[int]]) -> Any:
    """(clips,), float32 with gradients: the logarithm of P(answer | prompt), an answer (token ids) per clip."""
    import torch

    found: list[Any] = [None] * len(clips)
    for members, inputs in chat.batches(clips):
        of_members = _log_p(chat, inputs, [answers[index] for index in members])
        for index, value in zip(members, of_members, strict=True):
            found[index] = value
    return torch.stack(found)


def _log_p(chat: ChatModel, inputs: Mapping[str, Any], answers: Sequence[Sequence[int]]) -> Any:
    import torch

    device, longest = inputs["input_ids"].device, max(map(len, answers))
    ids = torch.full((len(answers), longest), chat.pad_id, device=device)
    is_there = torch.zeros((len(answers), longest), dtype=torch.long, device=device)
    for row, answer in enumerate(answers):
        ids[row, : len(answer)] = torch.tensor(list(answer), device=device)
        is_there[row, : len(answer)] = 1
    shape = inputs["input_ids"].shape
    longer = dict(inputs)
    for name, values in inputs.items():
        if torch.is_tensor(values) and values.shape == shape:
            more = {"input_ids": ids, "attention_mask": is_there}.get(name, torch.zeros_like(ids))
            longer[name] = torch.cat([values, more.to(values.dtype)], dim=1)
    # A vocabulary is large: logits of the answer's places alone, where the model can be told so.
    is_told = "logits_to_keep" in inspect.signature(chat.model.forward).parameters
    kept = {"logits_to_keep": longest + 1} if is_told else {}
    logits = chat.model(**longer, **kept, use_cache=False).logits[:, -longest - 1 : -1]
    return (log_p_of(logits, ids) * is_there).sum(dim=1)
