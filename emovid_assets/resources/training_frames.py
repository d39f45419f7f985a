"""Clips on their way into a training: frames are decoded ahead of the model, as far as memory allows.

Belongs here: reading and preparing a clip. Does not belong here: which frames (`core.vlm.frames`), what is learnt from
them.
"""

import logging
from collections.abc import Generator, Iterable
from pathlib import Path

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.vlm import frames
from emovid_assets.core.vlm.chat_model import ChatModel, Prepared
from emovid_assets.core.vlm.training_set import Example
from emovid_assets.resources.local_model import one_thread
from emovid_assets.resources.read_ahead import read_ahead

READ_AHEAD = 2
"""Clips per thread that may wait for the model."""
READ_AHEAD_BYTES = 2**29


def ready(chat: ChatModel, examples: Iterable[Example], *, threads: int) -> Generator[tuple[Example, Prepared | None]]:
    """The clips in their order, prepared; null for one that cannot be read."""

    def work(example: Example) -> tuple[Example, Prepared | None]:
        return example, _prepared(chat, example)

    for _, pair in read_ahead(
        ((example.clip_id, example) for example in examples),
        work,
        threads=threads,
        most=READ_AHEAD * threads,
        most_bytes=READ_AHEAD_BYTES,
        begin=one_thread,
        byte_count=lambda pair: pair[1].byte_count if pair[1] else 0,
    ):
        yield pair


def _prepared(chat: ChatModel, example: Example) -> Prepared | None:
    request = example.request
    try:
        read = frames.read(Path(request.path), request.stamps_s, request.side_px)
    except MediaError:
        return None
    try:
        return chat.prepare([frame for _, frame in read], [stamp for stamp, _ in read], request.prompt)
    # A processor refuses shapes in ways of its own; one clip ends no training.
    except Exception as error:  # noqa: BLE001
        logging.getLogger("emovid").warning(f"{example.clip_id} is left out: {type(error).__name__}: {error}")
        return None
