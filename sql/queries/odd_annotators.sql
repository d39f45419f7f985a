-- question: Who answers differently from the others?
-- topic: labels
-- answer: How much more often a person stands alone than the others do on the same clips (in the domain where it is
--   most), least likely by chance first.
--   `is_odd` accuses somebody of a team of equally good people in at most one library of twenty: `p_value` is multiplied
--   by the number of questions asked, one a person, purpose and domain. It is null with clips of few source videos.
select
    annotator_id,
    purpose,
    sum(compared_count)::bigint as compared_count,
    sum(agree_count) / nullif(sum(compared_count), 0) as agreement,
    max(deviation) as deviation,
    -- DuckDB's least passes over nulls.
    case
        when min(deviation_p_value) is not null then least(1, min(deviation_p_value) * any_value(question_count))
    end as p_value,
    p_value < 0.05 as is_odd
from (select *, count(deviation_p_value) over () as question_count from annotator_quality)
group by annotator_id, purpose
having sum(compared_count) > 0
order by p_value nulls last, annotator_id, purpose;
