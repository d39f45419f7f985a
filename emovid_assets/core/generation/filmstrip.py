"""A film at one look: some of its frames side by side.

Belongs here: which videos are shown, which frames, and how they are put together. Does not belong here: the file.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.video.sampled import small_frames

VERSION = "1"
FRAMES = 6
SIDE_PX = 128
GAP_PX = 2
PROMPTS = 2
"""Of a task and domain."""
_WHITE = 255


def chosen_videos(videos: Iterable[Mapping[str, Any]], *, seed: str) -> list[tuple[int, Mapping[str, Any]]]:
    """(position of the prompt, row of `generated_videos`): of each task and domain the videos of a few prompts.

    Prompts that most generators have come first, then it is drawn by hash; of several seeds the lowest is shown.
    """
    by_place: dict[tuple[str, str], dict[str, dict[str, Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for row in sorted(videos, key=lambda one: (-one["seed"], one["video_id"])):
        prompt = row["clip_id"] or f"{row['character']}/{row['asked_emotion']}"
        by_place[row["task"], row["domain"]][prompt][row["generator"]] = row
    found = []
    for (task, _), prompts in sorted(by_place.items()):
        order = sorted(prompts, key=lambda one: (-len(prompts[one]), keyed_rank(one, f"{seed}/filmstrips/{task}"), one))
        for position, prompt in enumerate(order[:PROMPTS]):
            found += [(position, row) for _, row in sorted(prompts[prompt].items())]
    return found


def filmstrip(path: Path, duration_s: float) -> np.ndarray:
    """uint8 (height, width, 3): frames evenly spread from the first to the last. Raises MediaError."""
    stamps = [duration_s * place / FRAMES for place in range(FRAMES)]
    return side_by_side([frame for _, frame in small_frames(path, stamps, SIDE_PX)])


def side_by_side(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Frames of one size in a row, with white between them."""
    height, width = frames[0].shape[:2]
    strip = np.full((height, len(frames) * (width + GAP_PX) - GAP_PX, 3), _WHITE, np.uint8)
    for place, frame in enumerate(frames):
        strip[:, place * (width + GAP_PX) :][:, :width] = frame
    return strip
