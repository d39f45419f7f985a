-- view: emotion_transitions
-- gives: First-order Markov matrix of the emotions of movies: from one clip to the next of the same source video.
-- grain: kind × from_emotion × to_emotion; all 128 rows are always there
-- source: paper, text on emotional transitions (requirement R26)
-- depends on: emotion_wheel, segments, emotion_labels
-- note: Movies only, never across source videos. `bridged` counts every pair of a kept segment and the next kept one;
--   `strict` only those with no dropped segment between them (scene_index grows by one), so it is a part of
--   `bridged`. Both ends need a final label. A kept segment without one breaks the chain in both kinds: what it shows
--   is unknown, and to step over it would count a transition that nobody saw.
-- columns:
--   kind (VARCHAR): strict or bridged
--   from_emotion (VARCHAR): final label of the clip
--   to_emotion (VARCHAR): final label of the next clip
--   transition_count (BIGINT): pairs of clips
--   from_count (BIGINT): pairs that start with from_emotion
--   probability (DOUBLE): transition_count / from_count; sums to 1 over to_emotion; null where from_count is 0

create or replace view emotion_transitions as
with
chain as (
    select
        segments.scene_index,
        emotion_labels.emotion as from_emotion,
        lead(segments.scene_index) over following as next_scene_index,
        lead(emotion_labels.emotion) over following as to_emotion
    from segments
    left join emotion_labels on segments.clip_id = emotion_labels.clip_id
    where segments.domain = 'movie' and segments.is_kept
    window following as (partition by segments.source_id order by segments.scene_index)
),

pairs as (
    select
        from_emotion,
        to_emotion,
        unnest(case when next_scene_index = scene_index + 1 then ['strict', 'bridged'] else ['bridged'] end) as kind
    from chain
    where from_emotion is not null and to_emotion is not null
),

counted as (
    select kind, from_emotion, to_emotion, count(*) as transition_count
    from pairs
    group by kind, from_emotion, to_emotion
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
)

select
    kind,
    from_emotion,
    to_emotion,
    transition_count,
    (sum(transition_count) over origins)::bigint as from_count,
    transition_count / nullif(sum(transition_count) over origins, 0) as probability
from cells
window origins as (partition by kind, from_emotion)
order by kind desc, from_index, to_index;
