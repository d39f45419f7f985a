-- question: What changed since an earlier state of the dataset?
-- topic: quality
-- answer: Compares with a snapshot: `emovid snapshot make before` keeps a state in no time and hardly any space, and each
--   release has one, named as its version. Clips that came or went, and every column of those that stayed whose value
--   is another, of the label, the caption and the split as of all others.
-- parameters:
--   before (VARCHAR, required): name of the snapshot; `emovid snapshot list` shows them
select
    clip_id,
    change,
    column_name,
    before,
    after
from changes_since($before)
order by change, column_name, clip_id;
