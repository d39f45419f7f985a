-- view: hue_tests
-- gives: Whether the hues of an emotion point anywhere, and whether the emotions differ in hue, per domain and over all.
-- grain: domain (and `total`) × test × emotion; all 44 rows are always there
-- source: paper, text on colour and emotion (requirements R24 and R25)
-- depends on: scopes, emotion_wheel, clip_facts
-- note: Hue is an angle, so these tests stand where colour_anova stands for the other attributes. `rayleigh` is per
--   emotion (and over all clips): do hues have a direction at all; the p-value is Wilkie's approximation.
--   `watson_williams` compares the circular means of the emotions as an analysis of variance does, and takes all
--   emotions for equally concentrated; `watson_large_sample` (Watson 1983; Fisher 1993, 5.3.4) lets them differ. Where
--   hues are spread all around, is_applicable is false for both and their p-values mean little.
-- columns:
--   domain (VARCHAR): movie, animation, sticker or total
--   test (VARCHAR): rayleigh, watson_williams or watson_large_sample
--   emotion (VARCHAR): one of the eight, or all
--   clip_count (BIGINT): labelled clips that have a hue
--   emotion_count (BIGINT): emotions among them
--   hue_mean_deg (DOUBLE, deg): circular mean of hue_mean_deg, 0 ≤ x < 360; null where hues cancel
--   hue_resultant (DOUBLE): length of the mean vector, 0 (hues cancel) to 1 (a single hue); null without hues
--   statistic (DOUBLE): n × hue_resultant² (rayleigh), F (watson_williams), chi-square (watson_large_sample; null where
--     an emotion has a single hue, or none)
--   df1 (BIGINT): emotion_count - 1; null for rayleigh
--   df2 (BIGINT): clip_count - emotion_count; null but for watson_williams
--   p_value (DOUBLE): probability of a statistic as large without any direction, or with the same direction for all
--   is_applicable (BOOLEAN): the approximation holds: 10 clips (rayleigh); mean resultant within emotions of 0.45 and 5
--     clips an emotion (watson_williams); 25 clips in every emotion, each with a direction (watson_large_sample)

create or replace view hue_tests as
with
rows_wanted as (
    select domain_index, domain, 'rayleigh' as test, emotion_index, emotion
    from scopes cross join emotion_wheel
    union all
    select domain_index, domain, test, 8, 'all'
    from scopes cross join (values ('rayleigh'), ('watson_williams'), ('watson_large_sample')) as tests (test)
),

unit_vectors as (
    select
        domain,
        emotion,
        cos(radians(hue_mean_deg)) as x,
        sin(radians(hue_mean_deg)) as y
    from clip_facts
    where emotion is not null and hue_mean_deg is not null
),

-- The only pass over the clips: sums of the unit vectors and of those of the doubled angle.
summed as (
    select
        domain,
        emotion,
        count(*) as n,
        sum(x) as x,
        sum(y) as y,
        sum(x * x - y * y) as x2,
        sum(2 * x * y) as y2
    from unit_vectors
    group by domain, emotion
),

groups as (
    select
        coalesce(domain, 'total') as domain,
        coalesce(emotion, 'all') as emotion,
        sum(n)::bigint as n,
        sum(x) as x,
        sum(y) as y,
        sum(x2) as x2,
        sum(y2) as y2
    from summed
    group by grouping sets ((domain, emotion), (domain), (emotion), ())
    having count(*) > 0
),

directed as (
    select
        domain,
        emotion,
        n,
        sqrt(x * x + y * y) as length,
        x / nullif(length, 0) as cosine,
        y / nullif(length, 0) as sine,
        n - (cosine * cosine - sine * sine) * x2 - 2 * cosine * sine * y2 as dispersion,
        -- n divided by the circular dispersion: what the direction of the emotion weighs. A single clip has none, and
        -- what is left of it then is rounding.
        case when length >= 1e-6 * n and dispersion > 1e-12 * n then 2 * length * length / dispersion end as weight,
        fmod(fmod(degrees(atan2(y, x)) + 360, 360), 360) as direction
    from groups
),

compared as (
    select
        domain,
        sum(n)::bigint as n,
        count(*) as k,
        sum(length) as length,
        min(n) as least_n,
        case when count(weight) = count(*) then sum(weight) end as weight,
        sqrt(pow(sum(weight * cosine), 2) + pow(sum(weight * sine), 2)) as weighted_length
    from directed
    where emotion <> 'all'
    group by domain
),

concentrated as (
    select
        *,
        length / n as mean_resultant,
        -- Fisher (1993), 4.40: the concentration of von Mises' distribution.
        case
            when mean_resultant < 0.53 then 2 * mean_resultant + pow(mean_resultant, 3) + 5 * pow(mean_resultant, 5) / 6
            when mean_resultant < 0.85 then -0.4 + 1.39 * mean_resultant + 0.43 / (1 - mean_resultant)
            else 1 / nullif(pow(mean_resultant, 3) - 4 * mean_resultant * mean_resultant + 3 * mean_resultant, 0)
        end as concentration
    from compared
),

rayleigh as (
    select
        'rayleigh' as test,
        domain,
        emotion,
        length * length / n as statistic,
        null::bigint as df1,
        null::bigint as df2,
        -- exp(√(1 + 4 n + 4 (n² - R²)) - (1 + 2 n)), without the loss of digits where n is large.
        exp(-4 * length * length / (sqrt(1 + 4 * n + 4 * greatest(n * n::double - length * length, 0)) + 1 + 2 * n))
            as p_value,
        n >= 10 as is_applicable
    from directed
),

watson_williams as (
    select
        'watson_williams' as test,
        concentrated.domain,
        'all' as emotion,
        case
            when k > 1 and concentrated.n > k and concentrated.n - concentrated.length > 1e-12 * concentrated.n
                then (1 + 3 / 8 / nullif(concentration, 0)) * (concentrated.n - k)
                * greatest(concentrated.length - directed.length, 0)
                / (k - 1) / (concentrated.n - concentrated.length)
        end as statistic,
        k - 1 as df1,
        concentrated.n - k as df2,
        mean_resultant >= 0.45 and concentrated.n >= 5 * k as is_applicable
    from concentrated
    inner join directed on concentrated.domain = directed.domain and directed.emotion = 'all'
),

large_sample as (
    select
        'watson_large_sample' as test,
        domain,
        'all' as emotion,
        case when k > 1 and weight is not null then greatest(2 * (weight - weighted_length), 0) end as statistic,
        k - 1 as df1,
        null::bigint as df2,
        least_n >= 25 and weight is not null as is_applicable
    from concentrated
),

tested as (
    select test, domain, emotion, statistic, df1, df2, p_value, is_applicable from rayleigh
    union all
    select test, domain, emotion, statistic, df1, df2, f_upper_tail(statistic, df1, df2), is_applicable
    from watson_williams
    union all
    select test, domain, emotion, statistic, df1, df2, chi2_upper_tail(statistic, df1), is_applicable
    from large_sample
)

select
    rows_wanted.domain,
    rows_wanted.test,
    rows_wanted.emotion,
    coalesce(directed.n, 0) as clip_count,
    case when rows_wanted.emotion <> 'all' then least(coalesce(directed.n, 0), 1) else coalesce(compared.k, 0) end
        as emotion_count,
    case when directed.length >= 1e-6 * directed.n then directed.direction end as hue_mean_deg,
    directed.length / directed.n as hue_resultant,
    tested.statistic,
    tested.df1,
    tested.df2,
    tested.p_value,
    coalesce(tested.is_applicable, false) as is_applicable
from rows_wanted
left join directed on rows_wanted.domain = directed.domain and rows_wanted.emotion = directed.emotion
left join compared on rows_wanted.domain = compared.domain
left join tested
    on rows_wanted.test = tested.test
    and rows_wanted.domain = tested.domain
    and rows_wanted.emotion = tested.emotion
order by rows_wanted.domain_index, rows_wanted.test, rows_wanted.emotion_index;
