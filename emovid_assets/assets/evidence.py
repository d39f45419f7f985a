"""What models are given of the clips, put together from two tables.

Belongs here: the join. Does not belong here: what a model makes of it.
"""

import pyarrow as pa

from emovid_assets.core.labelling import ClipEvidence
from emovid_assets.tables import rows_of


def evidence_of(features: pa.Table, colours: pa.Table) -> list[ClipEvidence]:
    """Evidence of the clips that both tables know, in the order of the features."""
    colour_of = {row["clip_id"]: row for row in rows_of(colours)}
    return [
        ClipEvidence(row["clip_id"], row["domain"], row["duration_s"], row, colour_of[row["clip_id"]])
        for row in rows_of(features)
        if row["clip_id"] in colour_of
    ]
