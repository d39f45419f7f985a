"""Phrases of captions, recounted word by word.

Belongs here: the section on captions. Which words split a text is a choice and no formula:
those lists are the package's.
"""

import hashlib
import re
from collections import defaultdict
from functools import lru_cache
from typing import Any

import numpy as np

from emovid_assets.core.phrases import EMOTION_WORDS, STOP_WORDS
from emovid_assets_tests.recount.home import EMOTIONS, Library
from emovid_assets_tests.recount.numerals import tokens
from emovid_assets_tests.recount.page import PHRASE, Exhibit
from emovid_assets_tests.sql.test_phrase_view import _log_odds as log_odds

SURE = 1.96
Counts = dict[str, int]


def captions(library: Library) -> dict[str, Exhibit]:
    texts = _texts(library)
    counts = {name: _counted(tuple(found.values()), name) for name, found in texts.items()}
    return {
        "Most frequent phrases in the captions of each emotion": _frequent(texts, counts),
        "Most distinctive phrases in the captions of each emotion": _distinctive(counts),
    }


def phrases_shown(library: Library) -> list[str]:
    """The most frequent phrases of all emotions."""
    return [
        phrase
        for name, texts in _texts(library).items()
        for phrase in top_phrases(_counted(tuple(texts.values()), name))
    ]


def _texts(library: Library) -> dict[str, dict[str, str]]:
    """Emotion → clip → caption."""
    written = {one: row["caption"] for one, row in library.by_clip("captions").items() if one in library.labels}
    return {name: {one: text for one, text in written.items() if library.labels[one][0] == name} for name in EMOTIONS}


@lru_cache
def _counted(texts: tuple[str, ...], emotion: str) -> Counts:
    """Phrase → captions that hold it."""
    holders: dict[str, set[int]] = defaultdict(set)
    for number, text in enumerate(texts):
        # A number with a point or a comma is one word.
        words = re.findall(r"(?:\d+(?:[.,]\d+)+\w*|\w+)(?:['-]\w+)*|[^\w\s]+", text.lower().replace("’", "'"))
        splits = [word in STOP_WORDS or word in EMOTION_WORDS[emotion] or not re.search(r"\w", word) for word in words]
        for size in (2, 3, 4):
            for start in range(len(words) - size + 1):
                if not any(splits[start : start + size]):
                    holders[" ".join(words[start : start + size])].add(number)
    return {phrase: len(found) for phrase, found in holders.items()}


def _without_parts(counts: dict[str, Any]) -> list[str]:
    """Phrases that lie in no longer one of the same counts."""
    return [
        phrase
        for phrase, count in counts.items()
        if not any(f" {phrase} " in f" {other} " and other != phrase and counts[other] == count for other in counts)
    ]


def top_phrases(counts: Counts) -> list[str]:
    kept = _without_parts(counts)
    return sorted(kept, key=lambda phrase: (-counts[phrase], -len(phrase.split()), phrase))[:5]


def _digits(phrase: str) -> list[Any]:
    return [token if isinstance(token, str) else token.value for token in tokens(phrase)]


def _frequent(by_emotion: dict[str, dict[str, str]], counts: dict[str, Counts]) -> Exhibit:
    texts: list[tuple[str, Any]] = []
    best: tuple[int, str] = (0, "")
    for name in EMOTIONS:
        for phrase in top_phrases(counts[name]):
            texts += [(PHRASE, phrase), ("n", [counts[name][phrase]])]
            if counts[name][phrase] > best[0]:
                best = (counts[name][phrase], phrase)
        chosen = min(by_emotion[name], key=lambda one: hashlib.md5(one.encode()).hexdigest())
        texts.append(("example", f"“{by_emotion[name][chosen]}”"))
    return Exhibit("captions word by word", [*_digits(best[1]), best[0]], best[0], texts=texts)


def _distinctive(counts: dict[str, Counts]) -> Exhibit:
    named = {word for words in EMOTION_WORDS.values() for word in words}
    sums: Counts = defaultdict(int)
    for of_emotion in counts.values():
        for phrase, count in of_emotion.items():
            sums[phrase] += count
    vocabulary = [phrase for phrase, count in sums.items() if count >= 3 and not named & set(phrase.split())]
    matrix = np.array([[counts[name].get(phrase, 0) for phrase in vocabulary] for name in EMOTIONS])
    texts: list[tuple[str, Any]] = []
    best: tuple[float, str, int, int] = (0.0, "", 0, 0)
    for row, name in enumerate(EMOTIONS):
        # A phrase that the emotion's captions never hold is none of theirs.
        z = dict(zip(vocabulary, np.where(matrix[row] > 0, log_odds(matrix, row)[1], 0), strict=True))
        sure = {phrase: (counts[name][phrase], sums[phrase]) for phrase in vocabulary if z[phrase] > SURE}
        ranked = sorted(_without_parts(sure), key=lambda phrase: (-round(z[phrase], 9), -len(phrase.split()), phrase))
        for phrase in ranked[:5]:
            texts += [(PHRASE, phrase), ("n", [z[phrase]])]
            if z[phrase] > best[0] + 1e-9:
                best = (z[phrase], phrase, counts[name][phrase], sums[phrase] - counts[name][phrase])
    if not texts:
        return Exhibit("captions word by word")
    z_top, phrase, own, others = best
    return Exhibit("captions word by word", [*_digits(phrase), own, others, z_top], own, [SURE], texts=texts)
