"""What a file is, from its index and its first frame, before anything is computed from it.

Belongs here: container facts, the choice of what is read of a file, and the refusal of files that are not whole videos.
Reads every packet (so that a truncated download is found even where the decoder would accept it) but
decodes one frame only.
"""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.animations import drawn
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.foreign import what_else
from emovid_assets.core.video.reading import Frame, Video, open_container
from emovid_assets.core.video.rgb import colour_rule
from emovid_assets.core.video.shown import is_shown
from emovid_assets.core.video.stamps import RESETTABLE, Line, ascended, film_shifts, is_variable, last_duration, moved
from emovid_assets.core.video.streams import ONLY, Tracks, film_stream, other_programs, picture_streams, sound_stream
from emovid_assets.core.video.structure import Animation, fault, read_animation, why_unreadable

MISSING_SHARE = 0.05
MISSING_S = 1.0
"""A file is truncated where more than 5 % and more than one second of what its index declares is absent."""

MAX_SIDE_PX = 16384
"""The longest side that H.264 and WebP can hold: a wider picture could be measured but never be a clip."""

HDR_TRANSFERS = frozenset({16, 18})
"""Transfer characteristics of ITU-T H.273: 16 is PQ (SMPTE ST 2084), 18 is HLG (ARIB STD-B67)."""

INTERLACED_ORDERS = frozenset({2, 3, 4, 5})
"""FFmpeg's field orders TT, BB, TB, BT; 0 is unknown, 1 progressive."""


@dataclass(frozen=True)
class Limits:
    """What a file may ask for. `max_animation_pixels`: frames × width × height of a GIF, APNG, WebP or AVIF, where few
    bytes may stand for any number of large pictures. Defaults: 8K pictures, a day of 60 Hz."""

    max_pixels: int = 8192 * 4320
    max_frames: int = 24 * 3600 * 60
    max_duration_s: float = 24 * 3600.0
    max_animation_pixels: int = 10_000_000_000

    def require_size(self, width: int, height: int) -> None:
        if width <= 0 or height <= 0:
            raise MediaError("corrupt_container", f"The picture size is {width}×{height}")
        if width * height > self.max_pixels:
            self._refuse(f"The picture has {width}×{height} pixels", "max_pixels", self.max_pixels)
        if max(width, height) > MAX_SIDE_PX:
            raise MediaError("too_large", f"The picture is {width}×{height}; no side may be above {MAX_SIDE_PX}")

    def require_length(self, frame_count: int, duration_s: float = 0.0) -> None:
        if frame_count > self.max_frames:
            self._refuse(f"The file has {frame_count} frames or more", "max_frames", self.max_frames)
        if duration_s > self.max_duration_s:
            self._refuse(f"The file lasts {duration_s:.0f} s", "max_duration_s", self.max_duration_s)

    def require_animation(self, found: Animation) -> None:
        self.require_size(found.width, found.height)
        self.require_length(found.frame_count)
        if found.frame_count * found.width * found.height > self.max_animation_pixels:
            self._refuse(
                f"The animation has {found.frame_count} frames of {found.width}×{found.height} pixels",
                "max_animation_pixels",
                self.max_animation_pixels,
            )

    def _refuse(self, seen: str, setting: str, limit: float) -> None:
        raise MediaError("too_large", f"{seen}; `media.{setting}` is {limit}")


@dataclass(frozen=True)
class Probe:
    """Facts of one file. Sizes are as displayed; `frame_count` and `duration_s` are those of the pictures that are
    shown; `rotation_deg` is how far the coded picture is turned clockwise for display (0, 90, 180, 270).

    `audio_track_index` counts the file's sound tracks from 0, of which there are `audio_track_count`.
    """

    tracks: Tracks
    container: str
    video_codec: str
    width_px: int
    height_px: int
    fps: float
    frame_count: int
    duration_s: float
    is_vfr: bool
    is_interlaced: bool
    is_hdr: bool
    rotation_deg: int
    pixel_format: str
    colour_matrix: str
    is_colour_tagged: bool
    audio_codec: str | None = None
    sample_rate_hz: int | None = None
    audio_track_count: int = 0
    audio_track_index: int | None = None

    @property
    def has_audio(self) -> bool:
        return self.audio_codec is not None


@dataclass
class _Track:
    """What demuxing saw of one stream. Stamps in ticks; `pts` of the pictures that are shown, in the file's order."""

    line: Line
    tick: Fraction
    codec: str
    # Eight bytes a frame: a list of integers would take five times as much.
    pts: "array[int]" = field(default_factory=lambda: array("q"))
    next_pts: int = 0
    last_pts: int = 0
    last_duration: int = 0
    packet_count: int = 0
    start: int | None = None
    end: int = 0

    def lasts(self, pts: int | None, duration: int) -> None:
        """Something of the stream is there for `duration` from `pts` on."""
        if pts is not None:
            self.start = pts if self.start is None else min(self.start, pts)
            self.end = max(self.end, pts + duration)

    @property
    def start_s(self) -> Fraction | None:
        return None if self.start is None else self.start * self.tick

    @property
    def end_s(self) -> Fraction:
        return self.end * self.tick


def probe_file(path: Path, limits: Limits = Limits(), *, audio_language: str = "") -> Probe:
    """Facts of a file. `audio_language`: of the sound that is taken, where the file has several (ISO 639).

    Raises MediaError where it is not a whole, decodable video with more than one frame.
    """
    try:
        if path.stat().st_size == 0:
            raise MediaError("empty_file", "The file is empty")
        other = what_else(path)
        if other:
            raise MediaError(*other)
        animation = read_animation(path)
        if animation is None:
            return _probe_container(path, limits, audio_language)
        _require_whole(animation, limits)
        return _probe_animation(path, animation, limits)
    except FileNotFoundError as error:
        raise MediaError("vanished", "The file is gone") from error
    except OSError as error:
        raise MediaError("unreadable", f"{error.strerror or error}: {path.name}") from error


def _require_whole(animation: Animation, limits: Limits) -> None:
    # A still WebP says its size elsewhere, and the front of a file perhaps nowhere.
    if animation.width or not (animation.container == "webp" or animation.is_cut_off):
        limits.require_animation(animation)
    declared = animation.declared_count
    if declared is not None and animation.frame_count < declared:
        detail = f"The header declares {declared} frames, {animation.frame_count} are there"
        raise MediaError("truncated", detail)
    if animation.is_cut_off:
        raise MediaError("truncated", f"The file ends within frame {animation.frame_count}")
    if animation.frame_count == 0:
        raise MediaError("corrupt_container", "The file holds no picture")
    if animation.frame_count == 1:
        raise MediaError("single_image", "The file is a still picture")


def _probe_container(path: Path, limits: Limits, audio_language: str) -> Probe:
    import av

    with open_container(path, max_pixels=limits.max_pixels) as container:
        if not _knows_sizes(container, limits):
            # A decoder that was refused a large picture may forget its size: it has to be asked without a limit.
            with open_container(path) as unlimited:
                _knows_sizes(unlimited, limits)
        streams = _decodable(container, path)
        try:
            seen = _demux(container, limits)
        except (av.error.FFmpegError, LookupError) as error:
            # PyAV looks up a stream that a damaged transport stream announces late, and does not find it.
            raise MediaError("corrupt_frames", "The file's packets cannot be read") from error
        # A second video track may be declared without a single sample.
        stream = film_stream(streams, {index: len(track.pts) for index, track in seen.items()})
        if stream is None:
            raise MediaError(*(fault(path) or ("truncated", "The video stream has no packets")))
        missing = _missing(container, stream, seen)
        if missing and not (_is_mp4(container) and _holds_every_sample(path, stream.index, limits)):
            raise MediaError("truncated", missing)
        damage = fault(path)
        if damage:
            raise MediaError(*damage)
        sounds = list(container.streams.audio)
        packet_counts = {index: track.packet_count for index, track in seen.items()}
        audio = sound_stream(sounds, packet_counts, audio_language, elsewhere=other_programs(container, stream))
        track, heard = seen[stream.index], seen[audio.index] if audio else None
        shifts = film_shifts(track.line, heard.line if heard else None)
        is_reordered = bool(stream.codec_context.has_b_frames)
        is_field_coded = int(stream.codec_context.field_order) in INTERLACED_ORDERS
        facts: dict[str, Any] = {
            "tracks": Tracks(stream.index, audio.index if audio else None, shifts),
            "container": container.format.name,
            "video_codec": _codec_name(stream),
            "audio_codec": _codec_name(audio) if audio else None,
            "sample_rate_hz": audio.codec_context.sample_rate if audio else None,
            "audio_track_count": len(sounds),
            "audio_track_index": sounds.index(audio) if audio else None,
        }
    first = _first_frame(Video(path, facts["tracks"]))
    height, width = first.picture.height, first.picture.width
    if first.rotation in (90, 270):
        height, width = width, height
    limits.require_size(width, height)
    pts = moved(np.frombuffer(track.pts, np.int64), track.line, shifts)
    # A recording begins anywhere: what refers to pictures before its beginning is never shown.
    pts = pts[pts >= first.pts]
    if len(pts) <= 1:
        raise MediaError("single_image", "The file has one frame")
    pts = ascended(pts, is_reordered=is_reordered)
    duration = (int(pts[-1] - pts[0]) + last_duration(track.last_duration, pts)) * track.tick
    limits.require_length(len(pts), float(duration))
    return Probe(
        width_px=width,
        height_px=height,
        frame_count=len(pts),
        duration_s=float(duration),
        fps=float(len(pts) / duration),
        is_vfr=is_variable(pts),
        is_interlaced=is_field_coded or bool(first.picture.interlaced_frame),
        is_hdr=int(first.picture.color_trc) in HDR_TRANSFERS,
        # The frame counts counter-clockwise, people and players clockwise.
        rotation_deg=-first.rotation % 360,
        pixel_format=first.picture.format.name,
        **_colours(first),
        **facts,
    )


def _knows_sizes(container: Any, limits: Limits) -> bool:
    """Whether every video stream has a size. Raises MediaError where a declared one is above the limits."""
    contexts = [stream.codec_context for stream in container.streams.video if stream.codec_context is not None]
    sizes = [(context.width, context.height) for context in contexts]
    for width, height in sizes:
        if width and height:
            limits.require_size(width, height)
    return all(width and height for width, height in sizes)


def _codec_name(stream: Any) -> str:
    """The codec, whichever decoder reads it: `av1` and not `libdav1d`, `mp3` and not `mp3float`."""
    return str(stream.codec_context.codec.canonical_name)


def _decodable(container: Any, path: Path) -> list[Any]:
    """Video streams that can be decoded. Raises MediaError where there is none."""
    streams = picture_streams(container)
    if streams:
        return streams
    if any(stream.codec_context is None for stream in container.streams.video):
        raise MediaError("unsupported_codec", "The video stream names a codec that has no decoder here")
    kinds = {stream.type for stream in container.streams}
    if "audio" in kinds and "subtitle" in kinds:
        raise MediaError("no_video_stream", "The file has sound and subtitles, but no pictures")
    if "audio" in kinds:
        raise MediaError("no_video_stream", "The file has sound only")
    if "subtitle" in kinds:
        raise MediaError("no_video_stream", "The file has subtitles only")
    raise MediaError(*why_unreadable(path))


def _demux(container: Any, limits: Limits) -> dict[int, _Track]:
    seen = {stream.index: _track(container, stream) for stream in container.streams}
    for packet in container.demux():
        index = packet.stream.index
        # A stream may appear only while packets are read.
        if index not in seen:
            seen[index] = _track(container, packet.stream)
        track = seen[index]
        if packet.size == 0:
            # Either the end of a stream, or "show the last picture again" (Theora).
            continue
        track.packet_count += 1
        if packet.is_discard:
            continue
        if packet.stream.type not in ("video", "audio"):
            # A last subtitle may outlast the film; the length that a container declares counts it.
            track.lasts(packet.pts, packet.duration or 0)
            continue
        if packet.has_sidedata("encryption_info"):
            raise MediaError("encrypted", "The packets are encrypted")
        is_picture = packet.stream.type == "video" and is_shown(track.codec, packet)
        if packet.stream.type == "video" and not is_picture:
            continue
        track.line.place(packet)
        pts = packet.pts if packet.pts is not None else track.next_pts
        duration = packet.duration or 0
        track.next_pts = pts + (duration or 1)
        track.lasts(pts, duration)
        if is_picture:
            if not track.pts or pts > track.last_pts:
                track.last_pts, track.last_duration = pts, duration
            track.pts.append(pts)
            limits.require_length(len(track.pts))
    return seen


def _track(container: Any, stream: Any) -> _Track:
    tick = Fraction(stream.time_base or 1)
    codec = _codec_name(stream) if stream.codec_context is not None else ""
    return _Track(Line(container.format.name, tick), tick, codec)


def _missing(container: Any, stream: Any, seen: dict[int, _Track]) -> str | None:
    """What the index declares and the packets do not hold, as a sentence; null where all is there.

    Only an MP4's own list of samples is a count to hold the file to; in other containers a number of frames includes
    packets that show nothing.
    """
    track = seen[stream.index]
    samples = stream.frames if _is_mp4(container) else 0
    if samples and track.packet_count < samples * (1 - MISSING_SHARE):
        return f"The index declares {samples} samples, {track.packet_count} are there"
    if container.format.name in RESETTABLE:
        # Nothing is declared: FFmpeg takes the last stamp for the end.
        return None
    if stream.duration:
        declared = stream.duration * track.tick
        there = track.end_s - (track.start_s or 0)
    elif container.duration:
        # Matroska and WebM give the length of the whole file, counted from zero even where the pictures start
        # later: any stream may be the longest.
        declared = Fraction(container.duration, 1_000_000)
        first = min(t.start_s for t in seen.values() if t.start_s is not None)
        there = max(t.end_s for t in seen.values()) - min(first, Fraction(0))
    else:
        return None
    missing = declared - there
    if missing > MISSING_S and missing > MISSING_SHARE * declared:
        return f"The index declares {float(declared):.2f} s, {float(there):.2f} s are there"
    return None


def _is_mp4(container: Any) -> bool:
    return "mp4" in container.format.name


def _holds_every_sample(path: Path, stream_index: int, limits: Limits) -> bool:
    """Whether all samples are there although fewer are shown: an edit list hides what was trimmed away."""
    with open_container(path, max_pixels=limits.max_pixels, ignore_edit_list=True) as container:
        return _missing(container, container.streams[stream_index], _demux(container, limits)) is None


def _first_frame(video: Video) -> Frame:
    try:
        frame = next(iter(video.frames()), None)
    except (ValueError, LookupError) as error:
        raise MediaError("unsupported_codec", f"The decoder cannot be started: {error}") from error
    if frame is None:
        raise MediaError("corrupt_frames", "Not a single frame can be decoded")
    return frame


def _colours(first: Frame) -> dict[str, Any]:
    rule = colour_rule(first.picture)
    return {"colour_matrix": rule.matrix, "is_colour_tagged": rule.is_tagged}


def _probe_animation(path: Path, animation: Animation, limits: Limits) -> Probe:
    facts = drawn(animation)
    duration_s = float(sum(facts.delays) * facts.time_base)
    limits.require_length(len(facts.delays), duration_s)
    first = _first_frame(Video(path, animation=animation))
    # The decoder may know another size than the header.
    limits.require_size(first.picture.width, first.picture.height)
    return Probe(
        tracks=ONLY,
        container=facts.container,
        video_codec=facts.codec,
        width_px=first.picture.width,
        height_px=first.picture.height,
        fps=len(facts.delays) / duration_s,
        frame_count=len(facts.delays),
        duration_s=duration_s,
        # The last frame's delay is not a step between stamps, exactly as in `_probe_container`.
        is_vfr=max(facts.delays[:-1]) - min(facts.delays[:-1]) > 1,
        is_interlaced=False,
        is_hdr=facts.transfer in HDR_TRANSFERS,
        rotation_deg=0,
        pixel_format=first.picture.format.name,
        **_colours(first),
    )
