-- view: polarity_trend
-- gives: Whether brighter and more colourful clips carry positive emotions more often: the slope of the positive share.
-- grain: attribute × domain (and `total`); all eight rows are always there
-- source: paper, Figure 5
-- depends on: scopes, clip_facts
-- note: Fitted to the eleven rounded levels of Figure 5, each clip with the same weight. The slope is that of the linear
--   regression of positive (1) or negative (0) on the level, its standard error the one that lets variances differ
--   (HC1), since those of shares do, with normal intervals and p-values. The trend test is that of Cochran and Armitage. The logistic slope is the change of
--   the log-odds per unit, by ten Newton steps. Null where there are fewer than three clips, two levels or two
--   polarities; the logistic slope also where the levels separate the polarities, as then it has no bound.
-- columns:
--   attribute (VARCHAR): brightness or colorfulness
--   domain (VARCHAR): movie, animation, sticker or total
--   clip_count (BIGINT): labelled clips with colour attributes
--   positive_share (DOUBLE): share of them with a positive emotion; null without clips
--   slope (DOUBLE): change of the positive share from level 0 to level 1
--   slope_standard_error (DOUBLE): its standard error
--   slope_low (DOUBLE): lower end of its 95 % interval
--   slope_high (DOUBLE): upper end of its 95 % interval
--   slope_z (DOUBLE): slope / slope_standard_error
--   slope_p_value (DOUBLE): its two-sided p-value
--   trend_z (DOUBLE): z of the trend test, positive where the share rises
--   trend_p_value (DOUBLE): its two-sided p-value
--   logistic_slope (DOUBLE): change of the log-odds of positive from level 0 to level 1
--   logistic_standard_error (DOUBLE): its standard error
--   logistic_p_value (DOUBLE): its two-sided p-value (Wald)

create or replace view polarity_trend as
with recursive
rows_wanted as (
    select attributes.attribute, scopes.domain_index, scopes.domain
    from (values ('brightness'), ('colorfulness')) as attributes (attribute)
    cross join scopes
),

-- The only pass over the clips; what remains is at most 11 × 11 levels a domain.
counted as (
    select
        domain,
        round(brightness * 10)::bigint as brightness_tenths,
        round(colorfulness * 10)::bigint as colorfulness_tenths,
        count(*) as n,
        count(*) filter (where polarity = 'positive') as positive
    from clip_facts
    where polarity is not null and brightness is not null
    group by all
),

levels as (
    select
        entry.attribute,
        coalesce(domain, 'total') as domain,
        entry.tenths,
        sum(n)::double as n,
        sum(positive)::double as positive
    from counted
    cross join unnest([
        {'attribute': 'brightness', 'tenths': brightness_tenths},
        {'attribute': 'colorfulness', 'tenths': colorfulness_tenths}
    ]) as of_attribute (entry)
    group by grouping sets ((entry.attribute, domain, entry.tenths), (entry.attribute, entry.tenths))
),

centred as (
    select
        *,
        sum(n) over scope as total,
        sum(positive) over scope / sum(n) over scope as share,
        -- Tenths are whole numbers, so that a single level is at no distance from the mean.
        (tenths - sum(n * tenths) over scope / sum(n) over scope) / 10 as x
    from levels
    window scope as (partition by attribute, domain)
),

fitted as (
    select
        *,
        sum(x * (positive - n * share)) over scope / nullif(sum(n * x * x) over scope, 0) as slope,
        positive * pow(1 - share - slope * x, 2) + (n - positive) * pow(share + slope * x, 2) as squared_error
    from centred
    window scope as (partition by attribute, domain)
),

sums as (
    select
        attribute,
        domain,
        any_value(total) as clip_count,
        any_value(share) as positive_share,
        case when clip_count > 2 and positive_share > 0 and positive_share < 1 then any_value(slope) end as slope,
        sum(n * x * x) as spread,
        sqrt(clip_count / nullif(clip_count - 2, 0) * sum(x * x * squared_error)) / nullif(spread, 0) as standard_error,
        coalesce(
            max(x) filter (where positive > 0) > min(x) filter (where positive < n)
            and max(x) filter (where positive < n) > min(x) filter (where positive > 0),
            false
        ) as is_overlapping
    from fitted
    group by attribute, domain
),

-- Newton's method for all eight models at once; it starts at the model without a slope.
logistic (step, attribute, domain, intercept, slope, standard_error) as (
    select 0, attribute, domain, ln(positive_share / (1 - positive_share)), 0::double, null::double
    from sums
    where is_overlapping
    union all
    select
        any_value(step) + 1,
        attribute,
        domain,
        any_value(intercept) + (sum(x * x * weight) * sum(rest) - sum(x * weight) * sum(x * rest))
        / (sum(weight) * sum(x * x * weight) - pow(sum(x * weight), 2)),
        any_value(slope) + (sum(weight) * sum(x * rest) - sum(x * weight) * sum(rest))
        / (sum(weight) * sum(x * x * weight) - pow(sum(x * weight), 2)),
        sqrt(sum(weight) / (sum(weight) * sum(x * x * weight) - pow(sum(x * weight), 2)))
    from (
        select
            logistic.*,
            centred.x,
            1 / (1 + exp(-(intercept + logistic.slope * x))) as p,
            centred.positive - centred.n * p as rest,
            centred.n * p * (1 - p) as weight
        from logistic
        inner join centred on logistic.attribute = centred.attribute and logistic.domain = centred.domain
        where step < 10
    )
    group by attribute, domain
),

tested as (
    select
        sums.*,
        sums.slope / nullif(sums.standard_error, 0) as slope_z,
        sums.slope * sqrt(spread / positive_share / (1 - positive_share)) as trend_z,
        logistic.slope as logistic_slope,
        logistic.standard_error as logistic_standard_error,
        logistic.slope / logistic.standard_error as logistic_z
    from sums
    left join logistic on sums.attribute = logistic.attribute and sums.domain = logistic.domain and logistic.step = 10
),

-- One row a test, so that the p-values of all are one expression.
p_values as (
    select
        attribute,
        domain,
        max(p) filter (where test = 'slope') as slope_p_value,
        max(p) filter (where test = 'trend') as trend_p_value,
        max(p) filter (where test = 'logistic') as logistic_p_value
    from (
        select attribute, domain, test, 2 * normal_upper_tail(abs(z)) as p
        from (
            select attribute, domain, 'slope' as test, slope_z as z from tested
            union all
            select attribute, domain, 'trend', trend_z from tested
            union all
            select attribute, domain, 'logistic', logistic_z from tested
        )
    )
    group by attribute, domain
)

select
    rows_wanted.attribute,
    rows_wanted.domain,
    coalesce(tested.clip_count, 0)::bigint as clip_count,
    tested.positive_share,
    tested.slope,
    case when tested.slope is not null then tested.standard_error end as slope_standard_error,
    tested.slope - 1.959964 * tested.standard_error as slope_low,
    tested.slope + 1.959964 * tested.standard_error as slope_high,
    tested.slope_z,
    p_values.slope_p_value,
    tested.trend_z,
    p_values.trend_p_value,
    tested.logistic_slope,
    tested.logistic_standard_error,
    p_values.logistic_p_value
from rows_wanted
left join tested on rows_wanted.attribute = tested.attribute and rows_wanted.domain = tested.domain
left join p_values on rows_wanted.attribute = p_values.attribute and rows_wanted.domain = p_values.domain
order by rows_wanted.attribute, rows_wanted.domain_index;
