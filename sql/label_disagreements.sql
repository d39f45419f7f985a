-- view: label_disagreements
-- gives: Clips on which people disagree, with every vote.
-- grain: clip × purpose
-- source: this project
-- depends on: disputed_clips
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
select
    clip_id,
    domain,
    purpose,
    vote_count,
    choice_count,
    agree_count,
    votes,
    annotator_ids,
    human_outcome,
    human_emotion,
    vlm_emotion
from disputed_clips;
