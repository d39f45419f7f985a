-- question: Which clips are disputed?
-- topic: labels
-- answer: All votes, in the order of the annotators; where all of them differ first.
-- parameters:
--   domain (VARCHAR, null): only this domain; null for all
select clip_id, agree_count, votes, annotator_ids
from label_disagreements
where purpose = 'label' and ($domain is null or domain = $domain)
order by agree_count, clip_id;
