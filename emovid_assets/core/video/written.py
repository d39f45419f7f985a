"""What a clip file holds, by its index, or by its packets where it has none: no picture is decoded.

Belongs here: the facts that the writer proves a file by, and that anybody may compare with the tables later. Does not
belong here: what the file should hold (`clip_copy`, `clip_file`), what is said where it does not (`checks.clip_files`).
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from emovid_assets.core.video.clip_container import WEBM, clip_container
from emovid_assets.core.video.mp4 import is_shown_on_its_side
from emovid_assets.core.video.rgb import yuv_matrix
from emovid_assets.core.video.shown import is_shown

INDEX_ONLY = {"skip_frame": "all", "probesize": "32", "analyzeduration": "1"}
"""Opens a file without decoding its first frames, which would cost more than writing the clip."""

MICROSECONDS = 1_000_000
"""In which FFmpeg gives the length of a file."""


@dataclass(frozen=True)
class Written:
    """What players find in a clip file. Sizes are as displayed; `frame_count` counts the pictures that are shown,
    `hidden_frame_count` those that the file holds beside them and its edit list hides. `colour_matrix` and
    `is_colour_tagged` are those of `rgb.colour_rule`."""

    duration_s: float
    frame_count: int
    hidden_frame_count: int
    width_px: int
    height_px: int
    video_codec: str
    audio_codec: str | None
    colour_matrix: str
    is_colour_tagged: bool
    tick_s: float

    def lasts(self, seconds: float) -> bool:
        """Whether the pictures last so long, as far as the clock of the file can say it."""
        return abs(self.duration_s - seconds) <= max(2 * self.tick_s, 0.001)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """PyAV container of a clip file. Raises FFmpegError where it is none."""
    import av

    av.logging.set_level(av.logging.PANIC)
    with av.open(str(path), metadata_errors="ignore", options=INDEX_ONLY) as container:
        yield container


def facts_of(path: Path, container: Any) -> Written:
    """Facts of a clip file that was just opened. Raises ValueError where it is none with pictures."""
    video, audio = (
        next((stream for stream in streams if stream.codec_context), None)
        for streams in (container.streams.video, container.streams.audio)
    )
    if video is None:
        raise ValueError("The file has no pictures")
    tick = Fraction(video.time_base)
    codec = codec_name(video)
    is_webm = clip_container(codec) is WEBM
    if is_webm:
        # Its index names key frames only, and the file as a whole says how long it lasts.
        packets = [packet for packet in container.demux(video) if packet.size]
        shown, count = sum(is_shown(codec, packet) for packet in packets), len(packets)
        container.seek(0)
        duration_s = float(Fraction(container.duration or 0, MICROSECONDS))
    else:
        # Behind the end the index that FFmpeg makes by the edit list ends, too: the file's own count has them all.
        shown, count = sum(not entry.is_discard for entry in video.index_entries), video.frames
        duration_s = float((video.duration or 0) * tick)
    size = video.codec_context.width, video.codec_context.height
    # Before a picture is decoded its format may be unknown; those of clip files all have colour differences.
    matrix, is_tagged = yuv_matrix(int(video.codec_context.colorspace), *size)
    width, height = reversed(size) if not is_webm and is_shown_on_its_side(path) else size
    return Written(
        duration_s=duration_s,
        frame_count=shown,
        hidden_frame_count=max(0, count - shown),
        width_px=width,
        height_px=height,
        video_codec=codec,
        audio_codec=codec_name(audio) if audio else None,
        colour_matrix=matrix,
        is_colour_tagged=is_tagged,
        tick_s=float(tick),
    )


def read_written(path: Path) -> Written:
    """Facts of a clip file. Raises ValueError, which says what is wrong, where it cannot be read as one."""
    import av

    try:
        with opened(path) as container:
            return facts_of(path, container)
    except (av.error.FFmpegError, OSError, struct.error) as error:
        raise ValueError(getattr(error, "strerror", None) or str(error)) from error


def codec_name(stream: Any) -> str:
    """The codec's name, whichever decoder reads it."""
    return str(stream.codec_context.codec.canonical_name)
