"""Tables that are joined or counted out of others, so that views over millions of clips stay quick.

Belongs here: the derived tables. Does not belong here: their queries (`core`).
"""

from collections.abc import Iterable
from dataclasses import replace

from emovid_assets.core.clip_facts import FACTS
from emovid_assets.core.phrases import LONGEST
from emovid_assets.tables.annotations import ANNOTATION_TABLES
from emovid_assets.tables.columns import (
    CLIP_ID,
    DOMAIN,
    FLAG,
    INTEGER,
    OUTCOMES,
    PURPOSE,
    TEXT,
    TEXTS,
    Column,
    Table,
    count,
    emotion,
)
from emovid_assets.tables.evaluation import EVALUATION_TABLES
from emovid_assets.tables.labels import LABEL_TABLES
from emovid_assets.tables.measurements import MEASUREMENT_TABLES
from emovid_assets.tables.sources import SOURCE_TABLES

_JOINED = (*SOURCE_TABLES, *MEASUREMENT_TABLES, *ANNOTATION_TABLES, *LABEL_TABLES, *EVALUATION_TABLES)


def _fact_columns() -> Iterable[Column]:
    """The columns of `clip_facts`: those of the tables that it joins, under its own names."""
    by_name = {table.name: table for table in _JOINED}
    for table, names in FACTS.items():
        columns = {column.name: column for column in by_name[table].columns}
        for column, name in names.items():
            yield replace(columns[column], name=name, is_nullable=columns[column].is_nullable or table != "clips")


DERIVED_TABLES = (
    Table(
        "clip_facts",
        "clip",
        "Everything that is known of a clip, joined when it is built; null where a stage has not reached the clip.",
        ("clip_id",),
        (
            *_fact_columns(),
            Column("has_caption", FLAG, "whether the clip has a caption that is not blank"),
            emotion(
                "next_emotion",
                "final label of the next kept segment of the source; null without either",
                is_nullable=True,
            ),
            Column(
                "is_next_adjacent",
                FLAG,
                "whether no dropped segment lies before that next one; null without a next one",
                is_nullable=True,
            ),
        ),
    ),
    Table(
        "disputed_clips",
        "clip × purpose",
        "Clips on which people disagree, with every vote.",
        ("clip_id", "purpose"),
        (
            CLIP_ID,
            DOMAIN,
            PURPOSE,
            count("vote_count", "people who answered", 2),
            count("choice_count", "different answers", 2),
            count("agree_count", "votes of the most frequent answer", 1),
            Column("votes", TEXTS, "the answers, in the order of annotator_ids"),
            Column("annotator_ids", TEXTS, "who answered, sorted"),
            Column("human_outcome", TEXT, "what became of the clip", is_nullable=True, vocabulary=OUTCOMES),
            emotion("human_emotion", "the human label; null unless agreed", is_nullable=True),
            emotion("vlm_emotion", "the labeller's choice; null where it has not answered", is_nullable=True),
        ),
    ),
    Table(
        "caption_phrase_counts",
        "emotion × phrase",
        "The frequent phrases of two to four words in captions, and how many captions of each emotion hold them.",
        ("emotion", "phrase"),
        (
            emotion("emotion", "final label of the clips"),
            Column("phrase", TEXT, "words in lower case, a blank between them"),
            Column("word_count", INTEGER, "words of the phrase", minimum=2, maximum=LONGEST),
            count("caption_count", "captions that hold the phrase; a caption counts once", 1),
            Column("has_emotion_word", FLAG, "whether a word of it names an emotion, the clips' own or another"),
        ),
        is_partitioned=False,
    ),
)
