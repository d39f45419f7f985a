-- question: Which benchmark cells are short?
-- topic: splits
-- answer: Against the clips per domain and emotion that are wanted: `benchmark.per_cell`, ten in the paper.
select domain, emotion, clip_count, missing_count
from benchmark_cells
where missing_count > 0;
