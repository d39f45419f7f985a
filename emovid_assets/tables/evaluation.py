"""Stage 5: agreement of raters, labellers compared, and the benchmark.

Belongs here: the tables of this stage. Does not belong here: how a value is computed.
"""

from emovid_assets.core.agreement import HUMAN_HUMAN, HUMAN_VLM
from emovid_assets.core.agreement_statistics import ALL_CHOICES
from emovid_assets.core.domains import DOMAINS, TOTAL
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.core.labeller_comparison import LEAST_PROBABILITY, MAJORITY, OTHERS, PEOPLE, PERSON
from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN,
    DOMAIN_OF_ROW,
    HIGH_END,
    INTEGER,
    LABELLER_KINDS,
    LOW_END,
    NUMBER,
    TEXT,
    Column,
    Table,
    coefficient,
    count,
    emotion,
    share,
)
from emovid_assets.tables.groups import GROUP_ID

RATER_KINDS = (*LABELLER_KINDS, PERSON, PEOPLE)
SPLITS = ("benchmark", "train", "unused")
PAIR_KINDS = (HUMAN_HUMAN, HUMAN_VLM)
AGREEMENT_STATISTICS = (
    "fleiss_kappa",
    "krippendorff_alpha",
    "mean_kappa_human_human",
    "mean_kappa_human_vlm",
    "pooled_kappa_human_human",
    "pooled_kappa_human_vlm",
    "kappa_gap",
)
PAIR_COLUMNS = (
    Column("rater_a", TEXT, "first of the pair, by name"),
    Column("rater_b", TEXT, "second of the pair"),
    Column("pair_kind", TEXT, "who is compared", vocabulary=PAIR_KINDS),
    count("clip_count", "clips both rated", 1),
    share("observed_agreement", "p_o"),
    share("expected_agreement", "p_e"),
    coefficient("kappa", "(p_o - p_e) / (1 - p_e); null where p_e = 1"),
    coefficient("kappa_low", LOW_END),
    coefficient("kappa_high", HIGH_END),
)
SCOPE = Column("scope", TEXT, "a domain; `total` is the clips of all domains together", vocabulary=(*DOMAINS, TOTAL))

EVALUATION_TABLES = (
    Table(
        "validation_ratings",
        "rater × clip",
        "The blind answers on the validation clips, and the labeller's on the same ones.",
        ("clip_id", "rater_id"),
        (
            CLIP_ID,
            DOMAIN,
            Column("rater_id", TEXT, "annotator or model"),
            Column("rater_kind", TEXT, "human or vlm", vocabulary=("human", "vlm")),
            Column("label", TEXT, "the choice", vocabulary=HUMAN_CHOICES),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "kappa_validation",
        "pair of raters",
        "Cohen's kappa of every pair over the clips both rated, with a bootstrap interval over source videos.",
        ("rater_a", "rater_b"),
        (
            DOMAIN,
            *PAIR_COLUMNS,
        ),
        uses_pandas_type=True,
    ),
    Table(
        "pooled_kappa",
        "pair of raters",
        "Cohen's kappa of every pair over the clips of all domains, with a bootstrap interval over source videos.",
        ("rater_a", "rater_b"),
        PAIR_COLUMNS,
        is_partitioned=False,
        uses_pandas_type=True,
    ),
    Table(
        "agreement_statistics",
        "scope × statistic × emotion",
        "How far the raters agree: Fleiss, Krippendorff, mean and pooled kappas and the gap, each with an interval.",
        ("scope", "statistic", "emotion"),
        (
            SCOPE,
            Column(
                "statistic",
                TEXT,
                "what is measured; `kappa_gap` is the absolute difference of the two pooled kappas",
                vocabulary=AGREEMENT_STATISTICS,
            ),
            Column(
                "emotion",
                TEXT,
                "the choice against all others; `all` is the nine choices together",
                vocabulary=(ALL_CHOICES, *HUMAN_CHOICES),
            ),
            Column("value", NUMBER, "null where chance explains everything or raters are missing", is_nullable=True),
            Column("low", NUMBER, LOW_END, is_nullable=True),
            Column("high", NUMBER, HIGH_END, is_nullable=True),
            Column(
                "standard_error",
                NUMBER,
                "standard deviation of the resampled values; of the gap with its sign",
                is_nullable=True,
                minimum=0,
            ),
            count("clip_count", "clips that the statistic rests on"),
            count("source_count", "source videos that these clips are of"),
            Column(
                "least_pair_clip_count",
                INTEGER,
                "clips that the pair with the fewest shares; null where it is no statistic of pairs, or without any",
                is_nullable=True,
                minimum=1,
            ),
            Column(
                "required_clip_count",
                INTEGER,
                "clips for a 95 % interval of ± 0.04, by this standard error and as many a source; null without one",
                is_nullable=True,
                minimum=1,
            ),
        ),
        is_partitioned=False,
        uses_pandas_type=True,
    ),
    Table(
        "labeller_answers",
        "rater × blind clip",
        "What every labeller at hand and every person say of the blind validation clips that people agree on.",
        ("clip_id", "rater_id"),
        (
            CLIP_ID,
            DOMAIN_OF_ROW,
            Column("rater_id", TEXT, "model or annotator"),
            Column("rater_kind", TEXT, "what the rater is", vocabulary=RATER_KINDS[:-1]),
            Column("model_revision", TEXT, "of a model; null for a person", is_nullable=True),
            Column("label", TEXT, "the choice", vocabulary=HUMAN_CHOICES),
            Column(
                "people_majority",
                TEXT,
                "what at least two people chose, without a tie; the same in all rows of a clip",
                vocabulary=HUMAN_CHOICES,
            ),
            Column(
                "others_majority",
                TEXT,
                "the same of the other people; null for models, and where the others do not agree",
                is_nullable=True,
                vocabulary=HUMAN_CHOICES,
            ),
            *(
                share(f"p_{name}", f"probability of {name}; null for people", is_nullable=True)
                for name in EMOTION_NAMES
            ),
            Column("model_s", NUMBER, "the clip's share of the model's time", "s", is_nullable=True, minimum=0),
            Column("prompt_token_count", INTEGER, "null where the rater has no tokens", is_nullable=True, minimum=0),
        ),
        is_partitioned=False,
    ),
    Table(
        "labeller_comparison",
        "scope × truth × rater",
        "Labellers and people on the same blind validation clips, each with bootstrap intervals over source videos.",
        ("scope", "truth", "rater_id"),
        (
            SCOPE,
            Column(
                "truth",
                TEXT,
                "`majority`: of all people, for models; `others`: for each person the majority of the others, and for "
                "models the same pairs of clip and majority, so that they can be compared with people",
                vocabulary=(MAJORITY, OTHERS),
            ),
            Column("rater_id", TEXT, "model or annotator; `people` is all of them together"),
            Column("rater_kind", TEXT, "what the rater is", vocabulary=RATER_KINDS),
            count("clip_count", "clips judged: the truth is one of the eight and every labeller at hand answered", 1),
            count("pair_count", "truths that answers were held against; by `others` a clip may have several", 1),
            share("accuracy", "share of the answers that are the truth"),
            share("accuracy_low", LOW_END, is_nullable=True),
            share("accuracy_high", HIGH_END, is_nullable=True),
            share("macro_f1", "mean F1 of the emotions that occur in the truth"),
            share("macro_f1_low", LOW_END, is_nullable=True),
            share("macro_f1_high", HIGH_END, is_nullable=True),
            coefficient("kappa", "Cohen's kappa with the truth, over the nine choices; null where p_e = 1"),
            coefficient("kappa_low", LOW_END),
            coefficient("kappa_high", HIGH_END),
            share(
                "ece",
                "expected calibration error of the most probable emotion, bins of equally many; null for people",
                is_nullable=True,
            ),
            Column(
                "nll",
                NUMBER,
                f"mean of -log of the truth's probability, at least {LEAST_PROBABILITY:g}; null for people",
                is_nullable=True,
                minimum=0,
            ),
            Column(
                "brier",
                NUMBER,
                "mean squared distance from certainty of the truth",
                is_nullable=True,
                minimum=0,
                maximum=2,
            ),
            Column(
                "model_s_per_clip", NUMBER, "time of the model; null where unknown", "s", is_nullable=True, minimum=0
            ),
            Column("prompt_tokens_per_clip", NUMBER, "null where the rater has none", is_nullable=True, minimum=0),
        ),
        is_partitioned=False,
    ),
    Table(
        "benchmark_split",
        "labelled clip",
        "Benchmark (ten per emotion), training and unused clips; no group is on both sides.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            Column("split", TEXT, "where the clip went", vocabulary=SPLITS),
            emotion(),
            Column("label_source", TEXT, "who labelled it", vocabulary=("human", "vlm")),
            GROUP_ID,
            Column("prompt", TEXT, 'caption + ` The video is in the "<emotion>" emotion.`'),
            Column(
                "first_frame_path",
                TEXT,
                "PNG of the first frame that is not of one colour (benchmark clips)",
                is_nullable=True,
            ),
            Column(
                "first_frame_index",
                INTEGER,
                "which frame of the clip that is, from 0; null where all are of one colour",
                is_nullable=True,
                minimum=0,
            ),
        ),
        uses_pandas_type=True,
    ),
)
