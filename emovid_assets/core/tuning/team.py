"""Several processes that train one adapter together, each on its own GPU: who one of them is, and sums over all.

Belongs here: what a training needs of `accelerate`. Does not belong here: starting the processes.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

LONGEST_WAIT = timedelta(days=7)
"""For one another: the first encodes clips for hours while the others wait."""


class Alone:
    """One process. `number`: which of the `size` processes it is, from 0."""

    number, size = 0, 1

    def device(self, kind: str) -> str:
        """The one of this process, of cpu or cuda."""
        return kind

    def add_up(self, tensors: Iterable[Any]) -> None:
        """Puts into each tensor the sum of what the processes have in it."""

    def wait(self) -> None:
        """Until all are here."""


class Together(Alone):
    """A process of several, as the environment that `accelerate launch` or `torchrun` has made says."""

    def __init__(self, *, is_on_cpu: bool) -> None:
        from accelerate import PartialState

        self._state = PartialState(cpu=is_on_cpu, timeout=LONGEST_WAIT)
        self.number, self.size = self._state.process_index, self._state.num_processes

    def device(self, kind: str) -> str:
        return kind if kind == "cpu" else str(self._state.device)

    def add_up(self, tensors: Iterable[Any]) -> None:
        from accelerate.utils import reduce

        for tensor in tensors:
            tensor.copy_(reduce(tensor, "sum"))

    def wait(self) -> None:
        self._state.wait_for_everyone()
