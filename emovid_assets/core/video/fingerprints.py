"""What proves that a file shows the same pictures as another, and by what a re-encoded film is recognised.

Belongs here: the hash over all pictures as they are decoded, and hashes to the eye. Does not belong here: which clips
are hashed (`resources.media`), where a clip lies in another film (`core.release.matching`).

`picture_sha256` is SHA-256 over every picture that is shown, in the order of showing. Of each picture come, in turn

- a line in ASCII, `<pixel format> <width>x<height>` and a line feed: FFmpeg's name of the format as it is decoded
  (`yuv420p`; a name with `yuvj` is written with `yuv`, since newer versions know the full range by its tag alone),
  and the size as coded, before any turning,
- the bytes of each plane, row by row from the top, without what pads the rows.

Nothing is converted: versions of libswscale differ, decoders of one codec do not. A number of decoder threads changes
nothing.

A hash to the eye (pHash) is of 64 bits: brightness, averaged to 32 × 32 as displayed, its cosine transform, and of the
8 × 8 lowest frequencies, row by row, whether each is above their median; 16 hex digits, the first bit the highest.
A picture that shows nothing has the hash `FLAT`, and is no evidence.
"""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.rgb import RgbConverter, has_alpha, upright
from emovid_assets.core.video.stamps import last_duration
from emovid_assets.core.video.streams import ONLY, Tracks

HASH_STEP_S = Fraction(1, 4)
"""Between pictures that are hashed to the eye, at least; the first and the last always are."""
FLAT = "0" * 16
"""No other picture has it: half of its bits are above the median."""
FLAT_SD = 3.0
"""Of the 32 × 32 values, of 255: below it, hashes are of grain (docs/release.md)."""
_SIDE, _LOWEST = 32, 8


@dataclass(frozen=True)
class Fingerprint:
    """Columns of `clip_fingerprints`."""

    picture_sha256: str
    picture_count: int
    hash_times_s: list[float]
    picture_hashes: list[str]


def fingerprint(path: Path) -> Fingerprint:
    """Of a clip file, from one decoding. Raises MediaError `corrupt_frames` where it cannot be decoded."""
    digest, eye = hashlib.sha256(), _Eye()
    hashes: dict[Fraction, str] = {}
    last: Frame | None = None
    first_pts = count = 0
    time_s = next_s = Fraction(0)
    with closing(Video(path).frames()) as frames:
        for frame in frames:
            feed(digest, frame.picture)
            first_pts = first_pts if last else frame.pts
            time_s = (frame.pts - first_pts) * Fraction(frame.picture.time_base)
            if time_s >= next_s:
                hashes[time_s] = f"{eye.hash(frame):016x}"
                next_s = time_s + HASH_STEP_S
            last, count = frame, count + 1
    if last is None:
        raise MediaError("corrupt_frames", "The clip file holds no frame")
    if time_s not in hashes:
        hashes[time_s] = f"{eye.hash(last):016x}"
    return Fingerprint(digest.hexdigest(), count, [float(time_s) for time_s in hashes], list(hashes.values()))


@dataclass(frozen=True)
class FilmPictures:
    """All pictures of a film: stamps in ticks of `tick_s` seconds, int64 (pictures,); hashes to the eye, uint64;
    whether the file shows each at another time. `end_pts`: where the last picture ends."""

    tick_s: float
    pts: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    is_mended: npt.NDArray[np.bool_]
    end_pts: int


def film_pictures(path: Path, tracks: Tracks = ONLY) -> FilmPictures:
    """Every picture of a film, from one decoding. Raises MediaError `corrupt_frames`."""
    eye = _Eye()
    pts: list[int] = []
    hashes: list[int] = []
    mended: list[bool] = []
    tick_s, duration = 0.0, 0
    with closing(Video(path, tracks).frames()) as frames:
        for frame in frames:
            tick_s, duration = float(frame.picture.time_base), frame.duration
            pts.append(frame.pts)
            hashes.append(eye.hash(frame))
            mended.append(frame.is_mended)
    if not pts:
        raise MediaError("corrupt_frames", "Not a single frame can be decoded")
    end_pts = pts[-1] + last_duration(duration, pts)
    return FilmPictures(tick_s, np.array(pts, np.int64), np.array(hashes, np.uint64), np.array(mended, bool), end_pts)


def feed(digest: Any, picture: Any) -> None:
    """Hands a decoded picture to a hash, as the module says.

    Raises MediaError `unsupported_codec` for pixels that do not fill whole bytes, or come with a palette.
    """
    name = picture.format.name.replace("yuvj", "yuv")
    digest.update(f"{name} {picture.width}x{picture.height}\n".encode("ascii"))
    for rows in visible(picture):
        digest.update(rows)


def visible(picture: Any) -> Iterator[npt.NDArray[np.uint8]]:
    """The bytes of each plane without padding, uint8 (rows, bytes), contiguous."""
    form = picture.format
    is_packed_rgb = form.is_rgb and not form.is_planar
    has_gaps = form.bits_per_pixel != form.padded_bits_per_pixel or any(part.bits % 8 for part in form.components)
    if form.has_palette or form.is_bit_stream or (is_packed_rgb and has_gaps):
        raise MediaError("unsupported_codec", f"Pictures of {form.name} are not hashed")
    for index, plane in enumerate(picture.planes):
        parts = [part for part in form.components if part.plane == index]
        row_bytes = sum(part.width * ((part.bits + 7) // 8) for part in parts)
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, :row_bytes]
        yield np.ascontiguousarray(rows)


class _Eye:
    """Hashes pictures of one film as they are seen: upright, whatever their format."""

    def __init__(self) -> None:
        self._converter = RgbConverter()

    def hash(self, frame: Frame) -> int:
        import cv2

        grey = cv2.resize(self._grey(frame.picture), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        return picture_hash(upright(grey, frame.rotation))

    def _grey(self, picture: Any) -> npt.NDArray[Any]:
        """(height, width), of any scale: brightness straight from its plane where there is one."""
        import cv2

        form = picture.format
        is_packed = not form.is_planar and len(form.components) > 1
        if form.is_rgb or form.has_palette or is_packed or has_alpha(form.name):
            return cv2.cvtColor(self._converter.rgb(picture), cv2.COLOR_RGB2GRAY)
        bits = form.components[0].bits
        if bits <= 8:
            plane = picture.planes[0]
            return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        order = ">u2" if form.is_big_endian else "<u2"
        rows = next(visible(picture)).view(order)
        # Eight bits are plenty; P010 and its like stand in the upper bits.
        return np.asarray(rows >> (8 if form.name.startswith("p0") else bits - 8), np.uint8)


def picture_hash(grey: npt.NDArray[Any]) -> int:
    """The hash to the eye of (32, 32) values of brightness; 0 where they show nothing."""
    import cv2

    values = grey.astype(np.float32)
    if values.std() < FLAT_SD:
        return 0
    lowest = cv2.dct(values)[:_LOWEST, :_LOWEST]
    bits = (lowest > np.median(lowest)).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
