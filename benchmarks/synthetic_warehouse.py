"""A warehouse of any size, made in a minute by SQL: every table that a view reads, in the registry's schemas.

Belongs here: what the made-up rows are. The files are written by `resources.warehouse`, and the derived tables are
derived by the product. Every value is a hash of the clip's number: the same number of clips makes the same files.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.resources.catalogue_statements import duckdb_type
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import Column
from emovid_assets.tables.registry import TABLES

PAPER_SHARES = {"movie": 13_255, "animation": 2_807, "sticker": 6_696}
"""Clips per domain as the paper prints them (Table 2)."""
PAPER_CLIP_COUNT = sum(PAPER_SHARES.values())
CLIPS_PER_SOURCE = 12
BENCHMARK_CLIPS = 80
"""In each domain, about ten of each emotion."""
BATCH_ROWS = 122_880

# Words are drawn by the cube of a uniform number: few frequent ones, many rare ones, as in real captions.
_WORD_COUNTS = {"adjective": 400, "noun": 3_000, "verb": 600, "place": 1_200}
_SYLLABLES = ("ba", "ro", "ti", "lun", "ke", "sha", "mo", "vel", "dri", "nu", "pa", "zen", "cor", "fi", "gha", "wel")

_SOURCES = """
select
    source_number,
    '{domain}-' || format('{{:016x}}', source_number * {step} + (hash(source_number) % {step})::bigint) as source_id
from range({source_count}) as numbers (source_number)
"""

_CLIPS = """
select
    numbers.clip_number,
    sources.source_number,
    sources.source_id,
    '{domain}' as domain,
    -- Every third segment was dropped.
    (numbers.clip_number % {per_source}) * 3 // 2 as scene_index,
    sources.source_id || '-' || lpad(((numbers.clip_number % {per_source}) * 9000)::varchar, 8, '0')
    || '-' || lpad(((numbers.clip_number % {per_source}) * 9000 + 8050)::varchar, 8, '0') as clip_id,
    emotion_of(numbers.clip_number) as emotion,
    case
        when numbers.clip_number % {per_source} < {per_source} - 1 and numbers.clip_number + 1 < {clip_count}
        then emotion_of(numbers.clip_number + 1)
    end as next_emotion
from range({clip_count}) as numbers (clip_number)
inner join sources on numbers.clip_number // {per_source} = sources.source_number
order by numbers.clip_number
"""

_SEGMENTS = (
    "(select *, true as is_kept from clips union all by name select source_number, source_id, domain, "
    "clip_number, scene_index + 1 as scene_index, source_id || '-' || clip_number as clip_id, false as is_kept "
    "from clips where clip_number % 2 = 1) order by clip_number, is_kept desc"
)
"""In their order: two kept ones, one dropped."""

_VALUES: dict[str, tuple[str, dict[str, str]]] = {
    # table: (rows, {column: expression}); every other column takes a valid constant, or null where that is allowed.
    "source_videos": (
        "sources",
        {
            "source_id": "source_id",
            "path": "'library/{domain}/' || source_id || '.mp4'",
            "film_id": "'film-' || source_number // 10",
            "sha256": "source_id[-16:] || md5(source_id) || source_id[-16:]",
            "duplicate_paths": "[]",
        },
    ),
    "segments": (
        _SEGMENTS,
        {
            "source_id": "source_id",
            "clip_id": "clip_id",
            "scene_index": "scene_index",
            "is_kept": "is_kept",
            "drop_reason": "case when not is_kept then 'too_short' end",
        },
    ),
    "scanned_segments": (
        _SEGMENTS,
        {
            "source_id": "source_id",
            "clip_id": "clip_id",
            "scene_index": "scene_index",
            "is_kept": "is_kept",
            "drop_reason": "case when not is_kept then 'too_short' end",
            "start_pts": "clip_number * 200",
            "end_pts": "clip_number * 200 + 200",
        },
    ),
    "clip_fingerprints": (
        "clips",
        {
            "clip_id": "clip_id",
            "picture_sha256": "sha256(clip_id)",
            "picture_count": "200",
            "hash_times_s": "list_transform(range(33), lambda n: n * 0.25)",
            "picture_hashes": "list_transform(range(33), "
            "lambda n: lpad(lower(to_hex(hash(clip_number * 64 + n))), 16, '0'))",
        },
    ),
    "clips": (
        "clips",
        {
            "clip_id": "clip_id",
            "source_id": "source_id",
            "scene_index": "scene_index",
            "duration_s": "round(4 + 26 * pow(u(clip_number, 2), 3), 3)",
            "has_audio": "'{domain}' <> 'sticker'",
            "width_px": "1280",
            "height_px": "720",
            "frame_count": "200",
            "thumbnail_path": "'media/thumbnails/' || clip_id || '.jpg'",
        },
    ),
    "clip_media": (
        "clips",
        {
            "clip_id": "clip_id",
            "media_path": "'media/clips/' || clip_id || '.mp4'",
            "sha256": "md5(clip_id) || md5(source_id || clip_number)",
            "size_bytes": "100000 + (u(clip_number, 3) * 1e6)::bigint",
        },
    ),
    "colour_attributes": (
        "clips",
        {
            "clip_id": "clip_id",
            "brightness": "round(u(clip_number, 4), 1)",
            "colorfulness": "round(u(clip_number, 5), 1)",
            "brightness_mean": "u(clip_number, 4)",
            "colorfulness_mean": "u(clip_number, 5)",
            "hue": "(360 * u(clip_number, 6))::bigint % 360",
            "hue_mean_deg": "359.99 * u(clip_number, 6)",
            "hue_resultant": "u(clip_number, 7)",
            "hue_chromatic_deg": "359.99 * u(clip_number, 6)",
            "chromatic_share": "u(clip_number, 8)",
        },
    ),
    "emotion_labels": (
        "clips where {is_labelled}",
        {
            "clip_id": "clip_id",
            "emotion": "emotion",
            "polarity": "case when emotion in ('amusement', 'awe', 'contentment', 'excitement') "
            "then 'positive' else 'negative' end",
            "valence": "5.0",
            "arousal": "5.0",
            "label_source": "case when {is_human} then 'human' else 'vlm' end",
            "confidence": "u(clip_number, 9)",
        },
    ),
    "vlm_labels": (
        "clips where '{domain}' <> 'sticker'",
        {
            "clip_id": "clip_id",
            "emotion": "emotion",
            "confidence": "u(clip_number, 9)",
            "model_id": "'embedded/labeller'",
            "parse_status": "'scored'",
            "frame_pts_s": "[0.0, 0.8, 1.6]",
        },
    ),
    "human_labels": (
        "clips where {is_human}",
        {
            "clip_id": "clip_id",
            "emotion": "case when {is_labelled} then emotion end",
            "agree_count": "case when {is_labelled} then 2 else 1 end",
            "annotator_count": "3",
            "outcome": "case when {is_labelled} then 'agreed' else 'no_majority' end",
        },
    ),
    "human_annotations": (
        # Three people a clip, one a sticker; one clip in three has a second opinion, one in fifty three opinions.
        "(select *, unnest(range({voters})) as voter from clips where {is_human})",
        {
            "clip_id": "clip_id",
            "purpose": "case when '{domain}' = 'sticker' then 'verify' else 'label' end",
            "annotator_id": "'person-' || lpad((clip_number % 100 * 3 + voter)::varchar, 3, '0')",
            "label": "case when '{domain}' = 'sticker' then 'accept' when voter = 2 and {is_disputed} "
            "then {emotions}[1 + (hash(clip_number) % 8)::bigint] else emotion end",
            "tool": "'csv'",
            "lead_time_s": "3 + 20 * u(clip_number * 3 + voter, 11)",
            "annotated_at": "timestamptz '2026-01-01 00:00:00+00' + interval 1 second * clip_number",
        },
    ),
    "captions": (
        "clips",
        {
            "clip_id": "clip_id",
            "caption": "'A ' || word('adjective', clip_number, 1) || ' ' || word('noun', clip_number, 2) || ' '"
            " || word('verb', clip_number, 3) || ' near the ' || word('adjective', clip_number, 4) || ' '"
            " || word('place', clip_number, 5) || ', while the ' || word('noun', clip_number, 6) || ' '"
            " || word('verb', clip_number, 7) || ' ' || word('noun', clip_number, 8) || '.'",
            "model_id": "'embedded/describer'",
            "frame_pts_s": "[0.0, 0.8, 1.6]",
        },
    ),
    "benchmark_split": (
        "clips where {is_labelled}",
        {
            "clip_id": "clip_id",
            "emotion": "emotion",
            "label_source": "case when {is_human} then 'human' else 'vlm' end",
            # Films of the benchmark's clips are unused, so the split has no leaks.
            "split": "case when {is_benchmark} then 'benchmark' when clip_number < 1200 then 'unused' else 'train' end",
            "group_id": "'{domain}-film-' || source_number // 10",
            "prompt": "'A clip in the \"' || emotion || '\" emotion.'",
            "first_frame_path": "case when {is_benchmark} then 'media/first_frames/' || clip_id || '.png' end",
        },
    ),
    "processing_errors": (
        "clips where clip_number % 200 = 0",
        {
            "asset": "'clips'",
            "item_id": "clip_id",
            "code": "['truncated', 'not_a_video', 'unreadable_codec'][1 + clip_number % 3]",
            "message": "'Replace the file.'",
            "first_seen_at": "timestamptz '2026-01-01 00:00:00+00' + interval 1 second * clip_number",
            "last_seen_at": "timestamptz '2026-02-01 00:00:00+00' + interval 1 second * clip_number",
        },
    ),
    "annotator_quality": (
        "range(300) as people (person)",
        {
            "annotator_id": "'person-' || lpad(person::varchar, 3, '0')",
            "purpose": "'label'",
            "answer_count": "100",
            "compared_count": "90",
            "agree_count": "70",
        },
    ),
    "annotator_choices": (
        "(select person, unnest({emotions}) as emotion from range(300) as people (person))",
        {
            "annotator_id": "'person-' || lpad(person::varchar, 3, '0')",
            "purpose": "'label'",
            "label": "emotion",
            "shared_clip_count": "90",
            "bias": "u(person, 12) - 0.5",
        },
    ),
    "kappa_validation": (
        "(values ('anna', 'ben'), ('anna', 'cleo'), ('ben', 'cleo')) as pairs (rater_a, rater_b)",
        {"rater_a": "rater_a", "rater_b": "rater_b", "pair_kind": "'human_human'", "kappa": "0.7"},
    ),
}


def plant_warehouse(home: Path, clip_count: int, more: Mapping[str, Mapping[str, str]] | None = None) -> None:
    """Writes the tables of a library of about `clip_count` clips below `home`, a few hundred MB a million clips.

    `more`: expressions of columns by table, in place of those here. The derived tables are left to
    `resources.deriving`.
    """
    warehouse = Warehouse(home / "warehouse")
    for domain, share in PAPER_SHARES.items():
        with duckdb.connect() as connection:
            _prepare(connection, domain, round(clip_count * share / PAPER_CLIP_COUNT))
            for table in _VALUES:
                _write(connection, warehouse, table, domain, (more or {}).get(table, {}))


def _prepare(connection: duckdb.DuckDBPyConnection, domain: str, clip_count: int) -> None:
    connection.execute("set preserve_insertion_order = true; set timezone = 'UTC'")
    connection.execute("create macro u(number, salt) as hash(number * 16 + salt) / 18446744073709551616.0")
    for kind, word_count in _WORD_COUNTS.items():
        words = [f"{_spell(kind, number)}" for number in range(word_count)]
        connection.execute(f"create table {kind}_words as select ? as words", [words])
    lists = " ".join(
        f"when '{kind}' then list_extract(getvariable('{kind}_words'), "
        f"1 + floor({count} * pow(hash(number * 32 + salt) / 18446744073709551616.0, 3))::bigint % {count})"
        for kind, count in _WORD_COUNTS.items()
    )
    for kind in _WORD_COUNTS:
        connection.execute(f"set variable {kind}_words = (select words from {kind}_words)")
    connection.execute(f"create macro word(kind, number, salt) as case kind {lists} end")
    connection.execute(
        f"create macro emotion_of(number) as {list(EMOTION_NAMES)}[1 + (8 * pow(u(number, 1), 1.5))::bigint % 8]"
    )
    source_count = -(-clip_count // CLIPS_PER_SOURCE)
    connection.execute(
        "create table sources as "
        + _SOURCES.format(domain=domain, source_count=source_count, step=2**62 // max(source_count, 1))
    )
    connection.execute(
        "create table clips as " + _CLIPS.format(domain=domain, per_source=CLIPS_PER_SOURCE, clip_count=clip_count)
    )


def _spell(kind: str, number: int) -> str:
    letters = [_SYLLABLES[(number >> shift) & 15] for shift in (0, 4, 8)]
    return kind[0] + "".join(letters)


def _write(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, table: str, domain: str, more: Mapping[str, str]
) -> None:
    rows, _ = _VALUES[table]
    names = _names(domain)
    expressions = [f'{_expression(table, column, names, more)} as "{column.name}"' for column in TABLES[table].columns]
    reader = connection.sql(f"select {', '.join(expressions)} from {rows.format(**names)}").to_arrow_reader(BATCH_ROWS)
    schema = TABLES[table].schema
    cast = (part for batch in reader for part in pa.Table.from_batches([batch]).cast(schema).to_batches())
    warehouse.write_batches(table, domain, pa.RecordBatchReader.from_batches(schema, cast))


def _names(domain: str) -> dict[str, object]:
    """What the texts of `_VALUES` name in braces."""
    return {
        "domain": domain,
        "emotions": list(EMOTION_NAMES),
        # One in five, and every sticker; three in a hundred have no final label.
        "is_human": "true" if domain == "sticker" else "u(clip_number, 13) < 0.2",
        "is_labelled": "u(clip_number, 14) < 0.97",
        "voters": 1 if domain == "sticker" else 3,
        "is_disputed": "u(clip_number, 10) < 0.33",
        "is_benchmark": f"clip_number < {BENCHMARK_CLIPS}",
    }


def _expression(table: str, column: Column, names: dict[str, object], more: Mapping[str, str]) -> str:
    value = (dict(_VALUES[table][1]) | dict(more)).get(column.name, _constant(column)).format(**names)
    return f"({value})::{duckdb_type(column.type)}"


def _constant(column: Column) -> str:
    if column.name == "domain":
        return "'{domain}'"
    if column.is_nullable:
        return "null"
    if column.vocabulary:
        return f"'{column.vocabulary[0]}'"
    if pa.types.is_list(column.type):
        return "[]"
    if column.type == pa.string():
        return f"'some {column.name}'"
    if column.type == pa.bool_():
        return "false"
    if pa.types.is_timestamp(column.type):
        return "timestamptz '2026-01-01 00:00:00+00'"
    return str(column.minimum or 0)
