-- view: agreement_by_emotion
-- gives: How far people agree on each emotion, and how far the VLM agrees with them, per domain and in total.
-- grain: domain (and `total`) × emotion (and no_specific_emotion)
-- source: this project
-- depends on: scopes, emotion_wheel, agreement_statistics
-- note: Each emotion against all others. Krippendorff's alpha takes every clip with two human ratings or more.
-- columns:
--   domain (VARCHAR): movie, animation, sticker or total
--   emotion (VARCHAR): one of the nine choices
--   clip_count (BIGINT): clips with two human ratings or more
--   krippendorff_alpha (DOUBLE): over the humans; null where nobody or everybody chose the emotion
--   krippendorff_alpha_low (DOUBLE): lower end of the 95 % interval
--   krippendorff_alpha_high (DOUBLE): upper end of the 95 % interval
--   fleiss_kappa (DOUBLE): over the humans, clips with the usual number of ratings
--   human_human_kappa (DOUBLE): kappa of all human pairs, pooled
--   human_vlm_kappa (DOUBLE): kappa of all pairs of a human and the VLM, pooled
--   kappa_gap (DOUBLE): absolute difference of the two
--   kappa_gap_low (DOUBLE): lower end of the gap's 95 % interval; 0 where its sign is open
--   kappa_gap_high (DOUBLE): upper end of the gap's 95 % interval

create or replace view agreement_by_emotion as
with
statistics as (
    select
        scope as domain,
        emotion,
        any_value(clip_count) filter (where statistic = 'krippendorff_alpha') as clip_count,
        any_value(value) filter (where statistic = 'krippendorff_alpha') as krippendorff_alpha,
        any_value(low) filter (where statistic = 'krippendorff_alpha') as krippendorff_alpha_low,
        any_value(high) filter (where statistic = 'krippendorff_alpha') as krippendorff_alpha_high,
        any_value(value) filter (where statistic = 'fleiss_kappa') as fleiss_kappa,
        any_value(value) filter (where statistic = 'pooled_kappa_human_human') as human_human_kappa,
        any_value(value) filter (where statistic = 'pooled_kappa_human_vlm') as human_vlm_kappa,
        any_value(value) filter (where statistic = 'kappa_gap') as kappa_gap,
        any_value(low) filter (where statistic = 'kappa_gap') as kappa_gap_low,
        any_value(high) filter (where statistic = 'kappa_gap') as kappa_gap_high
    from agreement_statistics
    where emotion <> 'all'
    group by scope, emotion
)

select statistics.*
from statistics
left join scopes on statistics.domain = scopes.domain
left join emotion_wheel on statistics.emotion = emotion_wheel.emotion
order by scopes.domain_index, emotion_wheel.emotion_index nulls last;
