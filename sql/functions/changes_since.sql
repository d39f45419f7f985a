-- function: changes_since
-- gives: What has changed in `clip_facts` since a snapshot was made (`emovid snapshot make`), clip by clip.
-- source: this project
-- depends on: clip_facts
-- note: Equal are equal values of equal types, without a tolerance; NaN is equal to NaN, and null to null. A column that
--   the snapshot is too old to have is null there. In the catalogue of a snapshot (`emovid sql --at NAME`) it compares
--   two snapshots.
-- arguments:
--   version (VARCHAR): name of the snapshot; each release has one, named as its version
-- returns: TABLE; a row per clip that came or went, and per column that changed of one that stayed
-- columns:
--   clip_id (VARCHAR): the clip
--   change (VARCHAR): added, removed or changed
--   column_name (VARCHAR): column of `clip_facts`; null unless changed
--   before (VARCHAR): its value in the snapshot, as text
--   after (VARCHAR): its value now, as text

create or replace macro changes_since(version) as table (
    with both_states as (
        select
            {'clip_id': clip_id, 'is_after': true} as row_key,
            * exclude (clip_id)
        from clip_facts
        union all by name
        select
            {'clip_id': clip_id, 'is_after': false} as row_key,
            * exclude (clip_id)
        from (
            -- There may be no such table, and no such snapshot, which is told at the end.
            select null::varchar as clip_id
            where false
            union all by name
            select *
            from read_parquet(
                $home || '/snapshots/' || version || '/warehouse/clip_facts/*/part-0.parquet',
                allow_empty = true,
                hive_partitioning = true,
                union_by_name = true
            )
        )
    ),

    -- Whole rows are compared first: most have not changed, and columns one by one take ten times as long.
    whole as (
        select
            row_key,
            row(*columns(* exclude (row_key))) as facts
        from both_states
    ),

    differing as (
        select coalesce(was.row_key.clip_id, now.row_key.clip_id) as clip_id
        from (select * from whole where not row_key.is_after) as was
        full join (select * from whole where row_key.is_after) as now
            on was.row_key.clip_id = now.row_key.clip_id
        where was.facts is distinct from now.facts
    ),

    compared as (
        select
            {
                'clip_id': row_key.clip_id,
                'is_before': bool_or(not row_key.is_after),
                'is_after': bool_or(row_key.is_after)
            } as clip,
            -- Of each column; what is null here has not changed, and `unpivot` passes over it.
            case
                when
                    first(columns(* exclude (row_key))) filter (where not row_key.is_after)
                    is distinct from first(columns(* exclude (row_key))) filter (where row_key.is_after)
                    then {
                        'before': first(columns(* exclude (row_key))) filter (where not row_key.is_after)::varchar,
                        'after': first(columns(* exclude (row_key))) filter (where row_key.is_after)::varchar
                    }
            end
        from both_states
        where row_key.clip_id in (select clip_id from differing)
        group by row_key.clip_id
    )

    select
        clip.clip_id as clip_id,
        'changed' as change,
        column_name,
        change_of.before as before,
        change_of.after as after
    from (select * from compared where clip.is_before and clip.is_after)
    unpivot (change_of for column_name in (columns(* exclude (clip))))
    -- The snapshot may have columns that there are no more.
    where column_name in (select known.column_name from duckdb_columns() as known where known.table_name = 'clip_facts')

    union all

    select
        clip.clip_id,
        case when clip.is_after then 'added' else 'removed' end,
        null,
        null,
        null
    from compared
    where not (clip.is_before and clip.is_after)

    union all

    select
        error('there is no snapshot ' || version || '; there are: ' || coalesce(names, 'none')),
        null,
        null,
        null,
        null
    from (
        select
            string_agg(parse_path(file)[-2], ', ' order by file) as names,
            coalesce(bool_or(parse_path(file)[-2] = version), false) as is_there
        from glob($home || '/snapshots/*/snapshot.json')
    )
    where not is_there
);
