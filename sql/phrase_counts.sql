-- view: phrase_counts
-- gives: How many captions of an emotion hold a phrase of two to four words, for phrases of more than a few captions.
-- grain: emotion × phrase
-- source: paper, text on captions (requirement R27)
-- depends on: captions, caption_word_pairs
-- note: Words are those of caption_word_pairs. A phrase is there with its counts of all emotions where it is in three
--   captions at least, and in one of 5,000.
-- columns:
--   emotion (VARCHAR): final label of the clips
--   phrase (VARCHAR): words in lower case, a blank between them
--   word_count (BIGINT): words of the phrase
--   caption_count (BIGINT): captions that hold the phrase; a caption counts once

create or replace view phrase_counts as
with
-- Read once, because another reading may number the captions otherwise.
pairs as materialized (
    select caption_number, emotion, position, word_2, phrase from caption_word_pairs
),

-- No phrase is more frequent than the pairs of words in it.
frequent_pairs as (
    select pairs.*
    from pairs
    semi join (
        select phrase
        from pairs
        group by phrase
        having count(distinct caption_number) >= greatest(3, (select count(*) from captions) / 5000)
    ) as frequent on pairs.phrase = frequent.phrase
),

-- The last word of the pair that starts one word, and two words, further on.
sequences as (
    select
        caption_number,
        emotion,
        phrase,
        case when lead(position, 1) over following = position + 1 then lead(word_2, 1) over following end as word_3,
        case when lead(position, 2) over following = position + 2 then lead(word_2, 2) over following end as word_4
    from frequent_pairs
    window following as (partition by caption_number order by position)
),

occurrences as (
    select
        caption_number,
        emotion,
        unnest([phrase, phrase || ' ' || word_3, phrase || ' ' || word_3 || ' ' || word_4]) as phrase
    from sequences
),

counted as (
    select emotion, phrase, count(distinct caption_number) as caption_count
    from occurrences
    where phrase is not null
    group by emotion, phrase
)

select
    emotion,
    phrase,
    len(string_split(phrase, ' ')) as word_count,
    caption_count
from counted
qualify sum(caption_count) over (partition by phrase) >= greatest(3, (select count(*) from captions) / 5000)
order by emotion, phrase;
