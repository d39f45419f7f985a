"""What a file is, from its index and its first frame, before anything is computed from it.

Belongs here: container facts, and the refusal of files that are not whole videos.
Reads every packet (so that a truncated download is found even where the decoder would accept it) but
decodes one frame only.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Video, is_webp, open_container, picture_streams

MISSING_SHARE = 0.05
MISSING_S = 1.0
"""A file is truncated where more than 5 % and more than one second of what its index declares is absent."""


@dataclass(frozen=True)
class Probe:
    """Facts of one file. Sizes are as displayed; `duration_s` is that of the video stream."""

    container: str
    stream_index: int
    video_codec: str
    width_px: int
    height_px: int
    fps: float
    frame_count: int
    duration_s: float
    is_vfr: bool
    audio_codec: str | None
    sample_rate_hz: int | None

    @property
    def has_audio(self) -> bool:
        return self.audio_codec is not None


@dataclass
class _Track:
    """What demuxing saw of one stream, in ticks."""

    pts: list[int]
    last_pts: int = 0
    last_duration: int = 0
    packet_count: int = 0
    end_s: Fraction = Fraction(0)
    start_s: Fraction | None = None


def probe_file(path: Path, *, max_pixels: int) -> Probe:
    """Facts of a file. Raises MediaError where it is not a whole, decodable video with more than one frame."""
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise MediaError("vanished", "The file is gone") from error
    if size == 0:
        raise MediaError("empty_file", "The file is empty")
    try:
        return _probe_webp(path, max_pixels) if is_webp(path) else _probe_container(path, max_pixels)
    except PermissionError as error:
        raise MediaError("unreadable", f"Permission denied: {path.name}") from error


def _probe_container(path: Path, max_pixels: int) -> Probe:
    import av

    with open_container(path) as container:
        streams = picture_streams(container)
        if not streams:
            if not container.streams.audio:
                raise MediaError("not_a_video", "The file has no readable stream")
            raise MediaError("no_video_stream", "The file has sound only")
        try:
            tracks = _demux(container)
        except av.error.FFmpegError as error:
            raise MediaError("corrupt_frames", "The file's packets cannot be read") from error
        # A second video track may be declared without a single sample; the largest real one counts.
        filled = [s for s in streams if tracks[s.index].packet_count]
        if not filled:
            raise MediaError("truncated", "The video stream has no packets")
        stream, track = filled[0], tracks[filled[0].index]
        _require_size(stream.codec_context.width, stream.codec_context.height, max_pixels)
        _require_complete(container, stream, tracks)
        audio = next((s for s in container.streams.audio if tracks[s.index].packet_count), None)
        time_base = Fraction(stream.time_base)
        rate = stream.guessed_rate
        facts: dict[str, Any] = {
            "container": container.format.name,
            "stream_index": stream.index,
            "video_codec": stream.codec_context.name,
            "audio_codec": audio.codec_context.name if audio else None,
            "sample_rate_hz": audio.codec_context.sample_rate if audio else None,
        }
    first = _first_frame(path, facts["stream_index"])
    height, width = first.picture.height, first.picture.width
    if first.rotation in (90, 270):
        height, width = width, height
    _require_size(width, height, max_pixels)
    if len(track.pts) <= 1:
        raise MediaError("single_image", "The file has one frame")
    pts = sorted(track.pts)
    steps = [b - a for a, b in pairwise(pts)]
    last = track.last_duration or sorted(steps)[len(steps) // 2] or (round(1 / (rate * time_base)) if rate else 1)
    duration = (pts[-1] - pts[0] + last) * time_base
    return Probe(
        width_px=width,
        height_px=height,
        frame_count=len(pts),
        duration_s=float(duration),
        fps=float(len(pts) / duration) if duration else 0.0,
        is_vfr=max(steps) - min(steps) > 1,
        **facts,
    )


def _demux(container: Any) -> dict[int, _Track]:
    tracks = {stream.index: _Track([]) for stream in container.streams}
    fallback = dict.fromkeys(tracks, 0)
    for packet in container.demux():
        track = tracks[packet.stream.index]
        if packet.size == 0:
            # Either the end of a stream, or "show the last picture again" (Theora).
            continue
        track.packet_count += 1
        if packet.is_discard or packet.stream.type not in ("video", "audio"):
            continue
        index = packet.stream.index
        pts = packet.pts if packet.pts is not None else fallback[index]
        fallback[index] = pts + (packet.duration or 1)
        time_base = Fraction(packet.time_base)
        start, end = pts * time_base, (pts + (packet.duration or 0)) * time_base
        track.start_s = start if track.start_s is None else min(track.start_s, start)
        if packet.stream.type == "video":
            if not track.pts or pts > track.last_pts:
                track.last_pts, track.last_duration = pts, packet.duration or 0
            track.pts.append(pts)
        track.end_s = max(track.end_s, end)
    return tracks


def _require_size(width: int, height: int, max_pixels: int) -> None:
    if width <= 0 or height <= 0:
        raise MediaError("not_a_video", f"The picture size is {width}×{height}")
    if width * height > max_pixels:
        raise MediaError("too_large", f"The picture has {width}×{height} pixels; the limit is {max_pixels}")


def _require_complete(container: Any, stream: Any, tracks: dict[int, _Track]) -> None:
    """Compares what the index declares with the packets that are there."""
    track = tracks[stream.index]
    declared_frames = stream.frames or 0
    if declared_frames and track.packet_count < declared_frames * (1 - MISSING_SHARE):
        raise MediaError("truncated", f"The index declares {declared_frames} frames, {track.packet_count} are there")
    if stream.duration:
        declared = stream.duration * Fraction(stream.time_base)
        seen = track.end_s - (track.start_s or 0)
    elif container.duration:
        # Matroska and WebM give the length of the whole file, counted from zero even where the pictures start
        # later: any stream may be the longest.
        declared = Fraction(container.duration, 1_000_000)
        first = min(t.start_s for t in tracks.values() if t.start_s is not None)
        seen = max(t.end_s for t in tracks.values()) - min(first, Fraction(0))
    else:
        return
    missing = declared - seen
    if missing > MISSING_S and missing > MISSING_SHARE * declared:
        raise MediaError("truncated", f"The index declares {float(declared):.2f} s, {float(seen):.2f} s are there")


def _first_frame(path: Path, stream_index: int) -> Any:
    try:
        frame = next(iter(Video(path, stream_index).frames()), None)
    except (ValueError, LookupError) as error:
        raise MediaError("unsupported_codec", f"The decoder cannot be started: {error}") from error
    if frame is None:
        raise MediaError("corrupt_frames", "Not a single frame can be decoded")
    return frame


def _probe_webp(path: Path, max_pixels: int) -> Probe:
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            if getattr(image, "n_frames", 1) <= 1:
                raise MediaError("single_image", "The WebP file is a still picture")
    except Image.DecompressionBombError as error:
        raise MediaError("too_large", str(error)) from error
    except (OSError, SyntaxError) as error:
        raise MediaError("not_a_video", "The WebP file cannot be read") from error
    _require_size(width, height, max_pixels)
    durations = [frame.duration for frame in Video(path, 0).frames()]
    duration_s = sum(durations) / 1000
    return Probe(
        container="webp",
        stream_index=0,
        video_codec="webp",
        width_px=width,
        height_px=height,
        fps=len(durations) / duration_s,
        frame_count=len(durations),
        duration_s=duration_s,
        # The last frame's delay is not a step between stamps, exactly as in `_probe_container`.
        is_vfr=max(durations[:-1]) - min(durations[:-1]) > 1,
        audio_codec=None,
        sample_rate_hz=None,
    )
