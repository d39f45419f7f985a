"""Which kinds of media are collected, told by their first bytes, and what a server may call them.

Belongs here: magic numbers and content types. Whether the rest of a file is sound, the media core finds out.
"""

from typing import NamedTuple

HEAD_BYTES = 16
"""How many bytes `kind_of` wants to see."""


class Kind(NamedTuple):
    """A kind of media file. `content_types`: what servers call it."""

    name: str
    suffix: str
    content_types: tuple[str, ...]


GIF = Kind("gif", ".gif", ("image/gif",))
WEBP = Kind("webp", ".webp", ("image/webp",))
PNG = Kind("png", ".png", ("image/png", "image/apng", "image/vnd.mozilla.apng"))
MP4 = Kind("mp4", ".mp4", ("video/mp4", "video/quicktime", "video/x-m4v", "application/mp4", "video/3gpp"))
MATROSKA = Kind("webm", ".webm", ("video/webm", "video/x-matroska"))
KINDS = (GIF, WEBP, PNG, MP4, MATROSKA)
UNSAID = ("", "application/octet-stream", "binary/octet-stream")
"""Content types that say nothing."""


def kind_of(head: bytes) -> Kind | None:
    """The kind of a file by its first bytes; null for anything that is not collected, such as an error page."""
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return PNG
    if head[4:8] == b"ftyp":
        return MP4
    return MATROSKA if head[:4] == b"\x1aE\xdf\xa3" else None


def contradicts(content_type: str, kind: Kind) -> bool:
    """Whether what the server calls the file is another thing than what its bytes are."""
    said = content_type.partition(";")[0].strip().lower()
    return said not in UNSAID and said not in kind.content_types
