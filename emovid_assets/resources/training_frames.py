"""Clips on their way into a training: frames are decoded ahead of the model, a bounded number of clips.

Belongs here: threads and their queue. Does not belong here: which frames (`core.vlm.frames`), what is learnt from them.
"""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.vlm import frames
from emovid_assets.core.vlm.chat_model import ChatModel, Prepared
from emovid_assets.core.vlm.training_set import Example

READ_AHEAD = 2
"""Clips per thread that may wait for the model."""


def ready(chat: ChatModel, examples: Iterable[Example], *, threads: int) -> Generator[tuple[Example, Prepared | None]]:
    """The clips in their order, prepared; null for one that cannot be read."""
    ahead: deque[tuple[Example, Future[Prepared | None]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for example in examples:
                ahead.append((example, pool.submit(_prepared, chat, example)))
                if len(ahead) > READ_AHEAD * threads:
                    first, prepared = ahead.popleft()
                    yield first, prepared.result()
            while ahead:
                first, prepared = ahead.popleft()
                yield first, prepared.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _prepared(chat: ChatModel, example: Example) -> Prepared | None:
    request = example.request
    try:
        read = frames.read(Path(request.path), request.stamps_s, request.side_px)
    except MediaError:
        return None
    return chat.prepare([frame for _, frame in read], [stamp for stamp, _ in read], request.prompt)
