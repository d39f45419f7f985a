"""What programs read of a file whose pictures carry their number.

Belongs here: a reader a function. Does not belong here: how numbers are drawn and read (`benchmarks.numbered`), what
they should be.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from benchmarks.numbered import HEIGHT, WIDTH, number_in


def by_pyav(path: Path) -> list[int]:
    with av.open(str(path)) as film:
        return [number_in(picture.to_ndarray(format="gray")) for picture in film.decode(video=0)]


def by_packets(path: Path) -> list[int]:
    """As programs read that know no edit lists: every packet of the file, in the order of their stamps."""
    with av.open(str(path), options={"ignore_editlist": "1"}) as film:
        pictures = sorted(film.decode(video=0), key=lambda picture: picture.pts)
        return [number_in(picture.to_ndarray(format="gray")) for picture in pictures]


def by_command_line(path: Path) -> list[int]:
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-fps_mode", "passthrough", "-pix_fmt", "gray"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    return [number_in(grey) for grey in np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH)]


def by_opencv(path: Path) -> list[int]:
    film = cv2.VideoCapture(str(path))
    found = []
    while (answer := film.read())[0]:
        found.append(number_in(cv2.cvtColor(answer[1], cv2.COLOR_BGR2GRAY)))
    assert int(film.get(cv2.CAP_PROP_FRAME_COUNT)) == len(found)
    return found


READERS: dict[str, Callable[[Path], list[int]]] = {
    "PyAV": by_pyav,
    "packets": by_packets,
    "command line": by_command_line,
    "OpenCV": by_opencv,
}


def sought(path: Path, stamp_s: float) -> int:
    """What a player shows after it was sent to a time."""
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        film.seek(int(stamp_s / video.time_base), stream=video, backward=True)
        at = 0
        for picture in film.decode(video):
            if picture.time > stamp_s + 1e-6:
                break
            at = number_in(picture.to_ndarray(format="gray"))
    return at
