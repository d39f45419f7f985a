-- view: dataset_comparison
-- gives: The seven datasets that the paper compares; the row of EmoVid is computed from this library.
-- grain: dataset
-- source: paper, Table 1; sizes of the other six are as printed there (13k is 13000)
-- depends on: paper_numbers, dataset_statistics
-- columns:
--   dataset_index (BIGINT): row of the printed table, from 0
--   dataset (VARCHAR): name
--   modalities (VARCHAR): v video, a audio, t text; null where this library is empty
--   duration_h (DOUBLE, h): length of all clips
--   clip_count (BIGINT): clips
--   content (VARCHAR): what is shown; null where this library is empty
--   label_scheme (VARCHAR): what the labels are
--   is_computed (BOOLEAN): whether the row is computed from this library

create or replace view dataset_comparison as
with
printed as (
    select
        row_number() over (order by min(number_index)) - 1 as dataset_index,
        dataset,
        any_value(printed) filter (where quantity = 'dataset_modalities') as modalities,
        any_value(printed_value) filter (where quantity = 'dataset_duration') as duration_h,
        any_value(printed_value) filter (where quantity = 'dataset_clip_count')::bigint as clip_count,
        any_value(printed) filter (where quantity = 'dataset_content') as content,
        any_value(printed) filter (where quantity = 'dataset_label_scheme') as label_scheme
    from paper_numbers
    where dataset is not null
    group by dataset
),

statistics as materialized (
    select * from dataset_statistics
),

contents as (
    select string_agg(upper(domain[1]) || domain[2:], ', ' order by domain) as content
    from statistics
    where domain <> 'total' and clip_count > 0
),

ours as (
    select
        6::bigint as dataset_index,
        'EmoVid' as dataset,
        nullif(
            concat_ws(
                ',',
                case when has_video then 'v' end,
                case when has_audio then 'a' end,
                case when has_caption then 't' end
            ),
            ''
        ) as modalities,
        duration_total_h as duration_h,
        clip_count,
        contents.content,
        '8 cls (Mikels)' as label_scheme
    from statistics
    cross join contents
    where domain = 'total'
)

select
    dataset_index,
    dataset,
    modalities,
    duration_h,
    clip_count,
    content,
    label_scheme,
    false as is_computed
from printed
where dataset <> 'EmoVid'
union all
select
    dataset_index,
    dataset,
    modalities,
    duration_h,
    clip_count,
    content,
    label_scheme,
    true as is_computed
from ours
order by dataset_index;
