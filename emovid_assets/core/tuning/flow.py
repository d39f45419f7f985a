"""Flow matching: how much noise a step sees, how much the step counts, and what the model is to say.

Belongs here: the noise levels and weights that DiffSynth-Studio trains Wan by, random numbers by name, the loss of one
sample. Does not belong here: samples (`wan`), steps of a training (`loop`).

A sample x and noise n are mixed to (1 - σ) x + σ n; the model is to say the velocity n - x.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

TIMES = 1000
"""Noise levels that are drawn from, and what σ = 1 is called in a model's own time."""

Sample = Mapping[str, Any]
"""Tensors of one clip, each with a first dimension of 1: `latents`, and what the family asks for beside them."""
Velocity = Callable[[Sample, Any, float], Any]
"""Called as (sample, noisy latents, σ)."""


@dataclass(frozen=True)
class Flow:
    """`shift` moves the levels towards noise: large pictures hold their shape for longer."""

    shift: float = 5.0

    def sigma(self, level: float) -> float:
        """Of a level, both 0 < … ≤ 1."""
        return self.shift * level / (1 + (self.shift - 1) * level)

    def weight(self, sigma: float) -> float:
        """How much a loss counts: most at σ = 0.5, on average 1 over the levels that are drawn."""
        lowest, total = self._scale
        return (_bell(sigma) - lowest) * TIMES / total

    @cached_property
    def _scale(self) -> tuple[float, float]:
        bells = [_bell(self.sigma(1 - place / TIMES)) for place in range(TIMES)]
        lowest = min(bells)
        return lowest, sum(bell - lowest for bell in bells)

    def drawn_loss(self, velocity: Velocity, sample: Sample, *names: object) -> Any:
        """The weighted loss at a level and noise that follow from the names alone."""
        import torch

        numbers = random_numbers(*names)
        place = int(torch.randint(TIMES, (1,), generator=numbers))
        return self.loss(velocity, sample, 1 - place / TIMES, numbers)

    def loss(self, velocity: Velocity, sample: Sample, level: float, numbers: Any) -> Any:
        """The weighted mean square of what the model says amiss at a level, with noise from `numbers`; a tensor."""
        import torch

        sigma, latents = self.sigma(level), sample["latents"]
        # Drawn on the CPU, whatever the device: its numbers are the same everywhere.
        noise = torch.randn(latents.shape, generator=numbers).to(latents)
        said = velocity(sample, (1 - sigma) * latents + sigma * noise, sigma)
        return torch.nn.functional.mse_loss(said.float(), (noise - latents).float()) * self.weight(sigma)


def random_numbers(*names: object) -> Any:
    """A generator of torch, on the CPU, that begins where its names say."""
    import torch

    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _bell(sigma: float) -> float:
    return math.exp(-2 * (sigma - 0.5) ** 2)
