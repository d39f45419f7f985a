-- question: What has an adapter changed in a generator?
-- topic: generated video
-- answer: Pairs of generators of one model, one without adapters and one with some, on the same prompts and seeds: what
--   the one with them is better or worse in, and whether that is more than chance. `is_trial`: says nothing of any model.
with generators as (
    select distinct generator, task, model_id, len(adapters) > 0 as has_adapters
    from generated_videos
    where model_id is not null
)
select
    tests.task,
    before.model_id,
    before.generator as before,
    after.generator as after,
    tests.metric,
    if(tests.generator_b = after.generator, tests.difference, -tests.difference) as change,
    if(tests.generator_b = after.generator, tests.low, -tests.high) as change_low,
    if(tests.generator_b = after.generator, tests.high, -tests.low) as change_high,
    tests.p_adjusted,
    tests.p_adjusted < 0.05 as is_distinguishable,
    tests.pair_count,
    tests.is_trial
from generation_tests as tests
inner join generators as before on tests.task = before.task and before.generator in (tests.generator_a, tests.generator_b)
inner join generators as after
    on tests.task = after.task
    and after.generator in (tests.generator_a, tests.generator_b)
    and before.model_id = after.model_id
where not before.has_adapters and after.has_adapters and tests.scope = 'total' and tests.asked_emotion = 'all'
order by tests.task desc, before, after, tests.metric;
