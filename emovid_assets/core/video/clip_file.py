"""Frame-exact, playable clip files: MP4, the index first, and WebM where they hold packets of VP8.

Belongs here: the choice between copying, joining and encoding, and encoding an interval to H.264 and AAC. Does not
belong here: which intervals there are, how packets are copied (`clip_copy`) and joined (`clip_join`).

Packets are copied wherever the file then shows exactly the frames of the clip: no loss, a fraction of the cost.
Encoded frames keep their presentation stamps, so variable rates and GIF delays survive. 4:2:0 needs even sides: odd
pictures are extended by repeating the last row or column, never scaled. The shape of the pixels is the source's.
Colours are tagged as they were made: pictures that go straight to the encoder keep the matrix that the source is read
with, others are BT.709; all are of limited range.
"""

import math
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Self

from emovid_assets.core.placing import make_folder, move_into_place, temporary_beside
from emovid_assets.core.video.clip_container import MP4, WEBM, clip_container
from emovid_assets.core.video.clip_copy import copy_clip
from emovid_assets.core.video.clip_join import join_clip
from emovid_assets.core.video.clip_source import CannotCopyError, Source, open_source
from emovid_assets.core.video.encoding import FILM_OPTIONS, FINEST_RATE, add_h264, even
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.rgb import (
    BT709,
    LIMITED,
    UNSPECIFIED,
    RgbConverter,
    colour_rule,
    has_alpha,
    upright,
    white_below,
)
from emovid_assets.core.video.sound import Sound, clip_sound
from emovid_assets.core.video.sound_track import add_sound_track, write_sound
from emovid_assets.core.video.streams import Tracks
from emovid_assets.core.video.written import Written, codec_name, read_written

DRAWN_QP, DRAWN_STEP_S = 21, 0.04
"""The quantiser of animations whose pictures are shown for so long: as good as films of `encoding.CRF`."""
DRAWN_PRESET = "superfast"
DRAWN_PARAMS = "partitions=i4x4,p8x8:8x8dct=0:subme=0:weightp=0:scenecut=0:psy=0:ipratio=1.8"
"""Parts of 8 pixels that move by whole ones: what more tools would save of the bytes of flat colours
costs more time than all else that is done to a picture (docs/media_benchmarks.md)."""
FINEST_CLOCK_S = Fraction(1, 1_000_000)
"""FFmpeg's MP4 muxer counts a picture's ticks in 31 bits: of the nanoseconds that WebM may count in, 2.1 s."""
Way = Literal["exact", "copy", "encode"]
"""How clip files are made: `exact` joins or encodes what copying alone cannot show in every program, `copy` hides it by
edit lists, `encode` copies no picture."""
How = Literal["copied", "joined", "encoded"]
"""What became of the pictures of a clip: all are the source's packets, some are, none is."""


@dataclass(frozen=True)
class WrittenClip:
    """What players find in a clip file, and how it came about. `encoding_reason` is a key of
    `clip_source.REASONS`, why pictures were encoded; null where all were copied."""

    duration_s: float
    hidden_frame_count: int
    video_codec: str
    audio_codec: str | None
    colour_matrix: str
    is_colour_tagged: bool
    how: How
    encoding_reason: str | None

    @property
    def suffix(self) -> str:
        """Of the file's name."""
        return clip_container(self.video_codec).suffix

    @classmethod
    def of(cls, file: Written, how: How, encoding_reason: str | None) -> Self:
        return cls(
            duration_s=file.duration_s,
            hidden_frame_count=file.hidden_frame_count,
            video_codec=file.video_codec,
            audio_codec=file.audio_codec,
            colour_matrix=file.colour_matrix,
            is_colour_tagged=file.is_colour_tagged,
            how=how,
            encoding_reason=encoding_reason,
        )


def write_clip(path: Path, tracks: Tracks, segment: dict[str, Any], target: Path, *, way: Way = "exact") -> WrittenClip:
    """Writes frames `start_pts` ≤ pts < `end_pts` and the sound of the same interval to a file in one step.

    The file is called as `target` is, with the `suffix` of what is returned in place of its own. `segment` is a row of
    `scan_source`, with the source's `video_start_s`.
    Raises MediaError `corrupt_frames` where the number of frames differs from the segment's, `not_the_clip` where the
    file does not show them for as long as the clip lasts, `write_failed` where the file cannot be written.
    """
    with ClipWriter(path, tracks, way=way) as writer:
        return writer.write(segment, target)


class ClipWriter:
    """Writes clips of one source, which is opened once: a context manager, or to be closed."""

    def __init__(self, path: Path, tracks: Tracks, *, way: Way = "exact") -> None:
        self._path = path
        self._tracks = tracks
        self._way = way
        self._stack = ExitStack()
        self._source: Source | None = None
        self._refusal: str | None = None
        try:
            if way == "encode":
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
            make_folder(target.parent)
            with temporary_beside(target) as temporary:
                written = self._write(segment, temporary)
                move_into_place(temporary, target.with_suffix(written.suffix))
                return written
        except OSError as error:
            raise MediaError("write_failed", f"Writing {target.name}: {error}") from error

    def _write(self, segment: dict[str, Any], target: Path) -> WrittenClip:
        reason = self._refusal
        if self._source is not None:
            try:
                return self._copied(self._source, segment, target)
            except CannotCopyError as error:
                reason = error.reason
        sound = self._sound(segment)
        count = _encode(self._path, self._tracks, segment, sound, target)
        expected = segment["end_frame"] - segment["start_frame"]
        if count != expected:
            raise MediaError("corrupt_frames", f"The clip should have {expected} frames, {count} were decoded")
        return WrittenClip.of(_proved(target, expected, segment["end_s"] - segment["start_s"]), "encoded", reason)

    def _copied(self, source: Source, segment: dict[str, Any], target: Path) -> WrittenClip:
        # WebM has no edit lists that could hide anything.
        if self._way == "copy" and clip_container(codec_name(source.video)) is not WEBM:
            return WrittenClip.of(copy_clip(source, segment, target, lambda: self._sound(segment)), "copied", None)
        made = join_clip(source, segment, target, lambda rate_hz: self._sound(segment, rate_hz))
        return WrittenClip.of(made.file, "joined" if made.reason else "copied", made.reason)

    def _sound(self, segment: dict[str, Any], rate_hz: int | None = None) -> Sound | None:
        return clip_sound(self._path, self._tracks, segment, rate_hz=rate_hz)


def _proved(target: Path, frame_count: int, length_s: float) -> Written:
    """Facts of an encoded file. Raises MediaError where it is not the clip."""
    try:
        written = read_written(target)
    except ValueError as error:
        raise MediaError("write_failed", f"What was written cannot be read: {error}") from error
    if written.frame_count != frame_count or not written.lasts(length_s):
        seen = f"The file that was written shows {written.frame_count} frames in {written.duration_s:.3f} s"
        raise MediaError("not_the_clip", f"{seen}, the clip has {frame_count} in {length_s:.3f} s")
    return written


def _encode(path: Path, tracks: Tracks, segment: dict[str, Any], sound: Sound | None, target: Path) -> int:
    import av

    start_pts, end_pts = segment["start_pts"], segment["end_pts"]
    converter = _Converter()
    count = 0
    durations: dict[int, int] = {}
    with av.open(str(target), "w", format=MP4.name, options={"movflags": "+faststart"}) as output:
        stream: Any = None
        audio: Any = None
        video = Video(path, tracks, start_pts=start_pts if segment["start_frame"] else None)
        for frame in video.frames():
            if frame.pts >= end_pts:
                break
            picture = converter.encodable(frame)
            if stream is None:
                time_base = Fraction(frame.picture.time_base)
                clock = max(time_base, FINEST_CLOCK_S)
                rate = time_base / clock
                # The picture comes first in the file, as players and our own readers expect.
                aspect = video.pixel_aspect()
                stream = _add_video(output, picture, clock, segment, is_drawn=video.is_drawn)
                stream.codec_context.sample_aspect_ratio = 1 / aspect if frame.rotation in (90, 270) else aspect
                audio = add_sound_track(output, sound)
            pts = _times(frame.pts - start_pts, rate)
            picture.pts, picture.time_base = pts, clock
            # The next picture ends each but the last, which stays until the cut, whatever the source's packet says.
            durations[pts] = _times(end_pts - frame.pts, rate)
            for packet in stream.encode(picture):
                _mux(output, packet, durations, clock)
            count += 1
        if stream is None:
            return 0
        for packet in stream.encode(None):
            _mux(output, packet, durations, clock)
        if audio is not None and sound is not None:
            write_sound(output, audio, sound)
    return count


def _mux(output: Any, packet: Any, durations: dict[int, int], clock: Fraction) -> None:
    # The muxer takes the last packet's word for when the track ends: the last picture is shown until the cut. Without
    # this it would last as long as the encoder guesses, and a sticker would end too early.
    rate = packet.time_base / clock
    ticks = _times(packet.pts, rate)
    if ticks in durations:
        packet.duration = _times(durations[ticks], 1 / rate)
    output.mux(packet)


def _times(ticks: int, rate: Fraction) -> int:
    """The ticks on a clock that counts `rate` where theirs counts one; mostly it is the same one."""
    return ticks if rate == 1 else round(ticks * rate)


def _add_video(output: Any, picture: Any, time_base: Fraction, segment: dict[str, Any], *, is_drawn: bool) -> Any:
    frames = segment["end_frame"] - segment["start_frame"]
    length_s = max(segment["end_s"] - segment["start_s"], 1e-3)
    rate = Fraction(frames / length_s).limit_denominator(FINEST_RATE)
    return add_h264(
        output,
        picture,
        rate=max(rate, Fraction(1, 10)),
        clock=time_base,
        options=_drawn_options(length_s / frames) if is_drawn else FILM_OPTIONS,
        params=DRAWN_PARAMS if is_drawn else "",
    )


def _drawn_options(step_s: float) -> dict[str, str]:
    """x264's options for an animation by how long a picture is shown: one quantiser, nothing looks ahead.

    As x264's rate factor does, pictures that people look at for longer get more, by the same power and limits.
    """
    qp = DRAWN_QP - 6 * 0.4 * math.log2(min(max(step_s, 0.01), 1.0) / DRAWN_STEP_S)
    return {"qp": str(round(qp)), "preset": DRAWN_PRESET}


class _Converter:
    """Frames as the encoder takes them: upright, even-sided, opaque yuv420p, all tagged like the first."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()
        self._rgb = RgbConverter()
        self._matrix: tuple[int, int] | None = None

    def encodable(self, frame: Frame) -> Any:
        picture, rule = frame.picture, colour_rule(frame.picture)
        is_even = picture.width % 2 == 0 and picture.height % 2 == 0
        is_plain = is_even and not frame.rotation and not has_alpha(picture.format.name) and rule.code is not None
        # Straight from the decoder where that is possible: no detour through RGB, no second loss of chroma.
        source = picture if is_plain else self._opaque(frame, is_as_shown=is_even and not frame.rotation)
        if self._matrix is None:
            code = rule.code if is_plain and rule.code else BT709
            # BT.601 has two tags: the source's own stays.
            self._matrix = code, int(picture.colorspace) if is_plain and rule.is_tagged else code
        code, tag = self._matrix
        made = self._reformatter.reformat(
            source,
            format="yuv420p",
            dst_colorspace=code,
            dst_color_range=LIMITED,
            threads=1,
            **(rule.source if is_plain else {}),
        )
        # A picture that needed no conversion comes back with the tags that it had, or none.
        made.colorspace, made.color_range = tag, LIMITED
        for name in ("color_primaries", "color_trc"):
            # Chromium ignores a matrix that comes without primaries and transfer; these two leave colours as they are.
            setattr(made, name, BT709 if getattr(picture, name) == UNSPECIFIED else getattr(picture, name))
        return made

    def _opaque(self, frame: Frame, *, is_as_shown: bool) -> Any:
        import av

        # Of four bytes a pixel libswscale makes 4:2:0 in two thirds of the time, and leaves out alpha.
        if is_as_shown and white_below(frame.picture) is not None:
            return frame.picture
        pixels = even(upright(self._rgb.rgb(frame.picture), frame.rotation))
        return av.VideoFrame.from_ndarray(pixels, "rgb24")
