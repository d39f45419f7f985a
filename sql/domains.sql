-- view: domains
-- gives: The three domains, so that views show a domain that holds nothing yet.
-- grain: domain
-- source: paper, section on data collection (requirement R5); equal to DOMAINS in core/domains.py.
-- depends on: nothing
-- columns:
--   domain_index (BIGINT): position, heaviest domain first, from 0
--   domain (VARCHAR): movie, animation or sticker

create or replace view domains as
select
    domain_index::bigint as domain_index,
    domain
from (
    values
        (0, 'movie'),
        (1, 'animation'),
        (2, 'sticker')
) as listed (domain_index, domain)
order by domain_index;
