"""Which stickers show the same: by their bytes, or by what they look like.

Belongs here: the fingerprint of a file, and the limits within which two are the same. Does not belong here: the rule
itself (`core.near_duplicates`), and what becomes of a duplicate.

A fingerprint has the perceptual hash (64 bits, `imagehash.phash`) and the mean colour of the first, the middle and the
last frame. Two stickers are the same where none of the three hashes differs in more than `near_duplicate_bits` bits, no
mean colour in more than `MAX_COLOUR_STEPS`, and the sides have the same proportion. The default of 6 bits was measured
on 40 animated emoji: copies at half size or with 64 colours differ by at most 4 bits, at quarter size or as JPEG of
quality 40 by at most 6, different stickers by at least 12. A copy that is missed costs an answer of an annotator; two
stickers that are taken for one lose one, and their emotions mix: so the threshold stands where copies end. Colour
counts as well: hashes are of grey pictures, and flat pictures all have the same.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emovid_assets.core.near_duplicates import Limits, Looks, are_near
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter, upright

MAX_COLOUR_STEPS = 24
"""Of 255; copies differ by 3."""
MIN_CONTRAST_FRAMES = 0
"""Flat stickers are told apart by nine mean colours: a copy of one is no less a copy."""
MAX_PROPORTION = 1.1
MAX_FRAMES = 2000

Fingerprint = Mapping[str, Any]
"""`hashes`: three of 16 hex digits; `colours`: red, green, blue of three means, 0 to 255; `proportion`: of sides."""


def fingerprint(path: Path) -> dict[str, Any]:
    """Of a picture file that moves or not. Raises MediaError where it cannot be read."""
    import imagehash
    import numpy as np
    from PIL import Image

    from emovid_assets.core.video.errors import MediaError
    from emovid_assets.core.video.probe import Limits, probe_file

    probed = probe_file(path, Limits(max_frames=MAX_FRAMES, max_animation_pixels=2_000_000_000))
    wanted = {0, probed.frame_count // 2, probed.frame_count - 1}
    converter, pictures = RgbConverter(), []
    last = None
    for frame in Video(path, probed.tracks).frames():
        last = frame
        if frame.index in wanted:
            pictures.append(upright(converter.rgb(frame.picture), frame.rotation))
    if last is None:
        raise MediaError("corrupt_frames", "Not a single frame can be decoded")
    pictures = [pictures[min(place, len(pictures) - 1)] for place in (0, len(pictures) // 2, len(pictures) - 1)]
    height, width = pictures[0].shape[:2]
    return {
        "hashes": [str(imagehash.phash(Image.fromarray(np.ascontiguousarray(picture)))) for picture in pictures],
        "colours": [round(float(mean)) for picture in pictures for mean in picture.reshape(-1, 3).mean(axis=0)],
        "proportion": round(width / height, 3),
    }


def fingerprint_step(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same for a worker process: files of strangers are decoded where a crash hurts nobody."""
    return fingerprint(Path(arguments["path"]))


def show_the_same(made: Fingerprint, known: Sequence[Fingerprint], max_bits: int) -> list[bool]:
    """Of each known fingerprint whether it is of the sticker that was `made`."""
    if not known:
        return []
    one, others = (Looks.of((f["hashes"] for f in of), (f["colours"] for f in of)) for of in ([made], known))
    limits = Limits(max_bits, MAX_COLOUR_STEPS, MIN_CONTRAST_FRAMES)
    alike = are_near(one, others, limits).tolist()
    return [is_near and _are_in_proportion(made, other) for is_near, other in zip(alike, known, strict=True)]


def _are_in_proportion(one: Fingerprint, other: Fingerprint) -> bool:
    wider, narrower = sorted((one["proportion"], other["proportion"]), reverse=True)
    return bool(wider <= narrower * MAX_PROPORTION)
