-- view: human_labels_by_outcome
-- gives: What became of the clips that humans were asked about, per domain and in total.
-- grain: domain (and `total`) × outcome; all 16 rows are always there
-- source: paper, text on human annotation (requirements R2, R9 and R13)
-- depends on: scopes, human_labels
-- columns:
--   domain (VARCHAR): movie, animation, sticker or total
--   outcome (VARCHAR): agreed, no_majority, no_specific_emotion or rejected; only agreed clips stay in the dataset
--   clip_count (BIGINT): clips
--   clip_share (DOUBLE): share of the clips of the domain that humans were asked about; null where there are none

create or replace view human_labels_by_outcome as
with
counted as (
    select coalesce(domain, 'total') as domain, outcome, count(*) as clip_count
    from human_labels
    group by grouping sets ((domain, outcome), (outcome))
),

cells as (
    select
        scopes.domain_index,
        scopes.domain,
        outcomes.outcome_index,
        outcomes.outcome,
        coalesce(counted.clip_count, 0) as clip_count
    from scopes
    cross join (
        values (0, 'agreed'), (1, 'no_majority'), (2, 'no_specific_emotion'), (3, 'rejected')
    ) as outcomes (outcome_index, outcome)
    left join counted on scopes.domain = counted.domain and outcomes.outcome = counted.outcome
)

select
    domain,
    outcome,
    clip_count,
    clip_count / nullif(sum(clip_count) over (partition by domain), 0) as clip_share
from cells
order by domain_index, outcome_index;
