-- question: Which clips are near-duplicates of each other?
-- topic: clips
-- answer: Groups that are larger than one film or one source video: what joins them is that their frames look alike.
--   `benchmark_split` keeps each group on one side. Only labelled clips have a group.
with members as (
    select benchmark_split.group_id, benchmark_split.clip_id, clips.source_id, source_videos.film_id
    from benchmark_split
    inner join clips on benchmark_split.clip_id = clips.clip_id
    left join source_videos on clips.source_id = source_videos.source_id
)

select
    group_id,
    count(*) as clip_count,
    count(distinct source_id) as source_count,
    list(clip_id order by clip_id) as clip_ids
from members
group by group_id
having count(distinct coalesce(film_id, source_id)) > 1
order by clip_count desc, group_id;
