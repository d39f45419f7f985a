-- view: generation_before_after
-- gives: What adapters have changed in a generator: what was gained, and what it cost.
-- grain: pair of generators × task × scope × asked emotion × metric
-- source: this project
-- depends on: generation_tests, generated_videos
-- note: Compared on the videos that both have, by prompt and seed: shares by the exact test of McNemar, all else by a
--   permutation. `verdict` is by the p that is corrected (Holm) for all tests of its family, other generators among them;
--   `indistinguishable` is no proof that nothing has changed: see the interval. Low flicker is good only beside the other
--   metrics: a still video has none.
-- columns:
--   task (VARCHAR): t2v (text to video) or i2v (image to video)
--   scope (VARCHAR): movie, animation, sticker or total
--   asked_emotion (VARCHAR): emotion asked for; all is the eight together
--   metric (VARCHAR): what is measured
--   model_id (VARCHAR): the model
--   before (VARCHAR): generator without adapters
--   after (VARCHAR): generator with some
--   change (DOUBLE): value after less value before, in the metric's own unit (shares as shares)
--   change_low (DOUBLE): lower end of the 95 % interval over prompts; null for distances and for few prompts
--   change_high (DOUBLE): upper end
--   is_better (BOOLEAN): whether that is what is wanted of the metric; null where nothing has changed
--   gained_count (BIGINT): of shares, videos that are right after and were not before; null for other metrics
--   lost_count (BIGINT): of shares, videos that were right before and are not after
--   pair_count (BIGINT): videos that both have
--   p (DOUBLE): two-sided
--   p_adjusted (DOUBLE): by Holm, over the tests of the family
--   method (VARCHAR): mcnemar_exact or paired_permutation
--   verdict (VARCHAR): distinguishable (p_adjusted < 0.05), indistinguishable or equal
--   is_trial (BOOLEAN): whether a model of random weights had part in it: then it says nothing of any model

create or replace view generation_before_after as
with
generators as (
    select distinct generator, task, model_id, len(adapters) > 0 as has_adapters
    from generated_videos
    where model_id is not null
),

paired as (
    select
        tests.*,
        before.model_id,
        before.generator as before,
        after.generator as after,
        tests.generator_b = after.generator as is_b_after
    from generation_tests as tests
    inner join generators as before
        on tests.task = before.task and before.generator in (tests.generator_a, tests.generator_b)
    inner join generators as after
        on
            tests.task = after.task
            and after.generator in (tests.generator_a, tests.generator_b)
            and before.model_id = after.model_id
    where not before.has_adapters and after.has_adapters
)

select
    task,
    scope,
    asked_emotion,
    metric,
    model_id,
    before,
    after,
    -- Taken from nothing, as minus nothing would be shown as -0.
    if(is_b_after, difference, 0 - difference) as change,
    if(is_b_after, low, 0 - high) as change_low,
    if(is_b_after, high, 0 - low) as change_high,
    case
        when difference != 0
            then
                (if(is_b_after, difference, -difference) > 0)
                != (metric in ('flicker_native', 'flicker_common', 'frechet_distance', 'kernel_distance'))
    end as is_better,
    if(is_b_after, only_b_count, only_a_count) as gained_count,
    if(is_b_after, only_a_count, only_b_count) as lost_count,
    pair_count,
    p,
    p_adjusted,
    method,
    case
        when difference = 0 then 'equal'
        when p_adjusted < 0.05 then 'distinguishable'
        else 'indistinguishable'
    end as verdict,
    is_trial
from paired
order by task desc, before, after, metric, scope, asked_emotion;
