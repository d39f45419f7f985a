"""The decisions of a home about its releases.

Belongs here: reading the file. Does not belong here: what a row means, and which one holds (`core.release.decisions`).
"""

import re
from pathlib import Path

from emovid_assets.core.release.decisions import Decisions, DecisionsError, read_decisions
from emovid_assets.home.folders import Home

_STRAY = re.compile(r"(?i)release[ _-]?decisions?\b[^~]*\.(?:csv|tsv|txt|xlsx|ods|json)")


def decisions_of(home: Home) -> Decisions:
    """None where nobody has written any. Raises DecisionsError, whose message names the file."""
    path = home.release_decisions
    if strays := _strays(home):
        raise DecisionsError(
            [f"{stray} is not read: put its rows into {path}, or call it otherwise" for stray in strays]
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Decisions()
    except OSError as error:
        raise DecisionsError(
            [f"{path} cannot be read ({error.strerror}), so nothing is released: mend that"]
        ) from error
    try:
        return read_decisions(data)
    except DecisionsError as error:
        raise DecisionsError([f"{path.name}: {fault}" for fault in error.faults]) from error


def _strays(home: Home) -> list[Path]:
    """Files that somebody has written decisions into, perhaps, and that nobody reads: a lost `nothing` would give
    something away."""
    folders = [folder for folder in (home.root, home.library) if folder.is_dir()]
    there = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
    return [path for path in there if _STRAY.fullmatch(path.name) and path != home.release_decisions]
