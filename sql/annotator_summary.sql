-- view: annotator_summary
-- gives: One row per person over all domains and purposes: how much, how fast, how far with the others.
-- grain: annotator
-- source: this project
-- depends on: human_annotations, annotator_quality, annotator_choices, emotion_wheel
-- columns:
--   annotator_id (VARCHAR): who; simulated people begin with `simulated-`
--   answer_count (BIGINT): accepted answers
--   label_count (BIGINT): of these, to label a clip
--   verify_count (BIGINT): of these, to verify a sticker
--   validate_count (BIGINT): of these, blind on validation clips
--   review_count (BIGINT): of these, to review the benchmark
--   lead_time_median_s (DOUBLE, s): median time for an answer; null where no tool measured it
--   first_annotated_at (TIMESTAMP WITH TIME ZONE): first answer; null where no time is known
--   last_annotated_at (TIMESTAMP WITH TIME ZONE): latest answer
--   compared_count (BIGINT): answers to clips on which the others have a majority of at least two
--   agreement (DOUBLE): share of these that equal it; null without any
--   most_biased_label (VARCHAR): choice made more often than by the others by most clips; null where there is none
--   most_biased_excess (DOUBLE): by how many clips, on the clips that others answered too

create or replace view annotator_summary as
with
answers as (
    select
        annotator_id,
        count(*) as answer_count,
        count(*) filter (where purpose = 'label') as label_count,
        count(*) filter (where purpose = 'verify') as verify_count,
        count(*) filter (where purpose = 'validate') as validate_count,
        count(*) filter (where purpose = 'review') as review_count,
        median(lead_time_s) as lead_time_median_s,
        min(annotated_at) as first_annotated_at,
        max(annotated_at) as last_annotated_at
    from human_annotations
    group by annotator_id
),

compared as (
    select
        annotator_id,
        sum(compared_count)::bigint as compared_count,
        sum(agree_count) / nullif(sum(compared_count), 0) as agreement
    from annotator_quality
    group by annotator_id
),

excesses as (
    select annotator_id, label, sum(bias * shared_clip_count) as excess
    from annotator_choices
    group by annotator_id, label
),

most_biased as (
    select
        annotator_id,
        -- Of equals the first in EmoSet's order; what the last digits of sums of shares say is rounding.
        arg_min(label, (-round(excess, 9), coalesce(emotion_index, 8), label)) as most_biased_label,
        max(excess) as most_biased_excess
    from excesses
    left join emotion_wheel on excesses.label = emotion_wheel.emotion
    -- Sums of thirds leave rounding errors where nobody is biased.
    where excess > 1e-9
    group by annotator_id
)

select
    answers.annotator_id,
    answers.answer_count,
    answers.label_count,
    answers.verify_count,
    answers.validate_count,
    answers.review_count,
    answers.lead_time_median_s,
    answers.first_annotated_at,
    answers.last_annotated_at,
    coalesce(compared.compared_count, 0) as compared_count,
    compared.agreement,
    most_biased.most_biased_label,
    most_biased.most_biased_excess
from answers
left join compared on answers.annotator_id = compared.annotator_id
left join most_biased on answers.annotator_id = most_biased.annotator_id
order by answers.annotator_id;
