-- question: Who answers differently from the others?
-- topic: labels
-- answer: Agreement with the majority of the others, per purpose; lowest upper end first, so that a person with few
--   answers is not accused by chance.
select
    annotator_id,
    purpose,
    sum(compared_count)::bigint as compared_count,
    sum(agree_count) / nullif(sum(compared_count), 0) as agreement,
    max(kappa_high) as kappa_high
from annotator_quality
group by annotator_id, purpose
having sum(compared_count) > 0
order by kappa_high nulls last, annotator_id, purpose;
