"""Packets of pictures and of sound, or samples of it, into a new MP4 that is shown from the cut to the end of the clip.

Belongs here: stamps, the edit list, and the proof by the packets of a file. Does not belong here: which packets
(`clip_copy`, `clip_join`), encoding (`clip_file`), and the WebM of VP8 clips (`clip_webm`).
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from emovid_assets.core.video.clip_container import MP4
from emovid_assets.core.video.clip_source import MACHINE_ERRNOS, CannotCopyError
from emovid_assets.core.video.mp4 import Shown, set_edits
from emovid_assets.core.video.rgb import BT709, UNSPECIFIED
from emovid_assets.core.video.sound import Sound
from emovid_assets.core.video.sound_copy import SoundPackets
from emovid_assets.core.video.sound_track import add_sound_track, write_sound
from emovid_assets.core.video.written import Written, facts_of, opened


@dataclass(frozen=True)
class ClipSound:
    """What is heard: packets of `stream`, or samples that are encoded, or nothing."""

    stream: Any = None
    packets: SoundPackets | None = None
    samples: Sound | None = None


@contextmanager
def writing() -> Iterator[None]:
    """Failures of the muxer are reasons to encode, those of the machine are not."""
    import av

    try:
        yield
    except (av.error.FFmpegError, ValueError, struct.error) as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
            raise
        raise CannotCopyError("not_writable") from error


def write_packets(
    target: Path,
    stream: Any,
    video: Sequence[Any],
    segment: dict[str, Any],
    sound: ClipSound,
    header: bytes | None = None,
) -> None:
    """Writes packets of pictures, in decoding order and with the stamps of their source, as those of `stream`.

    `header` takes the place of the stream's own. The packets' stamps count from the cut afterwards.
    """
    import av

    tick = Fraction(stream.time_base)
    start, end = segment["start_pts"], segment["end_pts"]
    track = sound.packets
    options = {"movflags": "+faststart", "movie_timescale": str(_movie_timescale(tick))}
    with av.open(str(target), "w", format=MP4.name, options=options) as output:
        pictures = output.add_stream_from_template(stream, opaque=True)
        pictures.time_base = tick
        if header is not None:
            pictures.codec_context.extradata = header
        audio: Any = add_sound_track(output, sound.samples)
        if track:
            audio = output.add_stream_from_template(sound.stream, opaque=True)
            audio.time_base = Fraction(1, track.rate_hz)
        shown = {"vide": Shown(_restamp(video, start, end) * tick, (end - start) * tick)}
        tick_s = float(tick)
        queue = [(packet.dts * tick_s, pictures, packet) for packet in video]
        if track:
            rate = track.rate_hz
            for packet, stamp, duration in track.packets:
                packet.pts = packet.dts = stamp
                packet.duration, packet.time_base = duration, Fraction(1, rate)
                queue.append((stamp / rate, audio, packet))
            queue.sort(key=lambda entry: entry[0])
            first = Fraction(track.packets[0][1], rate)
            at = max(first, Fraction(0))
            shown["soun"] = Shown(max(-first, Fraction(0)), (end - start) * tick - at, at)
        elif sound.samples is not None:
            # FFmpeg's AAC encoder announces its delay to the muxer, which hides it.
            shown["soun"] = Shown(None, (end - start) * tick)
        for _, its_stream, packet in queue:
            packet.stream = its_stream
            output.mux_one(packet)
        if sound.samples is not None:
            write_sound(output, audio, sound.samples)
    set_edits(target, shown)


def _restamp(video: Sequence[Any], start: int, end: int) -> int:
    """Counts stamps from the cut and gives decoding stamps in order; ticks from the first of them to the cut.

    Matroska keeps no decoding stamps, and guessed ones may repeat. Shifted presentation stamps always do.
    """
    stamps = sorted(packet.pts for packet in video)
    delay = max(stamp - packet.pts for stamp, packet in zip(stamps, video, strict=True))
    for stamp, packet in zip(stamps, video, strict=True):
        packet.pts -= start
        packet.dts = stamp - start - delay
    # The length of the media is where the decoding stamps end.
    video[-1].duration = end - stamps[-1] if stamps[-1] < end else video[-1].duration or 1
    return -video[0].dts


def _movie_timescale(tick: Fraction) -> int:
    """The source's own clock where edit lists can count in it."""
    scale = tick.denominator
    while scale < 1000:
        scale *= 2
    return scale if scale <= 1_000_000 else 1_000_000


def verified(target: Path, source: Any, stamps: list[float], length_s: float) -> Written:
    """Reads the file back as players do. Raises CannotCopyError where it is not the clip that was asked for."""
    with opened(target) as container:
        written = facts_of(target, container)
        video = container.streams.video[0]
        tick_s = written.tick_s
        shown = sorted(p.pts * tick_s for p in container.demux(video) if p.size and not p.is_discard)
        if (
            written.frame_count != len(stamps)
            or len(shown) != len(stamps)
            or any(abs(a - b) > 1.01 * tick_s for a, b in zip(shown, stamps, strict=True))
            or not written.lasts(length_s)
            or _look(video) != _look(source)
        ):
            raise CannotCopyError("not_exact")
        return written


def _look(stream: Any) -> tuple[Any, ...]:
    context = stream.codec_context
    return (
        context.width,
        context.height,
        stream.sample_aspect_ratio or 1,
        context.colorspace,
        # Untagged is limited: what Matroska writes out, MP4 leaves unsaid.
        context.color_range or 1,
        *(BT709 if tag == UNSPECIFIED else tag for tag in (context.color_primaries, context.color_trc)),
    )
