-- question: Which are the brightest fear scenes?
-- topic: clips
-- answer: By the mean brightness (V) of all sampled pixels.
-- parameters:
--   emotion (VARCHAR, fear): the emotion
--   limit (BIGINT, 10): how many clips
select clip_id, brightness_mean, title, media_path
from clip_catalogue
where emotion = $emotion
order by brightness_mean desc nulls last, clip_id
limit $limit;
