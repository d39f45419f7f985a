-- question: How much material is there per licence?
-- topic: films and sources
-- answer: Clips without a licence on record cannot be released; they are the line without a licence.
select
    license,
    domain,
    count(*) as clip_count,
    round(sum(duration_s) / 3600, 3) as duration_h
from clip_catalogue
group by license, domain
order by license nulls first, domain;
