"""What is measured of a generated video without any model, from one decoding.

Belongs here: flicker, how much the later frames look like the first, and what the embedded labeller sees of a clip.
Does not belong here: which videos, models (`text_model`, `video_encoder`), formulas of flicker (`flicker`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.colour import ColourSums, colour_attributes
from emovid_assets.core.embedded_labeller import measured_features
from emovid_assets.core.generation.flicker import Common, FlickerMeter, NearestShown
from emovid_assets.core.labelling import ClipEvidence
from emovid_assets.core.video.reading import Frame
from emovid_assets.core.video.rgb import RgbConverter, colour_rule, has_alpha
from emovid_assets.core.video.scan import ScanSettings, measured_whole
from emovid_assets.core.video.streams import ONLY, Tracks

VERSION = "2"
PICTURE_FEATURES = 35
"""The first of `measured_features`: palette (28), colour means (4), motion (3). Length, rhythm and sound are those of
the files and not of the pictures: real clips are longer and have sound."""
_LEVELS, _LOOK_PX, _LOOKS_AT_ONCE = 8, 32, 256


def measured_video(path: Path, settings: ScanSettings, common: Common, tracks: Tracks = ONLY) -> dict[str, Any]:
    """Plain values: `flicker_native`, `flicker_common`, `first_frame_consistency` (each null where there are too few
    frames), `frame_count`, `duration_s`, `features` (as of a row of `clip_features`), `colour` (`ColourSums`), and how
    its pictures are read (`colour_matrix`, `is_colour_tagged`). Raises MediaError.

    The pixels of `flicker_native` are those that OpenCV gives, which VBench reads with: by the tags of the file.
    """
    watched = _Watched(common)
    segment = measured_whole(path, settings, watched, tracks)
    return {
        "frame_count": segment["end_frame"],
        "duration_s": segment["duration_s"],
        **watched.found(segment["duration_s"]),
        "features": {**segment["features"], "duration_s": segment["duration_s"]},
        "colour": list(segment["colour"]),
    }


def evidence_of_video(video_id: str, domain: str, measured: Mapping[str, Any]) -> ClipEvidence:
    """What the embedded labeller is given of a video, from what `measured_video` gave."""
    colour = colour_attributes(ColourSums(*measured["colour"]))
    return ClipEvidence(video_id, domain, measured["duration_s"], measured["features"], colour)


def picture_features(clip: ClipEvidence) -> np.ndarray:
    """float64 (35,): of a generated video or a real clip, for distances between sets of them."""
    return measured_features(clip)[:PICTURE_FEATURES]


class _Watched:
    """Frame by frame, while the scan goes over them."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._native, self._at_common = FlickerMeter(), FlickerMeter()
        self._nearest = NearestShown[Frame](common.stamps())
        self._converter = RgbConverter()
        self._first_pts = 0
        self._size: tuple[int, int] | None = None
        self._rule: dict[str, Any] = {}
        self._looks: list[np.ndarray] = []
        self._first_palette: np.ndarray | None = None
        self._cosines: list[float] = []

    def __call__(self, frame: Frame, pixels: np.ndarray) -> None:
        import cv2

        picture = frame.picture
        if self._size is None:
            self._first_pts = frame.pts
            self._size = self._common.size(picture.width, picture.height)
            rule = colour_rule(picture)
            self._rule = {"colour_matrix": rule.matrix, "is_colour_tagged": rule.is_tagged}
        if pixels.shape[2] == 4 and has_alpha(picture.format.name):
            # Only where nothing can be transparent the fourth channel is the same everywhere.
            pixels = np.ascontiguousarray(pixels[..., :3])
        self._native.add(pixels)
        self._looks.append(cv2.resize(pixels, (_LOOK_PX, _LOOK_PX), interpolation=cv2.INTER_NEAREST)[..., :3])
        if len(self._looks) == _LOOKS_AT_ONCE:
            self._compare()
        if not self._nearest.is_complete:
            shown_s = float((frame.pts - self._first_pts) * picture.time_base)
            for chosen in self._nearest.add(shown_s, frame):
                self._look_at_common(chosen)

    def _look_at_common(self, chosen: Frame) -> None:
        assert self._size is not None
        self._at_common.add(self._converter.compared(chosen.picture, self._size))

    def _compare(self) -> None:
        """Of the looks that have come since the last time: frame by frame they would cost as much as the flicker."""
        palettes = _palettes(np.stack(self._looks))
        self._looks.clear()
        if self._first_palette is None:
            self._first_palette, palettes = palettes[0], palettes[1:]
        self._cosines += np.minimum(palettes @ self._first_palette, 1.0).tolist()

    def found(self, duration_s: float) -> dict[str, Any]:
        """After the last frame."""
        if self._looks:
            self._compare()
        for chosen in self._nearest.finish():
            self._look_at_common(chosen)
        return {
            "flicker_native": self._native.value,
            "flicker_common": self._at_common.value if self._common.is_filled_by(duration_s) else None,
            "first_frame_consistency": float(np.mean(self._cosines)) if self._cosines else None,
            **self._rule,
        }


def _palettes(looks: np.ndarray) -> np.ndarray:
    """float64 (frames, 512), each of length 1, of uint8 (frames, height, width, 3): the square roots of how many pixels
    fall into which of 8 × 8 × 8 colours. The product of two of them is Bhattacharyya's coefficient."""
    levels = looks.astype(np.int64) * _LEVELS // 256
    colours = (levels[..., 0] * _LEVELS + levels[..., 1]) * _LEVELS + levels[..., 2]
    counts = np.stack([np.bincount(one.ravel(), minlength=_LEVELS**3) for one in colours])
    return np.sqrt(counts / counts.sum(axis=1, keepdims=True))
