"""Files of a generated video: the film, checked before it has its name, a thumbnail, and stickers of characters.

Belongs here: what is written and what is read back. Does not belong here: making the pictures, and where files lie.
"""

from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import put_bytes, put_into_place
from emovid_assets.core.video.encoding import write_film
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.picture import is_one_colour, jpeg
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.sticker_files import write_gif, write_webp
from emovid_assets.core.video.written import read_written
from emovid_assets.resources.media_steps import LEAST_FRAMES

SUFFIX, THUMBNAIL, STICKERS = ".mp4", ".jpg", (".gif", ".webp")
THUMBNAIL_PX = 160


def pictures_of(frames: np.ndarray) -> np.ndarray:
    """uint8 (frames, height, width, 3) of float frames, 0 to 1. Raises MediaError `frame_count`, `not_finite`,
    `constant`."""
    if len(frames) < LEAST_FRAMES:
        raise MediaError("frame_count", f"A video has {LEAST_FRAMES} frames or more, of the model came {len(frames)}")
    if not np.isfinite(frames).all():
        bad = int((~np.isfinite(frames)).reshape(len(frames), -1).any(axis=1).sum())
        raise MediaError("not_finite", f"{bad} of {len(frames)} frames hold values that are no numbers")
    pictures = np.empty(frames.shape, np.uint8)
    # One by one: four copies of a large video would take gigabytes.
    for picture, frame in zip(pictures, frames, strict=True):
        picture[:] = (np.clip(frame, 0, 1) * 255).round()
    if all(map(is_one_colour, pictures)):
        raise MediaError("constant", f"None of {len(pictures)} frames shows anything")
    return pictures


def write_video(home: Path, target: Path, pictures: np.ndarray, fps: float, *, is_sticker: bool) -> dict[str, Any]:
    """Writes the film and what goes with it; facts of the film as it was read back, and the names of all `files`.

    Raises MediaError `frame_count`, `write_failed`; then no film is there.
    """
    beside = [target.with_suffix(THUMBNAIL)]
    try:
        put_bytes(beside[0], jpeg(_thumbnail(pictures[len(pictures) // 2])))
        if is_sticker:
            for suffix, write in zip(STICKERS, (write_gif, write_webp), strict=True):
                beside.append(target.with_suffix(suffix))
                write(beside[-1], list(pictures), fps)
        # The film last: where it is, everything is.
        with put_into_place(target) as unfinished:
            write_film(unfinished, pictures, fps)
            facts = facts_of(unfinished)
            if facts["frame_count"] != len(pictures):
                seen = f"The file holds {facts['frame_count']} frames, the model made {len(pictures)}"
                raise MediaError("frame_count", seen)
    except OSError as error:
        raise MediaError("write_failed", f"Writing {target.name}: {error}") from error
    names = [path.relative_to(home).as_posix() for path in (target, *beside)]
    return {**facts, "fps": fps, "sha256": file_sha256(target), "video_path": names[0], "files": names}


def facts_of(path: Path) -> dict[str, Any]:
    """Size, length and frames of a film that was written here; frames are counted by decoding them."""
    try:
        written = read_written(path)
    except ValueError as error:
        raise MediaError("write_failed", f"What was written cannot be read: {error}") from error
    return {
        "frame_count": sum(1 for _ in Video(path).frames()),
        "width_px": written.width_px,
        "height_px": written.height_px,
        "duration_s": written.duration_s,
    }


def _thumbnail(rgb: np.ndarray) -> np.ndarray:
    import cv2

    scale = min(1.0, THUMBNAIL_PX / max(rgb.shape[:2]))
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
