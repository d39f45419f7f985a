"""Animated pictures as their senders see them: how long each picture is shown, and those that FFmpeg cannot draw.

Belongs here: the rule of short delays, which packets are pictures, frames by Pillow and by our own drawing of PNG.
Does not belong here: what the bytes claim (`structure`), drawing PNG (`apng`).

FFmpeg splits GIF into packets with delays. It knows still WebP only, takes animated AVIF for one picture, and draws
some PNG wrong: these are read here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.apng import drawn_pictures
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.structure import Animation, holds_picture, read_animation

SHORT_DELAY = Fraction(10, 1000)
SHOWN_INSTEAD = Fraction(100, 1000)
"""Every browser shows a picture with a delay of at most 10 ms for a tenth of a second."""

TIMED_BY_DELAYS = frozenset({"gif"})
"""FFmpeg's names of the containers whose stamps are sums of delays."""

CODECS = {"webp": "webp", "avif": "av1", "apng": "apng"}


def shown_delay(ticks: int, time_base: Fraction) -> int:
    """Ticks of `time_base` that a picture is shown for, whose file says `ticks`."""
    return ticks if ticks * time_base > SHORT_DELAY else round(SHOWN_INSTEAD / time_base)


def is_picture(container_name: str, packet: Any) -> bool:
    """Whether a packet is one of the pictures; FFmpeg makes one of what follows a GIF's last picture, too."""
    return container_name != "gif" or packet.size == 0 or holds_picture(memoryview(packet))


def retimed(container_name: str, packets: Iterable[Any]) -> Iterator[Any]:
    """Packets of one stream from its beginning on, with the stamps that viewers see; those without a picture left out.

    Those of other containers pass as they are.
    """
    if container_name not in TIMED_BY_DELAYS:
        yield from packets
        return
    shown_at = 0
    for packet in packets:
        if packet.size == 0:
            yield packet
        elif is_picture(container_name, packet):
            packet.pts = packet.dts = shown_at
            packet.duration = shown_delay(packet.duration or 0, packet.time_base)
            shown_at += packet.duration
            yield packet


@dataclass(frozen=True)
class Drawn:
    """What there is to know of an animation that FFmpeg does not read. `delays` are as shown, in ticks."""

    container: str
    codec: str
    time_base: Fraction
    delays: list[int]
    transfer: int | None


def is_drawn_here(path: Path) -> bool:
    """Whether the frames are read here and not by FFmpeg: WebP, AVIF sequences, PNG."""
    animation = read_animation(path)
    return animation is not None and animation.is_drawn_here


def drawn(animation: Animation) -> Drawn:
    delays = [shown_delay(delay, animation.time_base) for delay in animation.delays]
    return Drawn(animation.container, CODECS[animation.container], animation.time_base, delays, animation.transfer)


def drawn_frames(path: Path) -> Iterator[tuple[int, int, Any]]:
    """Stamp, duration and RGBA picture of every frame, one after the other; ticks are those of `drawn`.

    Raises MediaError `corrupt_frames` where there are other pictures than the file claims.
    """
    import av

    animation = read_animation(path)
    if animation is None:
        raise MediaError("replaced", "The file is no animation any more")
    facts = drawn(animation)
    pixels = drawn_pictures(path) if animation.container == "apng" else _pillow_pictures(path)
    shown_at = 0
    for delay in facts.delays:
        rgba = next(pixels, None)
        if rgba is None:
            raise MediaError("corrupt_frames", "The file has fewer pictures than delays")
        picture = av.VideoFrame.from_ndarray(rgba, format="rgba")
        picture.pts, picture.time_base = shown_at, facts.time_base
        yield shown_at, delay, picture
        shown_at += delay


def _pillow_pictures(path: Path) -> Iterator[np.ndarray]:
    from PIL import Image, ImageSequence

    try:
        with Image.open(path) as image:
            for still in ImageSequence.Iterator(image):
                yield np.ascontiguousarray(still.convert("RGBA"))
    except Image.DecompressionBombError as error:
        raise MediaError("too_large", str(error)) from error
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        raise MediaError("corrupt_frames", f"Pillow stopped: {error}") from error
