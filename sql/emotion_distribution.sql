-- view: emotion_distribution
-- gives: How many clips carry each emotion as their final label, per domain and in total.
-- grain: domain (and `total`) × emotion; all 32 rows are always there
-- source: paper, Figure 3
-- depends on: scopes, emotion_wheel, emotion_labels
-- note: The interval is Wilson's, 95 %. It takes clips as drawn one by one; clips of one film are alike,
--   so with few films the share is less certain than it says.
-- columns:
--   domain (VARCHAR): movie, animation, sticker or total
--   emotion (VARCHAR): one of the eight
--   clip_count (BIGINT): labelled clips with this emotion
--   human_label_count (BIGINT): those of them that humans labelled
--   vlm_label_count (BIGINT): those of them that the labeller labelled
--   clip_share (DOUBLE): share of the labelled clips of the domain; null where there are none
--   clip_share_low (DOUBLE): lower end of the interval; null where there are none
--   clip_share_high (DOUBLE): upper end of the interval; null where there are none

create or replace view emotion_distribution as
with
counted as (
    select
        coalesce(domain, 'total') as domain,
        emotion,
        count(*) as clip_count,
        count(*) filter (where label_source = 'human') as human_label_count,
        count(*) filter (where label_source = 'vlm') as vlm_label_count
    from emotion_labels
    group by grouping sets ((domain, emotion), (emotion))
),

cells as (
    select
        scopes.domain_index,
        scopes.domain,
        emotion_wheel.emotion_index,
        emotion_wheel.emotion,
        coalesce(counted.clip_count, 0) as clip_count,
        coalesce(counted.human_label_count, 0) as human_label_count,
        coalesce(counted.vlm_label_count, 0) as vlm_label_count
    from scopes
    cross join emotion_wheel
    left join counted on scopes.domain = counted.domain and emotion_wheel.emotion = counted.emotion
),

totals as (
    select *, (sum(clip_count) over (partition by domain))::bigint as total
    from cells
)

select
    domain,
    emotion,
    clip_count,
    human_label_count,
    vlm_label_count,
    clip_count / nullif(total, 0) as clip_share,
    wilson_low(clip_count, total) as clip_share_low,
    wilson_high(clip_count, total) as clip_share_high
from totals
order by domain_index, emotion_index;
