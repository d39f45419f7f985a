-- view: benchmark_cells
-- gives: How full the benchmark is: clips per domain and emotion against those that are wanted.
-- grain: domain × emotion; all 24 rows are always there
-- source: paper, section on evaluation (requirement R28)
-- depends on: domains, emotion_wheel, benchmark_split, library_settings
-- columns:
--   domain (VARCHAR): movie, animation or sticker
--   emotion (VARCHAR): one of the eight
--   clip_count (BIGINT): benchmark clips in the cell
--   wanted_count (BIGINT): clips that the cell should have: the setting `benchmark.per_cell`, 10 in the paper
--   missing_count (BIGINT): clips that the cell lacks

create or replace view benchmark_cells as
with counted as (
    select domain, emotion, count(*) as clip_count
    from benchmark_split
    where split = 'benchmark'
    group by domain, emotion
),

wanted as (
    select value::bigint as wanted_count from library_settings where key = 'benchmark.per_cell'
)

select
    domains.domain,
    emotion_wheel.emotion,
    coalesce(counted.clip_count, 0) as clip_count,
    wanted.wanted_count,
    greatest(wanted.wanted_count - coalesce(counted.clip_count, 0), 0) as missing_count
from domains
cross join emotion_wheel
cross join wanted
left join counted on domains.domain = counted.domain and emotion_wheel.emotion = counted.emotion
order by domains.domain_index, emotion_wheel.emotion_index;
