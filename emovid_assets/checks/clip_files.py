"""What the tables say of a clip and what its files hold, side by side.

Belongs here: the comparison, as sentences. Does not belong here: which files there are and whether their bytes are the
right ones (`proofs`), how a file is read (`core.video.written`). Needs no Dagster.

A hash proves that a file is the one that was written, not that the clip was written right.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emovid_assets.core.video.written import Written, read_written

OF_CLIP = ("clip_id", "duration_s", "frame_count", "width_px", "height_px", "has_audio")
"""Columns of `clips` that its file must bear out."""
OF_FILE = (
    *("clip_id", "media_path", "sha256", "duration_s"),
    *("hidden_frame_count", "video_codec", "audio_codec", "colour_matrix", "is_colour_tagged"),
)
"""Columns of `clip_media` that the file must bear out, and which file it is."""
ADVICE = "; it has to be written again"

Row = Mapping[str, Any]


def clip_file_fault(path: Path, clip: Row | None, media: Row) -> str | None:
    """What the file of a clip contradicts, given its rows of `clips` (null where it has none) and `clip_media`."""
    try:
        file = read_written(path)
    except ValueError as error:
        return f"cannot be opened as a clip ({error}){ADVICE}"
    said = _contradicted_media(media, file)
    if clip is not None:
        said += _contradicted_clip(clip, file)
    return f"{'; '.join(said)}{ADVICE}" if said else None


def _contradicted_media(media: Row, file: Written) -> list[str]:
    said = []
    if not file.lasts(media["duration_s"]):
        said.append(f"clip_media says {media['duration_s']:.3f} s, the file lasts {file.duration_s:.3f} s")
    for name in ("hidden_frame_count", "video_codec", "audio_codec", "colour_matrix", "is_colour_tagged"):
        found = getattr(file, name)
        if media[name] != found:
            said.append(f"clip_media says {name} {_word(media[name])}, the file has {_word(found)}")
    return said


def _contradicted_clip(clip: Row, file: Written) -> list[str]:
    said = []
    if not file.lasts(clip["duration_s"]):
        said.append(f"clips says {clip['duration_s']:.3f} s, the file lasts {file.duration_s:.3f} s")
    if clip["frame_count"] != file.frame_count:
        said.append(f"clips says {clip['frame_count']} frames, the file shows {file.frame_count}")
    if fault := _size_fault(clip, file.width_px, file.height_px):
        said.append(fault)
    if clip["has_audio"] != (file.audio_codec is not None):
        said.append(f"clips says has_audio {clip['has_audio']}, the file has {_word(file.audio_codec)}")
    return said


def first_frame_fault(path: Path, clip: Row) -> str | None:
    """What the first frame of a clip, a whole PNG file, contradicts."""
    with path.open("rb") as file:
        width, height = struct.unpack(">16x2I", file.read(24))
    return _size_fault(clip, width, height)


def _size_fault(clip: Row, width: int, height: int) -> str | None:
    given = clip["width_px"], clip["height_px"]
    # Encoding adds a row or a column where a side is odd.
    if (width, height) in (given, tuple(side + side % 2 for side in given)):
        return None
    return f"clips says {given[0]}×{given[1]} px, the file has {width}×{height}"


def _word(value: Any) -> str:
    return "none" if value is None else str(value)
