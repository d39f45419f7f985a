-- view: colour_by_emotion
-- gives: Brightness, colorfulness and hue of the clips of each emotion, and how far they are from all other clips.
-- grain: emotion; all eight rows are always there
-- source: paper, text on colour and emotion (requirement R24)
-- depends on: emotion_wheel, clip_facts
-- note: Intervals are 95 %: Student's for the means, Fisher's large-sample one for the direction of hue, the normal one
--   for the effect sizes. An effect is Hedges' g, the mean of the emotion minus that of all other labelled clips, in
--   pooled standard deviations, corrected for few clips: 0.2 is called small, 0.5 medium, 0.8 large. Hue is an angle, so
--   its mean is the direction of the mean of unit vectors. In hue_mean_deg every clip weighs the same; in
--   hue_weighted_deg a clip weighs as much as its own hue_resultant, so that clips of many hues count less. Both are null
--   where the vectors cancel (mean length below 1e-6).
-- columns:
--   emotion (VARCHAR): one of the eight
--   clip_count (BIGINT): labelled clips with colour attributes
--   brightness_mean (DOUBLE): mean of the clips' brightness_mean; null without clips
--   brightness_sd (DOUBLE): its sample standard deviation; null below two clips
--   brightness_low (DOUBLE): lower end of the interval of the mean; null below two clips
--   brightness_high (DOUBLE): upper end of the interval of the mean; null below two clips
--   brightness_effect (DOUBLE): Hedges' g against all other clips; null below two clips on either side
--   brightness_effect_low (DOUBLE): lower end of its interval
--   brightness_effect_high (DOUBLE): upper end of its interval
--   colorfulness_mean (DOUBLE): mean of the clips' colorfulness_mean; null without clips
--   colorfulness_sd (DOUBLE): its sample standard deviation; null below two clips
--   colorfulness_low (DOUBLE): lower end of the interval of the mean; null below two clips
--   colorfulness_high (DOUBLE): upper end of the interval of the mean; null below two clips
--   colorfulness_effect (DOUBLE): Hedges' g against all other clips; null below two clips on either side
--   colorfulness_effect_low (DOUBLE): lower end of its interval
--   colorfulness_effect_high (DOUBLE): upper end of its interval
--   hue_clip_count (BIGINT): clips that have a hue
--   hue_mean_deg (DOUBLE, deg): circular mean of the clips' hue_mean_deg, 0 ≤ x < 360
--   hue_margin_deg (DOUBLE, deg): the interval of hue_mean_deg reaches this far to either side; null below 25 clips, and
--     where it would be all around
--   hue_sd_deg (DOUBLE, deg): circular standard deviation, √(-2 ln hue_resultant); null where hue_mean_deg is
--   hue_resultant (DOUBLE): length of the mean vector, 0 (hues cancel) to 1 (a single hue); null without hues
--   hue_weighted_deg (DOUBLE, deg): circular mean weighted by the clips' hue_resultant, 0 ≤ x < 360

create or replace view colour_by_emotion as
with
labelled as (
    select
        emotion,
        brightness_mean as v,
        colorfulness_mean as s,
        hue_resultant,
        cos(radians(hue_mean_deg)) as x,
        sin(radians(hue_mean_deg)) as y
    from clip_facts
    where emotion is not null and brightness_mean is not null
),

-- The only pass over the clips.
summed as (
    select
        emotion,
        count(*) as n,
        avg(v) as v,
        var_pop(v) as v_variance,
        avg(s) as s,
        var_pop(s) as s_variance,
        count(x) as hue_clip_count,
        avg(x) as x,
        avg(y) as y,
        avg(x * x - y * y) as x2,
        avg(2 * x * y) as y2,
        avg(hue_resultant * x) as weighted_x,
        avg(hue_resultant * y) as weighted_y
    from labelled
    group by emotion
),

margins as materialized (
    select emotion, t_quantile(0.975, n - 1) as t from summed
),

attributes as (
    select 'brightness' as attribute, emotion, n, v as mean, v_variance as variance from summed
    union all
    select 'colorfulness', emotion, n, s, s_variance from summed
),

totals as (
    select
        *,
        sum(n) over everything as total,
        sum(n * mean) over everything / sum(n) over everything as total_mean
    from attributes
    window everything as (partition by attribute)
),

-- All other clips: their mean, and what is left of the squared distances when those of the emotion are taken away.
against_rest as (
    select
        *,
        total - n as rest_n,
        (total * total_mean - n * mean) / nullif(rest_n, 0) as rest_mean,
        greatest(
            sum(n * (variance + pow(mean - total_mean, 2))) over (partition by attribute)
            - n * (variance + pow(mean - total_mean, 2)) - rest_n * pow(rest_mean - total_mean, 2),
            0
        ) as rest_squares,
        case when n > 1 and rest_n > 1 then sqrt((n * variance + rest_squares) / (total - 2)) end as pooled_sd
    from totals
),

effects as (
    select
        attribute,
        against_rest.emotion,
        mean,
        sqrt(variance * n / nullif(n - 1, 0)) as sd,
        margins.t * sd / sqrt(n) as margin,
        -- The factor takes out the bias of few clips. A spread below 1e-6 is rounding.
        (1 - 3 / (4 * total - 9)) * (mean - rest_mean) / case when pooled_sd > 1e-6 then pooled_sd end as effect,
        1.959964 * sqrt(total / n / rest_n + effect * effect / 2 / (total - 3.94)) as effect_margin
    from against_rest
    inner join margins on against_rest.emotion = margins.emotion
),

directed as (
    select
        *,
        sqrt(x * x + y * y) as resultant,
        sqrt(weighted_x * weighted_x + weighted_y * weighted_y) as weighted_resultant,
        -- The second modulo keeps a tiny negative angle from becoming 360 itself.
        fmod(fmod(degrees(atan2(y, x)) + 360, 360), 360) as direction,
        fmod(fmod(degrees(atan2(weighted_y, weighted_x)) + 360, 360), 360) as weighted_direction,
        -- Circular dispersion over clips, of which the interval's sine is made (Fisher 1993, 4.21).
        sqrt(
            greatest(1 - ((x * x - y * y) * x2 + 2 * x * y * y2) / nullif(resultant * resultant, 0), 0)
            / 2 / nullif(resultant * resultant, 0) / nullif(hue_clip_count, 0)
        ) * 1.959964 as sine_of_margin
    from summed
)

select
    emotion_wheel.emotion,
    coalesce(directed.n, 0) as clip_count,
    brightness.mean as brightness_mean,
    brightness.sd as brightness_sd,
    brightness.mean - brightness.margin as brightness_low,
    brightness.mean + brightness.margin as brightness_high,
    brightness.effect as brightness_effect,
    brightness.effect - brightness.effect_margin as brightness_effect_low,
    brightness.effect + brightness.effect_margin as brightness_effect_high,
    colorfulness.mean as colorfulness_mean,
    colorfulness.sd as colorfulness_sd,
    colorfulness.mean - colorfulness.margin as colorfulness_low,
    colorfulness.mean + colorfulness.margin as colorfulness_high,
    colorfulness.effect as colorfulness_effect,
    colorfulness.effect - colorfulness.effect_margin as colorfulness_effect_low,
    colorfulness.effect + colorfulness.effect_margin as colorfulness_effect_high,
    coalesce(directed.hue_clip_count, 0) as hue_clip_count,
    case when directed.resultant >= 1e-6 then directed.direction end as hue_mean_deg,
    case
        when directed.resultant >= 1e-6 and directed.hue_clip_count >= 25 and directed.sine_of_margin < 1
            then degrees(asin(directed.sine_of_margin))
    end as hue_margin_deg,
    case when directed.resultant >= 1e-6 then degrees(sqrt(-2 * ln(least(directed.resultant, 1)))) end as hue_sd_deg,
    directed.resultant as hue_resultant,
    case when directed.weighted_resultant >= 1e-6 then directed.weighted_direction end as hue_weighted_deg
from emotion_wheel
left join directed on emotion_wheel.emotion = directed.emotion
left join effects as brightness
    on emotion_wheel.emotion = brightness.emotion and brightness.attribute = 'brightness'
left join effects as colorfulness
    on emotion_wheel.emotion = colorfulness.emotion and colorfulness.attribute = 'colorfulness'
order by emotion_wheel.emotion_index;
