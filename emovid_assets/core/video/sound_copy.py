"""Packets of sound that go into a clip file as they are.

Belongs here: which packets can be copied, and their stamps on a clock of samples. Does not belong here: the pictures
(`clip_copy`), and sound that has to be encoded (`sound_track`).

What is copied plays alike in every reader, those that place blocks by their stamps and those that count samples: there
is sound from the cut on, without a hole, and all of it is what the track's own header declares. Everything else is
decoded, and encoded with silence where nothing is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import ceil
from statistics import median
from typing import Any

from emovid_assets.core.video.sound_placing import HOLE_S
from emovid_assets.core.video.written import codec_name

RUN_UP_S = {"aac": Fraction(1, 8), "mp3": Fraction(1, 2), "opus": Fraction(1, 8)}
"""Sound codecs that are copied, and how long their decoders run until nothing they give depends on where they began."""
AT_ONCE = {"aac": 1024, "opus": 5760}
"""Codecs of which the first packet is heard, if only faded in, without those before it, and the most samples of such a
packet: HE-AAC has more and lacks its upper half until a header comes. MP3 borrows bits from packets before."""
STAMP_JITTER_S = Fraction(1, 400)
"""So far may what the stamps say of the beginning, the middle and the end of a clip differ; holes are longer."""
END_PACKETS = 9
"""Stamps of some packets stray and come back; behind a hole all of them stay away."""
AAC_FILLERS = frozenset({4, 6})
"""Elements of an AAC block that say nothing of its channels: data and padding."""
MP3_RATES = (44_100, 48_000, 32_000)
MP3_HALVINGS = {3: 0, 2: 1, 0: 2}
"""MPEG-1, MPEG-2 and MPEG-2.5 by the bits of a frame's header: how often their rates are half of MPEG-1's."""


@dataclass(frozen=True)
class SoundPackets:
    """Packets as (packet, stamp, duration) in samples from the cut."""

    rate_hz: int
    packets: list[tuple[Any, int, int]]

    def without_run_up(self, codec: str) -> "SoundPackets | None":
        """Those that sound after the cut: the first begins less than a packet before it. Null where the codec needs
        more.

        A reader that knows no edit lists is late by that much. The price is that the sound of this one packet fades in.
        """
        packets = [entry for entry in self.packets if entry[1] + entry[2] > 0]
        is_heard = all(size <= AT_ONCE.get(codec, 0) for _, _, size in packets)
        return SoundPackets(self.rate_hz, packets) if packets and is_heard else None


def sound_packets(
    stream: Any, audio: Sequence[Any], segment: Mapping[str, Any], start_s: Fraction, end_s: Fraction
) -> SoundPackets | None:
    """The packets of the sound from `start_s` to `end_s` on a clock of samples; null where they cannot be copied."""
    tick, rate = Fraction(stream.time_base), int(stream.codec_context.sample_rate or 0)
    before_end = ceil(end_s / tick)
    packets = [packet for packet in audio if packet.pts < before_end]
    if not rate or not packets or any(packet.is_discard for packet in packets):
        return None
    if not all(is_as_declared(stream, bytes(memoryview(packet)[:4])) for packet in packets):
        return None
    scale = tick * rate
    sizes = _sizes(stream, packets, scale)
    counted = [0, *accumulate(sizes)]
    offsets = [float(packet.pts * scale) - at for packet, at in zip(packets, counted, strict=False)]
    jitter = float(STAMP_JITTER_S * rate)
    usual = median(offsets)
    if any(abs(median(some) - usual) > jitter for some in (offsets[:END_PACKETS], offsets[-END_PACKETS:])):
        return None
    steady = [offset for offset in offsets if abs(offset - usual) <= jitter]
    first = round(sum(steady) / len(steady) - float(start_s * rate))
    late_s = max(0.0, first / rate)
    behind_s = max(0.0, float(end_s - start_s) - (first + counted[-1]) / rate)
    # What is missing besides lies inside: packets that are there and that nobody can decode.
    if late_s > HOLE_S or (segment.get("sound_missing_s") or 0.0) > late_s + behind_s + HOLE_S:
        return None
    return SoundPackets(rate, [(p, first + at, n) for p, at, n in zip(packets, counted, sizes, strict=False)])


def is_as_declared(stream: Any, data: bytes) -> bool:
    """Whether a packet has the rate and the channels that its track declares, as far as its first bytes tell.

    Where a broadcast changes from mono to stereo, Matroska and MP4 keep the declaration of the beginning; FFmpeg's
    decoder copes with that, others do not.
    """
    context = stream.codec_context
    if codec_name(stream) == "aac":
        element, channels = data[0] >> 5 if data else None, _aac_channels(context.extradata)
        return element in AAC_FILLERS or not channels or (element == 1) == (channels == 2)
    if codec_name(stream) == "mp3":
        if len(data) < 4 or (data[1] >> 3 & 3) not in MP3_HALVINGS or data[2] >> 2 & 3 == 3:
            return False
        rate = MP3_RATES[data[2] >> 2 & 3] >> MP3_HALVINGS[data[1] >> 3 & 3]
        return bool(rate == context.sample_rate and (data[3] >> 6 == 3) == (context.channels == 1))
    return True


def _sizes(stream: Any, packets: Sequence[Any], scale: Fraction) -> list[int]:
    """How many samples each packet holds. Its duration may be rounded, and in MP4 it spans the hole behind it."""
    if codec_name(stream) == "opus":
        return [_opus_size(bytes(memoryview(packet)[:2])) for packet in packets]
    unit = stream.codec_context.frame_size or 1024
    usual = sorted(packet.duration or 0 for packet in packets)[len(packets) // 2]
    return [max(1, round(usual * scale / unit)) * unit] * len(packets)


def _opus_size(data: bytes) -> int:
    """Samples at 48 kHz by the first bytes of a packet (RFC 6716, 3.1)."""
    configuration, code = data[0] >> 3, data[0] & 3
    if configuration < 12:
        frame = (480, 960, 1920, 2880)[configuration & 3]
    elif configuration < 16:
        frame = (480, 960)[configuration & 1]
    else:
        frame = (120, 240, 480, 960)[configuration & 3]
    count = (1, 2, 2)[code] if code < 3 else data[1] & 63 if len(data) > 1 else 0
    return frame * count


def _aac_channels(extradata: bytes | None) -> int:
    """The channel configuration of an AudioSpecificConfig (ISO/IEC 14496-3); 0 where it is written in the blocks."""
    bits = "".join(f"{byte:08b}" for byte in (extradata or b"")[:8]).ljust(64, "0")
    at = 11 if bits[:5] == "11111" else 5
    at += 28 if bits[at : at + 4] == "1111" else 4
    return int(bits[at : at + 4], 2)
