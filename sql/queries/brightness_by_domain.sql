-- question: Is brightness only a matter of domain?
-- topic: clips
-- answer: The share of positive clips in dark and in bright clips, each domain by itself.
select
    domain,
    brightness >= 0.5 as is_bright,
    count(*) as clip_count,
    avg((polarity = 'positive')::integer) as positive_share
from clip_catalogue
where polarity is not null and brightness is not null
group by domain, is_bright
order by domain, is_bright;
