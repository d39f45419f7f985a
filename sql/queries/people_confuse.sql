-- question: Which emotions do people confuse with each other?
-- topic: labels
-- answer: Pairs of answers of two people to the same clip and purpose, most frequent first, and their share of all
--   pairs of answers.
with pairs as (
    select a.label as one, b.label as other
    from human_annotations as a
    inner join human_annotations as b
        on a.clip_id = b.clip_id and a.purpose = b.purpose and a.annotator_id < b.annotator_id
    where a.purpose in ('label', 'validate')
)

select
    least(one, other) as label,
    greatest(one, other) as other_label,
    count(*) as pair_count,
    round(100 * count(*) / nullif((select count(*) from pairs), 0), 1) as percent
from pairs
where one <> other
group by all
order by pair_count desc, label, other_label;
