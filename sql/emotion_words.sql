-- view: emotion_words
-- gives: Words by which a caption names an emotion itself, and so says nothing else about the clip.
-- grain: emotion × word
-- source: requirement R27: phrases without the emotion word's own boilerplate
-- depends on: nothing
-- columns:
--   emotion (VARCHAR): emotion that the word names; words for emotion as such stand under all eight
--   word (VARCHAR): in lower case

create or replace view emotion_words as
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
) as listed (emotion, words);
