"""The words under which stickers of each emotion are searched, and the order of the searches.

Belongs here: reading our list (`emotion_queries.json`, which names its sources). Does not belong here: any search.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import zip_longest

from emovid_assets.core.emotions import EMOTION_NAMES


@cache
def words_by_emotion() -> dict[str, tuple[str, ...]]:
    """Each of the eight emotions with its words, the emotion's own word first; no word stands under two of them."""
    text = files("emovid_assets.core.collection").joinpath("emotion_queries.json").read_text(encoding="utf-8")
    queries = json.loads(text)["queries"]
    return {emotion: tuple(queries[emotion]) for emotion in EMOTION_NAMES}


def searches() -> Iterator[tuple[str, str]]:
    """(emotion, word): the first word of each emotion, then the second of each: a run that ends early is fair."""
    for words in zip_longest(*words_by_emotion().values()):
        yield from ((emotion, word) for emotion, word in zip(EMOTION_NAMES, words, strict=True) if word)
