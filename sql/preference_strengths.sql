-- view: preference_strengths
-- gives: One row per generator that people compared: how often it was preferred, and how strong it is beside the others.
-- grain: question × task × scope × generator
-- source: this project
-- depends on: preference_results
-- columns:
--   question (VARCHAR): `emotion`, `quality` or `prompt`
--   task (VARCHAR): `t2v` or `i2v`
--   scope (VARCHAR): a domain; `total` is all domains together
--   generator (VARCHAR): its name
--   preferred_count (BIGINT): answers for it
--   tie_count (BIGINT): answers for neither
--   other_count (BIGINT): answers for the one beside it
--   preferred_share (DOUBLE): share of its answers that are for it, a tie half; null without any
--   strength (DOUBLE): by Bradley and Terry beside the mean of all compared, in log odds; null where answers do not bound it
--   strength_rank (BIGINT): 1 is the strongest; null where any of its question, task and scope has no strength
--   is_trial (BOOLEAN): whether a model of random weights had part in it: then the numbers say nothing of any model

create or replace view preference_strengths as
with
sides as (
    select
        question, task, scope, generator_b as generator, is_trial,
        prefers_b_count as preferred_count, tie_count, prefers_a_count as other_count, strength as difference
    from preference_results
    union all
    select
        question, task, scope, generator_a as generator, is_trial,
        prefers_a_count as preferred_count, tie_count, prefers_b_count as other_count, -strength as difference
    from preference_results
),

summed as (
    select
        question,
        task,
        scope,
        generator,
        sum(preferred_count)::bigint as preferred_count,
        sum(tie_count)::bigint as tie_count,
        sum(other_count)::bigint as other_count,
        -- Beside itself the difference is 0, which counts in the mean.
        case when count(difference) = count(*) then sum(difference) / (count(*) + 1) end as strength,
        bool_or(is_trial) as is_trial
    from sides
    group by question, task, scope, generator
)

select
    question,
    task,
    scope,
    generator,
    preferred_count,
    tie_count,
    other_count,
    (preferred_count + tie_count / 2) / nullif(preferred_count + tie_count + other_count, 0) as preferred_share,
    strength,
    case
        when count(strength) over (partition by question, task, scope) = count(*) over (partition by question, task, scope)
            then rank() over (partition by question, task, scope order by strength desc)
    end as strength_rank,
    is_trial
from summed
order by question, task, scope, strength desc nulls last, generator;
