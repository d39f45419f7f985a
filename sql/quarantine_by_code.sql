-- view: quarantine_by_code
-- gives: How many items are in quarantine, and why.
-- grain: domain × asset × code
-- source: this project
-- depends on: processing_errors
-- columns:
--   domain (VARCHAR): movie, animation or sticker
--   asset (VARCHAR): asset that could not process the items
--   code (VARCHAR): stable code, such as `truncated`
--   item_count (BIGINT): items
--   attempt_count (BIGINT): attempts on all of them
--   first_seen_at (TIMESTAMP WITH TIME ZONE): earliest failure
--   last_seen_at (TIMESTAMP WITH TIME ZONE): latest failure
--   example_item_id (VARCHAR): the first of the items by id
--   example_path (VARCHAR): its file, below the home folder
--   example_message (VARCHAR): what to do about it

create or replace view quarantine_by_code as
select
    domain,
    asset,
    code,
    count(*) as item_count,
    sum(attempt_count)::bigint as attempt_count,
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at,
    min(item_id) as example_item_id,
    -- arg_min_null keeps the path of that very item, also where it is null.
    arg_min_null(path, item_id) as example_path,
    arg_min(message, item_id) as example_message
from processing_errors
group by domain, asset, code
order by item_count desc, domain, asset, code;
