-- question: Which numbers of the paper contradict each other?
-- topic: the paper
-- answer: What is printed, and what the other numbers of the paper say.
select place, quantity, coalesce(domain, model) as subject, printed, consistent_value, note
from paper_numbers
where consistent_value is not null;
