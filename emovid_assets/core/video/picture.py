"""Single pictures: the difference hash, whether they show anything, and JPEG and PNG files."""

from pathlib import Path

import numpy as np

from emovid_assets.core.placing import put_bytes

ONE_COLOUR_STEPS = 8
"""Of 255."""
ONE_COLOUR_SHARE = 0.001


def difference_hash(bgr: np.ndarray) -> str:
    """64-bit difference hash (Krawetz): sign of the horizontal gradient of an 8-row, 9-column grey picture.

    `bgr`: uint8 (height, width, 3 or 4); 16 hex digits come back.
    """
    import cv2

    grey = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def is_one_colour(rgb: np.ndarray) -> bool:
    """Whether a picture, uint8 (height, width, 3), shows nothing: of a thousand pixels at most one differs in any
    channel by more than `ONE_COLOUR_STEPS` from the median colour.

    Codecs leave grain in black, and a fade is a picture from where one can see it.
    """
    pixels = rgb.reshape(-1, rgb.shape[-1])
    if (np.ptp(pixels, axis=0) <= ONE_COLOUR_STEPS).all():
        return True
    differs = (np.abs(pixels - np.median(pixels, axis=0)) > ONE_COLOUR_STEPS).any(axis=1)
    return bool(differs.mean() <= ONE_COLOUR_SHARE)


def jpeg(rgb: np.ndarray) -> bytes:
    """The bytes of a JPEG file."""
    import cv2

    return _encoded(rgb, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 85])


def png(rgb: np.ndarray, path: Path) -> None:
    """Writes a lossless PNG in one step: never half a file under the final name."""
    put_bytes(path, _encoded(rgb, ".png", []))


def _encoded(rgb: np.ndarray, suffix: str, options: list[int]) -> bytes:
    import cv2

    is_encoded, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not is_encoded:
        raise ValueError(f"OpenCV cannot encode {rgb.shape} as {suffix}")
    return data.tobytes()
