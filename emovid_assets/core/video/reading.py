"""One way to get frames out of any file: PyAV for films, `animations` for GIF, APNG, WebP and AVIF.

Belongs here: opening, seeking, decoding. Does not belong here: which stream is read (`streams`), when its pictures are
shown (`stamps`), the colours of a frame (`rgb`), what is measured on it.

Time is always by presentation stamps; those of stickers are sums of delays, as viewers see them.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from emovid_assets.core.video import stamps
from emovid_assets.core.video.animations import drawn_frames
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.stamps import NO_STAMPS, Delay, InOrder, Stamped
from emovid_assets.core.video.streams import ONLY, Tracks
from emovid_assets.core.video.structure import Animation, animation_kind, why_unreadable

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
    """A decoded frame. `pts` and `duration` count ticks of the video's `time_base`; a duration of 0 is not declared.

    `is_mended`: the file itself shows it at another time.
    """

    index: int
    pts: int
    duration: int
    picture: Any
    is_mended: bool = False

    def without_picture(self) -> "Frame":
        """The stamps alone: the memory of the picture is free again."""
        return Frame(self.index, self.pts, self.duration, None, self.is_mended)

    @property
    def rotation(self) -> int:
        """Degrees to turn the picture counter-clockwise for display: a multiple of 90."""
        return int(self.picture.rotation) % 360


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


class Video:
    """Frames of a film in presentation order, from the first or from a given stamp. Clip files need no `tracks`.

    `animation`: what an animated picture says of itself, where it was read already.
    """

    def __init__(
        self,
        path: Path,
        tracks: Tracks = ONLY,
        *,
        start_pts: int | None = None,
        animation: Animation | None = None,
    ) -> None:
        self.path = path
        self.tracks = tracks
        self.start_pts = start_pts
        self._animation = animation
        self._guessed_rate: Fraction | None = None

    @cached_property
    def is_drawn(self) -> bool:
        """Whether it is an animated picture."""
        return self._kind is not None

    @cached_property
    def _kind(self) -> str | None:
        return animation_kind(self.path)

    def nominal_rate(self) -> Fraction:
        """Frames per second as the container suggests it; 25 where it suggests nothing.

        Cut detectors count their shortest scene against this rate, as PySceneDetect's own PyAV backend does.
        """
        if self._kind in WITHOUT_RATE:
            return Fraction(25)
        # Opening a short film costs as much as several of its frames: whoever decodes it has it open.
        if self._guessed_rate is None:
            with open_container(self.path) as container:
                self._guessed_rate = self._rate_of(container)
        return self._guessed_rate

    def _rate_of(self, container: Any) -> Fraction:
        return Fraction(container.streams[self.tracks.video_index].guessed_rate or 25)

    def pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height, as coded; 1 where the file does not say."""
        if self.is_drawn:
            return Fraction(1)
        with open_container(self.path) as container:
            return Fraction(container.streams[self.tracks.video_index].sample_aspect_ratio or 1)

    def frames(self) -> Generator[Frame]:
        """All frames, or those with `pts >= start_pts`; `index` counts what is yielded.

        `start_pts` must be the stamp of a frame. Raises MediaError `corrupt_frames` where the decoder gives up.
        """
        if self.is_drawn:
            source: Iterator[Stamped] = stamps.ascending(drawn_frames(self.path, self._animation))
        else:
            source = self._all() if self.start_pts is None else self._from(self.start_pts)
        index = 0
        for pts, duration, picture, is_mended in source:
            if self.start_pts is not None and pts < self.start_pts:
                continue
            yield Frame(index, pts, duration, picture, is_mended)
            index += 1

    def _all(self) -> Iterator[Stamped]:
        return stamps.ascending(self._decode())

    def _from(self, start_pts: int) -> Iterator[Stamped]:
        """The frames from `start_pts` on, exactly as without seeking: from the beginning where no seek leads there."""
        with open_container(self.path) as container:
            run_ups_s = RUN_UPS_S.get(container.format.name, USUAL_RUN_UPS_S)
            # The demuxer hands on a palette once, at the beginning: behind a seek its pictures have no colours.
            has_palette = container.streams[self.tracks.video_index].codec_context.pix_fmt == "pal8"
        for run_up_s in run_ups_s if self.tracks.is_seekable and not has_palette else ():
            with closing(self._decode(start_pts, run_up_s)) as decoded:
                found = stamps.ascending(decoded)
                try:
                    first = next((frame for frame in found if frame.pts >= start_pts), None)
                except (MediaError, _LostError):
                    # A decoder that stops before the clip says nothing about the clip.
                    continue
                if first is not None and first.pts == start_pts:
                    yield first
                    yield from found
                    return
        yield from self._all()

    @cached_property
    def _delay(self) -> Delay | None:
        """How late the decoder puts out the first picture."""
        with open_container(self.path) as container:
            stream = container.streams[self.tracks.video_index]
            stream.thread_type = "NONE"
            order = InOrder()
            for packet in stamps.packets(container, self.tracks, stream):
                if packet.size:
                    order.packet(packet.pts)
                if packet.decode():
                    order.picture(is_flushed=not packet.size)
                    break
        return order.delay

    def _decode(self, start_pts: int | None = None, run_up_s: int = 0) -> Generator[tuple[int | None, int, Any]]:
        """From the beginning, or from a key frame that a seek to `run_up_s` before `start_pts` finds.

        Raises _LostError where the seek did not lead to a known place before the frame.
        """
        import av

        with open_container(self.path) as container:
            stream = container.streams[self.tracks.video_index]
            self._guessed_rate = self._rate_of(container)
            # One thread per process: two single-threaded processes use two cores better than frame threads.
            stream.thread_type = "NONE"
            if start_pts is not None:
                try:
                    container.seek(start_pts - int(run_up_s / stream.time_base), stream=stream, backward=True)
                except av.error.FFmpegError as error:
                    raise _LostError from error
            decoder = _alpha_decoder(stream)
            is_stamped = container.format.name not in NO_STAMPS
            in_order = InOrder(None if is_stamped or start_pts is None else self._delay)
            count = damaged = 0
            is_waiting = start_pts is not None
            try:
                for packet in stamps.packets(container, self.tracks, stream):
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
                    if not is_stamped and packet.size:
                        in_order.packet(packet.pts)
                    for picture in decoder.decode(packet) if decoder else packet.decode():
                        if start_pts is not None and count == 0 and picture.pts is None:
                            raise _LostError
                        pts = picture.pts if is_stamped else in_order.picture(is_flushed=not packet.size)
                        count += 1
                        damaged += picture.is_corrupt
                        yield pts, picture.duration or 0, picture
                # The share is that of the whole film; a clip of it was accepted with the film.
                if start_pts is None and damaged > count * DAMAGED_SHARE:
                    raise MediaError(
                        "corrupt_frames", f"The decoder had to make up parts of {damaged} frames of {count}"
                    )
            except (av.error.FFmpegError, LookupError) as error:
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


def _plain(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)
