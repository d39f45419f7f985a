-- question: Which sadness clips are longer than ten seconds, surely labelled, and have a caption about something?
-- topic: clips
-- answer: Captions have no confidence; the one here is the label's: the share of people who agreed, or the labeller's
--   probability. The words are looked for as they are typed, in any case; `%` stands for anything between them.
-- parameters:
--   words (VARCHAR, %): what the caption holds, such as rain; `%` for any caption
--   emotion (VARCHAR, sadness): the emotion
--   min_s (DOUBLE, 10): longer than this, in seconds
--   min_confidence (DOUBLE, 0.8): label at least this sure
select clip_id, duration_s, label_source, label_confidence, caption
from clip_catalogue
where
    emotion = $emotion
    and duration_s > $min_s
    and label_confidence >= $min_confidence
    and caption ilike '%' || $words || '%'
order by duration_s desc, clip_id;
