"""Clip files that hide nothing: the first packet is the first picture, the last picture the last.

Belongs here: which packets are copied and which pictures are encoded. Does not belong here: encoding them
(`clip_ends`), comparing what came out (`clip_proof`).

A clip that begins on a key frame and whose last pictures refer to none behind them is copied. Another one is joined of
up to three parts: its pictures before the first key frame inside it, encoded; packets of the source, bit for bit; and
the pictures at its end from the first on that refers beyond it, encoded. Every program shows the same pictures of such
a file, whatever it thinks of edit lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from emovid_assets.core.video.clip_container import WEBM, clip_container
from emovid_assets.core.video.clip_ends import Ends, decoded
from emovid_assets.core.video.clip_mux import ClipSound, verified, write_packets, writing
from emovid_assets.core.video.clip_proof import CHECKED, Expected
from emovid_assets.core.video.clip_source import CannotCopyError, Packets, Source
from emovid_assets.core.video.clip_webm import OpusSound, write_webm
from emovid_assets.core.video.sound import Sound
from emovid_assets.core.video.webm import OPUS_RATE_HZ
from emovid_assets.core.video.written import Written, codec_name


@dataclass(frozen=True)
class Joined:
    """A file that was written. `reason` is why its ends were encoded, null where they were not."""

    file: Written
    reason: str | None


@dataclass(frozen=True)
class Parts:
    """Stamps of the pictures that are encoded before and behind the packets that are copied."""

    head: list[int]
    copied: list[Any]
    tail: list[int]


def parts_of(video: Sequence[Any], start_pts: int, end_pts: int, is_start: Callable[[Any], bool]) -> Parts:
    """The parts of a clip, of its packets in decoding order. Raises CannotCopyError where it has no key frame."""
    inside = sorted(packet.pts for packet in video if start_pts <= packet.pts < end_pts)
    key = next((n for n, packet in enumerate(video) if start_pts <= packet.pts < end_pts and is_start(packet)), None)
    if key is None:
        raise CannotCopyError("no_key_frame_inside")
    head = [pts for pts in inside if pts < video[key].pts]
    places = {pts: place for place, pts in enumerate(inside[len(head) :])}
    taken: list[Any] = []
    whole = last = 0
    for packet in video[key:]:
        if packet.pts < video[key].pts:
            # Shown before the key frame that it follows: one of the head.
            continue
        if packet.pts not in places:
            break
        # Sent to a recovery point, readers show nothing of the pictures that follow it and are shown before it.
        packet.is_keyframe = is_start(packet)
        taken.append(packet)
        last = max(last, places[packet.pts])
        if last + 1 == len(taken):
            whole = len(taken)
    return Parts(head, taken[:whole], inside[len(head) + whole :])


def join_clip(
    source: Source, segment: dict[str, Any], target: Path, read_sound: Callable[[int | None], Sound | None]
) -> Joined:
    """Writes the clip to `target`. Raises CannotCopyError where it has to be encoded.

    `read_sound` decodes the interval's sound, at a rate where one is asked for; it is called only where the packets of
    the sound cannot be copied.
    """
    packets = source.packets(segment)
    start, end = segment["start_pts"], segment["end_pts"]
    parts = parts_of(packets.video, start, end, source.is_start)
    tick = Fraction(source.video.time_base)
    stamps = sorted(packet.pts for packet in packets.video if start <= packet.pts < end)
    with writing():
        video, header, proofs = _video(source, packets, parts)
        track = source.sound_track(packets, segment)
        track = track and track.without_run_up(codec_name(source.audio))
        if clip_container(codec_name(source.video)) is WEBM:
            opus = OpusSound.copied(source.audio, track) if track and codec_name(source.audio) == "opus" else None
            if opus is None and (sound := read_sound(OPUS_RATE_HZ) if source.has_sound(segment) else None):
                opus = OpusSound.encoded(sound)
            write_webm(target, source.video, video, segment, opus)
        else:
            samples = read_sound(None) if source.has_sound(segment) and track is None else None
            write_packets(target, source.video, video, segment, ClipSound(source.audio, track, samples), header)
        written = verified(
            target, source.video, [float((pts - start) * tick) for pts in stamps], float((end - start) * tick)
        )
    if written.hidden_frame_count:
        raise CannotCopyError("not_exact")
    for expected in proofs:
        expected.require(target, start, tick)
    return Joined(written, "off_key_frame" if parts.head else "refers_beyond_end" if parts.tail else None)


def _video(source: Source, packets: Packets, parts: Parts) -> tuple[list[Any], bytes | None, list[Expected]]:
    """All packets of the pictures, the header that they need, and what has to be seen of them."""
    if not parts.head and not parts.tail:
        return parts.copied, None, []
    ends, proofs = Ends(source, parts.copied), []
    head: list[Any] = []
    tail: list[Any] = []
    shown = sorted(packet.pts for packet in parts.copied)
    if parts.head:
        beside = shown[:CHECKED]
        expected = Expected()
        pictures = decoded(source, packets.video, parts.head[0], beside[-1])
        head = ends.encoded(expected.note_encoded(picture) for picture in islice(pictures, len(parts.head)))
        for picture in pictures:
            expected.note_copied(picture)
        proofs.append(_complete(expected, [*parts.head, *beside]))
    if parts.tail:
        beside = shown[-CHECKED:]
        expected = Expected()
        pictures = decoded(source, _from_key(source, packets, beside[0]), beside[0], parts.tail[-1])
        for picture in islice(pictures, len(beside)):
            expected.note_copied(picture)
        tail = ends.encoded(expected.note_encoded(picture) for picture in pictures)
        for packet in tail:
            # imageio's plugin for PyAV loses a key frame among the last pictures when it is sent there.
            packet.is_keyframe = False
        proofs.append(_complete(expected, [*beside, *parts.tail]))
    return [*head, *parts.copied, *tail], ends.header, proofs


def _from_key(source: Source, packets: Packets, pts: int) -> list[Any]:
    """The packets from the last key frame on that is not shown behind a stamp."""
    video = packets.video
    at = max((n for n, packet in enumerate(video) if packet.pts <= pts and source.is_start(packet)), default=0)
    return video[at:]


def _complete(expected: Expected, stamps: list[int]) -> Expected:
    if expected.stamps() != stamps:
        raise CannotCopyError("other_frames")
    return expected
