"""Stage 7: what generators are trained on.

Belongs here: the tables of this stage. Does not belong here: which clips of what length a family takes (`core.tuning`).
"""

import pyarrow as pa

from emovid_assets.core.tuning.families import FAMILIES
from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN_OF_ROW,
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    Column,
    Table,
    count,
    identifier,
    share,
)
from emovid_assets.tables.generation import IS_TRIAL, TASK

SET_ID = Column("set_id", TEXT, "name of the set: that of its family", vocabulary=tuple(FAMILIES))

EVALUATIONS = pa.list_(pa.struct([("step", INTEGER), ("epoch", NUMBER), ("loss", NUMBER), ("training_loss", NUMBER)]))

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
            DOMAIN_OF_ROW,
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
    Table(
        "generator_adapters",
        "adapter",
        "LoRA adapters of generators that were trained here, a row for each of `[[tuning.adapters]]` that is there.",
        ("name",),
        (
            Column("name", TEXT, "as in `emovid.toml`; `models/adapters/<name>.safetensors` is its file"),
            TASK,
            Column("base_model", TEXT, "hub id or folder of the generator"),
            Column("base_revision", TEXT, "commit, or a digest of the folder"),
            Column("revision", TEXT, "of settings, base and data: equal ones give an equal adapter"),
            Column("rank", INTEGER, "of the adapter; its scale is 1", minimum=1),
            Column("targets", TEXT, "layers that have one, by the names of Wan's own code, with commas"),
            count("training_clip_count", "clips that it has learnt from"),
            count("held_out_clip_count", "clips that it was looked at on, none of their groups learnt from"),
            count("step_count", "steps that it was trained for; fewer than asked where it stopped early"),
            count("kept_step", "step whose adapter was kept; 0: none was better than the model as it was"),
            Column("loss_before", NUMBER, "on the held-out clips under fixed noises, without the adapter", minimum=0),
            Column("loss_after", NUMBER, "the same with the adapter that was kept", minimum=0),
            Column(
                "evaluations", EVALUATIONS, "the curve: losses by step; training_loss is the mean of the steps before"
            ),
            Column("data_sha256", TEXT, "of the clips' frames, captions, sizes, repeats and groups, hex"),
            Column("data_licence", TEXT, "licences of the clips' sources, each with its number of clips"),
            Column("is_non_commercial", FLAG, "whether one of them allows no commercial use"),
            Column("path", TEXT, "folder below the home folder: the adapter for diffusers and for ComfyUI, its record"),
            Column("sha256", TEXT, "of the file for diffusers, hex; null where no adapter was kept", is_nullable=True),
            Column("dtype", TEXT, "of the generator's weights in training"),
            Column("training_config", TEXT, "JSON"),
            IS_TRIAL,
        ),
        is_partitioned=False,
    ),
)
