-- question: How large is each split?
-- topic: splits
-- answer: Clips, hours and gigabytes of clip files, as they would be released.
select
    split,
    domain,
    count(*) as clip_count,
    round(sum(duration_s) / 3600, 3) as duration_h,
    round(sum(media_size_bytes) / 1e9, 4) as size_gb
from clip_catalogue
where split is not null
group by split, domain
order by split, domain;
