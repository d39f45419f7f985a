-- question: Which files hold the same bytes?
-- topic: films and sources
-- answer: They are one source; the other paths could be removed from the library.
select path, duplicate_paths, size_bytes * len(duplicate_paths) as wasted_bytes
from source_videos
where len(duplicate_paths) > 0
order by wasted_bytes desc, path;
