-- view: colour_anova
-- gives: One-way analysis of variance, emotion → colour attribute, per domain and over all domains.
-- grain: attribute × domain (and `all`); all eight rows are always there
-- source: paper, text on colour and emotion (requirement R25)
-- depends on: domains, emotion_labels, colour_attributes
-- note: Computed on the unrounded means. F and both effect sizes are null where they do not exist: fewer than two
--   emotions, no degree of freedom within, or no variance within. DuckDB has no F distribution, so the p-value is not
--   in this view. Hue is an angle and has no place in this test.
-- columns:
--   attribute (VARCHAR): brightness or colorfulness
--   domain (VARCHAR): movie, animation, sticker or all
--   clip_count (BIGINT): labelled clips with colour attributes
--   emotion_count (BIGINT): emotions among them
--   ss_between (DOUBLE): sum of squares between emotions; null without clips
--   ss_within (DOUBLE): sum of squares within emotions; null without clips
--   df_between (BIGINT): emotion_count - 1; null without clips
--   df_within (BIGINT): clip_count - emotion_count; null without clips
--   f_statistic (DOUBLE): F = (ss_between / df_between) / (ss_within / df_within)
--   eta_squared (DOUBLE): ss_between / ss_total
--   omega_squared (DOUBLE): (ss_between - df_between × ms_within) / (ss_total + ms_within); may be below 0

create or replace view colour_anova as
with
scopes as (
    select domain_index, domain from domains
    union all
    select max(domain_index) + 1, 'all' from domains
),

rows_wanted as (
    select attributes.attribute, scopes.domain_index, scopes.domain
    from (values ('brightness'), ('colorfulness')) as attributes (attribute)
    cross join scopes
),

measured as (
    select
        unnest(['brightness', 'colorfulness']) as attribute,
        unnest([colour_attributes.brightness_mean, colour_attributes.colorfulness_mean]) as value,
        colour_attributes.domain,
        emotion_labels.emotion
    from colour_attributes
    inner join emotion_labels on colour_attributes.clip_id = emotion_labels.clip_id
),

emotion_groups as (
    select
        attribute,
        coalesce(domain, 'all') as domain,
        emotion,
        count(*) as n,
        avg(value) as mean,
        var_pop(value) * count(*) as ss_within
    from measured
    group by grouping sets ((attribute, domain, emotion), (attribute, emotion))
),

centred as (
    select
        attribute,
        domain,
        n,
        ss_within,
        mean - sum(n * mean) over same / sum(n) over same as deviation
    from emotion_groups
    window same as (partition by attribute, domain)
),

sums as (
    select
        attribute,
        domain,
        sum(n)::bigint as clip_count,
        count(*) as emotion_count,
        sum(n * deviation * deviation) as ss_between,
        sum(ss_within) as ss_within,
        count(*) - 1 as df_between,
        (sum(n) - count(*))::bigint as df_within
    from centred
    group by attribute, domain
),

tested as (
    select
        *,
        df_between > 0 and df_within > 0 and ss_within > 0 as is_testable,
        ss_within / nullif(df_within, 0) as ms_within
    from sums
)

select
    rows_wanted.attribute,
    rows_wanted.domain,
    coalesce(tested.clip_count, 0) as clip_count,
    coalesce(tested.emotion_count, 0) as emotion_count,
    tested.ss_between,
    tested.ss_within,
    tested.df_between,
    tested.df_within,
    case when is_testable then ss_between / df_between / ms_within end as f_statistic,
    case when is_testable then ss_between / (ss_between + ss_within) end as eta_squared,
    case
        when is_testable then (ss_between - df_between * ms_within) / (ss_between + ss_within + ms_within)
    end as omega_squared
from rows_wanted
left join tested on rows_wanted.attribute = tested.attribute and rows_wanted.domain = tested.domain
order by rows_wanted.attribute, rows_wanted.domain_index;
