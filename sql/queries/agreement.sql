-- question: Do people and the labeller agree as well as people with each other?
-- topic: quality
-- answer: Pooled kappas, and their gap with its direction and interval. A gap whose interval reaches far above 0.04
--   proves nothing: `required_clip_count` says how many clips would.
select
    domain,
    any_value(human_human_kappa) as human_human,
    any_value(human_vlm_kappa) as human_vlm,
    any_value(kappa_gap) as gap,
    any_value(kappa_gap_direction) as direction,
    any_value(kappa_gap_low) as gap_low,
    any_value(kappa_gap_high) as gap_high,
    any_value(required_clip_count) as required_clip_count
from rater_agreement
group by domain
order by domain;
