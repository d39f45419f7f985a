"""What the frames of a clip file are made of, for the keys of whatever is computed from them.

Belongs here: that one text. Does not belong here: how frames are read (`core.video`), what is computed of them.

The bytes of a file decide about its frames, and where the file does not say how its colours are meant, so does the rule
that guesses it. A text that changes with either makes everything that was computed of the frames be computed again.
"""

from collections.abc import Mapping
from typing import Any

OF_FRAMES = ("sha256", "colour_matrix", "is_colour_tagged")
"""Columns of `clip_media` that decide about the frames of a file."""


def frames_content(media: Mapping[str, Any]) -> str:
    """Equal for equal frames, by a row of `clip_media` that holds `OF_FRAMES`."""
    # BT.601 stays unsaid: before there was a rule, every picture without a tag was read by it.
    if media["is_colour_tagged"] or media["colour_matrix"] == "bt601":
        return str(media["sha256"])
    return f"{media['sha256']}|{media['colour_matrix']}"
