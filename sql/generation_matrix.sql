-- view: generation_matrix
-- gives: What emotion the labeller recognises in the videos that were asked for each emotion.
-- grain: generator × task × domain (and `total`) × asked emotion × recognised emotion
-- source: this project; paper, Evaluation (EA-8, EA-2)
-- depends on: generation_scores, scopes, emotion_wheel
-- note: Videos whose emotion nobody could recognise are left out. The labeller errs too: `labeller_comparison` says how
--   often. A row of an emotion that no video was asked for has counts of 0 and no shares.
-- columns:
--   generator (VARCHAR): name of the model
--   task (VARCHAR): t2v (text to video) or i2v (image to video)
--   domain (VARCHAR): movie, animation, sticker or total
--   asked_emotion (VARCHAR): emotion that the prompt asks for
--   recognised_emotion (VARCHAR): what the labeller recognises
--   video_count (BIGINT): videos of this pair
--   asked_count (BIGINT): videos that were asked for that emotion
--   share (DOUBLE): video_count / asked_count; null without any
--   is_right (BOOLEAN): whether it is the emotion asked for
--   is_polarity_right (BOOLEAN): whether its polarity is
--   is_trial (BOOLEAN): whether a model of random weights had part in any video of the generator there

create or replace view generation_matrix as
with
scored as (
    select generator, task, domain, asked_emotion, emotion, is_trial
    from generation_scores
    where emotion is not null
),

scoped as (
    select * from scored
    union all by name
    select * replace ('total' as domain) from scored
),

generators as (
    select generator, task, domain, bool_or(is_trial) as is_trial
    from scoped
    group by generator, task, domain
),

counted as (
    select generator, task, domain, asked_emotion, emotion, count(*) as video_count
    from scoped
    group by generator, task, domain, asked_emotion, emotion
),

cells as (
    select
        generators.generator,
        generators.task,
        generators.domain,
        generators.is_trial,
        asked.emotion as asked_emotion,
        asked.emotion_index as asked_index,
        recognised.emotion as recognised_emotion,
        recognised.emotion_index as recognised_index,
        asked.polarity = recognised.polarity as is_polarity_right,
        coalesce(counted.video_count, 0) as video_count
    from generators
    cross join emotion_wheel as asked
    cross join emotion_wheel as recognised
    left join counted
        on generators.generator = counted.generator
        and generators.task = counted.task
        and generators.domain = counted.domain
        and asked.emotion = counted.asked_emotion
        and recognised.emotion = counted.emotion
),

summed as (
    select
        *,
        sum(video_count) over (partition by generator, task, domain, asked_emotion)::bigint as asked_count
    from cells
)

select
    summed.generator,
    summed.task,
    summed.domain,
    summed.asked_emotion,
    summed.recognised_emotion,
    summed.video_count,
    summed.asked_count,
    case when summed.asked_count > 0 then summed.video_count / summed.asked_count end as share,
    summed.asked_emotion = summed.recognised_emotion as is_right,
    summed.is_polarity_right,
    summed.is_trial
from summed
left join scopes on summed.domain = scopes.domain
order by summed.task desc, summed.generator, scopes.domain_index, summed.asked_index, summed.recognised_index;
