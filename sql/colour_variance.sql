-- view: colour_variance
-- gives: Analysis of variance, emotion → colour attribute, per domain and over all domains: the classical one and Welch's.
-- grain: attribute × domain (and `total`); all eight rows are always there
-- source: paper, text on colour and emotion (requirement R25: p < 0.01, η² < 1 %)
-- depends on: scopes, clip_facts
-- note: What `colour_anova` says but for Levene's test, whose medians take most of its time: its notes hold here too.
-- columns:
--   attribute (VARCHAR): brightness or colorfulness
--   domain (VARCHAR): movie, animation, sticker or total
--   clip_count (BIGINT): labelled clips with colour attributes
--   emotion_count (BIGINT): emotions among them
--   ss_between (DOUBLE): sum of squares between emotions; null without clips
--   ss_within (DOUBLE): sum of squares within emotions; null without clips
--   df_between (BIGINT): emotion_count - 1, for Welch's test too; null without clips
--   df_within (BIGINT): clip_count - emotion_count; null without clips
--   f_statistic (DOUBLE): F = (ss_between / df_between) / (ss_within / df_within)
--   p_value (DOUBLE): probability of an F as large where all emotions have one mean
--   eta_squared (DOUBLE): ss_between / ss_total
--   eta_squared_low (DOUBLE): lower end of the interval
--   eta_squared_high (DOUBLE): upper end of the interval
--   omega_squared (DOUBLE): (ss_between - df_between × ms_within) / (ss_total + ms_within); may be below 0
--   welch_f (DOUBLE): F of Welch's analysis, which lets variances differ
--   welch_df_within (DOUBLE): its degrees of freedom of the denominator
--   welch_p_value (DOUBLE): its p-value

create or replace view colour_variance as
with
rows_wanted as (
    select attributes.attribute, scopes.domain_index, scopes.domain
    from (values ('brightness'), ('colorfulness')) as attributes (attribute)
    cross join scopes
),

centred_clips as (
    select
        domain,
        emotion,
        brightness_mean - 0.5 as v,
        colorfulness_mean - 0.5 as s
    from clip_facts
    where emotion is not null and brightness_mean is not null
),

-- Power sums of the distance from the middle add up over domains.
summed as (
    select
        domain,
        emotion,
        count(*) as n,
        sum(v) as v1,
        sum(v * v) as v2,
        sum(s) as s1,
        sum(s * s) as s2
    from centred_clips
    group by domain, emotion
),

power_means as (
    select
        sums.attribute,
        coalesce(domain, 'total') as domain,
        emotion,
        sum(n) as n,
        sum(sums.p1) / sum(n) as mean,
        sum(sums.p2) / sum(n) as square
    from summed
    cross join unnest([
        {'attribute': 'brightness', 'p1': v1, 'p2': v2},
        {'attribute': 'colorfulness', 'p1': s1, 'p2': s2}
    ]) as of_attribute (sums)
    group by grouping sets ((sums.attribute, domain, emotion), (sums.attribute, emotion))
),

emotion_groups as (
    select
        attribute,
        domain,
        n,
        mean,
        greatest(square - mean * mean, 0) as variance,
        -- Clips by the variance of their mean; null where Welch's test does not exist.
        case when n > 1 and square - mean * mean > 1e-12 then (n - 1) / (square - mean * mean) end as weight
    from power_means
),

centred as (
    select
        *,
        mean - sum(n * mean) over same / sum(n) over same as deviation,
        mean - sum(weight * mean) over same / sum(weight) over same as weighted_deviation,
        pow(1 - weight / sum(weight) over same, 2) / (n - 1) as imbalance
    from emotion_groups
    window same as (partition by attribute, domain)
),

sums as (
    select
        attribute,
        domain,
        sum(n)::bigint as clip_count,
        count(*) as k,
        sum(n * deviation * deviation) as ss_between,
        sum(n * variance) as ss_within,
        count(*) - 1 as df_between,
        (sum(n) - count(*))::bigint as df_within,
        case when count(weight) = count(*) then sum(weight * weighted_deviation * weighted_deviation) end as welch_between,
        sum(imbalance) as imbalance
    from centred
    group by attribute, domain
),

ratios as (
    select
        *,
        case
            when df_between > 0 and df_within > 0 and ss_within > 1e-12 * clip_count then ss_within / df_within
        end as ms_within,
        ss_between / df_between / ms_within as f_statistic,
        case when ms_within is not null then (k * k - 1) / 3 / imbalance end as welch_df_within,
        case
            when ms_within is not null then welch_between / df_between / (1 + 2 * (k - 2) / (k * k - 1) * imbalance)
        end as welch_f
    from sums
),

-- One row a test, so that the p-values of all are one expression.
tests as (
    select attribute, domain, 'anova' as test, f_statistic as f, df_between as df1, df_within as df2 from ratios
    union all
    select attribute, domain, 'welch', welch_f, df_between, welch_df_within from ratios
),

p_values as (
    select
        attribute,
        domain,
        max(p) filter (where test = 'anova') as p_value,
        max(p) filter (where test = 'welch') as welch_p_value
    from (select attribute, domain, test, f_upper_tail(f, df1, df2) as p from tests)
    group by attribute, domain
),

intervals as (
    select
        *,
        noncentrality(f_statistic, df_between, df_within, 1.959964) as lambda_low,
        noncentrality(f_statistic, df_between, df_within, -1.959964) as lambda_high
    from ratios
)

select
    rows_wanted.attribute,
    rows_wanted.domain,
    coalesce(tested.clip_count, 0) as clip_count,
    coalesce(tested.k, 0) as emotion_count,
    tested.ss_between,
    tested.ss_within,
    tested.df_between,
    tested.df_within,
    tested.f_statistic,
    p_values.p_value,
    case when tested.ms_within is not null then ss_between / (ss_between + ss_within) end as eta_squared,
    lambda_low / (lambda_low + clip_count) as eta_squared_low,
    lambda_high / (lambda_high + clip_count) as eta_squared_high,
    (ss_between - df_between * ms_within) / (ss_between + ss_within + ms_within) as omega_squared,
    tested.welch_f,
    case when tested.welch_f is not null then tested.welch_df_within end as welch_df_within,
    p_values.welch_p_value
from rows_wanted
left join intervals as tested on rows_wanted.attribute = tested.attribute and rows_wanted.domain = tested.domain
left join p_values on rows_wanted.attribute = p_values.attribute and rows_wanted.domain = p_values.domain
order by rows_wanted.attribute, rows_wanted.domain_index;
