-- view: label_disagreements
-- gives: Clips on which people disagree, with every vote.
-- grain: clip × purpose
-- source: this project
-- depends on: human_annotations, human_labels, vlm_labels
-- columns:
--   clip_id (VARCHAR): the clip
--   domain (VARCHAR): movie, animation or sticker
--   purpose (VARCHAR): why the clip was shown: label, verify, validate or review
--   vote_count (BIGINT): people who answered
--   choice_count (BIGINT): different answers, at least 2
--   agree_count (BIGINT): votes of the most frequent answer
--   votes (VARCHAR[]): the answers, in the order of annotator_ids
--   annotator_ids (VARCHAR[]): who answered, sorted
--   human_outcome (VARCHAR): what became of the clip: agreed, no_majority, no_specific_emotion or rejected
--   human_emotion (VARCHAR): the human label; null unless agreed
--   vlm_emotion (VARCHAR): the labeller's choice; null where it has not answered

create or replace view label_disagreements as
with
choices as (
    select clip_id, domain, purpose, label, count(*) as vote_count
    from human_annotations
    group by clip_id, domain, purpose, label
),

disputed as (
    select
        clip_id,
        domain,
        purpose,
        sum(vote_count)::bigint as vote_count,
        count(*) as choice_count,
        max(vote_count) as agree_count
    from choices
    group by clip_id, domain, purpose
    having count(*) > 1
),

voters as (
    select
        human_annotations.clip_id,
        human_annotations.purpose,
        list(human_annotations.label order by human_annotations.annotator_id) as votes,
        list(human_annotations.annotator_id order by human_annotations.annotator_id) as annotator_ids
    from human_annotations
    group by human_annotations.clip_id, human_annotations.purpose
)

select
    disputed.clip_id,
    disputed.domain,
    disputed.purpose,
    disputed.vote_count,
    disputed.choice_count,
    disputed.agree_count,
    voters.votes,
    voters.annotator_ids,
    human_labels.outcome as human_outcome,
    human_labels.emotion as human_emotion,
    vlm_labels.emotion as vlm_emotion
from disputed
inner join voters on disputed.clip_id = voters.clip_id and disputed.purpose = voters.purpose
left join human_labels on disputed.clip_id = human_labels.clip_id
left join vlm_labels on disputed.clip_id = vlm_labels.clip_id
order by disputed.clip_id, disputed.purpose;
