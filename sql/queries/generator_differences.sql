-- question: Which generators differ by more than chance?
-- topic: generated video
-- answer: Over all domains and emotions; pairs that are not listed are not told apart by these videos. A low flicker is
--   good only beside the other metrics. `is_trial`: says nothing of any model.
select
    task,
    metric,
    better,
    other,
    advantage,
    advantage_low,
    advantage_high,
    pair_count,
    p_adjusted,
    family_count,
    is_trial
from generation_differences
where verdict = 'distinguishable' and scope = 'total' and asked_emotion = 'all'
order by task desc, metric, p_adjusted, better, other;
