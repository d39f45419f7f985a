-- question: Which clips did people look at and leave without a label?
-- topic: labels
-- answer: No majority, no specific emotion, or a sticker whose emotion was rejected.
select clip_id, domain, human_outcome, intended_emotion, media_path
from clip_catalogue
where human_outcome <> 'agreed'
order by human_outcome, clip_id;
