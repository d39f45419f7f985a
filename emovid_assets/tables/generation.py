"""Stage 6: generated videos, their scores, what the differences of generators are worth, and what people prefer.

Belongs here: the tables of this stage. Does not belong here: how a value is computed (`core.generation`).
"""

import pyarrow as pa

from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.tables.columns import (
    DOMAIN,
    DURATION_S,
    FLAG,
    INTEGER,
    NUMBER,
    NUMBERS,
    SHA256,
    TEXT,
    TIMESTAMP,
    Column,
    Table,
    count,
    emotion,
    identifier,
    share,
)

TASKS = ("t2v", "i2v")
ORIGINS = ("run", "imported")
FEATURE_KINDS = ("real", "generated")
QUESTIONS = ("emotion", "quality", "prompt")
CHOICES = ("a", "b", "tie")
ALL_EMOTIONS = "all"

VIDEO_ID = identifier(
    "video_id", "first 16 hex digits of a SHA-256 over generator, task, clip or character, prompt, seed"
)
GENERATOR = Column("generator", TEXT, "name of the model in `emovid.toml`, or of its folder in `library/generated`")
TASK = Column("task", TEXT, "`t2v` from the prompt alone, `i2v` from the prompt and a first frame", vocabulary=TASKS)
PROMPT_CLIP_ID = identifier(
    "clip_id", "benchmark clip whose prompt it is; null for a sticker of a character", is_nullable=True
)
ASKED_EMOTION = emotion("asked_emotion", "the emotion that the prompt asks for")
SCOPE = Column("scope", TEXT, "a domain; `total` is all domains together", vocabulary=(*DOMAINS, TOTAL))
SCOPE_EMOTION = Column(
    "asked_emotion",
    TEXT,
    "the emotion asked for; `all` is the eight together",
    vocabulary=(ALL_EMOTIONS, *EMOTION_NAMES),
)
IS_TRIAL = Column(
    "is_trial", FLAG, "whether a model of random weights had part in it: then the numbers say nothing of any model"
)
METRICS = (
    *("ea8", "ea2", "caption_cosine", "label_cosine", "first_frame_consistency", "flicker_native", "flicker_common"),
    *("frechet_distance", "kernel_distance"),
)
METRIC = Column("metric", TEXT, "what is measured (docs/generation_metrics.md)", vocabulary=METRICS)

ADAPTERS = pa.list_(pa.struct([("name", TEXT), ("weight", NUMBER), ("sha256", TEXT)]))

GENERATION_TABLES = (
    Table(
        "generated_videos",
        "generator × task × prompt × seed",
        "Videos that generators made of the benchmark's prompts or of characters, run here or imported.",
        ("video_id",),
        (
            VIDEO_ID,
            DOMAIN,
            GENERATOR,
            TASK,
            PROMPT_CLIP_ID,
            Column("character", TEXT, "file below `library/characters`, for stickers of it", is_nullable=True),
            ASKED_EMOTION,
            Column(
                "seed", INTEGER, "of its random numbers, together with the prompt; imported: as its name says, or 0"
            ),
            Column("origin", TEXT, "made here or elsewhere", vocabulary=ORIGINS),
            Column("prompt", TEXT, "what the generator was given"),
            Column("prompt_sha256", TEXT, "SHA-256 of the prompt, hex"),
            Column("first_frame_path", TEXT, "picture that an `i2v` video begins with", is_nullable=True),
            Column("first_frame_sha256", TEXT, "SHA-256 of that file, hex", is_nullable=True),
            Column(
                "video_path",
                TEXT,
                "file below the home folder; stickers of characters lie beside it as `.gif` and `.webp`",
            ),
            SHA256,
            Column("requested_frame_count", INTEGER, "null where it was imported", is_nullable=True, minimum=1),
            count("frame_count", "frames that the file holds when it is decoded", 1),
            Column("fps", NUMBER, "frames per second of the file", "hz", minimum=0),
            Column("width_px", INTEGER, "of the file", "px", minimum=1),
            Column("height_px", INTEGER, "of the file", "px", minimum=1),
            DURATION_S,
            Column("model_id", TEXT, "hub id or folder of the model; null where it was imported", is_nullable=True),
            Column("model_revision", TEXT, "commit, or a digest of the folder", is_nullable=True),
            Column("adapters", ADAPTERS, "LoRA adapters with their weights; empty without"),
            Column("dtype", TEXT, "of the weights while it ran", is_nullable=True),
            Column("pipeline_class", TEXT, "of diffusers", is_nullable=True),
            Column("versions", TEXT, "of torch, diffusers and transformers when it was made", is_nullable=True),
            Column("model_s", NUMBER, "time that the model took", "s", is_nullable=True, minimum=0),
            IS_TRIAL,
        ),
    ),
    Table(
        "generation_features",
        "video × feature extractor",
        "Features of generated videos and of the benchmark's real clips, for distances between sets of videos.",
        ("item_id", "extractor_id"),
        (
            identifier("item_id", "`video_id` of a generated video, `clip_id` of a real clip"),
            DOMAIN,
            Column("kind", TEXT, "real clip or generated video", vocabulary=FEATURE_KINDS),
            Column("extractor_id", TEXT, "video encoder, or `embedded/measured` for measured features"),
            Column("extractor_revision", TEXT, "commit, or a digest of the folder"),
            Column("frame_count", INTEGER, "frames that the extractor saw", minimum=1),
            Column("features", NUMBERS, "of the whole video"),
        ),
    ),
    Table(
        "generation_scores",
        "generated video",
        "What is measured of one generated video. Null where no model for it is configured.",
        ("video_id",),
        (
            VIDEO_ID,
            DOMAIN,
            GENERATOR,
            TASK,
            PROMPT_CLIP_ID,
            ASKED_EMOTION,
            Column("seed", INTEGER, "as in `generated_videos`"),
            Column(
                "caption_cosine",
                NUMBER,
                "mean over frames of the cosine of the picture and the caption",
                is_nullable=True,
                minimum=-1,
                maximum=1,
            ),
            Column(
                "label_cosine",
                NUMBER,
                "the same with the sentence that names the emotion",
                is_nullable=True,
                minimum=-1,
                maximum=1,
            ),
            Column(
                "prompt_token_count", INTEGER, "of the whole prompt for the text model", is_nullable=True, minimum=1
            ),
            Column(
                "first_frame_consistency",
                NUMBER,
                "mean cosine of each later frame and the first one",
                is_nullable=True,
                minimum=-1,
                maximum=1,
            ),
            share(
                "flicker_native",
                "mean absolute change between frames of full scale, as the file is; null for one frame",
                is_nullable=True,
            ),
            share(
                "flicker_common",
                "the same at the rate, length and size that all are compared at; null where the "
                "video is too short for it",
                is_nullable=True,
            ),
            emotion("emotion", "what the dataset's labeller recognises", is_nullable=True),
            share("confidence", "probability of that emotion", is_nullable=True),
            *(share(f"p_{name}", f"probability of {name}", is_nullable=True) for name in EMOTION_NAMES),
            Column("is_emotion_right", FLAG, "whether it is the one asked for", is_nullable=True),
            Column("is_polarity_right", FLAG, "whether its polarity is", is_nullable=True),
            Column("text_scorer_id", TEXT, "model behind the cosines with text", is_nullable=True),
            Column("text_scorer_revision", TEXT, "its commit, or a digest of the folder", is_nullable=True),
            Column("picture_scorer_id", TEXT, "model behind the consistency; `embedded/measured` without one"),
            Column("picture_scorer_revision", TEXT, "its commit, a digest of the folder, or a version"),
            Column("labeller_id", TEXT, "labeller that recognised the emotion", is_nullable=True),
            Column("labeller_revision", TEXT, "its revision", is_nullable=True),
            IS_TRIAL,
        ),
    ),
    Table(
        "generation_filmstrips",
        "generated video that was chosen for people to look at",
        "Frames side by side of the videos of a few prompts, the same prompts for all generators of a task.",
        ("video_id",),
        (
            VIDEO_ID,
            DOMAIN,
            GENERATOR,
            TASK,
            PROMPT_CLIP_ID,
            ASKED_EMOTION,
            Column("prompt", TEXT, "what the generator was given"),
            count("position", "place of the prompt among those of its task and domain, from 0"),
            Column("filmstrip_path", TEXT, "JPEG below the home folder, frames evenly spread, the first one left"),
            IS_TRIAL,
        ),
    ),
    Table(
        "generation_metrics",
        "generator × task × scope × emotion × metric",
        "Each metric of each generator: shares with Wilson intervals, means with intervals over prompts, distances "
        "with their floor.",
        ("generator", "task", "scope", "asked_emotion", "metric"),
        (
            GENERATOR,
            TASK,
            SCOPE,
            SCOPE_EMOTION,
            METRIC,
            Column("value", NUMBER, "null where too few videos make it meaningless", is_nullable=True),
            Column("low", NUMBER, "lower end of the 95 % interval; null for distances", is_nullable=True),
            Column("high", NUMBER, "upper end", is_nullable=True),
            count("video_count", "videos it rests on"),
            count("prompt_count", "prompts that they are of: intervals are over these"),
            Column("right_count", INTEGER, "of them right, where it is a share", is_nullable=True, minimum=0),
            Column("real_count", INTEGER, "real clips of a distance", is_nullable=True, minimum=0),
            Column(
                "floor",
                NUMBER,
                "the distance of two halves of the real clips; a mean over halvings",
                is_nullable=True,
            ),
            Column(
                "half_value",
                NUMBER,
                "the distance of one half and as many videos, what `floor` is to be held against: fewer videos are "
                "farther away",
                is_nullable=True,
            ),
            Column("reason", TEXT, "why there is no value", is_nullable=True),
            Column("scorer", TEXT, "model and revision behind it; null where none is needed", is_nullable=True),
            IS_TRIAL,
        ),
        is_partitioned=False,
    ),
    Table(
        "generation_tests",
        "pair of generators × task × scope × emotion × metric",
        "Whether two generators differ on the same prompts and seeds: exact McNemar for shares, else a permutation.",
        ("generator_a", "generator_b", "task", "scope", "asked_emotion", "metric"),
        (
            Column("generator_a", TEXT, "first of the pair, by name"),
            Column("generator_b", TEXT, "second of the pair"),
            TASK,
            SCOPE,
            SCOPE_EMOTION,
            METRIC,
            Column("difference", NUMBER, "value of b less that of a, on the videos that both have"),
            Column(
                "low",
                NUMBER,
                "lower end of the 95 % interval of the difference; null where there is none",
                is_nullable=True,
            ),
            Column("high", NUMBER, "upper end", is_nullable=True),
            share("p", "two-sided"),
            share("p_adjusted", "by Holm, over all tests of the family"),
            count(
                "family_count",
                "tests of the family: all pairs of a task, scope and metric; of single emotions, those of all eight",
                1,
            ),
            Column(
                "method",
                TEXT,
                "`mcnemar_exact` or `paired_permutation`",
                vocabulary=("mcnemar_exact", "paired_permutation"),
            ),
            count("pair_count", "videos that both have, by prompt and seed", 1),
            count("prompt_count", "prompts that they are of: what is swapped and drawn", 1),
            Column("only_a_count", INTEGER, "right in a alone, where it is a share", is_nullable=True, minimum=0),
            Column("only_b_count", INTEGER, "right in b alone", is_nullable=True, minimum=0),
            IS_TRIAL,
        ),
        is_partitioned=False,
    ),
    Table(
        "preference_tasks",
        "pair of videos",
        "What people are asked to compare: two videos of one prompt, blind; sides and order drawn by hash.",
        ("task_id",),
        (
            identifier("task_id", "`pair-<16 hex digits>`; does not say which generators are compared"),
            DOMAIN,
            TASK,
            PROMPT_CLIP_ID,
            ASKED_EMOTION,
            identifier("video_a", "`video_id` of the left one"),
            identifier("video_b", "`video_id` of the right one"),
            Column("generator_a", TEXT, "hidden from the person"),
            Column("generator_b", TEXT, "hidden from the person"),
            count("position", "place in the order shown"),
            Column(
                "expected",
                TEXT,
                "right answer of an attention check; null of a pair that counts",
                is_nullable=True,
                vocabulary=CHOICES,
            ),
        ),
    ),
    Table(
        "preferences",
        "person × pair × question",
        "What people answered; of several answers of one person, the latest.",
        ("task_id", "annotator_id", "question"),
        (
            identifier("task_id", "as in `preference_tasks`"),
            DOMAIN,
            Column("annotator_id", TEXT, "who answered, as in `human_annotations`"),
            Column("question", TEXT, "what was asked", vocabulary=QUESTIONS),
            Column("choice", TEXT, "left, right, or neither", vocabulary=CHOICES),
            Column("answered_at", TIMESTAMP, "when", is_nullable=True),
            Column("tool", TEXT, "where: `label-studio`, `csv` or `simulated`"),
            Column(
                "lead_time_s", NUMBER, "how long the person took; null where unknown", "s", is_nullable=True, minimum=0
            ),
            Column("exclusion", TEXT, "rule by which the answer does not count; null where it does", is_nullable=True),
        ),
    ),
    Table(
        "preference_results",
        "question × task × scope × pair of generators",
        "Of each pair of generators how often which was preferred, and the strength of each by Bradley and Terry.",
        ("question", "task", "scope", "generator_a", "generator_b"),
        (
            Column("question", TEXT, "what was asked", vocabulary=QUESTIONS),
            TASK,
            SCOPE,
            Column("generator_a", TEXT, "first of the pair, by name"),
            Column("generator_b", TEXT, "second of the pair"),
            count("prefers_a_count", "answers for the first"),
            count("prefers_b_count", "answers for the second"),
            count("tie_count", "answers for neither"),
            count("pair_count", "pairs of videos"),
            count("annotator_count", "people"),
            share("p", "two-sided exact binomial of the answers without ties", is_nullable=True),
            share("p_adjusted", "by Holm, over the pairs of a question, task and scope", is_nullable=True),
            Column(
                "strength", NUMBER, "of the second over the first by Bradley and Terry, in log odds", is_nullable=True
            ),
            Column("strength_low", NUMBER, "lower end of the 95 % interval over prompts and people", is_nullable=True),
            Column("strength_high", NUMBER, "upper end", is_nullable=True),
            Column("agreement", NUMBER, "Krippendorff's alpha of the people on these pairs", is_nullable=True),
        ),
        is_partitioned=False,
    ),
)
