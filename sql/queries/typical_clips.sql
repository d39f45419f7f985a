-- question: Which clips are most typical of an emotion?
-- topic: labels
-- answer: People agreed on it and the labeller says the same, most certain first.
-- parameters:
--   emotion (VARCHAR, awe): the emotion
--   limit (BIGINT, 10): how many clips
select clip_id, human_agree_count, round(vlm_confidence, 3) as labeller_confidence, caption, media_path
from clip_catalogue
where human_emotion = $emotion and vlm_emotion = $emotion
order by vlm_confidence desc, human_agree_count desc, clip_id
limit $limit;
