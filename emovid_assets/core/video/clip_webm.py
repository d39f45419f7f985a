"""Packets of VP8 and of Opus into a new WebM that lasts from the cut to the end of the clip.

Belongs here: stamps, colours, the sound beside the pictures. Does not belong here: which packets (`clip_join`), the
bytes of the file (`webm`), and files of other codecs (`clip_mux`).

WebM has no edit lists: its first picture is the one at the cut. Of the sound, which is Opus, the header says to the
sample where it begins to be heard; less than a packet lies before that, because decord plays it all. The clock counts
milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.clip_source import CannotCopyError
from emovid_assets.core.video.rgb import BT709, UNSPECIFIED
from emovid_assets.core.video.sound import Sound
from emovid_assets.core.video.sound_copy import SoundPackets
from emovid_assets.core.video.sound_track import opus_of
from emovid_assets.core.video.stamps import is_variable
from emovid_assets.core.video.webm import NS, OPUS_RATE_HZ, PICTURES, SOUND, TICK, Block, OpusTrack, Pictures, webm


@dataclass(frozen=True)
class OpusSound:
    """Opus of a clip: its header, and packets as (bytes, stamp, duration) in samples from the cut."""

    header: bytes
    packets: list[tuple[bytes, int, int]]

    @classmethod
    def copied(cls, stream: Any, track: SoundPackets) -> "OpusSound | None":
        """Null where the header of the source is not one of Opus."""
        header = bytes(stream.codec_context.extradata or b"")
        if header[:8] != b"OpusHead" or len(header) < 19:
            return None
        return cls(header, [(bytes(packet), at, size) for packet, at, size in track.packets])

    @classmethod
    def encoded(cls, sound: Sound) -> "OpusSound":
        return cls(*opus_of(sound))


def write_webm(
    target: Path, stream: Any, video: Sequence[Any], segment: dict[str, Any], sound: OpusSound | None
) -> None:
    """Writes packets of pictures, with the stamps of their source, as those of `stream`. Leaves its decoder empty.

    Raises CannotCopyError where players would not turn the pictures as the source has them turned.
    """
    tick = Fraction(stream.time_base)
    start, length_s = segment["start_pts"], (segment["end_pts"] - segment["start_pts"]) * tick
    track = _pictures(stream, video, length_s)
    stamps = [round((packet.pts - start) * tick / TICK) for packet in video]
    blocks = [Block(PICTURES, at, bytes(packet), packet.is_keyframe) for at, packet in zip(stamps, video, strict=True)]
    # The next picture ends each but the last, which stays until the cut.
    blocks[-1] = replace(blocks[-1], duration=round(length_s / TICK) - stamps[-1])
    opus = None
    if sound is not None and sound.packets:
        opus, others = _sound(sound, length_s)
        # Where they begin together, the picture comes first, as players and our own readers expect.
        blocks = sorted([*blocks, *others], key=lambda block: block.at)
    with target.open("wb") as file:
        file.writelines(webm(track, opus, blocks, length_s))


def _sound(sound: OpusSound, length_s: Fraction) -> tuple[OpusTrack, list[Block]]:
    unheard = max(0, -sound.packets[0][1])
    header = sound.header[:10] + unheard.to_bytes(2, "little") + sound.header[12:]
    end = round(length_s * OPUS_RATE_HZ)
    blocks = []
    for data, at, size in (packet for packet in sound.packets if packet[1] < end):
        # Stamps count what is not heard, too.
        block = Block(SOUND, round(Fraction(at + unheard, OPUS_RATE_HZ) / TICK), data, is_key=True)
        if at + size > end:
            block = replace(block, discard_ns=round(Fraction((at + size - end) * NS, OPUS_RATE_HZ)))
        blocks.append(block)
    return OpusTrack(header), blocks


def _pictures(stream: Any, video: Sequence[Any], length_s: Fraction) -> Pictures:
    context = stream.codec_context
    _require_upright(context, video[0])
    width, height = context.width, context.height
    return Pictures(
        size=(width, height),
        display=(round(width * Fraction(stream.sample_aspect_ratio or 1)), height),
        rate=_rate(stream, [packet.pts for packet in video], length_s),
        # As FFmpeg's decoder reads them; a container's own word on VP8 it does not believe.
        matrix=int(context.colorspace),
        # Chromium ignores a matrix that comes without these, and takes large pictures for BT.709.
        primaries=_or_bt709(context.color_primaries),
        transfer=_or_bt709(context.color_trc),
    )


def _or_bt709(tag: int) -> int:
    return BT709 if tag == UNSPECIFIED else int(tag)


def _rate(stream: Any, stamps: list[int], length_s: Fraction) -> Fraction | None:
    """Pictures in a second, where it is constant."""
    tick = Fraction(stream.time_base)
    if is_variable(np.array([*stamps, stamps[0] + round(length_s / tick)])):
        return None
    declared = Fraction(stream.average_rate or 0)
    is_declared = declared and abs(len(stamps) / declared - length_s) <= tick
    return declared if is_declared else len(stamps) / length_s


def _require_upright(decoder: Any, key_frame: Any) -> None:
    """Only decoded pictures say how they are turned. From here on the decoder knows their colours, too."""
    decoder.flush_buffers()
    pictures = decoder.decode(key_frame)
    decoder.flush_buffers()
    if any(picture.rotation for picture in pictures):
        raise CannotCopyError("turned")
