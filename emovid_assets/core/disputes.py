"""Clips on which people disagree, with every vote: the rows behind `label_disagreements`.

To find them means to group every answer by its clip, which at millions of answers is work for a build.

Belongs here: which clips are disputed. Does not belong here: majorities and outcomes (`voting`).
"""

TABLES_READ = ("human_annotations", "human_labels", "vlm_labels")


def disputed_clips_query() -> str:
    """A query over the tables named in `TABLES_READ`: a row per clip and purpose with two different answers or more."""
    return """
with
voters as (
    select
        clip_id,
        domain,
        purpose,
        list(label order by annotator_id) as votes,
        list(annotator_id order by annotator_id) as annotator_ids
    from human_annotations
    group by clip_id, domain, purpose
    having min(label) <> max(label)
)

select
    voters.clip_id,
    voters.domain,
    voters.purpose,
    len(voters.votes)::bigint as vote_count,
    list_unique(voters.votes)::bigint as choice_count,
    list_max(map_values(list_histogram(voters.votes)))::bigint as agree_count,
    voters.votes,
    voters.annotator_ids,
    human_labels.outcome as human_outcome,
    human_labels.emotion as human_emotion,
    vlm_labels.emotion as vlm_emotion
from voters
left join human_labels on voters.clip_id = human_labels.clip_id
left join vlm_labels on voters.clip_id = vlm_labels.clip_id
order by voters.clip_id, voters.purpose
"""
