"""Stage 2b: which clips belong together.

Belongs here: the table. Does not belong here: what joins clips (`core.clip_groups`).
"""

from emovid_assets.core.clip_groups import REASONS
from emovid_assets.tables.columns import CLIP_ID, DOMAIN_OF_ROW, TEXT, Column, Table

GROUP_ID = Column("group_id", TEXT, "clips of one source, film or file, or near-duplicates, of all domains, share it")

GROUP_TABLES = (
    Table(
        "clip_groups",
        "clip that was measured",
        "Clips that must not be torn apart, over all domains at once: whatever is tested on one clip of a group must "
        "not have learnt from another. Joined, transitively, by source video, film, equal bytes and looks.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN_OF_ROW,
            GROUP_ID,
            Column(
                "reason",
                TEXT,
                "the first of these that, added to those before it, joins the clip with the source that the group is "
                "named after",
                vocabulary=REASONS,
            ),
            Column("twins_id", TEXT, "clips that show the same share it, by bytes or looks, whatever film they are of"),
        ),
        is_partitioned=False,
    ),
)
