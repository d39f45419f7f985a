-- view: scopes
-- gives: What a view with rows per domain and over all domains has rows of: the three domains, and `total`.
-- grain: domain, and `total`
-- source: this project
-- depends on: domains
-- note: `total` stands for the clips of all domains together, here and in every other view and table.
-- columns:
--   domain_index (BIGINT): position, that of `domains`; `total` is the last
--   domain (VARCHAR): movie, animation, sticker or total

create or replace view scopes as
select domain_index, domain from domains
union all
select max(domain_index) + 1, 'total' from domains
order by domain_index;
