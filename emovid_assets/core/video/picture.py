"""What the embedded labeller sees of a picture: palette and a difference hash. And JPEG and PNG files.

Belongs here: measurements on single RGB frames beyond the paper's colour attributes.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

HUE_BINS, LEVEL_BINS = 12, 8
_SIDE_PX = 128


class PictureFeatures:
    """Pools palette and hashes over the sampled frames of a clip."""

    def __init__(self) -> None:
        self._hue = np.zeros(HUE_BINS)
        self._saturation = np.zeros(LEVEL_BINS)
        self._value = np.zeros(LEVEL_BINS)
        self._hashes: list[str] = []

    def add(self, rgb: np.ndarray) -> None:
        """Adds a frame: uint8 (height, width, 3)."""
        import cv2

        small = cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
        hue, saturation, value = hsv[..., 0].ravel(), hsv[..., 1].ravel(), hsv[..., 2].ravel()
        self._hue += np.histogram(hue % 360, HUE_BINS, (0, 360), weights=saturation * value)[0]
        self._saturation += np.histogram(saturation, LEVEL_BINS, (0, 1))[0]
        self._value += np.histogram(value, LEVEL_BINS, (0, 1))[0]
        self._hashes.append(difference_hash(rgb))

    def features(self) -> dict[str, Any]:
        parts = [self._hue, self._saturation, self._value]
        histogram = [(part / part.sum()).tolist() if part.sum() > 0 else [0.0] * len(part) for part in parts]
        hashes = self._hashes
        return {
            "colour_histogram": [share for part in histogram for share in part],
            "frame_hashes": [hashes[0], hashes[len(hashes) // 2], hashes[-1]],
        }


def difference_hash(rgb: np.ndarray) -> str:
    """64-bit difference hash (Krawetz): sign of the horizontal gradient of an 8-row, 9-column grey picture."""
    import cv2

    grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def jpeg(rgb: np.ndarray, path: Path) -> None:
    """Writes a JPEG in one step: never half a file under the final name."""
    _encode(rgb, path, ".jpg")


def png(rgb: np.ndarray, path: Path) -> None:
    """Writes a lossless PNG in one step."""
    _encode(rgb, path, ".png")


def _encode(rgb: np.ndarray, path: Path, suffix: str) -> None:
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, 85] if suffix == ".jpg" else []
    is_encoded, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not is_encoded:
        raise ValueError(f"OpenCV cannot encode {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data.tobytes())
    os.replace(temporary, path)
