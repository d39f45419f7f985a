-- view: rater_agreement
-- gives: Cohen's kappa of every pair of raters, per domain and in total, with the gap between humans and the VLM.
-- grain: domain (and `total`) × pair of raters
-- source: paper, text on validation (requirements R16 and R17)
-- depends on: scopes, kappa_validation, pooled_kappa, agreement_statistics
-- note: Nine labels: the eight emotions and no_specific_emotion. All intervals are bootstrap intervals over
--   source videos, null with too few of them. What is said of all pairs of the domain repeats on each of its rows. The
--   mean of the pairs is biased where a pair shares few clips; the pooled kappa, of which the gap is, is not.
-- columns:
--   domain (VARCHAR): movie, animation, sticker or total
--   rater_a (VARCHAR): first of the pair, by name
--   rater_b (VARCHAR): second of the pair
--   pair_kind (VARCHAR): human_human or human_vlm
--   clip_count (BIGINT): clips both rated
--   observed_agreement (DOUBLE): p_o, share of clips with equal labels
--   expected_agreement (DOUBLE): p_e, agreement by chance from both raters' label frequencies
--   kappa (DOUBLE): (p_o - p_e) / (1 - p_e); null where p_e = 1
--   kappa_low (DOUBLE): lower end of the 95 % interval
--   kappa_high (DOUBLE): upper end of the 95 % interval
--   human_human_kappa (DOUBLE): kappa of all human pairs of the domain, pooled; null without any
--   human_vlm_kappa (DOUBLE): the same of all pairs of a human and the VLM
--   human_human_mean (DOUBLE): plain mean of the kappas of the human pairs; null without any
--   human_vlm_mean (DOUBLE): the same of the pairs of a human and the VLM
--   human_human_least_clip_count (BIGINT): clips that the human pair with the fewest shares
--   human_vlm_least_clip_count (BIGINT): the same of the pairs of a human and the VLM
--   kappa_gap (DOUBLE): absolute difference of the two pooled kappas; null where one is missing
--   kappa_gap_direction (VARCHAR): model_agrees_less (with people than they do with each other), model_agrees_more or
--     equal
--   kappa_gap_low (DOUBLE): lower end of the gap's 95 % interval; 0 where its sign is open
--   kappa_gap_high (DOUBLE): upper end of the gap's 95 % interval
--   required_clip_count (BIGINT): clips that an interval of ± 0.04 of the gap would need

create or replace view rater_agreement as
with
pairs as (
    select * from kappa_validation
    union all by name
    select 'total' as domain, * from pooled_kappa
),

-- One row a domain; a statistic stands in one row there.
overall as (
    select
        scope as domain,
        any_value(value) filter (where statistic = 'pooled_kappa_human_human') as human_human_kappa,
        any_value(value) filter (where statistic = 'pooled_kappa_human_vlm') as human_vlm_kappa,
        any_value(least_pair_clip_count)
            filter (where statistic = 'pooled_kappa_human_human') as human_human_least_clip_count,
        any_value(least_pair_clip_count)
            filter (where statistic = 'pooled_kappa_human_vlm') as human_vlm_least_clip_count,
        any_value(value) filter (where statistic = 'mean_kappa_human_human') as human_human_mean,
        any_value(value) filter (where statistic = 'mean_kappa_human_vlm') as human_vlm_mean,
        any_value(value) filter (where statistic = 'kappa_gap') as kappa_gap,
        any_value(low) filter (where statistic = 'kappa_gap') as kappa_gap_low,
        any_value(high) filter (where statistic = 'kappa_gap') as kappa_gap_high,
        any_value(required_clip_count) filter (where statistic = 'kappa_gap') as required_clip_count
    from agreement_statistics
    where emotion = 'all'
    group by scope
)

select
    pairs.domain,
    pairs.rater_a,
    pairs.rater_b,
    pairs.pair_kind,
    pairs.clip_count,
    pairs.observed_agreement,
    pairs.expected_agreement,
    pairs.kappa,
    pairs.kappa_low,
    pairs.kappa_high,
    overall.human_human_kappa,
    overall.human_vlm_kappa,
    overall.human_human_mean,
    overall.human_vlm_mean,
    overall.human_human_least_clip_count,
    overall.human_vlm_least_clip_count,
    overall.kappa_gap,
    case sign(overall.human_vlm_kappa - overall.human_human_kappa)
        when -1 then 'model_agrees_less'
        when 1 then 'model_agrees_more'
        when 0 then 'equal'
    end as kappa_gap_direction,
    overall.kappa_gap_low,
    overall.kappa_gap_high,
    overall.required_clip_count
from pairs
left join overall on pairs.domain = overall.domain
left join scopes on pairs.domain = scopes.domain
order by scopes.domain_index, pairs.pair_kind, pairs.rater_a, pairs.rater_b;
