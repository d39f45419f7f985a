-- view: caption_phrases
-- gives: The five most frequent phrases of two to four words in the captions of each emotion.
-- grain: emotion × rank; an emotion without captions has no row
-- source: paper, text on captions (requirement R27)
-- depends on: emotion_wheel, caption_phrase_counts
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
-- Thirty phrases hold five that stay: one that stays covers at most five others, its parts, all of its own count.
thresholds as (
    select emotion, list_min(max(caption_count, 30)) as lowest_count
    from caption_phrase_counts
    group by emotion
),

candidates as (
    select
        caption_phrase_counts.emotion,
        caption_phrase_counts.phrase,
        caption_phrase_counts.caption_count,
        string_split(caption_phrase_counts.phrase, ' ') as phrase_words
    from caption_phrase_counts
    inner join thresholds
        on caption_phrase_counts.emotion = thresholds.emotion
        and caption_phrase_counts.caption_count >= thresholds.lowest_count
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
