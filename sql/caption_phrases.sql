-- view: caption_phrases
-- gives: The five most frequent phrases of two to four words in the captions of each emotion.
-- grain: emotion × rank; an emotion without captions has no row
-- source: paper, text on captions (requirement R27)
-- depends on: emotion_wheel, caption_word_pairs
-- note: Stop words, punctuation and the words of the clip's own emotion split the text; nothing is joined across them,
--   so every phrase stands in the captions as it is. A phrase that lies within a longer one of the same count is left
--   out: the longer one is in all of its captions (and can never be in more). Ties: the phrase of more words, then
--   the alphabet. A word is a run of letters and digits; apostrophes and hyphens within it belong to it.
-- columns:
--   emotion (VARCHAR): final label of the clips
--   rank (BIGINT): 1 to 5
--   phrase (VARCHAR): two to four words in lower case
--   word_count (BIGINT): words of the phrase
--   caption_count (BIGINT): captions that contain the phrase; a caption counts once

create or replace view caption_phrases as
with
-- Read once, because another reading may number the captions otherwise.
pairs as materialized (
    select caption_number, emotion, position, word_2, phrase from caption_word_pairs
),

pair_counts as (
    select emotion, phrase, count(distinct caption_number) as caption_count
    from pairs
    group by emotion, phrase
),

-- Thirty phrases hold five that stay: one that stays covers at most five others, its parts, all of its own count. So
-- whatever is less frequent than the thirtieth pair of words, or holds such a pair, has no part in the result. Fewer
-- than thirty pairs say nothing about longer phrases, which may then fill the last ranks.
thresholds as (
    select emotion, case when count(*) < 30 then 1 else list_min(max(caption_count, 30)) end as lowest_count
    from pair_counts
    group by emotion
),

frequent_pairs as (
    select
        pairs.caption_number,
        pairs.emotion,
        pairs.position,
        pairs.word_2,
        pairs.phrase
    from pairs
    inner join pair_counts on pairs.emotion = pair_counts.emotion and pairs.phrase = pair_counts.phrase
    inner join thresholds on pairs.emotion = thresholds.emotion and pair_counts.caption_count >= thresholds.lowest_count
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

phrases as (
    select emotion, phrase, count(distinct caption_number) as caption_count
    from occurrences
    where phrase is not null
    group by emotion, phrase
),

candidates as (
    select
        phrases.emotion,
        phrases.phrase,
        phrases.caption_count,
        string_split(phrases.phrase, ' ') as phrase_words
    from phrases
    inner join thresholds on phrases.emotion = thresholds.emotion and phrases.caption_count >= thresholds.lowest_count
),

-- A phrase without its last or its first word. One word less is enough: what lies two words within a phrase of the
-- same count lies within one of one word less, which has that count too.
covered as (
    select emotion, array_to_string(phrase_words[:-2], ' ') as phrase, caption_count from candidates
    union
    select emotion, array_to_string(phrase_words[2:], ' ') as phrase, caption_count from candidates
),

ranked as (
    select
        candidates.emotion,
        candidates.phrase,
        len(candidates.phrase_words) as word_count,
        candidates.caption_count,
        row_number() over (
            partition by candidates.emotion
            order by candidates.caption_count desc, len(candidates.phrase_words) desc, candidates.phrase
        ) as rank
    from candidates
    anti join covered
        on candidates.emotion = covered.emotion
        and candidates.phrase = covered.phrase
        and candidates.caption_count = covered.caption_count
)

select
    ranked.emotion,
    ranked.rank,
    ranked.phrase,
    ranked.word_count,
    ranked.caption_count
from ranked
inner join emotion_wheel on ranked.emotion = emotion_wheel.emotion
where ranked.rank <= 5
order by emotion_wheel.emotion_index, ranked.rank;
