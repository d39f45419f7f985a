-- question: Does anything leak from the benchmark into training?
-- topic: splits
-- answer: No row is the right answer.
select kind, value, benchmark_clip_count, train_clip_count, domains
from split_leaks
order by kind, value;
