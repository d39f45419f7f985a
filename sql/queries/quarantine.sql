-- question: What is in quarantine, and what should I do?
-- topic: films and sources
-- answer: One line per reason, with an example; `processing_errors` has every item.
select domain, asset, code, item_count, example_path, example_message
from quarantine_by_code;
