"""Embeddings of clips, their map, and how far groups lie apart.

Belongs here: the tables of this stage. Does not belong here: how a value is computed.
"""

import pyarrow as pa

from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN,
    DOMAIN_OF_ROW,
    FLAG,
    FRAME_PTS_S,
    MODEL_ID,
    MODEL_REVISION,
    NUMBER,
    TEXT,
    Column,
    Table,
    coefficient,
    count,
    emotion,
    share,
)

VECTOR = pa.list_(pa.float32())
SEPARATED = ("domain", "emotion")

EMBEDDING_TABLES = (
    Table(
        "clip_embeddings",
        "clip",
        "What is alike lies close: the measured features of each clip, or what a configured vision model sees in it.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column(
                "embedding",
                VECTOR,
                "`embedded/...`: the measured features as they are, to be standardised before distances are taken; "
                "vision models: mean over the frames, of length 1",
            ),
            count("dimension", "numbers in the embedding", 1),
            MODEL_ID,
            MODEL_REVISION,
            FRAME_PTS_S,
        ),
    ),
    Table(
        "embedding_map",
        "mapped clip",
        "The embeddings of all domains in the plane, by t-SNE (the paper's Fig. 4); above `embeddings.map_clips` clips "
        "a fair sample of them. What is close was alike; distances between groups and their sizes mean nothing. Clips "
        "that come later are put among the others, until `embeddings.map_change` asks for a map made anew.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN_OF_ROW,
            emotion("emotion", "the final label; null for clips without one", is_nullable=True),
            Column("x", NUMBER, "t-SNE, no unit"),
            Column("y", NUMBER, "t-SNE, no unit"),
            Column("is_added", FLAG, "put among the others since the map was made anew; false: laid out with it"),
            count("laid_out_count", "clips that the map was made anew of, those that are gone since included"),
            MODEL_ID,
            MODEL_REVISION,
        ),
        is_partitioned=False,
    ),
    Table(
        "embedding_separability",
        "grouping × group",
        "How far domains and emotions are separate among the mapped clips: silhouette and neighbours, measured in the "
        "space of the embeddings and not on the map, which draws groups apart that are not. Intervals are bootstrap "
        "quantiles over source videos. Clips count for a grouping where they have a label of it.",
        ("grouping", "group_name"),
        (
            Column("grouping", TEXT, "what is separate", vocabulary=SEPARATED),
            Column("group_name", TEXT, "a domain or emotion; `all` is the mean over all clips of the grouping"),
            count("mapped_count", "clips of the group on the map", 1),
            count("clip_count", "those measured: above `embeddings.separability_clips` a fair sample of a grouping", 1),
            count("source_count", "source videos that they come from", 1),
            coefficient(
                "silhouette",
                "mean silhouette, Euclidean: 1 = far from all other groups, 0 = between them; null for one group alone",
            ),
            coefficient("silhouette_low", "2.5 % quantile; null below two sources"),
            coefficient("silhouette_high", "97.5 % quantile; null below two sources"),
            count("neighbour_count", "nearest clips of other source videos that each clip was given, at most"),
            share("purity", "share of these neighbours in the clip's own group; null without any", is_nullable=True),
            share("purity_low", "2.5 % quantile; null below two sources", is_nullable=True),
            share("purity_high", "97.5 % quantile; null below two sources", is_nullable=True),
            share("chance_purity", "the same of neighbours drawn blindly from other source videos", is_nullable=True),
            share(
                "purity_p",
                "how often labels that are moved between source videos are as pure beyond chance, of 1,000",
                is_nullable=True,
            ),
            Column(
                "corrected_purity",
                NUMBER,
                "(purity - chance_purity) / (1 - chance_purity): 0 = as by chance, 1 = wholly separate",
                is_nullable=True,
                maximum=1,
            ),
            Column("corrected_low", NUMBER, "2.5 % quantile; null below two sources", is_nullable=True, maximum=1),
            Column("corrected_high", NUMBER, "97.5 % quantile; null below two sources", is_nullable=True, maximum=1),
        ),
        is_partitioned=False,
    ),
)
