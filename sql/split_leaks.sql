-- view: split_leaks
-- gives: What is in the benchmark and in the training split at once, also across domains. It must be empty.
-- grain: kind × value
-- source: paper, section on evaluation (requirements R28 and R30)
-- depends on: benchmark_split, clips, source_videos, clip_media
-- note: The same source video, and equal files that were collected for two domains, show up as `source_file`.
-- columns:
--   kind (VARCHAR): group (group_id), film (film_id), source_file or clip_file (SHA-256 of the file)
--   value (VARCHAR): the id or hash that both sides share
--   benchmark_clip_count (BIGINT): benchmark clips that have it
--   train_clip_count (BIGINT): training clips that have it
--   domains (VARCHAR[]): domains of these clips, sorted
--   benchmark_clip_ids (VARCHAR[]): the benchmark clips, sorted
--   train_clip_ids (VARCHAR[]): the training clips, sorted

create or replace view split_leaks as
with
traits as (
    select
        benchmark_split.clip_id,
        benchmark_split.domain,
        benchmark_split.split,
        unnest(['group', 'film', 'source_file', 'clip_file']) as kind,
        unnest([
            benchmark_split.group_id,
            source_videos.film_id,
            source_videos.sha256,
            clip_media.sha256
        ]) as value
    from benchmark_split
    left join clips on benchmark_split.clip_id = clips.clip_id
    left join source_videos on clips.source_id = source_videos.source_id
    left join clip_media on benchmark_split.clip_id = clip_media.clip_id
    where benchmark_split.split in ('benchmark', 'train')
),

shared as (
    select
        kind,
        value,
        count(*) filter (where split = 'benchmark') as benchmark_clip_count,
        count(*) filter (where split = 'train') as train_clip_count,
        list_sort(list(distinct domain)) as domains,
        list(clip_id order by clip_id) filter (where split = 'benchmark') as benchmark_clip_ids,
        list(clip_id order by clip_id) filter (where split = 'train') as train_clip_ids
    from traits
    where value is not null
    group by kind, value
)

select
    kind,
    value,
    benchmark_clip_count,
    train_clip_count,
    domains,
    benchmark_clip_ids,
    train_clip_ids
from shared
where benchmark_clip_count > 0 and train_clip_count > 0
order by kind, value;
