"""The rows of `clip_facts` by one SQL query over whole tables: what the product's join is compared with."""

from emovid_assets.core.clip_facts import FACTS


def clip_facts_query() -> str:
    """A query over the tables named in `TABLES_READ`: a row per clip, sorted by clip id.

    Nothing is joined across sources, so it may be asked of the rows of some sources after the other.

    `next_emotion` is the final label of the next kept segment of the source, null where it has none or there is no
    such segment; `is_next_adjacent` says whether no dropped segment lies between the two, null without a next one.
    """
    columns = ",\n    ".join(
        f"{table}.{column} as {name}" for table, names in FACTS.items() for column, name in names.items()
    )
    joins = "\n".join(
        f"left join {table} on clips.{key} = {table}.{key}"
        for table, key in ((table, "source_id" if table == "source_videos" else "clip_id") for table in FACTS)
        if table != "clips"
    )
    return f"""
with following as (
    select
        segments.clip_id,
        lead(emotion_labels.emotion) over in_order as next_emotion,
        lead(segments.scene_index) over in_order = segments.scene_index + 1 as is_next_adjacent
    from segments
    left join emotion_labels on segments.clip_id = emotion_labels.clip_id
    where segments.is_kept
    window in_order as (partition by segments.source_id order by segments.scene_index)
)

select
    {columns},
    coalesce(trim(captions.caption) <> '', false) as has_caption,
    following.next_emotion,
    following.is_next_adjacent
from clips
{joins}
left join following on clips.clip_id = following.clip_id
order by clips.clip_id
"""
