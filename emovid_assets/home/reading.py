"""A place outside of a home for what is needed to read one that may not be written.

Belongs here: that place. Does not belong here: what is put there.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def reading_place() -> Path:
    """A temporary folder of this process, which is removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="emovid-reading-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
