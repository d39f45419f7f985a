"""Whether pipelines did the same work: cuts, frames of the clip files, colour values. A time counts only then.

Belongs here: judges that do not use the code they judge.
"""

from pathlib import Path
from typing import Any

import av

from benchmarks.media_ours import STRIDE, Work, colour_of, kept
from emovid_assets.core.video.streams import Tracks
from emovid_assets_tests.media.reference import Reference, as_seen, differences


def problems(path: Path, tracks: Tracks, ours: Work, theirs: list[int]) -> list[str]:
    """What is wrong with our work on a file, given PySceneDetect's cuts; empty where nothing is."""
    found = []
    if ours.cuts != theirs:
        found.append(f"cuts differ: only ours {_only(ours.cuts, theirs)}, only theirs {_only(theirs, ours.cuts)}")
    segments = kept(ours.segments)
    for segment, clip in zip(segments, ours.clips, strict=True):
        wanted, written = segment["end_frame"] - segment["start_frame"], _frame_count(clip)
        if wanted != written:
            found.append(f"{clip.name} has {written} frames, not {wanted}")
    for segment, reference in zip(segments, _references(path, tracks.video_index, segments), strict=True):
        wrong = differences(colour_of(segment), reference)
        if wrong:
            found.append(f"colour of {segment['clip_id']} differs from the float64 definition: {wrong}")
    return found


def _only(some: list[int], others: list[int]) -> list[int]:
    return sorted(set(some) - set(others))


def _frame_count(clip: Path) -> int:
    with av.open(str(clip)) as container:
        return sum(1 for _ in container.decode(video=0))


def _references(path: Path, stream: int, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    owner = {
        index: number
        for number, segment in enumerate(segments)
        for index in range(segment["start_frame"], segment["end_frame"], STRIDE)
    }
    sums = [Reference() for _ in segments]
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(container.streams[stream])):
            if index in owner:
                sums[owner[index]].add(as_seen(frame))
    return [reference.attributes() for reference in sums]
