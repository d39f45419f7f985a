-- question: What must I know before I use this dataset?
-- topic: quality
-- answer: Nothing is good news; otherwise one line per warning, the most serious first, with what removes it.
select code, subject, message, what_to_do
from dataset_warnings;
