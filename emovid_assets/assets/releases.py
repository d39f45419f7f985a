"""Stage 8: what was released.

Belongs here: `releases`, which shows what lies there. Does not belong here: making a release, which a person asks for
(`emovid release make`).
"""

from typing import Any

import dagster as dg

from emovid_assets.assets.table_asset import Rows, markdown_list, markdown_table, result, table_asset
from emovid_assets.resources.project import Project
from emovid_assets.resources.release.reading import RELEASES_TAG, Release, digest_of, found_in
from emovid_assets.tables.registry import TABLES

GROUP = "release"
SHOWN = ("version", "tier", "created_at", "bump", "clip_count", "media_count", "size_bytes")
AS_NAMED = (
    *("version", "tier", "name", "created_at", "bump", "clip_count", "media_count", "metadata_only_count"),
    *("left_out_count", "digest", "format", "file_count", "size_bytes"),
)


# A release is made from what has come as far as a split. Its rows are read from its own folder.
@table_asset(group=GROUP, code_version="1", deps=["benchmark_split"])
def releases(context: dg.AssetExecutionContext, project: Project) -> Rows:
    folder = project.home.releases
    # Before they are read: what comes meanwhile is news.
    project.note(RELEASES_TAG, digest_of(folder))
    found = found_in(folder)
    for sentence in found.broken.values():
        context.log.warning(sentence)
    rows = [_row(project, release) for release in found.releases]
    shown: dict[str, Any] = {"releases": markdown_table([{name: row[name] for name in SHOWN} for row in rows])}
    if found.broken:
        shown |= {"broken": len(found.broken), "what_is_broken": markdown_list(found.broken.values())}
    if not rows:
        shown["how_to_begin"] = "docs/release.md: emovid release make NAME"
    return result("releases", TABLES["releases"].from_rows(rows), metadata=shown)


def _row(project: Project, release: Release) -> dict[str, Any]:
    return {
        **{name: getattr(release, name) for name in AS_NAMED},
        "previous_version": release.previous,
        "reasons": list(release.reasons),
        "path": project.home.relative(release.folder),
    }
