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
members as (
    select clip_id, domain, split, group_id from benchmark_split where split in ('benchmark', 'train')
),

benchmark as (
    select clip_id, group_id from members where split = 'benchmark'
),

-- The benchmark is small. So every large table is reduced to what shares a value with it before anything is joined.
benchmark_sources as (
    select source_videos.film_id, source_videos.sha256
    from source_videos
    semi join (select clips.source_id from clips semi join benchmark on clips.clip_id = benchmark.clip_id) as own
        on source_videos.source_id = own.source_id
),

suspect_sources as (
    select source_videos.source_id, 'film' as kind, source_videos.film_id as value
    from source_videos
    semi join benchmark_sources on source_videos.film_id = benchmark_sources.film_id
    union all
    select source_videos.source_id, 'source_file' as kind, source_videos.sha256 as value
    from source_videos
    semi join benchmark_sources on source_videos.sha256 = benchmark_sources.sha256
),

source_clips as (
    select clips.clip_id, clips.source_id
    from clips
    semi join suspect_sources on clips.source_id = suspect_sources.source_id
),

suspects as (
    select source_clips.clip_id, suspect_sources.kind, suspect_sources.value
    from source_clips
    inner join suspect_sources on source_clips.source_id = suspect_sources.source_id
    union all
    select clip_media.clip_id, 'clip_file' as kind, clip_media.sha256 as value
    from clip_media
    semi join (
        select same.sha256 from clip_media as same semi join benchmark on same.clip_id = benchmark.clip_id
    ) as own on clip_media.sha256 = own.sha256
),

suspect_members as (
    select members.clip_id, members.domain, members.split
    from members
    semi join suspects on members.clip_id = suspects.clip_id
),

traits as (
    select members.clip_id, members.domain, members.split, 'group' as kind, members.group_id as value
    from members
    semi join benchmark on members.group_id = benchmark.group_id
    union all
    select
        suspect_members.clip_id,
        suspect_members.domain,
        suspect_members.split,
        suspects.kind,
        suspects.value
    from suspect_members
    inner join suspects on suspect_members.clip_id = suspects.clip_id
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
where benchmark_clip_count > 0 and train_clip_count > 0;
