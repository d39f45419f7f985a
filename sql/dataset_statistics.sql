-- view: dataset_statistics
-- gives: How many clips there are, how long they are and what they carry, per domain and in total.
-- grain: domain, and `total`; all four rows are always there
-- source: paper, Table 2
-- depends on: scopes, clip_facts
-- note: The standard deviation is the sample one (n - 1). A clip has video where it has frames, audio where it has an
--   audio stream, a caption where the caption is not blank.
-- columns:
--   domain (VARCHAR): movie, animation, sticker or total
--   clip_count (BIGINT): clips
--   duration_mean_s (DOUBLE, s): mean length; null without clips
--   duration_sd_s (DOUBLE, s): sample standard deviation of the length; null below two clips
--   duration_total_h (DOUBLE, h): summed length; 0 without clips
--   has_video (BOOLEAN): whether any clip has video
--   has_audio (BOOLEAN): whether any clip has audio
--   has_caption (BOOLEAN): whether any clip has a caption
--   video_share (DOUBLE): share of clips with video; null without clips
--   audio_share (DOUBLE): share of clips with audio; null without clips
--   caption_share (DOUBLE): share of clips with a caption; null without clips

create or replace view dataset_statistics as
with
summed as (
    select
        coalesce(domain, 'total') as domain,
        count(*) as clip_count,
        avg(duration_s) as duration_mean_s,
        stddev_samp(duration_s) as duration_sd_s,
        sum(duration_s) / 3600 as duration_total_h,
        avg((frame_count > 0)::integer) as video_share,
        avg(has_audio::integer) as audio_share,
        avg(has_caption::integer) as caption_share
    from clip_facts
    group by grouping sets ((domain), ())
)

select
    scopes.domain,
    coalesce(summed.clip_count, 0) as clip_count,
    summed.duration_mean_s,
    summed.duration_sd_s,
    coalesce(summed.duration_total_h, 0) as duration_total_h,
    coalesce(summed.video_share > 0, false) as has_video,
    coalesce(summed.audio_share > 0, false) as has_audio,
    coalesce(summed.caption_share > 0, false) as has_caption,
    summed.video_share,
    summed.audio_share,
    summed.caption_share
from scopes
left join summed on scopes.domain = summed.domain
order by scopes.domain_index;
