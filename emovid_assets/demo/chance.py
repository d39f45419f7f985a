"""Chance by key: the same words always give the same draw, whatever was drawn before.

Belongs here: random generators and fractions made from a seed and a few words. Does not belong here:
what is drawn with them.
"""

import hashlib

import numpy as np


def _digest(seed: int, parts: tuple[object, ...]) -> int:
    text = "\x1f".join([str(seed), *(str(part) for part in parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def generator_for(seed: int, *parts: object) -> np.random.Generator:
    """Random generator that depends on nothing but the seed and the words in `parts`."""
    return np.random.default_rng(_digest(seed, parts))


def fraction_for(seed: int, *parts: object) -> float:
    """Number in [0, 1) that depends on nothing but the seed and the words in `parts`."""
    return (_digest(seed, parts) >> 11) / (1 << 53)
