"""One way to get frames out of any file: PyAV for films, `animations` for GIF, APNG, WebP and AVIF.

Belongs here: opening, choosing the stream, presentation stamps, colour conversion of a frame.
Does not belong here: what is measured on the frames.

Time is always by presentation stamps; those of stickers are sums of delays, as viewers see them.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emovid_assets.core.video.animations import drawn_frames
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.structure import animation_kind, why_unreadable

if TYPE_CHECKING:
    import av

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own VP8 and VP9 decoders drop the alpha plane that WebM stickers carry; libvpx gives it."""
DAMAGED_SHARE = 0.01
"""MPEG-2 and MPEG-4 decoders paint over what is missing and go on; a glitch does not refuse a long capture."""

RUN_UPS_S = {"mpegts": (10,), "mpeg": (10,)}
"""How far before a frame to seek, in turn, by container. MPEG's have no index: a seek lands at any picture, and the
first stamps behind it are guessed where pictures share one."""
USUAL_RUN_UPS_S = (0, 10)
"""An index may point behind the frame, or to a picture that refers to others before it: then ten seconds earlier."""

WITHOUT_RATE = ("webp", "avif")
"""Animations of which FFmpeg sees one picture."""


@dataclass(slots=True)
class Frame:
    """A decoded frame. `pts` and `duration` count ticks of the video's `time_base`."""

    index: int
    pts: int
    duration: int
    picture: Any

    def without_picture(self) -> "Frame":
        """The stamps alone: the memory of the picture is free again."""
        return Frame(self.index, self.pts, self.duration, None)

    @property
    def rotation(self) -> int:
        """Degrees to turn the picture counter-clockwise for display: a multiple of 90."""
        return int(self.picture.rotation) % 360


@cache
def has_alpha(format_name: str) -> bool:
    """Whether pictures of this pixel format may be transparent; palettes count, their entries may be."""
    import av

    pixel_format = av.VideoFormat(format_name)
    return pixel_format.has_palette or any(component.is_alpha for component in pixel_format.components)


@contextmanager
def open_container(path: Path, *, max_pixels: int | None = None, ignore_edit_list: bool = False) -> Iterator[Any]:
    """PyAV container. Raises MediaError with the code that fits instead of FFmpeg's errors.

    FFmpeg decodes frames while it opens a file; above `max_pixels` it does not, and the declared size is all it knows.
    `ignore_edit_list`: an MP4 gives every sample that its index names, also those that it never shows.
    """
    import av

    av.logging.set_level(av.logging.PANIC)
    try:
        # A comment in a wrong encoding must not stop a file whose pictures are fine.
        options = {"max_pixels": str(max_pixels)} if max_pixels else {}
        if ignore_edit_list:
            options["ignore_editlist"] = "1"
        container = av.open(str(path), metadata_errors="ignore", options=options)
    except FileNotFoundError as error:
        raise MediaError("vanished", "The file is gone") from error
    except PermissionError as error:
        raise MediaError("unreadable", f"Permission denied: {path.name}") from error
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise MediaError(*why_unreadable(path)) from error
    try:
        yield container
    finally:
        container.close()


def picture_streams(container: Any) -> list[Any]:
    """Video streams with pictures of a size, largest first; cover art does not count."""
    import av

    def is_cover(stream: Any) -> bool:
        return bool(stream.disposition & av.stream.Disposition.attached_pic)

    streams = [s for s in container.streams.video if s.codec_context is not None and not is_cover(s)]
    return sorted(streams, key=lambda s: -(s.codec_context.width or 0) * (s.codec_context.height or 0))


def sound_stream(container: Any) -> Any:
    """The first sound that there is a decoder for; null where there is none."""
    return next((stream for stream in container.streams.audio if stream.codec_context), None)


class Video:
    """Frames of one stream of a file in presentation order, from the first or from a given stamp."""

    def __init__(self, path: Path, stream_index: int, *, start_pts: int | None = None) -> None:
        self.path = path
        self.stream_index = stream_index
        self.start_pts = start_pts

    def nominal_rate(self) -> Fraction:
        """Frames per second as the container suggests it; 25 where it suggests nothing.

        Cut detectors count their shortest scene against this rate, as PySceneDetect's own PyAV backend does.
        """
        if animation_kind(self.path) in WITHOUT_RATE:
            return Fraction(25)
        with open_container(self.path) as container:
            rate = container.streams[self.stream_index].guessed_rate
            return Fraction(rate) if rate else Fraction(25)

    def pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height, as coded; 1 where the file does not say."""
        if animation_kind(self.path):
            return Fraction(1)
        with open_container(self.path) as container:
            return Fraction(container.streams[self.stream_index].sample_aspect_ratio or 1)

    def frames(self) -> Generator[Frame]:
        """All frames, or those with `pts >= start_pts`; `index` counts what is yielded.

        `start_pts` must be the stamp of a frame. Raises MediaError `corrupt_frames` where the decoder gives up.
        """
        if animation_kind(self.path):
            source = drawn_frames(self.path)
        else:
            source = self._decode() if self.start_pts is None else self._decode_from(self.start_pts)
        index = 0
        for pts, duration, picture in source:
            if self.start_pts is not None and pts < self.start_pts:
                continue
            yield Frame(index, pts, duration, picture)
            index += 1

    def _decode_from(self, start_pts: int) -> Iterator[tuple[int, int, Any]]:
        """The frames from `start_pts` on, exactly as without seeking: from the beginning where no seek leads there."""
        with open_container(self.path) as container:
            run_ups_s = RUN_UPS_S.get(container.format.name, USUAL_RUN_UPS_S)
        for run_up_s in run_ups_s:
            with closing(self._decode(start_pts, run_up_s)) as found:
                try:
                    first = next((frame for frame in found if frame[0] >= start_pts), None)
                except (MediaError, _LostError):
                    # A decoder that stops before the clip says nothing about the clip.
                    continue
                if first is not None and first[0] == start_pts:
                    yield first
                    yield from found
                    return
        yield from self._decode()

    def _decode(self, start_pts: int | None = None, run_up_s: int = 0) -> Generator[tuple[int, int, Any]]:
        """From the beginning, or from a key frame that a seek to `run_up_s` before `start_pts` finds.

        Raises _LostError where the seek did not lead to a known place before the frame.
        """
        import av

        with open_container(self.path) as container:
            stream = container.streams[self.stream_index]
            # One thread per process: two single-threaded processes use two cores better than frame threads.
            stream.thread_type = "NONE"
            if start_pts is not None:
                try:
                    container.seek(start_pts - int(run_up_s / stream.time_base), stream=stream, backward=True)
                except av.error.FFmpegError as error:
                    raise _LostError from error
            decoder = _alpha_decoder(stream)
            tick = _fallback_ticks(stream)
            next_pts = count = damaged = 0
            is_waiting = start_pts is not None
            try:
                for packet in container.demux(stream):
                    # An empty packet repeats a picture (Theora); handed to the decoder it would mean the end.
                    if packet.size == 0 and packet.dts is not None:
                        continue
                    if is_waiting and start_pts is not None:
                        # Decoders that begin elsewhere make up the pictures until the next key frame.
                        if not packet.is_keyframe:
                            continue
                        if packet.pts is not None and packet.pts > start_pts:
                            raise _LostError
                        is_waiting = False
                    for picture in decoder.decode(packet) if decoder else packet.decode():
                        if start_pts is not None and count == 0 and picture.pts is None:
                            raise _LostError
                        pts = picture.pts if picture.pts is not None else next_pts
                        duration = picture.duration or tick
                        next_pts = pts + duration
                        count += 1
                        damaged += picture.is_corrupt
                        yield pts, duration, picture
                # The share is that of the whole film; a clip of it was accepted with the film.
                if start_pts is None and damaged > count * DAMAGED_SHARE:
                    raise MediaError(
                        "corrupt_frames", f"The decoder had to make up parts of {damaged} frames of {count}"
                    )
            except av.error.FFmpegError as error:
                raise MediaError("corrupt_frames", f"The decoder stopped: {_plain(error)}") from error


class _LostError(Exception):
    """After a seek nobody knows which frame this is."""


def _alpha_decoder(stream: Any) -> Any:
    """The decoder that gives the alpha plane which the container announces; null where none is announced."""
    import av

    name = ALPHA_DECODERS.get(stream.codec_context.name)
    if name is None or stream.metadata.get("alpha_mode") != "1" or name not in av.codecs_available:
        return None
    decoder = av.CodecContext.create(name, "r")
    decoder.thread_type = "NONE"
    return decoder


def _fallback_ticks(stream: Any) -> int:
    rate = stream.guessed_rate or stream.average_rate
    if not rate or not stream.time_base:
        return 1
    return max(1, round(1 / (Fraction(rate) * Fraction(stream.time_base))))


def _plain(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)


class RgbConverter:
    """Frames to 8-bit RGB with alpha composited over white, as coded (not rotated).

    One reformatter is kept, because a new one per frame costs 20 to 40 % of the conversion.
    """

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        self._has_safe_planes: dict[tuple[int, int, str], bool] = {}

    def rgb(self, picture: "av.VideoFrame", size: tuple[int, int] | None = None) -> np.ndarray:
        """uint8 array (height, width, 3); of `size` (width, height) where one is given, by areas."""
        if has_alpha(picture.format.name):
            rgba = self._reformatter.reformat(picture, format="rgba", threads=1).to_ndarray()
            if size is None or size == (picture.width, picture.height):
                return over_white(rgba)
            # Composited at full size: a scaler would mix the colours of pixels that nobody sees.
            picture = type(picture).from_ndarray(over_white(rgba), format="rgb24")
        if size is None:
            return self._reformatter.reformat(picture, format="rgb24", threads=1).to_ndarray()
        width, height = size
        return self._reformatter.reformat(
            picture, width, height, format="rgb24", interpolation="AREA", threads=1
        ).to_ndarray()

    def planes(self, picture: "av.VideoFrame") -> list[np.ndarray]:
        """Red, green and blue, each uint8 (height, width): the same values as `rgb`, at less cost."""
        import cv2

        shape = (picture.width, picture.height, picture.format.name)
        if has_alpha(picture.format.name) or self._has_safe_planes.get(shape) is False:
            return list(cv2.split(self.rgb(picture)))
        planar = self._reformatter.reformat(picture, format="gbrp", threads=1)
        green, blue, red = (plane_pixels(plane) for plane in planar.planes)
        if shape not in self._has_safe_planes:
            # libswscale leaves the last columns of planar RGB unwritten for some widths: look once.
            is_safe = np.array_equal(np.dstack([red, green, blue]), self.rgb(picture))
            self._has_safe_planes[shape] = is_safe
            return self.planes(picture)
        return [red, green, blue]


def plane_pixels(plane: Any) -> np.ndarray:
    """uint8 (rows, width) on the memory of an 8-bit plane, without the padding at the end of its rows."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]


def over_white(rgba: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 4) to uint8 (h, w, 3): (c·a + 255·(255 - a)) / 255, rounded half up."""
    alpha = rgba[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    mixed = rgba[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def upright(pixels: np.ndarray, rotation: int) -> np.ndarray:
    """The picture as displayed: turned counter-clockwise by `rotation` degrees (0, 90, 180, 270)."""
    return np.ascontiguousarray(np.rot90(pixels, k=rotation // 90)) if rotation else pixels
