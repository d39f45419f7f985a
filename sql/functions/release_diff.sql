-- function: release_diff
-- gives: What one release of this home says otherwise than another of its clips, clip by clip.
-- source: this project
-- depends on: nothing
-- note: Equal are equal values of equal types, without a tolerance; NaN is equal to NaN, and null to null. A column that
--   only one of them has is null in the other. `emovid release diff` shows the same as tables, of folders elsewhere too.
-- arguments:
--   version (VARCHAR): the former release as its folder is called, such as 1.0.0 or 1.0.0+metadata
--   other (VARCHAR): the one that is compared with it
-- returns: TABLE; a row per clip that is in one of them only, and per column that differs of one that is in both
-- columns:
--   clip_id (VARCHAR): the clip
--   change (VARCHAR): added, removed or changed
--   column_name (VARCHAR): column of the releases; null unless changed
--   before (VARCHAR): its value in the former one, as text
--   after (VARCHAR): its value in the other, as text

create or replace macro release_diff(version, other) as table (
    with both_releases as (
        select
            {'clip_id': clip_id, 'is_after': false} as row_key,
            * exclude (clip_id)
        from (
            -- There may be no such release, which is told at the end.
            select null::varchar as clip_id
            where false
            union all by name
            select *
            from read_parquet(
                $home || '/releases/' || version || '/*/metadata.parquet',
                allow_empty = true,
                hive_partitioning = false,
                union_by_name = true
            )
        )
        union all by name
        select
            {'clip_id': clip_id, 'is_after': true} as row_key,
            * exclude (clip_id)
        from (
            -- There may be no such release, which is told at the end.
            select null::varchar as clip_id
            where false
            union all by name
            select *
            from read_parquet(
                $home || '/releases/' || other || '/*/metadata.parquet',
                allow_empty = true,
                hive_partitioning = false,
                union_by_name = true
            )
        )
    ),

    -- Whole rows are compared first: most have not changed, and columns one by one take ten times as long.
    whole as (
        select
            row_key,
            row(*columns(* exclude (row_key))) as facts
        from both_releases
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
        from both_releases
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
        error('there is no release ' || missing || '; there are: ' || coalesce(names, 'none')),
        null,
        null,
        null,
        null
    from (
        select string_agg(parse_path(file)[-2], ', ' order by file) as names
        from glob($home || '/releases/[!.]*/release.json')
    )
    cross join (select unnest([version, other]) as missing)
    where not list_contains(string_split(coalesce(names, ''), ', '), missing)
);
