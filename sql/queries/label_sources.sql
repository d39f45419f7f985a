-- question: How many labels come from people?
-- topic: labels
-- answer: Per domain; the rest is the labeller's.
select
    domain,
    sum(clip_count)::bigint as clip_count,
    sum(human_label_count)::bigint as human_label_count,
    round(100 * sum(human_label_count) / nullif(sum(clip_count), 0), 1) as human_percent
from emotion_distribution
group by domain
order by domain;
