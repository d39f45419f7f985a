"""Distributions over the eight emotions, read from the likeliest tokens that a server tells.

Belongs here: what the tokens of an answer mean. Does not belong here: requests, JSON, waiting (`resources.endpoint*`).

A server tells some twenty likeliest tokens of each position, with logarithms of their probabilities. Text that was
written freely is never read: an answer that does not determine a distribution is refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.vlm.prompts import LETTERS

LEAST_MASS = 0.05
"""Below this probability of all eight answers together, the model wanted to say something else."""
MOST_OPEN = 0.05
"""The largest share of the distribution that may be known by bounds alone: no probability is further off than that."""
FLOOR = 1e-9
"""Probability of what the server rules out: a logarithm needs one."""
_MARKS = " \t\r\nĠ▁Ċ"
"""How vocabularies write the blank or the line break before a word."""


class UnusableAnswerError(ValueError):
    """The tokens do not determine a distribution; the message says what was seen."""


@dataclass(frozen=True)
class Position:
    """The token that was written, and the likeliest ones with natural logarithms of their probabilities."""

    token: str
    likeliest: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Reading:
    """Probabilities of the eight emotions in EmoSet's order, which sum to 1.

    `mass` is what the model gave to the eight answers together; `open_share` the share of the distribution that is
    bounds of what the server did not tell.
    """

    probabilities: Sequence[float]
    mass: float
    open_share: float


def rotated(rotation: int, count: int) -> list[str]:
    """The emotions in the order of the `rotation`th of `count` requests: each begins further on, spread evenly."""
    start = rotation * len(EMOTION_NAMES) // count
    return [*EMOTION_NAMES[start:], *EMOTION_NAMES[:start]]


def read_letters(position: Position, order: Sequence[str]) -> Reading:
    """The distribution over emotions of which letter i stands for `order[i]`. Raises UnusableAnswerError.

    Spellings of a letter are one answer: "A", " A", "a".
    """
    letters = LETTERS[: len(order)]
    found = dict.fromkeys(order, 0.0)
    for token, probability in _probabilities(position):
        letter = token.strip(_MARKS).upper()
        if len(letter) == 1 and letter in letters:
            found[order[letters.index(letter)]] += probability
    return _reading(found, position, "letters")


def read_words(positions: Sequence[Position], text: str) -> Reading:
    """The distribution over the eight words, of a server that was told to write one of them.

    Their first tokens tell them apart: where a token begins one word only, its probability is the word's, for a server
    that is bound to the words has no other way on. A token that begins several ("a") is shared out by the next
    position where it was the one written, else evenly, as long as it hardly matters. What was written decides nothing;
    but if it is none of the words, the server was not bound to them and beginnings mean nothing.
    Raises UnusableAnswerError.
    """
    if not positions:
        raise UnusableAnswerError("the answer has no log-probabilities")
    if text.strip().lower() not in EMOTION_NAMES:
        raise UnusableAnswerError(f"the server was asked for one of eight words and wrote {_shown(text)}")
    found = dict.fromkeys(EMOTION_NAMES, 0.0)
    undecided = _share_out(positions, "", 1.0, found)
    if undecided > MOST_OPEN * math.fsum(found.values()):
        raise UnusableAnswerError(f"tokens that begin several of the words have probability {undecided:.2g}")
    return _reading(found, positions[0], "words")


def averaged(readings: Sequence[Reading]) -> Reading:
    """The mean distribution of several orders of the same options."""
    columns = zip(*(reading.probabilities for reading in readings), strict=True)
    return Reading(
        probabilities=[math.fsum(column) / len(readings) for column in columns],
        mass=math.fsum(reading.mass for reading in readings) / len(readings),
        open_share=math.fsum(reading.open_share for reading in readings) / len(readings),
    )


def logarithms(reading: Reading) -> list[float]:
    """Natural logarithms of the probabilities."""
    return [math.log(probability) for probability in reading.probabilities]


def _share_out(positions: Sequence[Position], begun: str, weight: float, found: dict[str, float]) -> float:
    """Adds to `found` what the first position gives to each word; returns what remains undecided."""
    first, *others = positions
    undecided = 0.0
    for token, probability in _probabilities(first):
        piece = begun + (token if begun else token.lstrip(_MARKS)).lower()
        words = [name for name in EMOTION_NAMES if name.startswith(piece.rstrip(". \n"))]
        share = weight * probability
        if len(words) == 1:
            found[words[0]] += share
        elif words and token == first.token and others:
            undecided += _share_out(others, piece, share, found)
        elif words:
            undecided += share
            for word in words:
                found[word] += share / len(words)
    return undecided


def _reading(found: dict[str, float], position: Position, what: str) -> Reading:
    """Completes what was found by bounds of what was not told, and makes it sum to 1."""
    mass = math.fsum(found.values())
    if mass < LEAST_MASS:
        likeliest = max(_probabilities(position), key=lambda one: one[1], default=("", 0.0))
        raise UnusableAnswerError(
            f"the eight {what} have probability {mass:.2g} together; the likeliest token is {_shown(likeliest[0])} "
            f"with {likeliest[1]:.2g}"
        )
    missing = [name for name, probability in found.items() if probability == 0.0]
    bound = _bound(position, len(missing)) if missing else 0.0
    open_share = bound * len(missing) / (mass + bound * len(missing))
    if open_share > MOST_OPEN:
        raise UnusableAnswerError(
            f"only {len(found) - len(missing)} of the eight {what} are among the {len(position.likeliest)} likeliest "
            f"tokens, and the others may have {open_share:.0%}"
        )
    complete = {name: probability or max(bound, FLOOR) for name, probability in found.items()}
    total = math.fsum(complete.values())
    return Reading([complete[name] / total for name in EMOTION_NAMES], min(mass, 1.0), open_share)


def _bound(position: Position, count: int) -> float:
    """The most that each of `count` answers can have which are not among the likeliest tokens.

    None is above the least of those, and together they have no more than what those leave over. The token that was
    written may be listed though it is not among the likeliest, so it says nothing about the others.
    """
    told = _probabilities(position)
    least = min((probability for token, probability in told if token != position.token), default=1.0)
    return min(least, max(0.0, 1.0 - math.fsum(probability for _, probability in told)) / count)


def _probabilities(position: Position) -> list[tuple[str, float]]:
    if not position.likeliest:
        raise UnusableAnswerError("the answer has no log-probabilities of the likeliest tokens")
    return [(token, math.exp(logarithm)) for token, logarithm in dict.fromkeys(position.likeliest)]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
