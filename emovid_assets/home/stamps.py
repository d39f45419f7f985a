"""Size and time of a file: by them it is noticed that a file is another one, without reading it.

Belongs here: that. Does not belong here: what is done then, and hashes (`core.identity`).
"""

from pathlib import Path


def stamp_or_none(path: Path) -> tuple[int, int] | None:
    """(bytes, time of the last change in ns); null where the file cannot be asked."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
