-- view: generation_differences
-- gives: Which generator is better than which, and whether that is more than chance.
-- grain: pair of generators × task × scope × asked emotion × metric
-- source: this project
-- depends on: generation_tests, scopes
-- note: Compared on the videos that both have, by prompt and seed. `verdict` is by the p that is corrected (Holm) for all
--   tests of its family; it says whether the sign of the difference is known, not whether the difference matters, and
--   `indistinguishable` is no proof of equality: see the interval. Low flicker is good only beside the other metrics: a
--   still video has none.
-- columns:
--   task (VARCHAR): t2v (text to video) or i2v (image to video)
--   scope (VARCHAR): movie, animation, sticker or total
--   asked_emotion (VARCHAR): emotion asked for; all is the eight together
--   metric (VARCHAR): what is measured
--   generator_a (VARCHAR): first of the pair, by name
--   generator_b (VARCHAR): second of the pair
--   better (VARCHAR): that with the better value; null where they are equal
--   other (VARCHAR): the other one; null where they are equal
--   advantage (DOUBLE): by how much its value is better, in the metric's own unit (shares as shares); never negative
--   advantage_low (DOUBLE): lower end of the 95 % interval over prompts; null for distances and for few prompts
--   advantage_high (DOUBLE): upper end
--   only_better_count (BIGINT): of shares, videos that are right in the better one alone; null for other metrics
--   only_other_count (BIGINT): of shares, videos that are right in the other one alone
--   pair_count (BIGINT): videos that both have
--   prompt_count (BIGINT): prompts that they are of
--   p (DOUBLE): two-sided
--   p_adjusted (DOUBLE): by Holm, over the tests of the family
--   family_count (BIGINT): tests of the family
--   method (VARCHAR): mcnemar_exact or paired_permutation
--   verdict (VARCHAR): distinguishable (p_adjusted < 0.05), indistinguishable or equal
--   is_trial (BOOLEAN): whether a model of random weights had part in it: then it says nothing of any model

create or replace view generation_differences as
with
directed as (
    select
        *,
        metric in ('flicker_native', 'flicker_common', 'frechet_distance', 'kernel_distance') as is_low_good
    from generation_tests
),

judged as (
    select *, case when is_low_good then difference < 0 else difference > 0 end as is_b_better
    from directed
)

select
    judged.task,
    judged.scope,
    judged.asked_emotion,
    judged.metric,
    judged.generator_a,
    judged.generator_b,
    case
        when judged.difference != 0 then if(judged.is_b_better, judged.generator_b, judged.generator_a)
    end as better,
    case
        when judged.difference != 0 then if(judged.is_b_better, judged.generator_a, judged.generator_b)
    end as other,
    abs(judged.difference) as advantage,
    -- That of b less a, turned where that is negative.
    case when judged.difference >= 0 then judged.low else -judged.high end as advantage_low,
    case when judged.difference >= 0 then judged.high else -judged.low end as advantage_high,
    case when judged.is_b_better then judged.only_b_count else judged.only_a_count end as only_better_count,
    case when judged.is_b_better then judged.only_a_count else judged.only_b_count end as only_other_count,
    judged.pair_count,
    judged.prompt_count,
    judged.p,
    judged.p_adjusted,
    judged.family_count,
    judged.method,
    case
        when judged.difference = 0 then 'equal'
        when judged.p_adjusted < 0.05 then 'distinguishable'
        else 'indistinguishable'
    end as verdict,
    judged.is_trial
from judged
left join scopes on judged.scope = scopes.domain
order by
    judged.task desc,
    scopes.domain_index,
    judged.asked_emotion,
    judged.metric,
    judged.p_adjusted,
    judged.generator_a,
    judged.generator_b;
