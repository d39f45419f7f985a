"""A batch that fails is tried in halves: what does not fit into memory at once, or what one bad clip would spoil.

Belongs here: what failed for which reason, and the halves. Does not belong here: what is done with a batch, and what
becomes of a clip that fails alone (the caller's).
"""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_halves(
    batch: Sequence[Given],
    work: Callable[[Sequence[Given]], list[Made]],
    alone: Callable[[Given, Exception], Made],
) -> tuple[list[Made], int]:
    """(what `work` made of each, how many fitted into memory at once).

    `alone` says what becomes of one that fails by itself, or raises. Raises what `work` raises where the GPU is lost.
    """
    ended: list[Made] | None = None
    try:
        return work(batch), len(batch)
    # Whatever a model of unknown make raises at one clip is no reason to lose the others.
    except Exception as error:
        is_memory = is_out_of_memory(error)
        if _is_fatal(error):
            raise
        if len(batch) == 1:
            ended = [alone(batch[0], error)]
    # Outside of the handler: the error holds on to the tensors of the failed attempt.
    if is_memory:
        _free_gpu()
    if ended is not None:
        return ended, 1
    half = (len(batch) + 1) // 2
    if is_memory:
        logging.getLogger("emovid").warning(f"{len(batch)} clips do not fit into memory at once; {half} are tried")
    first, fitted = in_halves(batch[:half], work, alone)
    second, _ = in_halves(batch[half:], work, alone)
    return first + second, fitted if is_memory else len(batch)


def is_out_of_memory(error: BaseException) -> bool:
    """Also where torch says so in words only, as its CPU allocator does."""
    return isinstance(error, MemoryError) or "out of memory" in str(error) or "can't allocate memory" in str(error)


def _is_fatal(error: Exception) -> bool:
    """Whether the GPU is lost to this process: every later clip would fail for no fault of its own."""
    return "CUDA error" in str(error) and not is_out_of_memory(error)


def _free_gpu() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
