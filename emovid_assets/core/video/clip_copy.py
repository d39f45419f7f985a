"""Clip files without decoding: the packets of the source in a new MP4, shown from the cut to the end of the clip.

Belongs here: which packets a clip needs, where its edit list points, and the proof that the file shows the frames of
the segment and no other. Does not belong here: encoding (`clip_file`).

A clip that starts between key frames carries the pictures since the key frame before; its edit list hides them. The
same holds for packets of sound before the cut, which decoders need as a run-up, and for a picture behind the end to
which the last ones refer. FFmpeg, and with it OpenCV and PySceneDetect, follow edit lists to the frame. Chromium shows
the same frames; where the last ones refer to one behind the end, it rests on the last for up to a tenth of a second.

Only what current browsers play is copied; everything else says by a code of `REASONS` why it cannot be.
"""

import errno
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

from emovid_assets.core.video.mp4 import Shown, set_edits
from emovid_assets.core.video.reading import open_container
from emovid_assets.core.video.sound import Sound
from emovid_assets.core.video.sound_copy import RUN_UP_S, sound_packets
from emovid_assets.core.video.sound_track import add_sound_track, write_sound
from emovid_assets.core.video.streams import Tracks
from emovid_assets.core.video.structure import animation_kind
from emovid_assets.core.video.written import Written, facts_of, opened
from emovid_assets.core.video.written import codec_name as _name

REASONS: dict[str, str] = {
    "asked": "the settings ask for encoding",
    "container": "packets of this container have no reliable stamps or key frames",
    "codec": "browsers do not play this codec in MP4",
    "pixel_format": "browsers play 8 bits and 4:2:0 only",
    "alpha": "transparent pictures are laid over white",
    "no_stamps": "packets without presentation stamps",
    "mended_stamps": "the source shows some of the pictures at the same time, backwards, or in parts that begin anew",
    "no_key_frame": "no key frame in the 300 frames before the cut that decoding can start from",
    "edit_list": "the source's own edit list hides frames inside the clip",
    "changing_parameters": "the codec's parameters change inside the clip",
    "other_frames": "the packets of the interval are not the frames of the clip",
    "hidden_frames": "the clip does not start on a key frame, and players of AV1 show what edit lists hide",
    "unreadable_packets": "the demuxer stopped inside the clip",
    "not_exact": "the copied file did not show exactly the frames of the clip",
    "not_writable": "the MP4 muxer refused the packets",
}
"""Why the pictures of a clip were encoded; a code never changes its meaning."""

CONTAINERS = frozenset({"mov", "matroska"})
PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
VIDEO_CODECS = frozenset({"h264", "vp9", "av1"})
LEAD_IN_FRAMES = 300
"""x264's and x265's default distance of key frames is 250; a player decodes the lead-in before it shows anything."""
REORDER_FRAMES = 17
"""Behind this many packets that lie after the clip, none can lie inside it: H.264 reorders 16 frames at most."""
MACHINE_ERRNOS = frozenset({errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EISDIR, errno.EIO})
"""Failures of the disk, not of the packets: encoding would meet them as well."""
SOUND_WAIT_S = Fraction(5)
"""Sound that the file keeps further behind its pictures than this is taken for missing."""


class CannotCopyError(Exception):
    """The clip has to be encoded. `reason` is a key of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class _Packets:
    """What a clip needs of the source, in decoding order."""

    video: list[Any]
    audio: list[Any]


class Source:
    """An opened source from which clips are copied, one after the other."""

    def __init__(self, container: Any, tracks: Tracks) -> None:
        self.container = container
        self.video = container.streams[tracks.video_index]
        self.audio: Any = None if tracks.audio_index is None else container.streams[tracks.audio_index]
        self._has_other_sound = False
        reason = _refusal(container, self.video) or (None if tracks.is_seekable else "mended_stamps")
        if reason:
            raise CannotCopyError(reason)

    def has_sound(self, segment: dict[str, Any]) -> bool:
        """Whether the clip gets a sound track: exactly where the scan heard something."""
        return self.audio is not None and bool(segment["has_audio"])

    def is_sound_copied(self, segment: dict[str, Any]) -> bool:
        """Whether its packets may be copied; the demuxer says only once that another header holds from here on."""
        return self.has_sound(segment) and _name(self.audio) in RUN_UP_S and not self._has_other_sound

    def packets(self, segment: dict[str, Any]) -> _Packets:
        """The packets of the clip. Raises CannotCopyError where they cannot show exactly its frames."""
        tick = Fraction(self.video.time_base)
        run_up = RUN_UP_S[_name(self.audio)] if self.is_sound_copied(segment) else Fraction(0)
        for lead_in in (0, LEAD_IN_FRAMES):
            rate = Fraction(self.video.guessed_rate or 25)
            ahead = max(run_up, lead_in / rate)
            self.container.seek(segment["start_pts"] - int(ahead / tick), stream=self.video, backward=True)
            packets = self._read(segment)
            if packets:
                return packets
        raise CannotCopyError("no_key_frame")

    def _read(self, segment: dict[str, Any]) -> _Packets | None:
        """Null where no key frame that decoding can start from came before the clip."""
        start, end = segment["start_pts"], segment["end_pts"]
        tick = Fraction(self.video.time_base)
        streams = [self.video]
        sound_from = sound_to = patience = 0
        is_sound_copied = self.is_sound_copied(segment)
        if is_sound_copied:
            streams.append(self.audio)
            sound_tick = Fraction(self.audio.time_base)
            sound_from = int((start * tick - RUN_UP_S[_name(self.audio)]) / sound_tick)
            sound_to = ceil(end * tick / sound_tick)
            patience = end + int(SOUND_WAIT_S / tick)
        video: list[Any] = []
        audio: list[Any] = []
        needed = behind = 0
        is_sound_complete = not is_sound_copied
        is_started = is_picture_complete = False
        video_index = self.video.index
        for packet in self.container.demux(streams):
            if packet.size == 0:
                continue
            pts = packet.pts
            if pts is None:
                raise CannotCopyError("no_stamps")
            if packet.stream_index != video_index:
                self._has_other_sound = self._has_other_sound or packet.has_sidedata("new_extradata")
                if pts >= sound_to:
                    is_sound_complete = True
                elif pts >= sound_from and not is_sound_complete:
                    audio.append(packet)
            elif is_picture_complete:
                is_sound_complete = is_sound_complete or pts > patience
            else:
                if pts <= start and packet.is_keyframe and _is_start(packet, self.video):
                    video.clear()
                    is_started = True
                if not is_started and pts >= start:
                    return None
                video.append(packet)
                if start <= pts < end:
                    needed, behind = len(video), 0
                elif pts >= end:
                    behind += 1
                    is_picture_complete = behind >= REORDER_FRAMES or (packet.dts is not None and packet.dts >= end)
            if is_picture_complete and is_sound_complete:
                break
        if not is_started:
            return None
        return _Packets(self._checked(video[:needed], segment), audio)

    def _checked(self, video: list[Any], segment: dict[str, Any]) -> list[Any]:
        start, end = segment["start_pts"], segment["end_pts"]
        inside = [packet for packet in video if start <= packet.pts < end]
        if any(packet.is_discard for packet in inside):
            raise CannotCopyError("edit_list")
        if len({packet.pts for packet in video}) != len(video):
            raise CannotCopyError("edit_list")
        if len(inside) != segment["end_frame"] - segment["start_frame"] or min(p.pts for p in inside) != start:
            raise CannotCopyError("other_frames")
        if any(packet.is_keyframe and packet.has_sidedata("new_extradata") for packet in video):
            raise CannotCopyError("changing_parameters")
        if _name(self.video) == "av1" and len(video) != len(inside):
            raise CannotCopyError("hidden_frames")
        if len(video) - len(inside) > LEAD_IN_FRAMES:
            raise CannotCopyError("no_key_frame")
        return video


@contextmanager
def open_source(path: Path, tracks: Tracks) -> Iterator[Source]:
    """A source to copy clips from. Raises CannotCopyError where none of its clips can be copied."""
    if animation_kind(path):
        raise CannotCopyError("container")
    with open_container(path) as container:
        yield Source(container, tracks)


def copy_clip(source: Source, segment: dict[str, Any], target: Path, read_sound: Callable[[], Sound | None]) -> Written:
    """Writes the clip to `target`. Raises CannotCopyError where copying cannot show exactly its frames.

    `read_sound` decodes the interval's sound; it is called only where the packets of the sound cannot be copied.
    """
    import av

    if segment["has_mended_stamps"]:
        raise CannotCopyError("mended_stamps")
    try:
        packets = source.packets(segment)
    except av.error.FFmpegError as error:
        raise CannotCopyError("unreadable_packets") from error
    tick = Fraction(source.video.time_base)
    tick_s = float(tick)
    start, end = segment["start_pts"], segment["end_pts"]
    stamps = sorted(packet.pts - start for packet in packets.video if start <= packet.pts < end)
    try:
        _write(source, packets, segment, target, read_sound)
        return _verified(target, source.video, [stamp * tick_s for stamp in stamps], float((end - start) * tick))
    except (av.error.FFmpegError, ValueError, struct.error) as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
            raise
        raise CannotCopyError("not_writable") from error


def _write(
    source: Source, packets: _Packets, segment: dict[str, Any], target: Path, read_sound: Callable[[], Sound | None]
) -> None:
    import av

    tick = Fraction(source.video.time_base)
    start, end = segment["start_pts"], segment["end_pts"]
    track = None
    if source.is_sound_copied(segment):
        track = sound_packets(source.audio, packets.audio, segment, start * tick, end * tick)
    sound = read_sound() if source.has_sound(segment) and track is None else None
    options = {"movflags": "+faststart", "movie_timescale": str(_movie_timescale(tick))}
    with av.open(str(target), "w", format="mp4", options=options) as output:
        video = output.add_stream_from_template(source.video, opaque=True)
        video.time_base = tick
        audio: Any = add_sound_track(output, sound)
        if track:
            audio = output.add_stream_from_template(source.audio, opaque=True)
            audio.time_base = Fraction(1, track.rate_hz)
        shown = {"vide": Shown(_restamp(packets.video, start, end) * tick, (end - start) * tick)}
        tick_s = float(tick)
        queue = [(packet.dts * tick_s, video, packet) for packet in packets.video]
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
        elif sound is not None:
            # FFmpeg's AAC encoder announces its delay to the muxer, which hides it.
            shown["soun"] = Shown(None, (end - start) * tick)
        for _, stream, packet in queue:
            packet.stream = stream
            output.mux_one(packet)
        if sound is not None:
            write_sound(output, audio, sound)
    set_edits(target, shown)


def _restamp(video: list[Any], start: int, end: int) -> int:
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


def _verified(target: Path, source: Any, stamps: list[float], length_s: float) -> Written:
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
        context.color_primaries,
        context.color_trc,
    )


def _refusal(container: Any, video: Any) -> str | None:
    if not CONTAINERS & set(container.format.name.split(",")):
        return "container"
    if _name(video) not in VIDEO_CODECS:
        return "codec"
    if video.metadata.get("alpha_mode") == "1":
        return "alpha"
    return None if video.codec_context.pix_fmt in PIXEL_FORMATS else "pixel_format"


def _is_start(packet: Any, video: Any) -> bool:
    """Whether decoding can start at this key frame. H.264 marks recovery points as key frames, too: only an IDR
    picture needs nothing before it."""
    if _name(video) != "h264":
        return True
    return 5 in _nal_types(packet, video)


def _nal_types(packet: Any, video: Any) -> Iterator[int]:
    """Types of the units of an H.264 packet with lengths before them, as MP4 and Matroska keep it."""
    size = 1 + (video.codec_context.extradata[4] & 3)
    data = memoryview(packet)
    offset = 0
    while offset + size < len(data):
        length = int.from_bytes(data[offset : offset + size], "big")
        yield data[offset + size] & 31
        offset += size + length
