-- view: generation_leaderboard
-- gives: The models that generate videos, as the paper measured them, ranked within their task.
-- grain: task × model
-- source: paper, Table 3; 240 prompts a model
-- depends on: paper_numbers
-- note: All rows are the paper's: this project holds no generated videos yet, and `is_computed` is where its own rows
--   will differ. A printed share is k of 240 where rounding k / 240, or cutting it off, gives what is printed; where
--   no k does, hits and interval are null. The interval is Wilson's, 95 %. Equal values share a rank.
--   Flicker is 1 - VBench's score, so a still video has none: low is good only beside the other columns.
-- columns:
--   task (VARCHAR): T2V (text to video) or I2V (image to video)
--   model (VARCHAR): model; before and after say whether it was tuned on EmoVid
--   is_computed (BOOLEAN): whether the row is measured by this project
--   video_count (BIGINT): videos that the shares are of
--   fvd (DOUBLE): Fréchet video distance to real videos; low is good
--   clip_score (DOUBLE): mean cosine of frames and prompt; high is good; null for I2V
--   first_frame_consistency (DOUBLE): the paper's SD, mean cosine of frames and first frame; high is good; null for T2V
--   flicker (DOUBLE): mean absolute change between frames, of full scale; low is good
--   ea_2 (DOUBLE, percent): emotion accuracy of the two polarities, as printed
--   ea_2_hit_count (BIGINT): videos of the right polarity; null where no whole number gives the share
--   ea_2_low (DOUBLE, percent): lower end of the interval
--   ea_2_high (DOUBLE, percent): upper end of the interval
--   ea_8 (DOUBLE, percent): emotion accuracy of the eight emotions, as printed
--   ea_8_hit_count (BIGINT): videos of the right emotion; null where no whole number gives the share
--   ea_8_low (DOUBLE, percent): lower end of the interval
--   ea_8_high (DOUBLE, percent): upper end of the interval
--   fvd_rank (BIGINT): 1 for the lowest of the task
--   clip_score_rank (BIGINT): 1 for the highest of the task; null for I2V
--   first_frame_consistency_rank (BIGINT): 1 for the highest of the task; null for T2V
--   flicker_rank (BIGINT): 1 for the lowest of the task
--   ea_2_rank (BIGINT): 1 for the highest of the task
--   ea_8_rank (BIGINT): 1 for the highest of the task

create or replace view generation_leaderboard as
with
printed as (
    select
        task,
        model,
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
)

select
    task,
    model,
    false as is_computed,
    video_count::bigint as video_count,
    fvd,
    clip_score,
    first_frame_consistency,
    flicker,
    ea_2,
    ea_2_hit_count,
    100 * wilson_low(ea_2_hit_count, video_count) as ea_2_low,
    100 * wilson_high(ea_2_hit_count, video_count) as ea_2_high,
    ea_8,
    ea_8_hit_count,
    100 * wilson_low(ea_8_hit_count, video_count) as ea_8_low,
    100 * wilson_high(ea_8_hit_count, video_count) as ea_8_high,
    rank() over (partition by task order by fvd) as fvd_rank,
    case when clip_score is not null then rank() over (partition by task order by clip_score desc) end
        as clip_score_rank,
    case
        when first_frame_consistency is not null
            then rank() over (partition by task order by first_frame_consistency desc)
    end as first_frame_consistency_rank,
    rank() over (partition by task order by flicker) as flicker_rank,
    rank() over (partition by task order by ea_2 desc) as ea_2_rank,
    rank() over (partition by task order by ea_8 desc) as ea_8_rank
from counted
order by number_index;
