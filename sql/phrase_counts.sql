-- view: phrase_counts
-- gives: How many captions of an emotion hold a phrase of two to four words, for phrases of more than a few captions.
-- grain: emotion × phrase
-- source: paper, text on captions (requirement R27)
-- depends on: captions, caption_phrase_counts
-- note: Words are those of caption_phrases. A phrase is there with its counts of all emotions where it is in three
--   captions at least, and in one of 5,000.
-- columns:
--   emotion (VARCHAR): final label of the clips
--   phrase (VARCHAR): words in lower case, a blank between them
--   word_count (BIGINT): words of the phrase
--   caption_count (BIGINT): captions that hold the phrase; a caption counts once

create or replace view phrase_counts as
select emotion, phrase, word_count, caption_count
from caption_phrase_counts
qualify sum(caption_count) over (partition by phrase) >= greatest(3, (select count(*) from captions) / 5000);
