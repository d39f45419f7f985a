"""Pictures to H.264 in MP4, so that the same pictures give the same bytes.

Belongs here: how the encoder is set, and writing a film of pictures at one rate. Does not belong here: clips of a
source with their own stamps and sound (`clip_file`), joining encoded parts (`clip_ends`).
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.video.clip_container import MP4
from emovid_assets.core.video.rgb import BT709, LIMITED

CRF = 18
"""x264's constant rate factor: visually lossless by x264's own documentation."""
PRESET = "veryfast"
FILM_OPTIONS = {"crf": str(CRF), "preset": PRESET}
_SAME_BYTES = "cpu-independent=1"
"""Otherwise x264's macroblock tree gives other bytes for the same pictures from one run to the next (8 of 8), and one
processor other bytes than another."""
_TAGS = ("colorspace", "color_range", "color_primaries", "color_trc")
FINEST_RATE = 1001
"""Largest denominator of a rate: that of 24000/1001."""


def add_h264(
    output: Any, picture: Any, *, rate: Fraction, clock: Fraction, options: Mapping[str, str], params: str = ""
) -> Any:
    """A stream for pictures of the size and with the colour tags of this one, whose stamps count in `clock`."""
    stream = output.add_stream("libx264", rate=rate)
    stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
    stream.codec_context.time_base = clock
    stream.codec_context.thread_count = 1
    # Untagged, players would choose the matrix by the size of the picture, each by a limit of its own.
    for name in _TAGS:
        setattr(stream.codec_context, name, getattr(picture, name))
    # Without B-frames the last packet is the last picture, whose duration MP4 takes for the end of the track:
    # stickers that rest on their last frame keep their length.
    stream.options = {**options, "bf": "0", "x264-params": f"{_SAME_BYTES}:{params}" if params else _SAME_BYTES}
    return stream


def write_film(path: Path, pictures: Iterable[np.ndarray], fps: float, *, has_edit_list: bool = True) -> int:
    """Writes pictures, uint8 (height, width, 3) RGB, one after another at a rate; returns how many.

    BT.709 of limited range, and tagged so. Odd sides are made even by repeating the last row or column.
    `has_edit_list`: FFmpeg writes one, also where it changes nothing.
    """
    import av
    from av.video.reformatter import VideoReformatter

    rate = Fraction(fps).limit_denominator(FINEST_RATE)
    reformatter, stream, count = VideoReformatter(), None, 0
    edits = {} if has_edit_list else {"use_editlist": "0"}
    with av.open(str(path), "w", format=MP4.name, options={"movflags": "+faststart", **edits}) as output:
        for rgb in pictures:
            made = reformatter.reformat(
                av.VideoFrame.from_ndarray(even(np.ascontiguousarray(rgb)), "rgb24"),
                format="yuv420p",
                dst_colorspace=BT709,
                dst_color_range=LIMITED,
                threads=1,
            )
            for name in _TAGS:
                setattr(made, name, LIMITED if name == "color_range" else BT709)
            if stream is None:
                stream = add_h264(output, made, rate=rate, clock=1 / rate, options=FILM_OPTIONS)
            made.pts, made.time_base = count, 1 / rate
            for packet in stream.encode(made):
                output.mux(packet)
            count += 1
        for packet in stream.encode(None) if stream is not None else ():
            output.mux(packet)
    return count


def even(pixels: np.ndarray) -> np.ndarray:
    """4:2:0 needs even sides."""
    import cv2

    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return pixels
    return np.asarray(cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
