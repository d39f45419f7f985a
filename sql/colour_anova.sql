-- view: colour_anova
-- gives: Analysis of variance, emotion → colour attribute, per domain and over all domains: the classical one, Welch's,
--   and whether the variances are equal at all.
-- grain: attribute × domain (and `total`); all eight rows are always there
-- source: paper, text on colour and emotion (requirement R25: p < 0.01, η² < 1 %)
-- depends on: scopes, clip_facts, colour_variance
-- note: Computed on the unrounded means. The interval of η² is that of the population's share of variance, 95 %, by the
--   noncentral F distribution in Severo and Zelen's normal approximation; with few clips η² itself is too high and may
--   lie near its upper end, ω² corrects for that. Where levene_p_value is small the variances differ, and Welch's test
--   is the one to report. Levene's test is here in its median form (Brown and Forsythe, SciPy's default): the analysis of
--   variance of distances from the median of the emotion. F and what follows from it are null where they do not exist: fewer than two emotions, no degree of freedom
--   within, or no variance within (a standard deviation below 1e-6); Welch's also where an emotion has a single clip or
--   no variance. Hue is an angle and has no place here: see hue_tests. All tests take clips for independent; those of
--   one film are not quite, so p-values are too small rather than too large.
-- columns:
--   attribute (VARCHAR): brightness or colorfulness
--   domain (VARCHAR): movie, animation, sticker or total
--   clip_count (BIGINT): labelled clips with colour attributes
--   emotion_count (BIGINT): emotions among them
--   ss_between (DOUBLE): sum of squares between emotions; null without clips
--   ss_within (DOUBLE): sum of squares within emotions; null without clips
--   df_between (BIGINT): emotion_count - 1, for Welch's and Levene's test too; null without clips
--   df_within (BIGINT): clip_count - emotion_count, for Levene's test too; null without clips
--   f_statistic (DOUBLE): F = (ss_between / df_between) / (ss_within / df_within)
--   p_value (DOUBLE): probability of an F as large where all emotions have one mean
--   eta_squared (DOUBLE): ss_between / ss_total
--   eta_squared_low (DOUBLE): lower end of the interval
--   eta_squared_high (DOUBLE): upper end of the interval
--   omega_squared (DOUBLE): (ss_between - df_between × ms_within) / (ss_total + ms_within); may be below 0
--   welch_f (DOUBLE): F of Welch's analysis, which lets variances differ
--   welch_df_within (DOUBLE): its degrees of freedom of the denominator
--   welch_p_value (DOUBLE): its p-value
--   levene_f (DOUBLE): F of Levene's test of equal variances, median form (Brown–Forsythe)
--   levene_p_value (DOUBLE): its p-value

create or replace view colour_anova as
with
centred_clips as (
    select
        domain,
        emotion,
        brightness_mean - 0.5 as v,
        colorfulness_mean - 0.5 as s
    from clip_facts
    where emotion is not null and brightness_mean is not null
),

-- Medians do not add up over domains: two passes, one for them and one for the distances from them.
medians as (
    select
        domain,
        emotion,
        median(v) as v_median,
        median(s) as s_median
    from centred_clips
    group by grouping sets ((domain, emotion), (emotion))
),

-- Of each domain's clips of an emotion: from the median of these, and from that of the emotion's clips in all domains.
distances as (
    select
        centred_clips.domain,
        centred_clips.emotion,
        count(*) as n,
        sum(abs(v - own.v_median)) as v1_own,
        sum(pow(v - own.v_median, 2)) as v2_own,
        sum(abs(v - pooled.v_median)) as v1_pooled,
        sum(pow(v - pooled.v_median, 2)) as v2_pooled,
        sum(abs(s - own.s_median)) as s1_own,
        sum(pow(s - own.s_median, 2)) as s2_own,
        sum(abs(s - pooled.s_median)) as s1_pooled,
        sum(pow(s - pooled.s_median, 2)) as s2_pooled
    from centred_clips
    inner join medians as own on centred_clips.domain = own.domain and centred_clips.emotion = own.emotion
    inner join medians as pooled on centred_clips.emotion = pooled.emotion and pooled.domain is null
    group by centred_clips.domain, centred_clips.emotion
),

spreads as (
    select
        attribute,
        domain,
        sum(n * pow(mean - all_mean, 2)) as levene_between,
        sum(n * greatest(square - mean * mean, 0)) as levene_within
    from (
        select
            *,
            sum(n * mean) over same / sum(n) over same as all_mean
        from (
            select
                found.attribute,
                found.domain,
                emotion,
                sum(n) as n,
                sum(found.d1) / sum(n) as mean,
                sum(found.d2) / sum(n) as square
            from distances
            cross join unnest([
                {'attribute': 'brightness', 'domain': domain, 'd1': v1_own, 'd2': v2_own},
                {'attribute': 'brightness', 'domain': 'total', 'd1': v1_pooled, 'd2': v2_pooled},
                {'attribute': 'colorfulness', 'domain': domain, 'd1': s1_own, 'd2': s2_own},
                {'attribute': 'colorfulness', 'domain': 'total', 'd1': s1_pooled, 'd2': s2_pooled}
            ]) as of_attribute (found)
            group by found.attribute, found.domain, emotion
        )
        window same as (partition by attribute, domain)
    )
    group by attribute, domain
),

levene as (
    select
        colour_variance.*,
        case
            when
                df_between > 0 and df_within > 0
                and ss_within > 1e-12 * clip_count and levene_within > 1e-24 * clip_count
                then levene_between / df_between / (levene_within / df_within)
        end as levene_f
    from colour_variance
    left join spreads on colour_variance.attribute = spreads.attribute and colour_variance.domain = spreads.domain
)

select
    levene.attribute,
    levene.domain,
    clip_count,
    emotion_count,
    ss_between,
    ss_within,
    df_between,
    df_within,
    f_statistic,
    p_value,
    eta_squared,
    eta_squared_low,
    eta_squared_high,
    omega_squared,
    welch_f,
    welch_df_within,
    welch_p_value,
    levene_f,
    f_upper_tail(levene_f, df_between, df_within) as levene_p_value
from levene
inner join scopes on levene.domain = scopes.domain
order by levene.attribute, scopes.domain_index;
