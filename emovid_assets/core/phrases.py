"""Phrases of captions: which there are, and how many captions of each emotion hold them.

A caption holds some ten phrases, most of them once in a library: to find the frequent ones means to count them all,
which is work for a build and not for a query. What is kept is enough for exact ranks and shares, see `kept_phrases`.

Belongs here: what a word and a phrase is, the statements that count, which counts are kept. Does not belong here: the
ranks (`caption_phrases`), and running the statements.
"""

from collections.abc import Iterator

from emovid_assets.core.emotions import EMOTION_NAMES

TABLES_READ = ("captions", "emotion_labels")

RANKS = 200
"""Of each emotion every phrase is kept that is as frequent as the one of this rank.

One that stays among the ranked covers at most five others, its parts: so the first thirty ranks are exact.
"""

LONGEST = 4
"""Words of the longest phrase; the shortest has two."""

FEW, SHARE = 3, 1 / 5000
"""A phrase is kept, too, where it is in so many captions, and in this share of them, whatever their emotion."""

_STOP_WORD_LINES = """
    a about above across after again against all almost along already also although always am among an and another any
    anyone anything are aren't around as at away back be became because become becomes been before behind being below
    beneath beside between beyond both but by came can can't cannot come comes coming could couldn't did didn't do does
    doesn't doing don't done down due during each either else even ever every everyone everything few for from further
    get gets getting give gives go goes going had hadn't has hasn't have haven't having he he's hence her here hers
    herself him himself his how however i i'm if in inside instead into is isn't it it's its itself just like made make
    makes making many may me might mine more most much must my myself near nearly neither never no nobody none nor not
    nothing now of off often on once one only onto or other others our ours ourselves out outside over own per perhaps
    quite rather really same seem seems seen several shall she she's should shouldn't since so some someone something
    soon still such than that that's the their theirs them themselves then there there's these they they're this those
    though through throughout thus to together too toward towards under underneath until up upon us very via was wasn't
    we we're well were weren't what when where whether which while who whom whose why will with within without won't
    would wouldn't yet you you're your yours yourself yourselves
"""
STOP_WORDS = tuple(_STOP_WORD_LINES.split())

EMOTION_WORDS = {
    emotion: (*words.split(), "emotion", "emotions", "emotional", "emotionally", "feeling", "feelings")
    for emotion, words in {
        "amusement": "amusement amuse amuses amused amusing amusingly",
        "awe": "awe awed awes awesome awe-inspiring awestruck awe-struck",
        "contentment": "contentment content contented contentedly",
        "excitement": "excitement excite excites excited exciting excitedly",
        "anger": "anger angers angered angry angrily",
        "disgust": "disgust disgusts disgusted disgusting disgustingly",
        "fear": "fear fears fearful fearfully feared",
        "sadness": "sadness sad sadly sadder saddened saddening",
    }.items()
}
"""Captions name the emotion itself, in words that say nothing else about the clip."""

# What stands behind the point of a number is no number of its own: `0.7 seconds` are not `7 seconds`.
_WORD = r"(?:\p{N}+(?:[.,]\p{N}+)+[\p{L}\p{M}]*|[\p{L}\p{M}\p{N}]+)(?:[''-][\p{L}\p{M}\p{N}]+)*"
# A run of punctuation is a token too: it keeps its place, so that no phrase reaches across it.
_TOKEN = rf"{_WORD}|[^\s\p{{L}}\p{{M}}\p{{N}}]+"


def counting_statements() -> Iterator[str]:
    """DuckDB's statements that make the table `phrase_counts` of the tables in `TABLES_READ`.

    Its columns are emotion, phrase, caption_count. A phrase is two to four words that stand together in a caption. Stop
    words, punctuation and the words of the clip's own emotion split the text: nothing is joined across them. A word is
    a run of letters and digits in lower case; apostrophes and hyphens within it belong to it, and so do points and
    commas between digits. A caption counts once; captions without a label do not count.

    The counts are exact for every phrase that is kept; of rarer ones, some are there and some are not. One emotion
    after another, so that what is in memory is of one emotion: no phrase is more frequent than the pairs of words in
    it, so pairs are counted first, and longer phrases only where all of their pairs are frequent.
    """
    yield (
        "create temp table labelled as select row_number() over () as number, emotion_labels.emotion, captions.caption "
        "from captions inner join emotion_labels on captions.clip_id = emotion_labels.clip_id"
    )
    yield "create temp table frequent_pairs (phrase varchar)"
    yield from (_frequent_pairs(emotion) for emotion in EMOTION_NAMES)
    yield "create temp table phrase_counts (emotion varchar, phrase varchar, caption_count bigint)"
    yield from (_counts(emotion) for emotion in EMOTION_NAMES)


def kept_phrases() -> str:
    """A query on `phrase_counts` and `labelled`: the rows to keep, sorted, with the number of words and whether one of
    them names an emotion. A phrase that is kept for one emotion, or for all together, has its counts of all."""
    named = "|".join(sorted({word for words in EMOTION_WORDS.values() for word in words}))
    return f"""
select
    emotion,
    phrase,
    len(string_split(phrase, ' '))::bigint as word_count,
    caption_count,
    regexp_matches(phrase, '(?:^| )(?:{named})(?: |$)') as has_emotion_word
from phrase_counts
semi join (
    select phrase
    from phrase_counts
    inner join (
        select emotion, list_min(max(caption_count, {RANKS})) as lowest_count from phrase_counts group by emotion
    ) as thresholds on phrase_counts.emotion = thresholds.emotion
    group by phrase
    having bool_or(caption_count >= lowest_count) or sum(caption_count) >= ({_LEAST})
) as kept on phrase_counts.phrase = kept.phrase
order by emotion, phrase
"""


_LEAST = f"select greatest({FEW}, count(*) * {SHARE}) from captions"


def _texts(emotion: str) -> str:
    """The captions of an emotion as lists of words; null stands for what splits them."""
    words = "|".join(word.replace("'", "''") for word in (*STOP_WORDS, *EMOTION_WORDS[emotion]))
    return f"""
texts as (
    select
        number,
        list_transform(
            regexp_extract_all(replace(lower(caption), '’', ''''), '{_TOKEN}'),
            lambda token: case
                when not regexp_full_match(token, '(?:{words})|[^\\p{{L}}\\p{{N}}]*') then token
            end
        ) as words
    from labelled
    where emotion = '{emotion}'
)"""


def _frequent_pairs(emotion: str) -> str:
    """Pairs of words that a phrase to be kept may hold. One that is frequent in all captions together has an eighth of
    that in one emotion at least."""
    return f"""
insert into frequent_pairs
with {_texts(emotion)},

pairs as (
    select
        unnest(list_distinct(list_transform(list_zip(words, words[2:]), lambda word: word[1] || ' ' || word[2])))
            as phrase
    from texts
),

counted as (
    select phrase, count(*) as caption_count from pairs where phrase is not null group by phrase
)

select phrase
from counted
where caption_count >= least(
    (select case when count(*) < {RANKS} then 1 else list_min(max(caption_count, {RANKS})) end from counted),
    ({_LEAST}) / {len(EMOTION_NAMES)}
)
"""


def _counts(emotion: str) -> str:
    return f"""
insert into phrase_counts
with {_texts(emotion)},

pairs as (
    select number, position, word[2] as word_2, word[1] || ' ' || word[2] as phrase
    from (
        select number, unnest(list_zip(words, words[2:])) as word, generate_subscripts(words, 1) as position
        from texts
    )
),

-- The last word of the pair that starts one word, and two words, further on.
sequences as (
    select
        number,
        phrase,
        case when lead(position, 1) over following = position + 1 then lead(word_2, 1) over following end as word_3,
        case when lead(position, 2) over following = position + 2 then lead(word_2, 2) over following end as word_4
    from pairs
    semi join frequent_pairs on pairs.phrase = frequent_pairs.phrase
    window following as (partition by number order by position)
),

occurrences as (
    select number, unnest([phrase, phrase || ' ' || word_3, phrase || ' ' || word_3 || ' ' || word_4]) as phrase
    from sequences
)

select '{emotion}' as emotion, phrase, count(distinct number) as caption_count
from occurrences
where phrase is not null
group by phrase
"""
