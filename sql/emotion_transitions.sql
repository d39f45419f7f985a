-- view: emotion_transitions
-- gives: First-order Markov matrix of the emotions of movies, from one clip to the next of the same source video, beside
--   what independence would give.
-- grain: kind × from_emotion × to_emotion; all 128 rows are always there
-- source: paper, text on emotional transitions (requirement R26)
-- depends on: emotion_wheel, clip_facts
-- note: Movies only, never across source videos. `bridged` counts every pair of a kept segment and the next kept one;
--   `strict` only those with no dropped segment between them (scene_index grows by one), so it is a part of
--   `bridged`. Both ends need a final label. A kept segment without one breaks the chain in both kinds: what it shows
--   is unknown, and to step over it would count a transition that nobody saw. The residual is the adjusted one of a
--   contingency table: it is standard normal where emotions follow each other by chance, so that 2 and more says that
--   the transition is more frequent than that. See transition_tests for the whole matrix.
-- columns:
--   kind (VARCHAR): strict or bridged
--   from_emotion (VARCHAR): final label of the clip
--   to_emotion (VARCHAR): final label of the next clip
--   transition_count (BIGINT): pairs of clips
--   from_count (BIGINT): pairs that start with from_emotion
--   to_count (BIGINT): pairs that end with to_emotion
--   probability (DOUBLE): transition_count / from_count; sums to 1 over to_emotion; null where from_count is 0
--   expected_probability (DOUBLE): probability if emotions followed each other by chance: to_count / all pairs; null
--     without pairs
--   expected_count (DOUBLE): from_count × expected_probability; null without pairs
--   residual (DOUBLE): standardised (adjusted) residual of transition_count; null where row or column is empty or all
--   p_value (DOUBLE): its two-sided p-value

create or replace view emotion_transitions as
with
-- The only pass over the clips; what follows a clip stands in its own row.
pairs as (
    select emotion as from_emotion, next_emotion as to_emotion, is_next_adjacent, count(*) as n
    from clip_facts
    where domain = 'movie' and emotion is not null and next_emotion is not null
    group by all
),

counted as (
    select
        kinds.kind,
        from_emotion,
        to_emotion,
        sum(n)::bigint as transition_count
    from pairs
    cross join (values ('strict'), ('bridged')) as kinds (kind)
    where is_next_adjacent or kinds.kind = 'bridged'
    group by all
),

cells as (
    select
        kinds.kind,
        origin.emotion_index as from_index,
        origin.emotion as from_emotion,
        target.emotion_index as to_index,
        target.emotion as to_emotion,
        coalesce(counted.transition_count, 0) as transition_count
    from (values ('strict'), ('bridged')) as kinds (kind)
    cross join emotion_wheel as origin
    cross join emotion_wheel as target
    left join counted
        on kinds.kind = counted.kind
        and origin.emotion = counted.from_emotion
        and target.emotion = counted.to_emotion
),

totals as (
    select
        *,
        (sum(transition_count) over (partition by kind, from_emotion))::bigint as from_count,
        (sum(transition_count) over (partition by kind, to_emotion))::bigint as to_count,
        (sum(transition_count) over (partition by kind))::bigint as pair_count
    from cells
),

compared as (
    select
        *,
        transition_count / nullif(from_count, 0) as probability,
        to_count / nullif(pair_count, 0) as expected_probability,
        from_count * expected_probability as expected_count,
        (transition_count - expected_count)
        / nullif(sqrt(expected_count * (1 - from_count / pair_count) * (1 - expected_probability)), 0) as residual
    from totals
)

select
    kind,
    from_emotion,
    to_emotion,
    transition_count,
    from_count,
    to_count,
    probability,
    expected_probability,
    expected_count,
    residual,
    2 * normal_upper_tail(abs(residual)) as p_value
from compared
order by kind desc, from_index, to_index;
