"""Several processes that train one adapter together, each on its own GPU: who one of them is, and sums over all.

Belongs here: what a training needs of `accelerate`. Does not belong here: starting the processes.
"""

from collections.abc import Iterable
from typing import Any


class Alone:
    """One process."""

    number, size = 0, 1

    def add_up(self, tensors: Iterable[Any]) -> None:
        """Puts into each tensor the sum of what the processes have in it."""


class Together(Alone):
    """A process of several, as the environment that `accelerate launch` or `torchrun` made says."""

    def __init__(self, *, is_on_cpu: bool) -> None:
        from accelerate import PartialState

        self._state = PartialState(cpu=is_on_cpu)
        self.number, self.size = self._state.process_index, self._state.num_processes

    def add_up(self, tensors: Iterable[Any]) -> None:
        from accelerate.utils import reduce

        for tensor in tensors:
            tensor.copy_(reduce(tensor, "sum"))
