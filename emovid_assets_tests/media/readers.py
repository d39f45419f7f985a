"""Pictures that carry their number, and what programs read of a file of them.

Belongs here: drawing and reading numbers, a reader a function. Does not belong here: what the numbers should be.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

CELLS = 10
HEIGHT, WIDTH = 96, 160


def barcode(number: int) -> np.ndarray:
    """A picture that says its number in ten columns, black or light, above a texture that drifts."""
    columns = [230 * (number >> bit & 1) for bit in range(CELLS)]
    row = np.repeat(np.array(columns, np.uint8), WIDTH // CELLS)
    picture = np.repeat(np.broadcast_to(row, (HEIGHT, WIDTH))[:, :, None], 3, axis=2)
    texture = np.random.default_rng(0).integers(0, 256, (8, WIDTH, 3), np.uint8)
    picture[-16:] = np.roll(np.repeat(texture, 2, axis=0), 2 * number, axis=1)
    return picture


def number_in(grey: np.ndarray) -> int:
    """The number of a picture by its middle row."""
    row = grey[grey.shape[0] // 2]
    cell = len(row) / CELLS
    return sum(int(row[int((bit + 0.5) * cell)] > 115) << bit for bit in range(CELLS))


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
