"""The packets that a clip file needs of its source, and why it may have none of them.

Belongs here: what can be copied at all, and which packets hold an interval. Does not belong here: what is written of
them (`clip_copy`, `clip_join`).

Only what current browsers play is copied; everything else says by a code of `REASONS` why it cannot be.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

from emovid_assets.core.placing import DISK_FAULTS
from emovid_assets.core.video.h264 import is_idr
from emovid_assets.core.video.picture_size import picture_size
from emovid_assets.core.video.reading import open_container
from emovid_assets.core.video.shown import is_shown
from emovid_assets.core.video.sound_copy import RUN_UP_S, SoundPackets, sound_packets
from emovid_assets.core.video.streams import Tracks
from emovid_assets.core.video.structure import animation_kind
from emovid_assets.core.video.written import codec_name as _name

REASONS: dict[str, str] = {
    "asked": "the settings ask for encoding",
    "container": "packets of this container have no reliable stamps or key frames",
    "codec": "browsers do not play this codec in a clip's container",
    "pixel_format": "browsers play 8 bits and 4:2:0 only",
    "alpha": "transparent pictures are laid over white",
    "off_key_frame": "joined: the clip begins between key frames",
    "refers_beyond_end": "joined: its last pictures refer to one behind its end",
    "no_key_frame_inside": "no key frame inside the clip that decoding can start from",
    "interlaced": "interlaced pictures are not joined to others",
    "no_free_parameter_set": "the source has used up the names that encoded pictures need for their parameters",
    "no_stamps": "packets without presentation stamps",
    "mended_stamps": "the source shows some of the pictures at the same time, backwards, or in parts that begin anew",
    "no_key_frame": "no key frame in the 300 frames before the cut that decoding can start from",
    "edit_list": "the source's own edit list hides frames inside the clip",
    "changing_parameters": "the codec's parameters change inside the clip",
    "hidden_packets": "the source holds pictures that are not shown in packets of their own, which readers count",
    "other_frames": "the packets of the interval are not the frames of the clip",
    "turned": "the source turns its pictures, and browsers turn none of WebM",
    "hidden_frames": "the clip does not start on a key frame, and players of AV1 show what edit lists hide",
    "unreadable_packets": "the demuxer stopped inside the clip",
    "not_exact": "the copied file did not show exactly the frames of the clip",
    "not_writable": "the muxer refused the packets",
}
"""Why pictures of a clip were encoded, all of them or those at its ends; a code never changes its meaning."""

CONTAINERS = frozenset({"mov", "matroska"})
PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
VIDEO_CODECS = frozenset({"h264", "vp8", "vp9", "av1"})
LEAD_IN_FRAMES = 300
"""x264's and x265's default distance of key frames is 250; a player decodes the lead-in before it shows anything."""
REORDER_FRAMES = 17
"""Behind this many packets that lie after the clip, none can lie inside it: H.264 reorders 16 frames at most."""
MACHINE_ERRNOS = DISK_FAULTS | {errno.EISDIR}
"""Failures of the disk, not of the packets: encoding would meet them as well."""
SOUND_WAIT_S = Fraction(5)
"""Sound that the file keeps further behind its pictures than this is taken for missing."""


class CannotCopyError(Exception):
    """The clip has to be encoded. `reason` is a key of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Packets:
    """What a clip needs of the source, in decoding order: pictures from the last key frame before it on, or the one it
    begins with, up to the last packet that lies inside."""

    video: list[Any]
    audio: list[Any]


class Source:
    """An opened source from which clips are copied, one after the other."""

    def __init__(self, container: Any, tracks: Tracks) -> None:
        self.container = container
        self.video = container.streams[tracks.video_index]
        self.audio: Any = None if tracks.audio_index is None else container.streams[tracks.audio_index]
        self._has_other_sound = False
        self._size = self.video.codec_context.width, self.video.codec_context.height
        # One thread per process: two single-threaded processes use two cores better than frame threads.
        self.video.thread_type = "NONE"
        reason = _refusal(container, self.video) or (None if tracks.is_seekable else "mended_stamps")
        if reason:
            raise CannotCopyError(reason)

    def has_sound(self, segment: dict[str, Any]) -> bool:
        """Whether the clip gets a sound track: exactly where the scan heard something."""
        return self.audio is not None and bool(segment["has_audio"])

    def is_sound_copied(self, segment: dict[str, Any]) -> bool:
        """Whether its packets may be copied; the demuxer says only once that another header holds from here on."""
        return self.has_sound(segment) and _name(self.audio) in RUN_UP_S and not self._has_other_sound

    def is_start(self, packet: Any) -> bool:
        """Whether decoding can start at a packet."""
        return bool(packet.is_keyframe) and (_name(self.video) != "h264" or is_idr(packet, self.video))

    def sound_track(self, packets: Packets, segment: dict[str, Any]) -> SoundPackets | None:
        """The packets of the sound on a clock of samples; null where there are none, or they cannot be copied."""
        if not self.is_sound_copied(segment):
            return None
        tick = Fraction(self.video.time_base)
        return sound_packets(self.audio, packets.audio, segment, segment["start_pts"] * tick, segment["end_pts"] * tick)

    def packets(self, segment: dict[str, Any]) -> Packets:
        """The packets of the clip. Raises CannotCopyError where they are not exactly those of its frames."""
        import av

        if segment["has_mended_stamps"]:
            raise CannotCopyError("mended_stamps")
        tick = Fraction(self.video.time_base)
        run_up = RUN_UP_S[_name(self.audio)] if self.is_sound_copied(segment) else Fraction(0)
        try:
            for lead_in in (0, LEAD_IN_FRAMES):
                rate = Fraction(self.video.guessed_rate or 25)
                ahead = max(run_up, lead_in / rate)
                self.container.seek(segment["start_pts"] - int(ahead / tick), stream=self.video, backward=True)
                packets = self._read(segment)
                if packets:
                    return packets
        except av.error.FFmpegError as error:
            raise CannotCopyError("unreadable_packets") from error
        raise CannotCopyError("no_key_frame")

    def _read(self, segment: dict[str, Any]) -> Packets | None:
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
                if pts <= start and self.is_start(packet):
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
        return Packets(self._checked(video[:needed], segment), audio)

    def _checked(self, video: list[Any], segment: dict[str, Any]) -> list[Any]:
        start, end = segment["start_pts"], segment["end_pts"]
        inside = [packet for packet in video if start <= packet.pts < end]
        codec = _name(self.video)
        if not all(is_shown(codec, packet) for packet in inside):
            raise CannotCopyError("hidden_packets")
        if any(packet.is_discard for packet in inside):
            raise CannotCopyError("edit_list")
        if len({packet.pts for packet in video}) != len(video):
            raise CannotCopyError("edit_list")
        if len(inside) != segment["end_frame"] - segment["start_frame"] or min(p.pts for p in inside) != start:
            raise CannotCopyError("other_frames")
        for packet in video:
            if packet.is_keyframe and (
                packet.has_sidedata("new_extradata") or (picture_size(codec, packet) or self._size) != self._size
            ):
                raise CannotCopyError("changing_parameters")
        return video


@contextmanager
def open_source(path: Path, tracks: Tracks) -> Iterator[Source]:
    """A source to copy clips from. Raises CannotCopyError where none of its clips can be copied."""
    if animation_kind(path):
        raise CannotCopyError("container")
    with open_container(path) as container:
        yield Source(container, tracks)


def _refusal(container: Any, video: Any) -> str | None:
    if not CONTAINERS & set(container.format.name.split(",")):
        return "container"
    if _name(video) not in VIDEO_CODECS:
        return "codec"
    if video.metadata.get("alpha_mode") == "1":
        return "alpha"
    return None if video.codec_context.pix_fmt in PIXEL_FORMATS else "pixel_format"
