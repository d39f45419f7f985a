"""The two parts of a prompt: what is to be seen, and which emotion.

Belongs here: taking apart what `core.splits.prompt_of` puts together. Does not belong here: prompts for models that
answer (`core.vlm.prompts`).
"""

from typing import NamedTuple

from emovid_assets.core.splits import emotion_sentence


class PromptParts(NamedTuple):
    """`caption` is null where the prompt asks for nothing but the emotion."""

    caption: str | None
    label: str


def prompt_parts(prompt: str, emotion: str) -> PromptParts:
    """The caption, and the sentence that names the emotion, whether the prompt holds it or not."""
    sentence = emotion_sentence(emotion)
    caption = prompt.strip().removesuffix(sentence).strip()
    return PromptParts(caption or None, sentence)
