"""What `emovid labeller compare` writes about pictures of another dataset: files beside the dataset, no tables of it.

Belongs here: their columns. Does not belong here: tables of the warehouse, whose list is `registry`.
"""

from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.tables.columns import FLAG, INTEGER, NUMBER, TEXT, Column, Table, count, emotion, identifier, share

PICTURE_RATER_KINDS = ("embedded", "zero_shot", "fine_tuned", "person", "people")
_PICTURE = identifier("picture_id", "as the dataset names the picture")
_RATER = identifier("rater_id", "who answered: a labeller with what it was taught by, or a person")
_KIND = Column("rater_kind", TEXT, "what kind of rater that is", vocabulary=PICTURE_RATER_KINDS)
_SCOPE = Column(
    "scope",
    TEXT,
    "all: what every labeller has answered; people: of these, what people have",
    vocabulary=("all", "people"),
)
_LABEL = Column("label", TEXT, "the answer", vocabulary=HUMAN_CHOICES)


def _measure(name: str, meaning: str, maximum: float | None = 1) -> Column:
    return Column(name, NUMBER, meaning, is_nullable=True, minimum=0, maximum=maximum)


PICTURE_ANSWERS = Table(
    "answers",
    "rater × picture",
    "Every answer about a picture of the sample.",
    ("rater_id", "picture_id"),
    (
        _PICTURE,
        emotion(meaning="of the picture, as the dataset says"),
        _RATER,
        _KIND,
        _LABEL,
        *(share(f"p_{name}", f"probability of {name}; null for people", is_nullable=True) for name in EMOTION_NAMES),
        Column("seconds", NUMBER, "what the answer cost", "s", is_nullable=True, minimum=0),
        Column("prompt_token_count", INTEGER, "tokens of the prompt with the picture", is_nullable=True, minimum=0),
    ),
    is_partitioned=False,
)
PICTURE_COMPARISON = Table(
    "comparison",
    "scope × rater",
    "How often each rater says what the dataset says, and how far its probabilities can be believed.",
    ("scope", "rater_id"),
    (
        _SCOPE,
        _RATER,
        _KIND,
        Column("model_id", TEXT, "the model; null for people", is_nullable=True),
        Column("model_revision", TEXT, "its revision or that of its adapter", is_nullable=True),
        Column("training_picture_count", INTEGER, "pictures of the dataset that it learnt from", minimum=0),
        Column("temperature", NUMBER, "by which its logarithms were divided", is_nullable=True, minimum=0),
        count("picture_count", "pictures compared", 1),
        count("right_8_count", "of them with the right emotion"),
        _measure("accuracy_8", "share of the right emotion"),
        _measure("accuracy_8_low", "its 95 % interval (Wilson)"),
        _measure("accuracy_8_high", "its 95 % interval (Wilson)"),
        count("right_2_count", "of them with an emotion of the right polarity"),
        _measure("accuracy_2", "share of the right polarity"),
        _measure("accuracy_2_low", "its 95 % interval (Wilson)"),
        _measure("accuracy_2_high", "its 95 % interval (Wilson)"),
        _measure("macro_f1", "mean F1 of the emotions that the pictures have"),
        _measure("macro_f1_low", "its 95 % interval (bootstrap over pictures)"),
        _measure("macro_f1_high", "its 95 % interval (bootstrap over pictures)"),
        _measure("ece", "expected calibration error"),
        _measure("nll", "mean negative log-likelihood of the right emotion", None),
        _measure("brier", "mean squared distance from certainty of the right emotion", 2),
        Column("seconds_per_picture", NUMBER, "mean cost of an answer", "s", is_nullable=True, minimum=0),
        _measure("prompt_tokens_per_picture", "mean tokens of the prompt with the picture", None),
    ),
    is_partitioned=False,
)
PICTURE_CONFUSION = Table(
    "confusion",
    "scope × rater × emotion × label",
    "How often each label was given to the pictures of each emotion, where it was.",
    ("scope", "rater_id", "emotion", "label"),
    (
        _SCOPE,
        _RATER,
        emotion(meaning="of the pictures, as the dataset says"),
        _LABEL,
        count("picture_count", "pictures", 1),
    ),
    is_partitioned=False,
)
PICTURE_FAULTS = Table(
    "faults",
    "fault",
    "What is wrong with pictures, annotations and entries, and whether the picture counts all the same.",
    ("split", "path", "code", "rater_id"),
    (
        Column("split", TEXT, "train, val or test"),
        Column("path", TEXT, "below the folder of the dataset, or the entry of its list"),
        Column("code", TEXT, "what kind of fault"),
        Column("message", TEXT, "what was seen, and what follows"),
        Column("rater_id", TEXT, "the rater that could not answer; empty where the picture itself is at fault"),
        Column("is_left_out", FLAG, "whether the picture does not count for that reason"),
    ),
    is_partitioned=False,
)
