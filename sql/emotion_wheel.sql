-- view: emotion_wheel
-- gives: The eight emotions with polarity and position; every other view takes them from here.
-- grain: emotion
-- source: paper, Figure 2; valence and arousal are the means of Warriner, Kuperman & Brysbaert (2013) for the
--   English words, scale 1 to 9; equal to EMOTIONS in core/emotions.py.
-- depends on: nothing
-- columns:
--   emotion_index (BIGINT): position in EmoSet's order, 0 to 7
--   emotion (VARCHAR): one of the eight Mikels labels
--   polarity (VARCHAR): positive or negative
--   valence (DOUBLE): how pleasant the word is, 1 (low) to 9 (high)
--   arousal (DOUBLE): how exciting the word is, 1 (low) to 9 (high)
--   is_high_arousal (BOOLEAN): whether arousal lies above the median of the eight

create or replace view emotion_wheel as
with words as (
    select
        emotion_index::bigint as emotion_index,
        emotion,
        polarity,
        valence::double as valence,
        arousal::double as arousal
    from (
        values
            (0, 'amusement', 'positive', 7.00, 4.82),
            (1, 'awe', 'positive', 6.85, 3.83),
            (2, 'contentment', 'positive', 6.62, 4.60),
            (3, 'excitement', 'positive', 7.62, 6.21),
            (4, 'anger', 'negative', 2.50, 5.93),
            (5, 'disgust', 'negative', 3.32, 5.00),
            (6, 'fear', 'negative', 2.93, 6.14),
            (7, 'sadness', 'negative', 2.40, 2.81)
    ) as listed (emotion_index, emotion, polarity, valence, arousal)
)

select
    emotion_index,
    emotion,
    polarity,
    valence,
    arousal,
    arousal > median(arousal) over () as is_high_arousal
from words
order by emotion_index;
