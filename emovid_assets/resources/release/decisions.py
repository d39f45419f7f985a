"""The decisions of a home about its releases.

Belongs here: reading the file. Does not belong here: what a row means, and which one holds (`core.release.decisions`).
"""

from emovid_assets.core.release.decisions import Decisions, DecisionsError, read_decisions
from emovid_assets.home.folders import Home


def decisions_of(home: Home) -> Decisions:
    """None where nobody has written any. Raises DecisionsError, whose message names the file."""
    path = home.release_decisions
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
