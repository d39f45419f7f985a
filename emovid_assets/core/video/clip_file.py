"""Frame-exact, playable clip files: MP4, the index first.

Belongs here: the choice between copying and encoding, and encoding an interval to H.264 and AAC. Does not belong
here: which intervals there are, and how packets are copied (`clip_copy`).

Where copying shows exactly the frames of the clip it is done: no loss, and a hundredth of the cost. Encoded frames
keep their presentation stamps, so variable rates and GIF delays survive. 4:2:0 needs even sides: odd pictures are
extended by repeating the last row or column, never scaled. Colour tags and the shape of the pixels are the source's.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np

from emovid_assets.core.placing import put_into_place
from emovid_assets.core.video.clip_copy import CannotCopyError, Source, copy_clip, open_source
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Frame, RgbConverter, Video, has_alpha, open_container, upright
from emovid_assets.core.video.sound import Sound, clip_sound
from emovid_assets.core.video.sound_track import add_sound_track, write_sound
from emovid_assets.core.video.streams import Tracks

CRF = 18
"""x264's constant rate factor: visually lossless by x264's own documentation."""
PRESET = "veryfast"


@dataclass(frozen=True)
class WrittenClip:
    """What players find in a clip file, and how it came about. `encoding_reason` is a key of `clip_copy.REASONS`;
    null where the pictures were copied."""

    duration_s: float
    video_codec: str
    audio_codec: str | None
    encoding_reason: str | None

    @property
    def is_copied(self) -> bool:
        return self.encoding_reason is None


def write_clip(
    path: Path, tracks: Tracks, segment: dict[str, Any], target: Path, *, is_copy_allowed: bool = True
) -> WrittenClip:
    """Writes frames `start_pts` ≤ pts < `end_pts` and the sound of the same interval to `target` in one step.

    `segment` is a row of `scan_source`, with the source's `video_start_s`.
    Raises MediaError `corrupt_frames` where the number of frames differs from the segment's, `write_failed`
    where the file cannot be written.
    """
    with ClipWriter(path, tracks, is_copy_allowed=is_copy_allowed) as writer:
        return writer.write(segment, target)


class ClipWriter:
    """Writes clips of one source, which is opened once: a context manager, or to be closed."""

    def __init__(self, path: Path, tracks: Tracks, *, is_copy_allowed: bool = True) -> None:
        self._path = path
        self._tracks = tracks
        self._stack = ExitStack()
        self._source: Source | None = None
        self._refusal: str | None = None
        try:
            if not is_copy_allowed:
                raise CannotCopyError("asked")
            self._source = self._stack.enter_context(open_source(path, tracks))
        except CannotCopyError as error:
            self._refusal = error.reason

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def write(self, segment: dict[str, Any], target: Path) -> WrittenClip:
        """As `write_clip`."""
        try:
            with put_into_place(target, keeps_suffix=True) as temporary:
                return self._write(segment, temporary)
        except OSError as error:
            raise MediaError("write_failed", f"Writing {target.name}: {error}") from error

    def _write(self, segment: dict[str, Any], target: Path) -> WrittenClip:
        reason = self._refusal
        if self._source is not None:
            try:
                return WrittenClip(
                    **vars(copy_clip(self._source, segment, target, lambda: self._sound(segment))), encoding_reason=None
                )
            except CannotCopyError as error:
                reason = error.reason
        sound = self._sound(segment)
        count = _encode(self._path, self._tracks, segment, sound, target)
        expected = segment["end_frame"] - segment["start_frame"]
        if count != expected:
            raise MediaError("corrupt_frames", f"The clip should have {expected} frames, {count} were decoded")
        with open_container(target) as container:
            video = container.streams.video[0]
            duration_s = float(video.duration * Fraction(video.time_base))
        return WrittenClip(duration_s, "h264", "aac" if sound else None, reason)

    def _sound(self, segment: dict[str, Any]) -> Sound | None:
        return clip_sound(self._path, self._tracks, segment)


def _encode(path: Path, tracks: Tracks, segment: dict[str, Any], sound: Sound | None, target: Path) -> int:
    import av

    start_pts, end_pts = segment["start_pts"], segment["end_pts"]
    converter = _Converter()
    count = 0
    durations: dict[int, int] = {}
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output:
        stream: Any = None
        audio: Any = None
        video = Video(path, tracks, start_pts=start_pts if segment["start_frame"] else None)
        for frame in video.frames():
            if frame.pts >= end_pts:
                break
            picture = converter.encodable(frame)
            time_base = Fraction(frame.picture.time_base)
            if stream is None:
                # The picture comes first in the file, as players and our own readers expect.
                aspect = video.pixel_aspect()
                stream = _add_video(output, picture, time_base, segment)
                stream.codec_context.sample_aspect_ratio = 1 / aspect if frame.rotation in (90, 270) else aspect
                audio = add_sound_track(output, sound)
            picture.pts, picture.time_base = frame.pts - start_pts, time_base
            durations[picture.pts] = end_pts - frame.pts
            for packet in stream.encode(picture):
                _mux(output, packet, durations, time_base)
            count += 1
        if stream is None:
            return 0
        for packet in stream.encode(None):
            _mux(output, packet, durations, time_base)
        if audio is not None and sound is not None:
            write_sound(output, audio, sound)
    return count


def _mux(output: Any, packet: Any, durations: dict[int, int], time_base: Fraction) -> None:
    # The muxer takes the last packet's word for when the track ends: the last picture is shown until the cut. Without
    # this it would last as long as the encoder guesses, and a sticker would end too early.
    ticks = round(packet.pts * Fraction(packet.time_base) / time_base)
    if ticks in durations:
        packet.duration = round(durations[ticks] * time_base / Fraction(packet.time_base))
    output.mux(packet)


def _add_video(output: Any, picture: Any, time_base: Fraction, segment: dict[str, Any]) -> Any:
    frames = segment["end_frame"] - segment["start_frame"]
    rate = Fraction(frames / max(segment["end_s"] - segment["start_s"], 1e-3)).limit_denominator(1001)
    stream = output.add_stream("libx264", rate=max(rate, Fraction(1, 10)))
    stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
    stream.codec_context.time_base = time_base
    stream.codec_context.thread_count = 1
    # Untagged, a BT.709 picture would be shown with the colours of BT.601.
    for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
        setattr(stream.codec_context, name, getattr(picture, name))
    # Without B-frames the last packet is the last picture, whose duration MP4 takes for the end of the track:
    # stickers that rest on their last frame keep their length.
    # Otherwise x264's macroblock tree gives other bytes for the same pictures from one run to the next (8 of 8).
    stream.options = {"crf": str(CRF), "preset": PRESET, "bf": "0", "x264-params": "cpu-independent=1"}
    return stream


class _Converter:
    """Frames as the encoder takes them: upright, even-sided, opaque yuv420p."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        self._rgb = RgbConverter()

    def encodable(self, frame: Frame) -> Any:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        picture = frame.picture
        is_plain = not has_alpha(picture.format.name) and not frame.rotation
        if is_plain and picture.width % 2 == 0 and picture.height % 2 == 0:
            # Straight from the decoder: no detour through RGB, no second loss of chroma.
            is_full_range = picture.color_range == ColorRange.JPEG
            limited = {"dst_color_range": ColorRange.MPEG} if is_full_range else {}
            return self._reformatter.reformat(picture, format="yuv420p", threads=1, **limited)
        pixels = _even(upright(self._rgb.rgb(picture), frame.rotation))
        return self._reformatter.reformat(
            av.VideoFrame.from_ndarray(pixels, "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )


def _even(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
