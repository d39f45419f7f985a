-- question: Which films dominate?
-- topic: films and sources
-- answer: A film with a large share of the clips is a risk for every split.
-- parameters:
--   limit (BIGINT, 10): how many films
select
    film_id,
    count(*) as clip_count,
    round(100 * count(*) / sum(count(*)) over (), 1) as percent
from clip_catalogue
where domain = 'movie' and film_id is not null
group by film_id
order by clip_count desc, film_id
limit $limit;
