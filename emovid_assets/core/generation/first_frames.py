"""The first frame as a generator is given it: of the size of the video, opaque, never squeezed.

Belongs here: what is cut off and what is added. Does not belong here: reading the picture (`core.video.stills`), and
which picture it is.

diffusers' pipelines squeeze a picture of another shape and refuse transparent ones. Here an opaque picture loses what
is beyond the shape of the video, as much on either side; a character with a transparent ground is a whole, so it keeps
all of itself and gets white around it.
"""

import numpy as np

from emovid_assets.core.video.rgb import over_white

WHITE = 255


def fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 (height, width, 3) of a picture of uint8 (rows, columns, 3 or 4) with straight alpha."""
    has_ground = pixels.shape[2] == 4 and bool((pixels[..., 3] < WHITE).any())
    rgb = np.ascontiguousarray(pixels[..., :3])
    if pixels.shape[2] == 4:
        rgb = over_white(rgb, np.ascontiguousarray(pixels[..., 3]))
    return scaled(_padded(rgb, width, height) if has_ground else cropped(rgb, width, height), width, height)


def cropped(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """The largest part of uint8 (rows, columns, 3) in the proportion of width and height, around the middle."""
    rows, columns = rgb.shape[:2]
    if columns * height > rows * width:
        kept = max(1, round(rows * width / height))
        left = (columns - kept) // 2
        return rgb[:, left : left + kept]
    kept = max(1, round(columns * height / width))
    top = (rows - kept) // 2
    return rgb[top : top + kept]


def _padded(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture in the middle of the smallest white ground of that shape."""
    rows, columns = rgb.shape[:2]
    full_rows = max(rows, round(columns * height / width))
    full_columns = max(columns, round(rows * width / height))
    ground = np.full((full_rows, full_columns, 3), WHITE, np.uint8)
    top, left = (full_rows - rows) // 2, (full_columns - columns) // 2
    ground[top : top + rows, left : left + columns] = rgb
    return ground


def scaled(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """uint8 (height, width, 3), whatever shape it had: by areas where it becomes smaller."""
    import cv2

    is_smaller = rgb.shape[0] * rgb.shape[1] > width * height
    how = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), (width, height), interpolation=how))
