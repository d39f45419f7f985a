-- view: split_leaks
-- gives: What is in the benchmark and in the training split at once, also across domains. It must be empty.
-- grain: kind × value
-- source: paper, section on evaluation (requirements R28 and R30)
-- depends on: benchmark_split, clips, source_videos, clip_media, clip_features, colour_attributes
-- note: All but `group` is found anew in the tables that come before the groups, so that a fault of the groups is seen
--   too. The same source video, and equal files that were collected for two domains, show up as `source_file`.
-- columns:
--   kind (VARCHAR): group (group_id), film (film_id), source_file or clip_file (SHA-256 of the file), near_duplicate
--     (of a clip of the benchmark)
--   value (VARCHAR): the id or hash that both sides share
--   benchmark_clip_count (BIGINT): benchmark clips that have it
--   train_clip_count (BIGINT): training clips that have it
--   domains (VARCHAR[]): domains of these clips, sorted
--   benchmark_clip_ids (VARCHAR[]): the benchmark clips, sorted
--   train_clip_ids (VARCHAR[]): the training clips, sorted

create or replace view split_leaks as
with
-- Not kept: who asks for a few rows or columns reads no more of millions.
members as not materialized (
    select clip_id, domain, split, group_id from benchmark_split where split in ('benchmark', 'train')
),

benchmark as materialized (
    select clip_id, group_id from members where split = 'benchmark'
),

-- The benchmark is small. So every large table is reduced to what shares a value with it before anything is joined.
sources as not materialized (
    select
        source_id,
        sha256,
        nullif(lower(regexp_replace(trim(film_id), '\s+', ' ', 'g')), '') as film
    from source_videos
),

benchmark_sources as (
    select sources.film, sources.sha256
    from sources
    semi join (select clips.source_id from clips semi join benchmark on clips.clip_id = benchmark.clip_id) as own
        on sources.source_id = own.source_id
),

suspect_sources as (
    select sources.source_id, 'film' as kind, sources.film as value
    from sources
    semi join benchmark_sources on sources.film = benchmark_sources.film
    union all
    select sources.source_id, 'source_file' as kind, sources.sha256 as value
    from sources
    semi join benchmark_sources on sources.sha256 = benchmark_sources.sha256
),

source_clips as (
    select clips.clip_id, clips.source_id
    from clips
    semi join suspect_sources on clips.source_id = suspect_sources.source_id
),

-- Hashes that differ in at most 4 bits have at least one of any five parts in common.
middles as (
    select clip_features.clip_id, members.split, ('0x' || clip_features.frame_hashes[2])::ubigint as hash
    from clip_features
    inner join members on clip_features.clip_id = members.clip_id
    where len(clip_features.frame_hashes) = 3
),

parts as (
    select middles.clip_id, numbers.part, (middles.hash >> (13 * numbers.part)) & 8191 as bits
    from middles
    cross join range(5) as numbers (part)
    where middles.split = 'benchmark'
),

-- A bit for every part that occurs in the benchmark: what has none of them is not looked at again.
known as (
    select string_agg(case when parts.bits is null then '0' else '1' end, '' order by places.place)::bit as bits
    from range(5 * 8192) as places (place)
    left join (select distinct part, bits from parts) as parts on places.place = 8192 * parts.part + parts.bits
),

candidates as (
    select middles.clip_id, middles.hash
    from middles
    cross join known
    where
        middles.split = 'train'
        and (
            get_bit(known.bits, (middles.hash & 8191)::integer) = 1
            or get_bit(known.bits, 8192 + ((middles.hash >> 13) & 8191)::integer) = 1
            or get_bit(known.bits, 16384 + ((middles.hash >> 26) & 8191)::integer) = 1
            or get_bit(known.bits, 24576 + ((middles.hash >> 39) & 8191)::integer) = 1
            or get_bit(known.bits, 32768 + (middles.hash >> 52)::integer) = 1
        )
),

near_pairs as (
    select distinct own.clip_id as benchmark_clip_id, candidates.clip_id
    from candidates
    cross join range(5) as numbers (part)
    inner join parts on numbers.part = parts.part and (candidates.hash >> (13 * numbers.part)) & 8191 = parts.bits
    inner join middles as own on parts.clip_id = own.clip_id
    where bit_count(xor(own.hash, candidates.hash)) <= 4
),

-- Three hashes and a mean colour, as `core.colour.mean_colour` has it, of the few that are left.
looks as (
    select
        clip_features.clip_id,
        list_transform(clip_features.frame_hashes, lambda text: ('0x' || text)::ubigint) as hashes,
        list_transform(hashes, lambda hash: least(bit_count(hash), 64 - bit_count(hash))) as rare,
        colour_attributes.brightness_mean as value,
        colour_attributes.colorfulness_mean * colour_attributes.brightness_mean as weight,
        colour_attributes.hue_resultant * cos(radians(coalesce(colour_attributes.hue_mean_deg, 0)))
        - (1 - colour_attributes.chromatic_share) as cosine,
        colour_attributes.hue_resultant * sin(radians(coalesce(colour_attributes.hue_mean_deg, 0))) as sine
    from clip_features
    semi join (
        select near_pairs.clip_id from near_pairs
        union all
        select near_pairs.benchmark_clip_id as clip_id from near_pairs
    ) as left_over on clip_features.clip_id = left_over.clip_id
    inner join colour_attributes on clip_features.clip_id = colour_attributes.clip_id
),

twins as (
    select distinct
        near_pairs.benchmark_clip_id,
        unnest([near_pairs.benchmark_clip_id, near_pairs.clip_id]) as clip_id
    from near_pairs
    inner join looks as one on near_pairs.benchmark_clip_id = one.clip_id
    inner join looks as other on near_pairs.clip_id = other.clip_id
    where
        -- At most 4 bits, and where both have contrast a quarter of those of the rarer kind.
        len(list_filter(
            [1, 2, 3],
            lambda n: bit_count(xor(one.hashes[n], other.hashes[n])) <= case
                when least(one.rare[n], other.rare[n]) < 6 then 4
                else least(4, least(one.rare[n], other.rare[n]) / 4)
            end
        )) = 3
        -- Flat frames, which all have one hash, are no evidence: two pairs of three must have contrast.
        and len(list_filter([1, 2, 3], lambda n: least(one.rare[n], other.rare[n]) >= 6)) >= 2
        and abs(one.value - other.value) <= 24 / 255
        and abs(one.weight - other.weight) <= 24 / 255
        and abs(one.weight * one.cosine - other.weight * other.cosine) <= 24 / 255
        and abs(one.weight * one.sine - other.weight * other.sine) <= 24 / 255
),

suspects as (
    select source_clips.clip_id, suspect_sources.kind, suspect_sources.value
    from source_clips
    inner join suspect_sources on source_clips.source_id = suspect_sources.source_id
    union all
    select clip_media.clip_id, 'clip_file' as kind, clip_media.sha256 as value
    from clip_media
    semi join (
        select same.sha256 from clip_media as same semi join benchmark on same.clip_id = benchmark.clip_id
    ) as own on clip_media.sha256 = own.sha256
    union all
    select clip_id, 'near_duplicate' as kind, benchmark_clip_id as value from twins
),

suspect_members as (
    select members.clip_id, members.domain, members.split
    from members
    semi join suspects on members.clip_id = suspects.clip_id
),

traits as (
    select members.clip_id, members.domain, members.split, 'group' as kind, members.group_id as value
    from members
    semi join benchmark on members.group_id = benchmark.group_id
    union all
    select
        suspect_members.clip_id,
        suspect_members.domain,
        suspect_members.split,
        suspects.kind,
        suspects.value
    from suspect_members
    inner join suspects on suspect_members.clip_id = suspects.clip_id
),

shared as (
    select
        kind,
        value,
        count(*) filter (where split = 'benchmark') as benchmark_clip_count,
        count(*) filter (where split = 'train') as train_clip_count,
        list_sort(list(distinct domain)) as domains,
        list(clip_id order by clip_id) filter (where split = 'benchmark') as benchmark_clip_ids,
        list(clip_id order by clip_id) filter (where split = 'train') as train_clip_ids
    from traits
    where value is not null
    group by kind, value
)

select
    kind,
    value,
    benchmark_clip_count,
    train_clip_count,
    domains,
    benchmark_clip_ids,
    train_clip_ids
from shared
where benchmark_clip_count > 0 and train_clip_count > 0;
