-- question: How much of the material was cut away, and why?
-- topic: films and sources
-- answer: Segments and minutes per domain: kept, too short, too long.
select
    domain,
    coalesce(drop_reason, 'kept') as outcome,
    count(*) as segment_count,
    round(sum(duration_s) / 60, 2) as duration_min,
    round(100 * sum(duration_s) / nullif(sum(sum(duration_s)) over (partition by domain), 0), 1) as percent
from segments
group by domain, outcome
order by domain, outcome;
