"""Small pictures inside the page, as `data:` addresses.

Belongs here: making them small, and keeping their sum within bounds for any library.
"""

import base64
import io
from pathlib import Path

SIDE_PX = 128
QUALITIES = (72, 55, 40)
MOST_BYTES_EACH = 8_000
MOST_BYTES = 3_000_000


class Thumbnails:
    """Pictures of one report. `left_out` counts those that are not there, cannot be read or do not fit."""

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        self._used_bytes = 0
        self.left_out = 0

    def address(
        self, path: str | None, size_px: tuple[int, int] = (SIDE_PX, SIDE_PX), most_bytes: int = MOST_BYTES_EACH
    ) -> str | None:
        """A JPEG of at most that size as a `data:` address; null where there is none to show."""
        data = self._small(path, size_px, most_bytes) if path else None
        if data is None or self._used_bytes + len(data) > MOST_BYTES:
            self.left_out += 1
            return None
        self._used_bytes += len(data)
        return "data:image/jpeg;base64," + base64.b64encode(data).decode()

    def _small(self, path: str, size_px: tuple[int, int], most_bytes: int) -> bytes | None:
        from PIL import Image

        place = (self._home / path).resolve()
        # A path in a table is no reason to put other files of this machine into a page that is handed on.
        if not place.is_relative_to(self._home):
            return None
        try:
            with Image.open(place) as picture:
                picture.thumbnail(size_px)
                small = picture.convert("RGB")
        except (OSError, ValueError, Image.DecompressionBombError):
            return None
        for quality in QUALITIES:
            buffer = io.BytesIO()
            small.save(buffer, format="JPEG", quality=quality, optimize=True)
            if buffer.tell() <= most_bytes:
                return buffer.getvalue()
        return None
