-- view: phrase_counts
-- gives: How many captions of an emotion hold a phrase of two to four words, for phrases of more than a few captions.
-- grain: emotion × phrase
-- source: paper, text on captions (requirement R27)
-- depends on: captions, emotion_labels
-- note: Words and phrases are those of caption_phrases: the words of the clip's own emotion split the text too. A phrase
--   is there with its counts of all emotions where it is in three captions at least, and in one of 5,000.
-- columns:
--   emotion (VARCHAR): final label of the clips
--   phrase (VARCHAR): words in lower case, a blank between them
--   word_count (BIGINT): words of the phrase
--   caption_count (BIGINT): captions that hold the phrase; a caption counts once

create or replace view phrase_counts as
with
stop_words as (
    select unnest(string_split(
        'a about above across after again against all almost along already also although always am among an and '
        || 'another any anyone anything are aren''t around as at away back be became because become becomes been '
        || 'before behind being below beneath beside between beyond both but by came can can''t cannot come comes '
        || 'coming could couldn''t did didn''t do does doesn''t doing don''t done down due during each either else '
        || 'even ever every everyone everything few for from further get gets getting give gives go goes going had '
        || 'hadn''t has hasn''t have haven''t having he he''s hence her here hers herself him himself his how however '
        || 'i i''m if in inside instead into is isn''t it it''s its itself just like made make makes making many may '
        || 'me might mine more most much must my myself near nearly neither never no nobody none nor not nothing now '
        || 'of off often on once one only onto or other others our ours ourselves out outside over own per perhaps '
        || 'quite rather really same seem seems seen several shall she she''s should shouldn''t since so some someone '
        || 'something soon still such than that that''s the their theirs them themselves then there there''s these '
        || 'they they''re this those though through throughout thus to together too toward towards under underneath '
        || 'until up upon us very via was wasn''t we we''re well were weren''t what when where whether which while '
        || 'who whom whose why will with within without won''t would wouldn''t yet you you''re your yours yourself '
        || 'yourselves',
        ' '
    )) as word
),

-- Captions name the emotion itself, in words that say nothing else about the clip.
emotion_words as (
    select
        emotion,
        unnest(string_split(words || ' emotion emotions emotional emotionally feeling feelings', ' ')) as word
    from (
        values
            ('amusement', 'amusement amuse amuses amused amusing amusingly'),
            ('awe', 'awe awed awes awesome awe-inspiring awestruck awe-struck'),
            ('contentment', 'contentment content contented contentedly'),
            ('excitement', 'excitement excite excites excited exciting excitedly'),
            ('anger', 'anger angers angered angry angrily'),
            ('disgust', 'disgust disgusts disgusted disgusting disgustingly'),
            ('fear', 'fear fears fearful fearfully feared'),
            ('sadness', 'sadness sad sadly sadder saddened saddening')
    ) as listed (emotion, words)
),

tokens as (
    select
        caption_number,
        emotion,
        unnest(found) as token,
        generate_subscripts(found, 1) as position
    from (
        select
            -- A number instead of the clip's long id: every word below carries it.
            row_number() over () as caption_number,
            emotion_labels.emotion,
            -- A run of punctuation is a token too: it keeps its place, and no word list holds it.
            regexp_extract_all(
                replace(lower(captions.caption), '’', ''''),
                '[\p{L}\p{M}\p{N}]+(?:[''-][\p{L}\p{M}\p{N}]+)*|[^\s\p{L}\p{M}\p{N}]+'
            ) as found
        from captions
        inner join emotion_labels on captions.clip_id = emotion_labels.clip_id
    )
),

words as (
    select
        tokens.caption_number,
        tokens.emotion,
        tokens.token,
        tokens.position
    from tokens
    anti join stop_words on tokens.token = stop_words.word
    anti join emotion_words on tokens.emotion = emotion_words.emotion and tokens.token = emotion_words.word
    where regexp_matches(tokens.token, '[\p{L}\p{N}]')
),

neighbours as (
    select
        caption_number,
        emotion,
        position,
        token as word_1,
        lead(token) over following as word_2,
        lead(position) over following as next_position
    from words
    window following as (partition by caption_number order by position)
),

pairs as (
    select caption_number, emotion, position, word_2, word_1 || ' ' || word_2 as phrase
    from neighbours
    where next_position = position + 1
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
