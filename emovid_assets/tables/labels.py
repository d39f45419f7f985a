"""Stage 4: the labeller, its labels, captions, and the final label.

Belongs here: the tables of this stage. Does not belong here: how a value is computed.
"""

from emovid_assets.core.emotions import EMOTION_NAMES, POLARITIES
from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN,
    FRAME_PTS_S,
    INTEGER,
    LABELLER_KINDS,
    MODEL_ID,
    MODEL_REVISION,
    NUMBER,
    PROMPT_SHA256,
    TEXT,
    Column,
    Table,
    emotion,
    share,
)

LABEL_TABLES = (
    Table(
        "emotion_labeller",
        "model",
        "The labeller, trained on the human labels or a model used as it is; no row while there are too few of them.",
        ("model_id", "revision"),
        (
            Column("model_id", TEXT, "name of the labeller"),
            Column("base_model", TEXT, "what it was trained from"),
            Column("revision", TEXT, "content hash of weights and training data"),
            Column("kind", TEXT, "how it came to be", vocabulary=LABELLER_KINDS),
            Column("training_clip_count", INTEGER, "human-labelled clips trained on", minimum=0),
            Column("held_out_clip_count", INTEGER, "human-labelled clips that quality is measured on", minimum=0),
            share("validation_accuracy", "on held-out clips, whose groups were not trained on", is_nullable=True),
            share("baseline_accuracy", "of always answering the most frequent label, same clips", is_nullable=True),
            share("validation_macro_f1", "macro F1 on the same clips", is_nullable=True),
            Column("temperature", NUMBER, "that log-probabilities are divided by; 1 where not calibrated", minimum=0),
            Column("path", TEXT, "folder below the home folder; null where nothing was trained", is_nullable=True),
            Column("training_config", TEXT, "JSON"),
        ),
        is_partitioned=False,
    ),
    Table(
        "vlm_labels",
        "clip",
        "The labeller's choice and its distribution over the eight emotions.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            emotion("emotion", "the most probable"),
            share("confidence", "its probability"),
            *(share(f"p_{name}", f"probability of {name}") for name in EMOTION_NAMES),
            MODEL_ID,
            MODEL_REVISION,
            PROMPT_SHA256,
            FRAME_PTS_S,
            Column("parse_status", TEXT, "`scored`: read off the distribution, never guessed from text"),
            share(
                "mass", "probability that the model gave to all eight answers; null: it has no other", is_nullable=True
            ),
            Column("temperature", NUMBER, "that its log-probabilities were divided by", minimum=0),
            Column("prompt_token_count", INTEGER, "null where the model has no tokens", is_nullable=True, minimum=0),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "captions",
        "clip",
        "A sentence or two per clip. The embedded describer says what was measured, not what is depicted.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("caption", TEXT, "plain English"),
            MODEL_ID,
            MODEL_REVISION,
            PROMPT_SHA256,
            FRAME_PTS_S,
            Column("prompt_token_count", INTEGER, "null where the model has no tokens", is_nullable=True, minimum=0),
            Column("output_token_count", INTEGER, "null where the model has no tokens", is_nullable=True, minimum=0),
            Column("attempt_count", INTEGER, "captions written until one kept to the rules", minimum=1),
        ),
    ),
    Table(
        "emotion_labels",
        "clip",
        "The final label: human where there is one, otherwise the labeller's; stickers only by verification.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            emotion(),
            Column("polarity", TEXT, "of the emotion", vocabulary=POLARITIES),
            Column("valence", NUMBER, "Warriner mean of the word", minimum=1, maximum=9),
            Column("arousal", NUMBER, "Warriner mean of the word", minimum=1, maximum=9),
            Column("label_source", TEXT, "who said so", vocabulary=("human", "vlm")),
            share("confidence", "human: share of annotators who agreed; vlm: probability"),
        ),
        uses_pandas_type=True,
    ),
)
