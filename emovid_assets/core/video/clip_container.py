"""What a clip file is called and how it is packed: WebM where its pictures are VP8, MP4 everywhere else.

Belongs here: the one rule. Does not belong here: writing (`clip_mux`, `clip_webm`).
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ClipContainer:
    """`name`: FFmpeg's. `suffix`: of the file's name."""

    name: str
    suffix: str


MP4 = ClipContainer("mp4", ".mp4")
WEBM = ClipContainer("webm", ".webm")
CLIP_CONTAINERS = (MP4, WEBM)


def clip_container(video_codec: str) -> ClipContainer:
    """By the canonical name of the codec of the pictures."""
    return WEBM if video_codec == "vp8" else MP4


def other_clip_files(path: Path) -> list[Path]:
    """Where a clip's file would be, had its pictures another codec."""
    return [path.with_suffix(other.suffix) for other in CLIP_CONTAINERS if other.suffix != path.suffix]
