-- view: colour_by_emotion
-- gives: Mean brightness, colorfulness and hue of the clips of each emotion.
-- grain: emotion; all eight rows are always there
-- source: paper, text on colour and emotion (requirement R24)
-- depends on: emotion_wheel, emotion_labels, colour_attributes
-- note: Hue is an angle, so its mean is the direction of the mean of unit vectors. In hue_mean_deg every clip weighs
--   the same; in hue_weighted_deg a clip weighs as much as its own hue_resultant, so that clips of many hues count
--   less. Both are null where the vectors cancel (mean length below 1e-6).
-- columns:
--   emotion (VARCHAR): one of the eight
--   clip_count (BIGINT): labelled clips with colour attributes
--   brightness_mean (DOUBLE): mean of the clips' brightness_mean; null without clips
--   brightness_sd (DOUBLE): its sample standard deviation; null below two clips
--   colorfulness_mean (DOUBLE): mean of the clips' colorfulness_mean; null without clips
--   colorfulness_sd (DOUBLE): its sample standard deviation; null below two clips
--   hue_clip_count (BIGINT): clips that have a hue
--   hue_mean_deg (DOUBLE, deg): circular mean of the clips' hue_mean_deg, 0 ≤ x < 360
--   hue_resultant (DOUBLE): length of the mean vector, 0 (hues cancel) to 1 (a single hue); null without hues
--   hue_weighted_deg (DOUBLE, deg): circular mean weighted by the clips' hue_resultant, 0 ≤ x < 360

create or replace view colour_by_emotion as
with
summed as (
    select
        emotion_labels.emotion,
        count(*) as clip_count,
        avg(colour_attributes.brightness_mean) as brightness_mean,
        stddev_samp(colour_attributes.brightness_mean) as brightness_sd,
        avg(colour_attributes.colorfulness_mean) as colorfulness_mean,
        stddev_samp(colour_attributes.colorfulness_mean) as colorfulness_sd,
        count(colour_attributes.hue_mean_deg) as hue_clip_count,
        avg(cos(radians(colour_attributes.hue_mean_deg))) as x,
        avg(sin(radians(colour_attributes.hue_mean_deg))) as y,
        avg(colour_attributes.hue_resultant * cos(radians(colour_attributes.hue_mean_deg))) as weighted_x,
        avg(colour_attributes.hue_resultant * sin(radians(colour_attributes.hue_mean_deg))) as weighted_y
    from emotion_labels
    inner join colour_attributes on emotion_labels.clip_id = colour_attributes.clip_id
    group by emotion_labels.emotion
),

directed as (
    select
        *,
        sqrt(x * x + y * y) as hue_resultant,
        sqrt(weighted_x * weighted_x + weighted_y * weighted_y) as weighted_resultant,
        -- The second modulo keeps a tiny negative angle from becoming 360 itself.
        fmod(fmod(degrees(atan2(y, x)) + 360, 360), 360) as direction,
        fmod(fmod(degrees(atan2(weighted_y, weighted_x)) + 360, 360), 360) as weighted_direction
    from summed
)

select
    emotion_wheel.emotion,
    coalesce(directed.clip_count, 0) as clip_count,
    directed.brightness_mean,
    directed.brightness_sd,
    directed.colorfulness_mean,
    directed.colorfulness_sd,
    coalesce(directed.hue_clip_count, 0) as hue_clip_count,
    case when directed.hue_resultant >= 1e-6 then directed.direction end as hue_mean_deg,
    directed.hue_resultant,
    case when directed.weighted_resultant >= 1e-6 then directed.weighted_direction end as hue_weighted_deg
from emotion_wheel
left join directed on emotion_wheel.emotion = directed.emotion
order by emotion_wheel.emotion_index;
