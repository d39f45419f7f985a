"""What makes a caption bad, and small repairs that change no word of it.

Belongs here: length, repetition, refusals, echoes of the prompt, texts that were cut off. Does not belong here: asking
again, and judging whether a caption is true.
"""

import re
from collections import Counter
from dataclasses import dataclass

FAULTS: dict[str, str] = {
    "not_text": "it is not readable text",
    "refusal": "the model refused",
    "prompt_echo": "it repeats the prompt",
    "repetition": "it repeats itself",
    "unfinished": "it was cut off and no whole sentence of enough words stands before the cut; raise max_tokens",
    "too_short": "it has fewer words than min_words",
    "too_long": "it has more words than max_words",
}
"""What is wrong with a caption, per code, as the end of a sentence."""

_REFUSAL = re.compile(
    r"(?:i(?:'m| am) (?:really |very |so )?sorry|sorry,"
    r"|(?:unfortunately,? )?i (?:cannot|can't|can not|could not|couldn't)"
    r"|i(?:'m| am) (?:unable|not able)|i (?:do not|don't) (?:see|have|feel comfortable)|i apologi[sz]e"
    r"|(?:there is |there's )?no (?:video|image|clip|frames?) (?:was |is )?(?:provided|attached|visible|given))",
    re.IGNORECASE,
)
_AS_AN_AI = re.compile(r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b", re.IGNORECASE)
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s.*|\*\*[^*]+\*\*:?|__[^_]+__:?)\s*$")
_NAME = re.compile(r"^(?:video |clip )?(?:caption|description|summary|answer)\s*:\s*", re.IGNORECASE)
_PREAMBLE = re.compile(r"^(?:sure|certainly|of course|here(?:'s| is| are))\b[^\n]{0,80}:\s*$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s|$)")
_COPIED_WORDS = 8


@dataclass(frozen=True)
class CaptionRules:
    """A caption has `min_words` to `max_words` words."""

    min_words: int
    max_words: int

    def fault(self, text: str, *, prompt: str = "") -> str | None:
        """The first of `FAULTS` that a tidy text has; null for a good one."""
        words = _words(text)
        if not _is_text(text):
            return "not_text"
        if _REFUSAL.match(_plain(text)) or _AS_AN_AI.search(text):
            return "refusal"
        if _is_echo(words, _words(prompt)):
            return "prompt_echo"
        if _repeats(text, words):
            return "repetition"
        if len(words) < self.min_words:
            return "too_short"
        if len(words) > self.max_words:
            return "too_long"
        return None

    def judged(self, written: str, *, is_finished: bool = True, prompt: str = "") -> tuple[str, str | None]:
        """(the tidy caption, its fault or null) of what a model wrote; `is_finished`: it was not cut off.

        A text that was cut off ends with its last whole sentence, where enough words are left.
        """
        text = tidy(written)
        whole = text if is_finished else _whole_sentences(text)
        fault = self.fault(whole or text, prompt=prompt)
        if not is_finished and (not whole or fault == "too_short"):
            fault = "unfinished" if fault in (None, "too_short") else fault
        return whole or text, fault


def tidy(text: str) -> str:
    """One paragraph without Markdown, bullets, a heading, "Caption:" or quotation marks around the whole."""
    lines = [line.strip() for line in _THOUGHTS.sub(" ", text).replace("’", "'").splitlines() if line.strip()]
    kept = [line for line in lines if not _HEADING.match(line) and not line.startswith("```")]
    kept = [_BULLET.sub("", line) for line in kept or lines]
    if len(kept) > 1 and _PREAMBLE.match(kept[0]):
        kept = kept[1:]
    joined = re.sub(r"\*+|__|`", "", " ".join(kept))
    joined = _NAME.sub("", re.sub(r"\s+", " ", joined).strip())
    if len(joined) > 1 and (joined[0], joined[-1]) in (('"', '"'), ("“", "”"), ("'", "'")):
        inner = joined[1:-1]
        joined = inner if joined[0] not in inner else joined
    return joined.strip()


def _whole_sentences(text: str) -> str:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]] if ends else ""


def _plain(text: str) -> str:
    return text.lstrip("\"'“( ")


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['-][^\W_]+)*", text.lower())


def _is_text(text: str) -> bool:
    """Mostly letters, and no marks of bytes that were no characters."""
    if not text or "\ufffd" in text or any(ord(c) < 32 for c in text):
        return False
    return sum(c.isalpha() or c.isspace() for c in text) >= 0.7 * len(text)


def _is_echo(words: list[str], prompt: list[str]) -> bool:
    """Whether a third of the words stand in runs that are copied from the prompt."""
    runs = {tuple(prompt[i : i + _COPIED_WORDS]) for i in range(len(prompt) - _COPIED_WORDS + 1)}
    copied = {
        place
        for i in range(len(words) - _COPIED_WORDS + 1)
        if tuple(words[i : i + _COPIED_WORDS]) in runs
        for place in range(i, i + _COPIED_WORDS)
    }
    return bool(copied) and 3 * len(copied) >= len(words)


def _repeats(text: str, words: list[str]) -> bool:
    """The same sentence twice, four words in a row three times, a word four times in a row, or too few different ones.

    People use more than half as many different words as words in texts of this length.
    """
    sentences = Counter(tuple(_words(sentence)) for sentence in re.split(r"[.!?…]+", text))
    if any(count > 1 and len(sentence) >= 3 for sentence, count in sentences.items()):
        return True
    fours = Counter(tuple(words[i : i + 4]) for i in range(len(words) - 3))
    if any(count >= 3 or len(set(four)) == 1 for four, count in fours.items()):
        return True
    return len(words) >= 20 and len(set(words)) < 0.4 * len(words)
