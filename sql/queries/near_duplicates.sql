-- question: Which clips are near-duplicates of each other?
-- topic: clips
-- answer: Groups that are larger than one film or one source video: equal bytes or frames that look alike join them, also
--   clips of several domains. `benchmark_split` keeps each group on one side.
select
    clip_groups.group_id,
    count(*) as clip_count,
    count(distinct clips.source_id) as source_count,
    list_sort(list(distinct clip_groups.domain)) as domains,
    list_sort(list(distinct clip_groups.reason)) as reasons,
    list(clip_groups.clip_id order by clip_groups.clip_id) as clip_ids
from clip_groups
inner join clips on clip_groups.clip_id = clips.clip_id
group by clip_groups.group_id
having bool_or(clip_groups.reason in ('same_bytes', 'near_duplicate'))
order by clip_count desc, clip_groups.group_id;
