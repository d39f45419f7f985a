-- view: caption_word_pairs
-- gives: Two words that follow each other in a caption: what phrases are made of.
-- grain: caption × position
-- source: paper, text on captions (requirement R27)
-- depends on: captions, emotion_labels, emotion_words
-- note: Stop words, punctuation and the words of the clip's own emotion split the text; nothing is joined across them, so
--   every phrase stands in the captions as it is. A word is a run of letters and digits; apostrophes and hyphens within
--   it belong to it.
-- columns:
--   caption_number (BIGINT): numbers the captions within one query; another query may number them otherwise
--   emotion (VARCHAR): final label of the clip
--   position (BIGINT): of the first word in the caption
--   word_2 (VARCHAR): the second word, in lower case
--   phrase (VARCHAR): both words, a blank between them

create or replace view caption_word_pairs as
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
)

select caption_number, emotion, position, word_2, word_1 || ' ' || word_2 as phrase
from neighbours
where next_position = position + 1;
