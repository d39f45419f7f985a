"""How much of a prompt the text models of a pipeline read: each cuts off what is beyond its limit, without a word.

Belongs here: those limits, as diffusers 0.42 sets them, and a sentence on prompts that are longer. Does not belong
here: what scorers read (`text_model`).
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

CLIP_TOKENS = 77
"""Of CLIP beside another text model (HunyuanVideo), whatever its tokenizer says of itself."""
LIMIT = "max_sequence_length"
"""The argument of pipelines that limits their main text model."""


def cuts_told(pipeline: Any, prompts: Iterable[str], options: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each text model that does not read all of all prompts. `options`: further arguments of the
    pipeline."""
    asked = list(prompts)
    for encoder, tokenizer, limit in _limits(pipeline, options):
        count = sum(len(tokenizer(prompt, verbose=False)["input_ids"]) > limit for prompt in asked)
        if count:
            of = "the prompt" if len(asked) == 1 else f"{count:,} of {len(asked):,} prompts"
            yield f"{encoder} reads {limit} tokens and not the end of {of}, where the emotion is named"


def _limits(pipeline: Any, options: Mapping[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """(class of the text model, its tokenizer, tokens that it reads)."""
    from transformers import PreTrainedTokenizerBase

    asked = inspect.signature(pipeline.__call__).parameters.get(LIMIT)
    for number in ("", "_2", "_3"):
        encoder, tokenizer = (getattr(pipeline, f"{name}{number}", None) for name in ("text_encoder", "tokenizer"))
        if encoder is None or not isinstance(tokenizer, PreTrainedTokenizerBase):
            continue
        limit = options.get(LIMIT, asked.default if asked else None)
        if str(encoder.config.model_type).startswith("clip"):
            limit = min(CLIP_TOKENS, encoder.config.max_position_embeddings)
        # An argument without a default says nothing until it is given.
        if isinstance(limit, int):
            yield type(encoder).__name__, tokenizer, limit
