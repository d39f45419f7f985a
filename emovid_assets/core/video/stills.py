"""Still pictures as clips of one frame: JPEG, PNG and WebP by Pillow.

Belongs here: telling them from animations, reading one as a person sees it, its measurements. Does not belong here: the
colours of a frame (`rgb`), and which pictures.

FFmpeg reads a JPEG that ends too early without a word, and does not mirror what its EXIF says is mirrored. Colour
profiles are not applied, as they are not in films.
"""

import time
import warnings
from pathlib import Path
from typing import Any

from emovid_assets.core.colour import ColourCounter
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.rgb import RgbConverter
from emovid_assets.core.video.sound import silent_features

MEASURES_VERSION = "1"
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_HEAD_BYTES = 12


def is_still(path: Path) -> bool:
    """Whether a file holds a single picture. Formats that are animations by nature (GIF, AVIF) are none."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_JPEG):
        return True
    return (head.startswith(_PNG) or (head[:4], head[8:]) == (b"RIFF", b"WEBP")) and not _is_animated(path)


def still_frame(path: Path, *, max_pixels: int | None = None) -> Any:
    """The picture as a frame of PyAV: upright, RGB or RGBA, as large as it is.

    Raises MediaError `empty_file`, `truncated`, `corrupt_frames`, `too_large`, `not_a_video`.
    """
    import av
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not path.stat().st_size:
        raise MediaError("empty_file", "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if max_pixels and image.width * image.height > max_pixels:
                    seen = f"The picture has {image.width} × {image.height} pixels"
                    raise MediaError("too_large", f"{seen}, media.max_pixels allows {max_pixels:,}")
                image.load()
                upright = ImageOps.exif_transpose(image)
                if upright.mode.startswith("I"):
                    # Grey of 16 bits, which Pillow would clip at 255.
                    upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
                mode = "RGBA" if upright.has_transparency_data else "RGB"
                pixels = np.ascontiguousarray(upright.convert(mode))
    except UnidentifiedImageError as error:
        raise MediaError("not_a_video", "The file is no picture that can be read") from error
    except Image.DecompressionBombError as error:
        raise MediaError("too_large", str(error)) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        code = "truncated" if "truncated" in str(error).lower() else "corrupt_frames"
        raise MediaError(code, f"The picture cannot be read: {error}") from error
    return av.VideoFrame.from_ndarray(pixels, format="rgba" if mode == "RGBA" else "rgb24")


def measured(arguments: dict[str, Any]) -> dict[str, Any]:
    """What the media pass finds in a clip of one frame without sound, of the picture at `path` of at most `max_pixels`.

    `colour` holds `ColourSums`, `features` what the embedded labeller asks of `clip_features`, `cpu_s` what it cost.
    """
    began = time.process_time()
    counter = ColourCounter()
    try:
        picture = still_frame(Path(arguments["path"]), max_pixels=arguments["max_pixels"])
        counter.add(RgbConverter().rgb(picture))
    except FileNotFoundError as error:
        raise MediaError("vanished", "The file is gone") from error
    except PermissionError as error:
        raise MediaError("unreadable", "Permission denied") from error
    features = {
        "colour_histogram": counter.palette(),
        **dict.fromkeys(("motion_mean", "motion_sd", "motion_peak", "duration_s", "cut_rate_hz"), 0.0),
        **silent_features(),
        "sampled_pts_s": [0.0],
    }
    return {"colour": counter.sums().as_tuple(), "features": features, "cpu_s": time.process_time() - began}


def _is_animated(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return bool(getattr(image, "is_animated", False))
    except (OSError, ValueError, SyntaxError, EOFError):
        # Too broken to tell: whoever reads animations says what is wrong.
        return True
