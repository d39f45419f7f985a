"""What earlier releases hold that may no longer be given away: a release never changes, decisions do.

Belongs here: asking the gate about the rows of a release, under the decisions of today. Does not belong here: whether a
release keeps to the decisions that it publishes (`checks.releases`).
"""

from __future__ import annotations

from collections.abc import Iterator

from emovid_assets.core.release.decisions import Decisions
from emovid_assets.core.release.gate import permission_of
from emovid_assets.core.release.layout import DECISIONS_CSV
from emovid_assets.home.folders import Home
from emovid_assets.resources.release.reading import NotAReleaseError, Release, releases_of, rows
from emovid_assets.tables.columns import each_row


def told_of_withdrawn(home: Home, decisions: Decisions) -> Iterator[str]:
    """A sentence for each release of a home that holds such clips."""
    for release in releases_of(home):
        clips = withdrawn(release, decisions)
        if clips:
            yield (
                f"release {release.folder_name} {told(clips)}: it never changes, so make the next one, then remove "
                f"{release.folder} and what was pushed of it, if nobody is to have them"
            )


def withdrawn(release: Release, decisions: Decisions) -> list[str]:
    """Ids of clips of which a release holds more than may be given away under these decisions."""
    if not decisions.rows and not _was_decided(release):
        # Then nothing has been decided otherwise, and what it holds it was made with.
        return []
    try:
        released = rows(release)
        return [
            row["clip_id"]
            for row in each_row(released)
            if (tier := permission_of(row, decisions).tier) == "nothing"
            or (tier == "metadata" and row["file_name"] is not None)
        ]
    except (NotAReleaseError, KeyError):
        # `emovid release verify` says of damaged ones what they are.
        return []


def told(clips: list[str]) -> str:
    """Of at least one clip."""
    count = f"{len(clips):,} clip{'' if len(clips) == 1 else 's'}"
    return f"holds {count} that may no longer be given away by release_decisions.csv, such as {clips[0]}"


def _was_decided(release: Release) -> bool:
    try:
        with (release.folder / DECISIONS_CSV).open(encoding="utf-8") as file:
            return sum(1 for _ in file) > 1
    except (OSError, UnicodeDecodeError):
        return True
