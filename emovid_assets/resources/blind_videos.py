"""The files of a study: a copy of each video of each pair, under a name that says nothing of the generator.

Belongs here: which files there have to be, and making those that are missing. Does not belong here: what a copy looks
like (`core.video.blind_copy`), who gets to see it.

A video that stands in several pairs has a copy for each, all of one content where they are as long: by a common name
people could learn which generator they have seen before.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core.generation.study_pairs import A, B
from emovid_assets.core.video.blind_copy import VERSION, write_blind_copy
from emovid_assets.core.video.errors import MediaError
from emovid_assets.home.folders import Home

Row = Mapping[str, Any]


@dataclass
class BlindVideos:
    """`files`: by task the left and the right file, below the media folder. `faults`: by task why it has none."""

    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    made_count: int = 0


def blind_videos(
    home: Home, tasks: Iterable[Row], videos: Iterable[Row], report: Callable[[int, int], None] = lambda done, of: None
) -> BlindVideos:
    """Makes what is missing. `tasks` are rows of `preference_tasks`, `videos` of `generated_videos`; `report` is told
    how many of how many pairs are done."""
    by_id = {video["video_id"]: video for video in videos}
    made, asked = BlindVideos(), list(tasks)
    for done, task in enumerate(asked, start=1):
        try:
            sides = [_made(home, task, side, by_id, made) for side in (A, B)]
        except MediaError as error:
            made.faults[task["task_id"]] = str(error)
        else:
            made.files[task["task_id"]] = (sides[0], sides[1])
        report(done, len(asked))
    return made


def _made(home: Home, task: Row, side: str, videos: Mapping[str, Row], made: BlindVideos) -> str:
    target = _copy_of(home, task, side)
    if not (target.exists() and target.stat().st_size):
        video = videos.get(task[f"video_{side}"])
        if video is None:
            raise MediaError("vanished", f"The video {task[f'video_{side}']} is no longer in generated_videos")
        is_spoiled = task["expected"] not in (None, side)
        source = home.root / video["video_path"]
        write_blind_copy(source, target, fps=task[f"fps_{side}"], length_s=task["shown_s"], is_spoiled=is_spoiled)
        made.made_count += 1
    return home.served(home.relative(target))


def copies_of(home: Home, task: Row) -> list[Path]:
    """Where both files of a row of `preference_tasks` lie, once they are made."""
    return [_copy_of(home, task, side) for side in (A, B)]


def _copy_of(home: Home, task: Row, side: str) -> Path:
    said = f"{task['task_id']}/{side}/{VERSION}"
    return home.study_videos / f"{hashlib.sha256(said.encode()).hexdigest()[:16]}.mp4"
