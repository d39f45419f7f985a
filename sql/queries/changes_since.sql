-- question: What changed since an earlier state of the dataset?
-- topic: quality
-- answer: Compares with a copy of the warehouse. A build replaces files and never writes into one, so
--   `cp -al data/warehouse before` keeps a state in no time and no space (`cp -a` on another disk). Clips that came
--   or went, and those whose label, caption or split is another.
-- parameters:
--   before (VARCHAR, required): folder of the copy of `warehouse`
with
-- A copy may be older than a table: the first branch gives it its columns, without rows.
emotion_labels_before as (
    select null::varchar as clip_id, null::varchar as emotion where false
    union all by name
    select * from read_parquet($before || '/emotion_labels/*/part-0.parquet', allow_empty = true)
),

captions_before as (
    select null::varchar as clip_id, null::varchar as caption where false
    union all by name
    select * from read_parquet($before || '/captions/*/part-0.parquet', allow_empty = true)
),

splits_before as (
    select null::varchar as clip_id, null::varchar as split where false
    union all by name
    select * from read_parquet($before || '/benchmark_split/*/part-0.parquet', allow_empty = true)
),

earlier as (
    select
        clips_before.clip_id,
        emotion_labels_before.emotion,
        captions_before.caption,
        splits_before.split
    from read_parquet($before || '/clips/*/part-0.parquet') as clips_before
    left join emotion_labels_before on clips_before.clip_id = emotion_labels_before.clip_id
    left join captions_before on clips_before.clip_id = captions_before.clip_id
    left join splits_before on clips_before.clip_id = splits_before.clip_id
),

paired as (
    select
        coalesce(now.clip_id, earlier.clip_id) as clip_id,
        unnest([
            {
                'change': case when earlier.clip_id is null then 'new' when now.clip_id is null then 'gone' end,
                'was': null::varchar,
                'is_now': null::varchar
            },
            {'change': 'emotion', 'was': earlier.emotion, 'is_now': now.emotion},
            {'change': 'caption', 'was': earlier.caption, 'is_now': now.caption},
            {'change': 'split', 'was': earlier.split, 'is_now': now.split}
        ], recursive := true),
        earlier.clip_id is not null and now.clip_id is not null as is_in_both
    from clip_catalogue as now
    full join earlier on now.clip_id = earlier.clip_id
)

select clip_id, change, was, is_now
from paired
where change in ('new', 'gone') or (is_in_both and change is not null and was is distinct from is_now)
order by change, clip_id;
