-- question: What has an adapter changed in a generator?
-- topic: generated video
-- answer: Pairs of generators of one model, one without adapters and one with some, on the same prompts and seeds: of
--   how many videos the emotion (EA-8) and its polarity (EA-2) were gained and lost, and what that cost in distance,
--   flicker and consistency. `p` of shares is McNemar's. `is_trial`: says nothing of any model.
select
    task,
    model_id,
    before,
    after,
    metric,
    change,
    change_low,
    change_high,
    is_better,
    gained_count,
    lost_count,
    pair_count,
    p,
    p_adjusted,
    verdict,
    is_trial
from generation_before_after
where scope = 'total' and asked_emotion = 'all'
order by
    task desc,
    before,
    after,
    list_position(['ea8', 'ea2', 'frechet_distance', 'kernel_distance', 'flicker_common'], metric) nulls last,
    metric;
