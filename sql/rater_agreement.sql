-- view: rater_agreement
-- gives: Cohen's kappa of every pair of raters, per domain and pooled, with the gap between humans and the VLM.
-- grain: domain (and `pooled`) × pair of raters
-- source: paper, text on validation (requirements R16 and R17)
-- depends on: domains, kappa_validation, validation_ratings
-- note: Domains come from kappa_validation (bootstrap interval over clips). `pooled` is computed here from
--   validation_ratings over all clips that both rated, whatever the domain; its interval is the large-sample one of
--   Fleiss, Cohen & Everitt (1969), cut to [-1, 1]. Nine labels: the eight emotions and no_specific_emotion. The two
--   means and the gap are of all pairs of the domain, so they repeat on each of its rows.
-- columns:
--   domain (VARCHAR): movie, animation, sticker or pooled
--   rater_a (VARCHAR): first of the pair, by name
--   rater_b (VARCHAR): second of the pair
--   pair_kind (VARCHAR): human_human or human_vlm
--   clip_count (BIGINT): clips both rated
--   observed_agreement (DOUBLE): p_o, share of clips with equal labels
--   expected_agreement (DOUBLE): p_e, agreement by chance from both raters' label frequencies
--   kappa (DOUBLE): (p_o - p_e) / (1 - p_e); null where p_e = 1
--   kappa_low (DOUBLE): lower end of the 95 % interval
--   kappa_high (DOUBLE): upper end of the 95 % interval
--   interval_method (VARCHAR): bootstrap (domains) or asymptotic (pooled)
--   human_human_mean (DOUBLE): mean kappa of the domain's human pairs; null without any
--   human_vlm_mean (DOUBLE): mean kappa of the domain's pairs of a human and the VLM; null without any
--   kappa_gap (DOUBLE): absolute difference of the two means; null where one is missing

create or replace view rater_agreement as
with
rated_pairs as (
    select
        a.rater_id as rater_a,
        b.rater_id as rater_b,
        case when 'vlm' in (a.rater_kind, b.rater_kind) then 'human_vlm' else 'human_human' end as pair_kind,
        a.label as label_a,
        b.label as label_b
    from validation_ratings as a
    inner join validation_ratings as b on a.clip_id = b.clip_id and a.rater_id < b.rater_id
    where 'human' in (a.rater_kind, b.rater_kind)
),

-- The confusion matrix of each pair, without its empty cells.
cells as (
    select rater_a, rater_b, pair_kind, label_a, label_b, count(*) as n
    from rated_pairs
    group by rater_a, rater_b, pair_kind, label_a, label_b
),

margins_a as (
    select rater_a, rater_b, label_a as label, sum(n) as n
    from cells
    group by rater_a, rater_b, label_a
),

margins_b as (
    select rater_a, rater_b, label_b as label, sum(n) as n
    from cells
    group by rater_a, rater_b, label_b
),

-- Whole numbers until here: p_e = 1 is then an exact comparison.
expected as (
    select a.rater_a, a.rater_b, sum(a.n * b.n) as product
    from margins_a as a
    inner join margins_b as b on a.rater_a = b.rater_a and a.rater_b = b.rater_b and a.label = b.label
    group by a.rater_a, a.rater_b
),

totals as (
    select
        rater_a,
        rater_b,
        pair_kind,
        sum(n)::bigint as clip_count,
        coalesce(sum(n) filter (where label_a = label_b), 0) as agreed
    from cells
    group by rater_a, rater_b, pair_kind
),

agreements as (
    select
        totals.rater_a,
        totals.rater_b,
        totals.pair_kind,
        totals.clip_count,
        totals.agreed / totals.clip_count as p_o,
        coalesce(expected.product, 0) / (totals.clip_count * totals.clip_count) as p_e,
        -- Null where p_e = 1, and with it everything that is divided by it.
        nullif(totals.clip_count * totals.clip_count - coalesce(expected.product, 0), 0)
        / (totals.clip_count * totals.clip_count) as p_e_rest
    from totals
    left join expected on totals.rater_a = expected.rater_a and totals.rater_b = expected.rater_b
),

kappas as (
    select
        rater_a,
        rater_b,
        pair_kind,
        clip_count,
        p_o,
        p_e,
        p_e_rest,
        (p_o - p_e) / p_e_rest as kappa
    from agreements
),

-- Of each cell (i, j): how often b said i plus how often a said j, as a share of the clips.
weighed_cells as (
    select
        cells.rater_a,
        cells.rater_b,
        cells.label_a = cells.label_b as is_agreed,
        cells.n / kappas.clip_count as p,
        (coalesce(margins_b.n, 0) + coalesce(margins_a.n, 0)) / kappas.clip_count as weight,
        1 - kappas.kappa as distance
    from cells
    inner join kappas on cells.rater_a = kappas.rater_a and cells.rater_b = kappas.rater_b
    left join margins_b
        on cells.rater_a = margins_b.rater_a and cells.rater_b = margins_b.rater_b and cells.label_a = margins_b.label
    left join margins_a
        on cells.rater_a = margins_a.rater_a and cells.rater_b = margins_a.rater_b and cells.label_b = margins_a.label
),

variance_terms as (
    select
        rater_a,
        rater_b,
        sum(
            case
                when is_agreed then p * pow(1 - weight * distance, 2)
                else p * pow(weight * distance, 2)
            end
        ) as term
    from weighed_cells
    group by rater_a, rater_b
),

pooled as (
    select
        kappas.rater_a,
        kappas.rater_b,
        kappas.pair_kind,
        kappas.clip_count,
        kappas.p_o,
        kappas.p_e,
        kappas.kappa,
        -- Rounding can leave a perfect agreement a hair below zero.
        1.959964 * sqrt(
            greatest(variance_terms.term - pow(kappas.kappa - kappas.p_e * (1 - kappas.kappa), 2), 0)
            / kappas.clip_count
        ) / kappas.p_e_rest as half_width
    from kappas
    inner join variance_terms on kappas.rater_a = variance_terms.rater_a and kappas.rater_b = variance_terms.rater_b
),

comparisons as (
    select
        domain,
        rater_a,
        rater_b,
        pair_kind,
        clip_count,
        observed_agreement,
        expected_agreement,
        kappa,
        kappa_low,
        kappa_high,
        'bootstrap' as interval_method
    from kappa_validation
    union all
    select
        'pooled' as domain,
        rater_a,
        rater_b,
        pair_kind,
        clip_count,
        p_o as observed_agreement,
        p_e as expected_agreement,
        kappa,
        -- `greatest` and `least` pass over nulls, and a kappa that does not exist has no interval.
        case when kappa is not null then greatest(kappa - half_width, -1) end as kappa_low,
        case when kappa is not null then least(kappa + half_width, 1) end as kappa_high,
        'asymptotic' as interval_method
    from pooled
),

compared as (
    select
        *,
        avg(kappa) filter (where pair_kind = 'human_human') over (partition by domain) as human_human_mean,
        avg(kappa) filter (where pair_kind = 'human_vlm') over (partition by domain) as human_vlm_mean
    from comparisons
)

select
    compared.domain,
    compared.rater_a,
    compared.rater_b,
    compared.pair_kind,
    compared.clip_count,
    compared.observed_agreement,
    compared.expected_agreement,
    compared.kappa,
    compared.kappa_low,
    compared.kappa_high,
    compared.interval_method,
    compared.human_human_mean,
    compared.human_vlm_mean,
    abs(compared.human_human_mean - compared.human_vlm_mean) as kappa_gap
from compared
left join domains on compared.domain = domains.domain
order by domains.domain_index nulls last, compared.pair_kind, compared.rater_a, compared.rater_b;
