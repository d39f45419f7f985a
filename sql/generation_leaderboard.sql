-- view: generation_leaderboard
-- gives: The models that generate videos: as the paper measured them, and those of this library, ranked within their task.
-- grain: task × generator
-- source: paper, Table 3; 240 prompts a model
-- depends on: paper_numbers, generation_metrics
-- note: A value of the paper and one of ours are no measurements of one thing: other clips, another labeller, other
--   models behind CLIP and FVD. So each is ranked among its own. A printed share is k of 240 where rounding k / 240, or
--   cutting it off, gives what is printed; where no k does, hits and interval are null. Intervals of shares are Wilson's,
--   95 %, others of ours over prompts. Equal values share a rank. Flicker is 1 - VBench's score, so a still video has
--   none: low is good only beside the other columns. Which of our differences are more than chance says
--   `generation_differences`; no rank does.
-- columns:
--   task (VARCHAR): T2V (text to video) or I2V (image to video)
--   generator (VARCHAR): its name; the paper's before and after say whether it was tuned on EmoVid
--   is_computed (BOOLEAN): whether the row is measured by this project
--   is_trial (BOOLEAN): whether a model of random weights had part in it: then the row says nothing of any model
--   video_count (BIGINT): videos that the shares are of; of ours, of whatever has most
--   fvd (DOUBLE): Fréchet video distance to real videos; low is good; of ours null where no video encoder is configured
--   measured_distance (DOUBLE): the same distance in measured features, where no video encoder is configured
--   distance_floor (DOUBLE): of ours, that distance of two halves of the real clips
--   distance_of_halves (DOUBLE): of ours, that of one half and as many videos: what the floor is to be held against
--   kernel_distance (DOUBLE): of ours, unbiased kernel distance; around 0 where videos are like the real clips
--   distance_scorer (VARCHAR): of ours, whose features distances are taken of
--   distance_note (VARCHAR): of ours, why there is no distance; null where there is one
--   clip_score (DOUBLE): mean cosine of frames and prompt, of ours of the caption; high is good; null for the paper's I2V
--   clip_score_low (DOUBLE): lower end of its interval; null for the paper's
--   clip_score_high (DOUBLE): upper end
--   label_cosine (DOUBLE): of ours, mean cosine of frames and the sentence that names the emotion
--   first_frame_consistency (DOUBLE): the paper's SD, mean cosine of frames and first frame; high is good; null for the
--     paper's T2V
--   first_frame_consistency_low (DOUBLE): lower end of its interval; null for the paper's
--   first_frame_consistency_high (DOUBLE): upper end
--   flicker (DOUBLE): mean absolute change between frames as the files are, of full scale; low is good
--   flicker_common (DOUBLE): of ours, the same at the rate, length and size that all are compared at
--   flicker_note (VARCHAR): of ours, why there is no `flicker_common`; null where there is one
--   ea_2 (DOUBLE, percent): emotion accuracy of the two polarities, as printed
--   ea_2_hit_count (BIGINT): videos of the right polarity; null where no whole number gives the share
--   ea_2_check (VARCHAR): exact, truncated (cut off, not rounded) or not k/240 (no count of 240 gives it); null for ours
--   ea_2_low (DOUBLE, percent): lower end of the interval
--   ea_2_high (DOUBLE, percent): upper end of the interval
--   ea_8 (DOUBLE, percent): emotion accuracy of the eight emotions, as printed
--   ea_8_hit_count (BIGINT): videos of the right emotion; null where no whole number gives the share
--   ea_8_check (VARCHAR): as ea_2_check
--   ea_8_low (DOUBLE, percent): lower end of the interval
--   ea_8_high (DOUBLE, percent): upper end of the interval
--   fvd_rank (BIGINT): 1 for the lowest of the task; null without a value, here and below
--   clip_score_rank (BIGINT): 1 for the highest of the task
--   first_frame_consistency_rank (BIGINT): 1 for the highest of the task
--   flicker_rank (BIGINT): 1 for the lowest of the task
--   ea_2_rank (BIGINT): 1 for the highest of the task
--   ea_8_rank (BIGINT): 1 for the highest of the task

create or replace view generation_leaderboard as
with
printed as (
    select
        task,
        model as generator,
        min(number_index) as number_index,
        240 as video_count,
        any_value(printed_value) filter (where quantity = 'fvd') as fvd,
        any_value(printed_value) filter (where quantity = 'clip_score') as clip_score,
        any_value(printed_value) filter (where quantity = 'first_frame_consistency') as first_frame_consistency,
        any_value(printed_value) filter (where quantity = 'flicker') as flicker,
        any_value(printed_value) filter (where quantity = 'ea_2') as ea_2,
        any_value(printed_value) filter (where quantity = 'ea_8') as ea_8
    from paper_numbers
    where place = 'Table 3'
    group by task, model
),

nearest as (
    select
        *,
        round(ea_2 * video_count / 100)::bigint as ea_2_nearest,
        round(ea_8 * video_count / 100)::bigint as ea_8_nearest
    from printed
),

-- Rounded or cut off at the second decimal, the share is less than 0.01 away from what is printed.
counted as (
    select
        *,
        case when abs(100 * ea_2_nearest / video_count - ea_2) < 0.01 then ea_2_nearest end as ea_2_hit_count,
        case when abs(100 * ea_8_nearest / video_count - ea_8) < 0.01 then ea_8_nearest end as ea_8_hit_count
    from nearest
),

paper as (
    select
        *,
        case
            when ea_2_hit_count is null then 'not k/240'
            when abs(100 * ea_2_hit_count / video_count - ea_2) > 0.005 then 'truncated'
            else 'exact'
        end as ea_2_check,
        case
            when ea_8_hit_count is null then 'not k/240'
            when abs(100 * ea_8_hit_count / video_count - ea_8) > 0.005 then 'truncated'
            else 'exact'
        end as ea_8_check
    from counted
),

found as (
    select *, starts_with(scorer, 'embedded/') as is_measured
    from generation_metrics
    where scope = 'total' and asked_emotion = 'all'
),

ours as (
    select
        upper(task) as task,
        generator,
        bool_or(is_trial) as is_trial,
        max(video_count) as video_count,
        any_value(value) filter (where metric = 'frechet_distance' and not is_measured) as fvd,
        any_value(value) filter (where metric = 'frechet_distance' and is_measured) as measured_distance,
        any_value(floor) filter (where metric = 'frechet_distance') as distance_floor,
        any_value(half_value) filter (where metric = 'frechet_distance') as distance_of_halves,
        any_value(value) filter (where metric = 'kernel_distance') as kernel_distance,
        any_value(scorer) filter (where metric = 'frechet_distance') as distance_scorer,
        any_value(reason) filter (where metric = 'frechet_distance') as distance_note,
        any_value(value) filter (where metric = 'caption_cosine') as clip_score,
        any_value(low) filter (where metric = 'caption_cosine') as clip_score_low,
        any_value(high) filter (where metric = 'caption_cosine') as clip_score_high,
        any_value(value) filter (where metric = 'label_cosine') as label_cosine,
        any_value(value) filter (where metric = 'first_frame_consistency') as first_frame_consistency,
        any_value(low) filter (where metric = 'first_frame_consistency') as first_frame_consistency_low,
        any_value(high) filter (where metric = 'first_frame_consistency') as first_frame_consistency_high,
        any_value(value) filter (where metric = 'flicker_native') as flicker,
        any_value(value) filter (where metric = 'flicker_common') as flicker_common,
        any_value(reason) filter (where metric = 'flicker_common') as flicker_note,
        100 * any_value(value) filter (where metric = 'ea2') as ea_2,
        any_value(right_count) filter (where metric = 'ea2') as ea_2_hit_count,
        100 * any_value(low) filter (where metric = 'ea2') as ea_2_low,
        100 * any_value(high) filter (where metric = 'ea2') as ea_2_high,
        100 * any_value(value) filter (where metric = 'ea8') as ea_8,
        any_value(right_count) filter (where metric = 'ea8') as ea_8_hit_count,
        100 * any_value(low) filter (where metric = 'ea8') as ea_8_low,
        100 * any_value(high) filter (where metric = 'ea8') as ea_8_high
    from found
    group by task, generator
),

everything as (
    select
        *,
        false as is_computed,
        false as is_trial,
        100 * wilson_low(ea_2_hit_count, video_count) as ea_2_low,
        100 * wilson_high(ea_2_hit_count, video_count) as ea_2_high,
        100 * wilson_low(ea_8_hit_count, video_count) as ea_8_low,
        100 * wilson_high(ea_8_hit_count, video_count) as ea_8_high
    from paper
    union all by name
    select *, true as is_computed
    from ours
)

select
    task,
    generator,
    is_computed,
    is_trial,
    video_count::bigint as video_count,
    fvd,
    measured_distance,
    distance_floor,
    distance_of_halves,
    kernel_distance,
    distance_scorer,
    distance_note,
    clip_score,
    clip_score_low,
    clip_score_high,
    label_cosine,
    first_frame_consistency,
    first_frame_consistency_low,
    first_frame_consistency_high,
    flicker,
    flicker_common,
    flicker_note,
    ea_2,
    ea_2_hit_count,
    ea_2_check,
    ea_2_low,
    ea_2_high,
    ea_8,
    ea_8_hit_count,
    ea_8_check,
    ea_8_low,
    ea_8_high,
    case when fvd is not null then rank() over (partition by is_computed, task order by fvd) end as fvd_rank,
    case
        when clip_score is not null
            then rank() over (partition by is_computed, task order by clip_score desc nulls last)
    end as clip_score_rank,
    case
        when first_frame_consistency is not null
            then rank() over (partition by is_computed, task order by first_frame_consistency desc nulls last)
    end as first_frame_consistency_rank,
    case
        when flicker is not null then rank() over (partition by is_computed, task order by flicker)
    end as flicker_rank,
    case
        when ea_2 is not null then rank() over (partition by is_computed, task order by ea_2 desc nulls last)
    end as ea_2_rank,
    case
        when ea_8 is not null then rank() over (partition by is_computed, task order by ea_8 desc nulls last)
    end as ea_8_rank
from everything
order by is_computed, number_index, task desc, generator;
