-- question: When did each table last change?
-- topic: quality
-- answer: By the time stamps of the files, latest first. A build that finds the same content leaves the file as it is;
--   `emovid status` says what is stale.
select
    regexp_extract(filename, '([^/]+)/(domain=[^/]+/)?part-0[.]parquet$', 1) as table_name,
    nullif(regexp_extract(filename, 'domain=([^/]+)', 1), '') as domain,
    last_modified as written_at,
    size as size_bytes
from read_blob($home || '/warehouse/**/part-0.parquet')
order by written_at desc, table_name, domain;
