"""Stage 3: what people are asked, what they answered, what the majority says, and how each of them answers.

Belongs here: the tables of this stage. Does not belong here: how a value is computed.
"""

from emovid_assets.core.emotions import HUMAN_CHOICES, VERIFY_CHOICES
from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN,
    HIGH_END,
    INTEGER,
    INTENDED_EMOTION,
    LOW_END,
    NUMBER,
    OUTCOMES,
    PURPOSE,
    PURPOSES,
    TEXT,
    TIMESTAMP,
    Column,
    Table,
    coefficient,
    count,
    emotion,
    share,
)

ANNOTATOR_ID = Column(
    "annotator_id",
    TEXT,
    "who answered: a name as written, or the pseudonym of an address; simulated people begin with `simulated-`",
)
CHOICES = (*HUMAN_CHOICES, *VERIFY_CHOICES)

ANNOTATION_TABLES = (
    Table(
        "annotation_tasks",
        "clip × purpose",
        "What humans are asked: label (three people), verify a sticker, validate blind, review the benchmark.",
        ("clip_id", "purpose"),
        (
            CLIP_ID,
            DOMAIN,
            Column("purpose", TEXT, "why the clip is shown", vocabulary=PURPOSES),
            Column("required_annotators", INTEGER, "different people needed", minimum=1),
            INTENDED_EMOTION,
        ),
    ),
    Table(
        "human_annotations",
        "rater × clip × purpose",
        "Accepted answers; of several by one person, the latest.",
        ("clip_id", "purpose", "annotator_id"),
        (
            CLIP_ID,
            DOMAIN,
            PURPOSE,
            ANNOTATOR_ID,
            Column("label", TEXT, "the answer", vocabulary=CHOICES),
            Column("annotated_at", TIMESTAMP, "when", is_nullable=True),
            Column("tool", TEXT, "where: `label-studio`, `csv` or `simulated`"),
            Column(
                "lead_time_s",
                NUMBER,
                "how long the person took, as the tool measured it; null where unknown",
                "s",
                is_nullable=True,
                minimum=0,
            ),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "rejected_annotations",
        "answer that does not count, or not yet",
        "Answers that cannot count, kept with the reason; accepted ones that wait for more people "
        "(`too_few_annotators`); and what could not be read beside accepted ones (`bad_timestamp`, `bad_lead_time`, "
        "`unknown_column`). Answers whose clip id names no domain are kept under movie.",
        ("file_path", "row_number", "reason"),
        (
            DOMAIN,
            Column("file_path", TEXT, "annotation file, below the home folder"),
            Column(
                "row_number", INTEGER, "row or annotation within the file, from 1; 0 for the file itself", minimum=0
            ),
            Column("clip_id", TEXT, "as written", is_nullable=True),
            Column("annotator_id", TEXT, "as written, or the pseudonym of an address", is_nullable=True),
            Column("purpose", TEXT, "as written", is_nullable=True),
            Column("label", TEXT, "as written", is_nullable=True),
            Column("reason", TEXT, "stable code, such as `unknown_clip` or `unknown_label`"),
            Column("message", TEXT, "a sentence that says where it stands and what to do"),
        ),
    ),
    Table(
        "human_labels",
        "clip",
        "The majority of the human annotations; the verified intention for stickers.",
        ("clip_id",),
        (
            CLIP_ID,
            DOMAIN,
            emotion("emotion", "the label; null unless agreed", is_nullable=True),
            Column("agree_count", INTEGER, "people who chose it", minimum=0),
            Column("annotator_count", INTEGER, "people asked", minimum=1),
            Column("outcome", TEXT, "only `agreed` clips stay in the dataset", vocabulary=OUTCOMES),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "annotator_quality",
        "annotator × purpose",
        "How much each person answered, how fast, and how far they agree with the majority of the others.",
        ("annotator_id", "purpose"),
        (
            DOMAIN,
            ANNOTATOR_ID,
            PURPOSE,
            count("answer_count", "accepted answers", 1),
            count("timed_answer_count", "of these, with a known duration"),
            Column("lead_time_median_s", NUMBER, "median time for an answer", "s", is_nullable=True, minimum=0),
            count("compared_count", "answers to clips on which the others have a majority of at least two"),
            count("agree_count", "of these, equal to that majority"),
            share("agreement", "agree_count / compared_count; null without any", is_nullable=True),
            coefficient("kappa", "Cohen's kappa with the majority of the others; null where p_e = 1"),
            coefficient("kappa_low", LOW_END),
            coefficient("kappa_high", HIGH_END),
            Column(
                "deviation",
                NUMBER,
                "how much more often the person stands alone against the others than these do, on the same clips; "
                "null without clips of three answers",
                is_nullable=True,
                minimum=-1,
                maximum=1,
            ),
            share(
                "deviation_p_value",
                "probability of as much among equally good people, one-sided, over source videos; null with too few",
                is_nullable=True,
            ),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "annotator_choices",
        "annotator × purpose × choice",
        "How each person uses each choice: bias against the others on the same clips, recall and precision.",
        ("annotator_id", "purpose", "label"),
        (
            DOMAIN,
            ANNOTATOR_ID,
            PURPOSE,
            Column("label", TEXT, "the choice", vocabulary=CHOICES),
            count("answer_count", "times the person chose it"),
            count("shared_clip_count", "clips that the person and somebody else answered"),
            share("answer_share", "its share of the person's answers on those clips", is_nullable=True),
            share("others_share", "its share of the others' answers there, each clip weighing 1", is_nullable=True),
            coefficient("bias", "answer_share - others_share; above 0: chosen more often than by the others"),
            count("majority_count", "compared clips whose majority of the others is this choice"),
            count("compared_answer_count", "compared clips on which the person chose it"),
            count("agree_count", "compared clips on which both did"),
            share("recall", "agree_count / majority_count; null without any", is_nullable=True),
            share("precision", "agree_count / compared_answer_count; null without any", is_nullable=True),
        ),
        uses_pandas_type=True,
    ),
    Table(
        "annotator_confusion",
        "annotator × purpose × majority label × label",
        "What each person chose where the majority of the others chose what; only cells that occur.",
        ("annotator_id", "purpose", "majority_label", "label"),
        (
            DOMAIN,
            ANNOTATOR_ID,
            PURPOSE,
            Column("majority_label", TEXT, "what at least two of the others chose, without a tie", vocabulary=CHOICES),
            Column("label", TEXT, "what the person chose", vocabulary=CHOICES),
            count("clip_count", "clips", 1),
        ),
        uses_pandas_type=True,
    ),
)
