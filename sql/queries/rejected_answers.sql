-- question: Which answers of people do not count, and why?
-- topic: quality
-- answer: One line per file and reason, with an example.
select file_path, reason, count(*) as answer_count, min(message) as example_message
from rejected_annotations
group by file_path, reason
order by answer_count desc, file_path, reason;
