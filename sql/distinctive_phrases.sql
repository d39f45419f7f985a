-- view: distinctive_phrases
-- gives: The ten phrases of each emotion that its captions hold far more often than those of other emotions do.
-- grain: emotion × rank; an emotion without such phrases has no row
-- source: Monroe, Colaresi and Quinn (2008), Fightin' Words, equations 16, 20 and 22; the paper lists frequent phrases
--   only (see caption_phrases)
-- depends on: captions, emotion_wheel, caption_phrase_counts
-- note: The log-odds ratio of the phrase in the emotion's captions against all other captions, with an informative
--   Dirichlet prior: every phrase begins with its share of all phrases, as heavy as an average emotion, so that rare
--   phrases do not win by chance. The vocabulary is that of phrase_counts without phrases that hold a word of any emotion.
--   A phrase that lies within a longer one with the same counts is left out. Ranked by z; ties: the phrase of more words,
--   then the alphabet. Only phrases with a z above 1.96 are there.
-- columns:
--   emotion (VARCHAR): final label of the clips
--   rank (BIGINT): 1 to 10
--   phrase (VARCHAR): two to four words in lower case
--   word_count (BIGINT): words of the phrase
--   caption_count (BIGINT): captions of the emotion that hold the phrase
--   other_caption_count (BIGINT): captions of other emotions that hold it
--   log_odds_ratio (DOUBLE): ln of the odds in the emotion over the odds elsewhere, drawn towards 0 by the prior
--   z_score (DOUBLE): log_odds_ratio in standard errors

create or replace view distinctive_phrases as
with
counted as (
    select emotion, phrase, sum(caption_count)::bigint as y
    from caption_phrase_counts
    where not has_emotion_word
    group by emotion, phrase
    qualify sum(y) over (partition by phrase) >= greatest(3, (select count(*) from captions) / 5000)
),

totals as (
    select
        *,
        sum(y) over (partition by phrase) as y_all,
        sum(y) over (partition by emotion) as n,
        sum(y) over () as n_all
    from counted
),

with_prior as (
    select
        *,
        y_all - y as y_rest,
        n_all - n as n_rest,
        y_all / 8 as prior,
        n_all / 8 as prior_all
    from totals
),

scored as (
    select
        emotion,
        phrase,
        string_split(phrase, ' ') as phrase_words,
        y::bigint as y,
        y_rest::bigint as y_rest,
        ln((y + prior) / (n + prior_all - y - prior))
        - ln((y_rest + prior) / (n_rest + prior_all - y_rest - prior)) as log_odds_ratio,
        log_odds_ratio / sqrt(1 / (y + prior) + 1 / (y_rest + prior)) as z_score
    from with_prior
    -- Odds need a second phrase.
    where n + prior_all > y + prior and n_rest + prior_all > y_rest + prior
),

candidates as (
    select * from scored where z_score > 1.96
),

-- A phrase without its last or its first word; what lies two words within lies within one of these.
covered as (
    select emotion, array_to_string(phrase_words[:-2], ' ') as phrase, y, y_rest from candidates
    union
    select emotion, array_to_string(phrase_words[2:], ' ') as phrase, y, y_rest from candidates
),

ranked as (
    select
        candidates.*,
        len(candidates.phrase_words) as word_count,
        row_number() over (
            partition by candidates.emotion
            -- Phrases of the same counts have the same z; what the last digits say is rounding.
            order by round(candidates.z_score, 9) desc, len(candidates.phrase_words) desc, candidates.phrase
        ) as rank
    from candidates
    anti join covered
        on candidates.emotion = covered.emotion
        and candidates.phrase = covered.phrase
        and candidates.y = covered.y
        and candidates.y_rest = covered.y_rest
)

select
    ranked.emotion,
    ranked.rank,
    ranked.phrase,
    ranked.word_count,
    ranked.y as caption_count,
    ranked.y_rest as other_caption_count,
    ranked.log_odds_ratio,
    ranked.z_score
from ranked
inner join emotion_wheel on ranked.emotion = emotion_wheel.emotion
where ranked.rank <= 10
order by emotion_wheel.emotion_index, ranked.rank;
