"""Flow matching: how much noise a step sees, how much the step counts, and what the model is to say.

Belongs here: the noise levels and weights that DiffSynth-Studio trains Wan by, random numbers by name, the loss of one
sample. Does not belong here: samples (`wan`), steps of a training (`loop`).

A sample x and noise n are mixed to (1 - σ) x + σ n; the model is to say the velocity n - x.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

TIMES = 1000
"""Noise levels that are drawn from, and what σ = 1 is called in a model's own time."""

Sample = Mapping[str, Any]
"""Tensors of one clip, each with a first dimension of 1: `latents`, and what the family asks for beside them."""
Velocity = Callable[[Sample, Any, Any], Any]
"""Called as (sample, noisy latents, σ) of several clips along the first dimension, σ of shape (clips,)."""


@dataclass(frozen=True)
class Look:
    """A sample at a noise level, 0 < … ≤ 1, with noise from `numbers`."""

    sample: Sample
    level: float
    numbers: Any


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

    def drawn(self, sample: Sample, *names: object) -> Look:
        """At a level and with noise that follow from the names alone."""
        import torch

        numbers = random_numbers(*names)
        place = int(torch.randint(TIMES, (1,), generator=numbers))
        return Look(sample, 1 - place / TIMES, numbers)

    def losses(self, velocity: Velocity, looks: Sequence[Look]) -> Any:
        """(looks,), float32: the weighted mean square of what the model says amiss of each.

        Samples of equal shapes are shown to it at once.
        """
        import torch

        found: list[Any] = [None] * len(looks)
        for members in _of_equal_shapes(looks):
            some = [looks[place] for place in members]
            sample = {name: torch.cat([look.sample[name] for look in some]) for name in some[0].sample}
            latents = sample["latents"]
            # Drawn on the CPU, whatever the device: its numbers are the same everywhere.
            drawn = [torch.randn(look.sample["latents"].shape, generator=look.numbers) for look in some]
            noise = torch.cat(drawn).to(latents)
            levels = [self.sigma(look.level) for look in some]
            sigmas = torch.tensor(levels, device=latents.device)
            mixing = sigmas.view(-1, *[1] * (latents.dim() - 1))
            said = velocity(sample, (1 - mixing) * latents + mixing * noise, sigmas)
            squares = (said.float() - (noise - latents).float()) ** 2
            for place, sigma, square in zip(members, levels, squares, strict=True):
                found[place] = square.mean() * self.weight(sigma)
        return torch.stack(found)


def _of_equal_shapes(looks: Sequence[Look]) -> list[list[int]]:
    """Places of samples that can be shown together."""
    groups: dict[Any, list[int]] = {}
    for place, look in enumerate(looks):
        shapes = tuple((name, tuple(value.shape)) for name, value in sorted(look.sample.items()))
        groups.setdefault(shapes, []).append(place)
    return list(groups.values())


def random_numbers(*names: object) -> Any:
    """A generator of torch, on the CPU, that begins where its names say."""
    import torch

    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _bell(sigma: float) -> float:
    return math.exp(-2 * (sigma - 0.5) ** 2)
