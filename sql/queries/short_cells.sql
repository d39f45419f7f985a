-- question: Which benchmark cells are short?
-- topic: splits
-- answer: Against the ten clips per domain and emotion that the paper takes.
select domain, emotion, clip_count, missing_count
from benchmark_cells
where missing_count > 0;
