-- question: What should people annotate next?
-- topic: labels
-- answer: Clips that only the labeller has labelled, least certain first: there an answer changes most.
-- parameters:
--   domain (VARCHAR, null): only this domain; null for all
--   limit (BIGINT, 20): how many clips
select clip_id, emotion, round(label_confidence, 3) as confidence, thumbnail_path
from clip_catalogue
where label_source = 'vlm' and ($domain is null or domain = $domain)
order by label_confidence, clip_id
limit $limit;
