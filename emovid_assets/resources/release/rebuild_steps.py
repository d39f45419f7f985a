"""The steps of a rebuilding that worker processes run: all pictures of a film, one clip of a release.

Belongs here: turning arguments (plain values) into calls of `core`, and results into payloads (JSON). Does not belong
here: which films and clips (`rebuilding`).
"""

import base64
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.release.matching import Pictures, distance
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.fingerprints import FilmPictures, film_pictures, fingerprint
from emovid_assets.core.video.streams import Tracks
from emovid_assets.resources import media_steps

FILM_VERSION = f"1.{media_steps.FINGERPRINT_VERSION}"
CLIP_VERSION = f"1.{media_steps.CLIP_VERSION}.{media_steps.FINGERPRINT_VERSION}"


def film(arguments: dict[str, Any]) -> dict[str, Any]:
    """`FilmPictures` of a file."""
    found = film_pictures(Path(arguments["path"]), Tracks.of(arguments["tracks"]))
    return {
        "tick_s": found.tick_s,
        "end_pts": found.end_pts,
        "pts": _packed(found.pts.astype("<i8")),
        "hashes": _packed(found.hashes.astype("<u8")),
        "is_mended": _packed(found.is_mended),
    }


def film_of(payload: dict[str, Any]) -> FilmPictures:
    """What `film` has found."""
    return FilmPictures(
        payload["tick_s"],
        np.frombuffer(base64.b64decode(payload["pts"]), "<i8"),
        np.frombuffer(base64.b64decode(payload["hashes"]), "<u8"),
        np.frombuffer(base64.b64decode(payload["is_mended"]), np.bool_),
        payload["end_pts"],
    )


def pictures_of(found: FilmPictures) -> Pictures:
    """By seconds from the first picture."""
    return Pictures((found.pts - found.pts[0]) * found.tick_s, found.hashes)


def clip(arguments: dict[str, Any]) -> dict[str, Any]:
    """Cuts a clip and holds it against what the release says of it: `is_same_bytes`, `is_same_pictures`, and where
    it is neither, the mean `distance` of its pictures in bits (null where none shows anything). `told` is handed on."""
    made = media_steps.clip_file(arguments)
    wanted = arguments["wanted"]
    found: dict[str, Any] = {
        **arguments["told"],
        **{name: made[name] for name in ("sha256", "how", "files")},
        "is_same_bytes": made["sha256"] == wanted["media_sha256"],
        "distance": None,
    }
    path = Path(arguments["home"], made["media_path"])
    found["is_same_pictures"] = found["is_same_bytes"] or (
        wanted["picture_sha256"] is not None and fingerprint(path).picture_sha256 == wanted["picture_sha256"]
    )
    if not found["is_same_pictures"]:
        released = Pictures.of(wanted["hash_times_s"] or (), wanted["picture_hashes"] or ())
        try:
            shown = pictures_of(film_pictures(path)).at(arguments["told"]["speed"])
            found["distance"] = distance(released, shown)
        except MediaError as error:
            raise MediaError(error.code, f"The clip that was cut cannot be read: {error.detail}") from error
    return found


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
