"""Pictures of characters: which of them can be read, looked at once.

Belongs here: what is wrong with a picture, before eight emotions and every seed fail by it. Does not belong here: which
pictures there are (`brought`), and what a video begins with (`core.generation.first_frames`).
"""

from pathlib import Path
from typing import Any

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.stills import still_frame
from emovid_assets.resources.generation.hashes import Remembered
from emovid_assets.resources.item_store import ItemStore

STEP = "character_picture"
NO_PICTURE = {"not_a_video": "not_a_character"}
"""Advice about videos is none about a picture."""


class Pictures:
    """By absolute path. `reads` as that of `Remembered`: a picture that nobody has looked at counts as a good one."""

    def __init__(self, store: ItemStore, max_pixels: int, *, reads: bool) -> None:
        self._known = Remembered(store, STEP, reads=reads)
        self._max_pixels = max_pixels

    def fault_of(self, path: Path) -> MediaError | None:
        """Why it cannot be read; null where it can."""
        try:
            found = self._known.of(path, self._seen, str(self._max_pixels))
        except FileNotFoundError:
            return MediaError("vanished", "The picture is gone")
        except PermissionError:
            # Of another account, or of another day: nothing that the file itself would say again.
            return MediaError("unreadable", "The picture: permission denied")
        return MediaError(found["code"], found["detail"]) if found and "code" in found else None

    def _seen(self, path: Path) -> dict[str, Any]:
        try:
            still_frame(path, max_pixels=self._max_pixels)
        except MediaError as error:
            return {"code": NO_PICTURE.get(error.code, error.code), "detail": error.detail}
        return {}
