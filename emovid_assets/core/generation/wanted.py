"""Which videos are wanted of a generator: a prompt, a seed and perhaps a first frame each.

Belongs here: prompts of the benchmark and of characters, ids, and the number that starts a video's random numbers. Does
not belong here: how a video is made, and where its file is.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.splits import prompt_of

CHARACTER_CAPTION = "A sticker of this character, which moves, on a plain white background."
"""What a prompt says of a character of which nobody has written more."""


@dataclass(frozen=True)
class Wanted:
    """A video. Of `clip_id` and `character` (a file below the folder of characters) one is null.

    `first_frame_path` is below the home folder; null where the generator takes none.
    """

    generator: str
    task: str
    clip_id: str | None
    character: str | None
    asked_emotion: str
    prompt: str
    seed: int
    first_frame_path: str | None = None

    @property
    def prompt_sha256(self) -> str:
        return prompt_sha256(self.prompt)

    @property
    def video_id(self) -> str:
        return video_id(self.generator, self.task, self.clip_id or str(self.character), self.prompt, self.seed)


@dataclass(frozen=True)
class Character:
    """A character by its file below the folder of characters. `picture_path` is below the home folder, null where there
    is a description alone."""

    name: str
    picture_path: str | None
    description: str | None = None


def prompt_sha256(prompt: str) -> str:
    """64 hex digits."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()


def video_id(generator: str, task: str, subject: str, prompt: str, seed: int) -> str:
    """16 hex digits. `subject` is the clip or the character: two of them may share a prompt."""
    text = "\n".join((generator, task, subject, prompt_sha256(prompt), str(seed)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def random_seed(prompt: str, seed: int) -> int:
    """What starts the random numbers of a video, 0 ≤ n < 2^63: made of prompt and seed alone, so that two generators
    begin with the same noise, and neither the order nor a resumed run changes a video."""
    digest = hashlib.sha256(f"{prompt_sha256(prompt)}|{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def of_benchmark(
    rows: Iterable[Mapping[str, Any]], generator: str, task: str, seeds: Sequence[int]
) -> Iterator[Wanted]:
    """A video per clip of the benchmark and seed, of rows of `benchmark_split`. Where a first frame is needed, a clip
    without one is left out: none of its frames shows anything."""
    for row in rows:
        path = row["first_frame_path"] if task == "i2v" else None
        if row["split"] == "benchmark" and (task == "t2v" or path is not None):
            for seed in seeds:
                yield Wanted(generator, task, row["clip_id"], None, row["emotion"], row["prompt"], seed, path)


def of_characters(characters: Iterable[Character], generator: str, task: str, seeds: Sequence[int]) -> Iterator[Wanted]:
    """A video per character, emotion and seed. Without a picture there is no first frame, so no `i2v` video."""
    for character in characters:
        path = character.picture_path if task == "i2v" else None
        for emotion in EMOTION_NAMES if task == "t2v" or path is not None else ():
            prompt = prompt_of(character.description or CHARACTER_CAPTION, emotion)
            for seed in seeds:
                yield Wanted(generator, task, None, character.name, emotion, prompt, seed, path)
