-- question: Which films dominate?
-- topic: films and sources
-- answer: A film with a large share of the clips is a risk for every split. The shares are of all movie clips: the films
--   further down, and the sources for which no film is named, have a row each at the end.
-- parameters:
--   limit (BIGINT, 10): how many films
with films as (
    select film_id, count(*) as clip_count
    from clip_catalogue
    where domain = 'movie'
    group by film_id
),

ranked as (
    select
        *,
        case
            when film_id is null then 2
            when row_number() over (partition by film_id is null order by clip_count desc, film_id) > $limit then 1
            else 0
        end as place,
        sum(clip_count) over () as all_clip_count
    from films
)

select
    case place when 0 then any_value(film_id) when 1 then 'other films' else 'no film named' end as film_id,
    sum(clip_count)::bigint as clip_count,
    round(100 * sum(clip_count) / any_value(all_clip_count), 1) as percent,
    any_value(all_clip_count)::bigint as of_clip_count
from ranked
group by place, case when place = 0 then ranked.film_id end
order by place, clip_count desc, film_id;
