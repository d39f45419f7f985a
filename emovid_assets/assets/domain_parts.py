"""What a table of all domains says to an asset of one, so that a change elsewhere makes nothing of it stale.

`clip_groups` is one table, as a group may have clips of several domains. One new sticker makes another table of it, and
nothing in it that a film could notice. So the table notes of each domain which version the part has that concerns it,
and an asset that reads that part alone notes the version that it was given; `freshness.staleness` compares these two.

Belongs here: the part of a table, its version, the tags. Does not belong here: what is stale. Needs no Dagster.
"""

import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.resources.warehouse import content_hash
from emovid_assets.resources.workplace import Workplace

PART_TAG = "emovid.part/"
"""Begins the tags of a materialisation that say which version the part of a domain has."""
SEEN_TAG = "emovid.seen_part/"
"""Begins the tags that say which version of the part of its domain an asset was given of a table."""


def groups_of_domain(clip_groups: pa.Table, domain: str) -> pa.Table:
    """The groups that have a clip of the domain, with their clips of all domains, in the order of the table."""
    own = clip_groups.filter(pc.equal(clip_groups["domain"], domain))["group_id"].unique()
    return clip_groups.filter(pc.is_in(clip_groups["group_id"], value_set=own))


def note_parts(project: Workplace, clip_groups: pa.Table, domains: tuple[str, ...]) -> None:
    """For the materialisation of the table."""
    for domain in domains:
        project.note(f"{PART_TAG}{domain}", content_hash(groups_of_domain(clip_groups, domain)))


def part_given(project: Workplace, clip_groups: pa.Table, domain: str) -> pa.Table:
    """All that an asset of a domain may look at of the table; which version it is, is noted by the project."""
    part = groups_of_domain(clip_groups, domain)
    project.note(f"{SEEN_TAG}clip_groups", content_hash(part))
    return part
