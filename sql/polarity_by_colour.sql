-- view: polarity_by_colour
-- gives: How often clips of one colour level carry a positive emotion.
-- grain: attribute × bin; all 22 rows are always there
-- source: paper, Figure 5
-- depends on: clip_facts
-- note: The bins are the eleven rounded values 0.0, 0.1, … 1.0. The interval is Wilson's, 95 %.
-- columns:
--   attribute (VARCHAR): brightness or colorfulness
--   bin (DOUBLE): rounded value of the attribute, 0.0 to 1.0
--   clip_count (BIGINT): labelled clips in the bin
--   positive_count (BIGINT): those of them with a positive emotion
--   positive_share (DOUBLE): positive_count / clip_count; null where the bin is empty
--   positive_share_low (DOUBLE): lower end of the interval; null where the bin is empty
--   positive_share_high (DOUBLE): upper end of the interval; null where the bin is empty

create or replace view polarity_by_colour as
with
bins as (
    select
        attributes.attribute,
        levels.tenths,
        levels.tenths / 10 as bin
    from (values ('brightness'), ('colorfulness')) as attributes (attribute)
    cross join range(11) as levels (tenths)
),

-- The only pass over the clips; what remains is at most 11 × 11 levels. Tenths are whole numbers: 0.1 * 3 and 0.3 are
-- different doubles.
levels as (
    select
        round(brightness * 10)::bigint as brightness_tenths,
        round(colorfulness * 10)::bigint as colorfulness_tenths,
        count(*) as n,
        count(*) filter (where polarity = 'positive') as positive
    from clip_facts
    where polarity is not null and brightness is not null
    group by all
),

counted as (
    select
        entry.attribute,
        entry.tenths,
        sum(n)::bigint as clip_count,
        sum(positive)::bigint as positive_count
    from levels
    cross join unnest([
        {'attribute': 'brightness', 'tenths': brightness_tenths},
        {'attribute': 'colorfulness', 'tenths': colorfulness_tenths}
    ]) as of_attribute (entry)
    group by entry.attribute, entry.tenths
)

select
    bins.attribute,
    bins.bin,
    coalesce(counted.clip_count, 0) as clip_count,
    coalesce(counted.positive_count, 0) as positive_count,
    counted.positive_count / counted.clip_count as positive_share,
    wilson_low(counted.positive_count, counted.clip_count) as positive_share_low,
    wilson_high(counted.positive_count, counted.clip_count) as positive_share_high
from bins
left join counted on bins.attribute = counted.attribute and bins.tenths = counted.tenths
order by bins.attribute, bins.bin;
