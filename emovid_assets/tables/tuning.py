"""Stage 7: what generators are trained on.

Belongs here: the tables of this stage. Does not belong here: which clips of what length a family takes (`core.tuning`).
"""

from emovid_assets.core.tuning.families import FAMILIES
from emovid_assets.tables.columns import CLIP_ID, DOMAIN, INTEGER, NUMBER, TEXT, Column, Table, count, identifier, share

SET_ID = Column("set_id", TEXT, "name of the set: that of its family", vocabulary=tuple(FAMILIES))

TUNING_TABLES = (
    Table(
        "training_sets",
        "set × clip",
        "What a family of generators is trained on: clips of `train` of the benchmark's split, as many frames of them "
        "as the family takes at its rate. Clips that are too short for more than a still are none.",
        ("set_id", "clip_id"),
        (
            SET_ID,
            Column("family", TEXT, "family of generators (docs/training.md)", vocabulary=tuple(FAMILIES)),
            CLIP_ID,
            DOMAIN,
            identifier("group_id", "group of the split; no group has clips in `benchmark` and here"),
            Column("caption", TEXT, "caption and the sentence that names the emotion, on one line"),
            count("frame_count", "frames at the family's rate; a shorter sticker is played again", 2),
            Column("fps", NUMBER, "the family's rate", "hz", minimum=0),
            Column(
                "width_px", INTEGER, "of the bucket: the size whose shape is nearest to the clip's", "px", minimum=1
            ),
            Column("height_px", INTEGER, "of the bucket", "px", minimum=1),
            count("repeats", "times that the clip is seen in an epoch", 1),
            share("weight", "repeats over those of all clips of the set: the chance of a draw"),
        ),
        is_partitioned=False,
    ),
)
