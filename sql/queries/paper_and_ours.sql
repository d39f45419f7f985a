-- question: How does this dataset compare with the paper's?
-- topic: the paper
-- answer: Every printed number that this library has too; `ours_sql` in `paper_comparison` is the query of each.
select place, quantity, domain, emotion, printed, consistent_value, ours, unit
from paper_comparison
where ours is not null;
