"""What a trainer is: how its clips lie, what it is told of them, how it is started.

Belongs here: the one shape of all trainers, and what several of them say in the same way. Does not belong here: any
trainer (a module each beside this one), writing files (`resources.tuning.export`).
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.tuning.families import Family, Size

RANK = 32
LEARNING_RATE = 1e-4
EPOCHS = 3
"""Of the paper's LoRA."""
LAUNCH = "launch.sh"
OUTPUT = "trained"
"""Folder below the export that trainers write to."""


@dataclass(frozen=True)
class Example:
    """A clip as it was written. `name`: of the file, without its suffix. `frame_count`: what the family is to see of
    it; the file may hold some more, as the trainer needs."""

    name: str
    domain: str
    caption: str
    size: Size
    frame_count: int
    repeats: int


@dataclass(frozen=True)
class Exported:
    """What was written for a trainer. `folder`: absolute; `frames`: most of a clip; `sizes`: those asked for."""

    family: Family
    folder: Path
    frames: int
    sizes: tuple[Size, ...]
    examples: tuple[Example, ...]

    @property
    def most_pixels(self) -> int:
        return max(size.width_px * size.height_px for size in self.sizes)

    def mixed(self) -> list[Example]:
        """In an order that has nothing to do with the clips, for trainers that hardly shuffle."""
        return sorted(self.examples, key=lambda one: keyed_rank(one.name, "order of a training set"))

    def step_count(self) -> int:
        """Steps of all epochs at one clip a step."""
        return EPOCHS * sum(example.repeats for example in self.examples)


@dataclass(frozen=True)
class Trainer:
    """`families`: those that it trains. `place`: the folder of a clip, below the export.

    `lists`: files that name the clips or hold their captions; `settings`: files that people change, the launching
    script among them. Both by path below the export.
    `more_frames`: that a clip must hold beyond what the family sees. `shortened`: the number of frames, of so many that
    there are, that clips are cut to. `takes_shorter`: whether clips with fewer frames than asked for are of use.
    """

    name: str
    title: str
    families: Sequence[str]
    place: Callable[[Example], str]
    lists: Callable[[Exported], Mapping[str, str]]
    settings: Callable[[Exported], Mapping[str, str]]
    more_frames: int = 0
    shortened: Callable[[Family, int], int] = lambda family, count: count
    takes_shorter: bool = True


def captions_beside(place: Callable[[Example], str]) -> Callable[[Exported], Mapping[str, str]]:
    """A text a clip, of the same name beside it."""
    return lambda exported: {
        f"{place(example)}/{example.name}.txt": f"{example.caption}\n" for example in exported.examples
    }


def by_domain(example: Example) -> str:
    return f"clips/{example.domain}"


def folders(exported: Exported, place: Callable[[Example], str]) -> list[tuple[str, Example]]:
    """(folder below the export, one of its clips) of all folders, by name."""
    return sorted({place(example): example for example in exported.examples}.items())


def text(value: object) -> str:
    """A string as TOML, YAML and JSON write it alike."""
    return json.dumps(str(value), ensure_ascii=False)


def as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def script(where: str, *commands: Sequence[object]) -> str:
    """A launching script. `where`: in which folder it is run and what to fill in, a comment."""
    lines = ["#!/bin/sh", *(f"# {line}" for line in where.splitlines()), "set -e"]
    return "\n".join(lines) + "\n" + "".join(f"\n{_command(command)}\n" for command in commands)


def _command(words: Sequence[object]) -> str:
    """One option a line."""
    quoted = [shlex.quote(str(word)) for word in words]
    lines: list[str] = []
    for word in quoted:
        if lines and not word.startswith("--"):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return " \\\n  ".join(lines)
