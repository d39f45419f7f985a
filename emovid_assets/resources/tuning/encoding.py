"""One clip as a file for a trainer.

Belongs here: what a worker process does for an export, and the proof of what it wrote. Does not belong here: which
clips there are, where their files go (`export`).
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.tuning.families import FAMILIES, Size
from emovid_assets.core.tuning.frames import read_frames
from emovid_assets.core.video.encoding import write_film
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import open_container

VERSION = "1"
"""Raised where the same clip can become another file."""


def encode(arguments: dict[str, Any]) -> dict[str, Any]:
    """Writes the file `target` of the clip file `source`; gives `sha256`, `size_bytes`, and as `frame_count` how many
    frames of it the family is to see.

    H.264 in MP4, 4:2:0, BT.709 of limited range, square pixels, no B-frames, no sound, no edit list: all that a reader
    can count, turn or hide is what there is. A clip of no more than a still has no file. Raises MediaError.
    """
    family, size = FAMILIES[arguments["family"]], Size(*arguments["size"])
    target, more = Path(arguments["target"]), arguments["more"]
    pictures = read_frames(
        Path(arguments["source"]),
        family,
        size,
        frames=arguments["frames"],
        is_again=arguments["is_again"],
        more=more,
    )
    count = len(pictures) - more
    if count < 2:
        return {"frame_count": max(count, 0)}
    write_film(target, pictures, family.rate, has_edit_list=False)
    prove(target, frame_count=len(pictures), rate=family.rate, size=size)
    return {"frame_count": count, "sha256": file_sha256(target), "size_bytes": target.stat().st_size}


def prove(path: Path, *, frame_count: int, rate: int, size: Size) -> None:
    """Raises MediaError `write_failed` where the container says anything else of its film."""
    with open_container(path) as container:
        (stream,) = container.streams
        context = stream.codec_context
        found = (stream.frames, stream.average_rate, stream.start_time or 0, Size(context.width, context.height))
    wanted = frame_count, Fraction(rate), 0, size
    if found != wanted:
        raise MediaError("write_failed", f"{path.name} holds {found}, not {wanted}")
