"""Animated pictures as their senders see them: their frames, and how long each is shown.

Belongs here: the rule of short delays, and who decodes what. Does not belong here: what the bytes claim (`structure`),
drawing PNG (`apng`).

Stamps are sums of the delays that the file has, so that what a probe says and what is read cannot differ. FFmpeg
decodes GIF, of which its demuxer loses pictures or makes too many. It knows still WebP only, takes animated AVIF for
one picture, and draws some PNG wrong: Pillow reads the first two, and PNG is drawn by its rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.apng import drawn_pictures
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.structure import Animation, gif_packets, read_animation

SHORT_DELAY = Fraction(10, 1000)
SHOWN_INSTEAD = Fraction(100, 1000)
"""Every browser shows a picture with a delay of at most 10 ms for a tenth of a second."""

CODECS = {"gif": "gif", "webp": "webp", "avif": "av1", "apng": "apng"}


def shown_delay(ticks: int, time_base: Fraction) -> int:
    """Ticks of `time_base` that a picture is shown for, whose file says `ticks`."""
    return ticks if ticks * time_base > SHORT_DELAY else round(SHOWN_INSTEAD / time_base)


@dataclass(frozen=True)
class Drawn:
    """What there is to know of an animation without decoding it. `delays` are as shown, in ticks."""

    container: str
    codec: str
    time_base: Fraction
    delays: list[int]
    transfer: int | None


def drawn(animation: Animation) -> Drawn:
    # Few delays are different, and fractions take their time.
    shown = {delay: shown_delay(delay, animation.time_base) for delay in set(animation.delays)}
    delays = [shown[delay] for delay in animation.delays]
    return Drawn(animation.container, CODECS[animation.container], animation.time_base, delays, animation.transfer)


def drawn_frames(path: Path, animation: Animation | None = None) -> Iterator[tuple[int, int, Any]]:
    """Stamp, duration and picture of every frame, one after the other; ticks are those of `drawn`.

    `animation`: what the file says, where it was read already. Raises MediaError `corrupt_frames` where a picture
    cannot be decoded, or there are fewer than delays.
    """
    animation = animation or read_animation(path)
    if animation is None:
        raise MediaError("replaced", "The file is no animation any more")
    facts = drawn(animation)
    pictures = _PICTURES[facts.container](path, animation)
    shown_at = 0
    for number, delay in enumerate(facts.delays):
        picture = next(pictures, None)
        if picture is None:
            raise MediaError("corrupt_frames", f"Picture {number} cannot be decoded")
        picture.pts, picture.time_base = shown_at, facts.time_base
        yield shown_at, delay, picture
        shown_at += delay


def _by_ffmpeg(path: Path, animation: Animation) -> Iterator[Any]:
    import av

    decoder = av.CodecContext.create("gif", "r")
    try:
        for data in gif_packets(path, animation):
            yield from decoder.decode(av.Packet(data))
    except av.error.FFmpegError as error:
        raise MediaError("corrupt_frames", f"The decoder stopped: {error.strerror}") from error


def _by_pillow(path: Path, _: Animation) -> Iterator[Any]:
    import av
    from PIL import Image, ImageSequence

    try:
        with Image.open(path) as image:
            for still in ImageSequence.Iterator(image):
                yield av.VideoFrame.from_ndarray(np.ascontiguousarray(still.convert("RGBA")), format="rgba")
    except Image.DecompressionBombError as error:
        raise MediaError("too_large", str(error)) from error
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        raise MediaError("corrupt_frames", f"Pillow stopped: {error}") from error


def _by_opencv(path: Path, _: Animation) -> Iterator[Any]:
    import av

    for pixels in drawn_pictures(path):
        yield av.VideoFrame.from_ndarray(pixels, format="rgba")


_PICTURES = {"gif": _by_ffmpeg, "webp": _by_pillow, "avif": _by_pillow, "apng": _by_opencv}
