"""Prompts: files with places to fill in.

Belongs here: reading one, filling it, its digest. Does not belong here: the wording, which is in `prompts/*.txt`.
"""

import hashlib
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.plain_text import for_prompt

FOLDER = Path(__file__).resolve().parents[2] / "prompts"
LABEL, LABEL_LETTERS, CAPTION = "label.txt", "label_letters.txt", "caption.txt"
LETTERS = "ABCDEFGH"
_PLACES = frozenset({"context", "options", "max_words"})


class PromptError(ValueError):
    """A prompt file cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Prompt:
    """`text` with the places {context}, {options} and {max_words}; a prompt needs none of them."""

    text: str

    @property
    def sha256(self) -> str:
        """64 hex digits of the file's text, places unfilled: the same for every clip."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def filled(self, *, context: str = "", options: str = "", max_words: int = 0) -> str:
        """The text that a model is given. A context becomes a line of its own, in which nothing marks anything."""
        line = f"{for_prompt(context)}\n" if context else ""
        return self.text.format(context=line, options=options, max_words=max_words).strip()


def read_prompt(path: Path) -> Prompt:
    """The prompt in a file of UTF-8 text. Raises PromptError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"The prompt {path} cannot be read as UTF-8 text: {error}") from error
    try:
        places = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise PromptError(f"The prompt {path}: {error}. Write {{{{ and }}}} for braces that are meant") from error
    if unknown := places - _PLACES:
        raise PromptError(
            f"The prompt {path} has unknown places {sorted(unknown)}; there are {sorted(_PLACES)}. "
            f"Write {{{{ and }}}} for braces that are meant"
        )
    if not text.strip():
        raise PromptError(f"The prompt {path} is empty")
    return Prompt(text)


def word_options() -> str:
    """The eight emotions as a list in a sentence."""
    return ", ".join(EMOTION_NAMES[:-1]) + f" or {EMOTION_NAMES[-1]}"


def letter_options(order: Sequence[str]) -> str:
    """A lettered line per emotion, in the order given: letter i stands for `order[i]`."""
    return "\n".join(f"{letter}. {name}" for letter, name in zip(LETTERS, order, strict=True))
