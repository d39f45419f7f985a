-- question: What is still missing, clip by clip?
-- topic: quality
-- answer: How many clips each stage has not reached.
select
    domain,
    count(*) as clip_count,
    count(*) filter (where media_path is null) as without_file,
    count(*) filter (where brightness is null) as without_colour,
    count(*) filter (where emotion is null) as without_label,
    count(*) filter (where caption is null) as without_caption
from clip_catalogue
group by domain
order by domain;
