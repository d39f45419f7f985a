-- question: Which sources gave no clip, and why?
-- topic: films and sources
-- answer: Files in quarantine with the reason, and readable ones all of whose segments were dropped.
with dropped as (
    select
        source_id,
        string_agg(distinct drop_reason, ', ' order by drop_reason) as reasons,
        max(duration_s) as longest_s
    from segments
    group by source_id
    having not bool_or(is_kept)
)

select
    source_videos.domain,
    source_videos.path,
    coalesce(dropped.reasons, 'not cut') as code,
    case
        when dropped.source_id is null then 'No segments: see the quarantine, or build segments.'
        else format('All segments were dropped; the longest lasts {:.1f} s.', dropped.longest_s)
    end as reason
from source_videos
anti join clips on source_videos.source_id = clips.source_id
left join dropped on source_videos.source_id = dropped.source_id
union all
select domain, path, code, message as reason
from processing_errors
where asset = 'source_videos'
order by domain, path, code;
