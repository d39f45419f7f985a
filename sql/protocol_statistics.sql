-- view: protocol_statistics
-- gives: How the library was made and validated, in the terms in which the paper tells of its own, per domain and in total.
-- grain: domain, and `total`; all four rows are always there
-- source: paper, text
-- depends on: scopes, clip_facts, source_videos, annotation_tasks, human_annotations, human_labels, rater_agreement,
--   colour_variance, caption_phrases, benchmark_split, benchmark_cells
-- note: Stickers are verified, not labelled: they do not count in label_share and agree_count_min. Phrases are of
--   emotions, so they stand in `total` only. `frame_stride` is read off the clips: a clip of n frames of which s were
--   sampled fits the strides above (n - 1) / s, up to (n - 1) / (s - 1).
-- columns:
--   domain (VARCHAR): movie, animation, sticker or total
--   source_count (BIGINT): source videos that were collected
--   duration_min_s (DOUBLE, s): length of the shortest clip; null without clips
--   duration_max_s (DOUBLE, s): length of the longest clip; null without clips
--   label_share (DOUBLE): share of the clips that people are asked to label; null for stickers, and without clips
--   required_annotators (BIGINT): people who are asked for a label; the fewest of all clips; null where nobody is
--   extra_choice (VARCHAR): what people chose who found none of the eight emotions; null where nobody did
--   agree_count_min (BIGINT): fewest people who agree on a human label; null for stickers, and without labels
--   labeller (VARCHAR): models that labelled clips; null without any
--   captioner (VARCHAR): models that wrote captions; null without any
--   validation_share (DOUBLE): share of the clips that people label blind; null without clips
--   rater_count (BIGINT): raters of these, models included
--   rater_pair_count (BIGINT): pairs of them that are compared
--   kappa_gap (DOUBLE): of rater_agreement; null where it has none
--   frame_stride (BIGINT): frames from one that is measured to the next; null where the clips would fit several strides
--   brightness_level_count (BIGINT): different rounded values of brightness
--   anova_p_value (DOUBLE): the larger p-value of brightness and colorfulness, of colour_variance
--   anova_eta_squared (DOUBLE): the larger η² of the two
--   phrases_per_emotion (BIGINT): most phrases of an emotion in caption_phrases; null for a domain, and without captions
--   phrase_words_min (BIGINT): words of the shortest of these; null for a domain, and without captions
--   phrase_words_max (BIGINT): words of the longest of these; null for a domain, and without captions
--   train_clip_count (BIGINT): clips to train on
--   benchmark_clip_count (BIGINT): clips of the benchmark
--   benchmark_domain_count (BIGINT): domains that have any of these
--   benchmark_emotion_count (BIGINT): emotions that have any of these
--   benchmark_cell_clip_count (BIGINT): the fewest of them that a domain has of an emotion
--   prompt_suffix (VARCHAR): what the prompts of clips of amusement end with; null without such prompts

create or replace view protocol_statistics as
with
-- Grouped first: distinct values of some groups are sooner found than those of all clips.
levels as (
    select
        domain,
        brightness,
        vlm_model_id,
        caption_model_id,
        count(*) as n,
        min(duration_s) as shortest_s,
        max(duration_s) as longest_s,
        max((frame_count - 1) // sampled_frame_count) + 1 as least_stride,
        min((frame_count - 1) // nullif(sampled_frame_count - 1, 0)) as largest_stride
    from clip_facts
    group by all
),

of_clips as (
    select
        coalesce(domain, 'total') as domain,
        sum(n) as clip_count,
        sum(n) filter (where domain <> 'sticker') as label_clip_count,
        min(shortest_s) as duration_min_s,
        max(longest_s) as duration_max_s,
        string_agg(distinct vlm_model_id, ', ' order by vlm_model_id) as labeller,
        string_agg(distinct caption_model_id, ', ' order by caption_model_id) as captioner,
        case when max(least_stride) = min(largest_stride) then max(least_stride) end as frame_stride,
        count(distinct brightness) as brightness_level_count
    from levels
    group by grouping sets ((domain), ())
),

of_sources as (
    select coalesce(domain, 'total') as domain, count(*) as source_count
    from source_videos
    group by grouping sets ((domain), ())
),

of_tasks as (
    select
        coalesce(domain, 'total') as domain,
        count(*) filter (where purpose = 'label' and domain <> 'sticker') as label_count,
        count(*) filter (where purpose = 'validate') as validate_count,
        min(required_annotators) filter (where purpose = 'label') as required_annotators
    from annotation_tasks
    group by grouping sets ((domain), ())
),

of_choices as (
    select coalesce(domain, 'total') as domain, min(label) as extra_choice
    from human_annotations
    where label = 'no_specific_emotion'
    group by grouping sets ((domain), ())
),

of_labels as (
    select coalesce(domain, 'total') as domain, min(agree_count) as agree_count_min
    from human_labels
    where outcome = 'agreed' and domain <> 'sticker'
    group by grouping sets ((domain), ())
),

of_raters as (
    select
        domain,
        len(list_distinct(list(rater_a) || list(rater_b))) as rater_count,
        count(*) as rater_pair_count,
        any_value(kappa_gap) as kappa_gap
    from rater_agreement
    group by domain
),

of_colours as (
    select domain, max(p_value) as anova_p_value, max(eta_squared) as anova_eta_squared
    from colour_variance
    group by domain
),

of_phrases as (
    select
        'total' as domain,
        max(rank) as phrases_per_emotion,
        min(word_count) as phrase_words_min,
        max(word_count) as phrase_words_max
    from caption_phrases
),

of_splits as (
    select
        coalesce(domain, 'total') as domain,
        count(*) filter (where split = 'train') as train_clip_count,
        regexp_extract(
            any_value(prompt) filter (where emotion = 'amusement'), 'The video is in the ".+" emotion'
        ) as prompt_suffix
    from benchmark_split
    group by grouping sets ((domain), ())
),

of_cells as (
    select
        coalesce(domain, 'total') as domain,
        sum(clip_count)::bigint as benchmark_clip_count,
        count(distinct domain) filter (where clip_count > 0) as benchmark_domain_count,
        count(distinct emotion) filter (where clip_count > 0) as benchmark_emotion_count,
        min(clip_count) as benchmark_cell_clip_count
    from benchmark_cells
    group by grouping sets ((domain), ())
)

select
    scopes.domain,
    coalesce(of_sources.source_count, 0) as source_count,
    of_clips.duration_min_s,
    of_clips.duration_max_s,
    coalesce(of_tasks.label_count, 0) / nullif(of_clips.label_clip_count, 0) as label_share,
    of_tasks.required_annotators,
    of_choices.extra_choice,
    of_labels.agree_count_min,
    of_clips.labeller,
    of_clips.captioner,
    coalesce(of_tasks.validate_count, 0) / nullif(of_clips.clip_count, 0) as validation_share,
    coalesce(of_raters.rater_count, 0) as rater_count,
    coalesce(of_raters.rater_pair_count, 0) as rater_pair_count,
    of_raters.kappa_gap,
    of_clips.frame_stride,
    coalesce(of_clips.brightness_level_count, 0) as brightness_level_count,
    of_colours.anova_p_value,
    of_colours.anova_eta_squared,
    of_phrases.phrases_per_emotion,
    of_phrases.phrase_words_min,
    of_phrases.phrase_words_max,
    coalesce(of_splits.train_clip_count, 0) as train_clip_count,
    of_cells.benchmark_clip_count,
    of_cells.benchmark_domain_count,
    of_cells.benchmark_emotion_count,
    of_cells.benchmark_cell_clip_count,
    of_splits.prompt_suffix
from scopes
left join of_clips on scopes.domain = of_clips.domain
left join of_sources on scopes.domain = of_sources.domain
left join of_tasks on scopes.domain = of_tasks.domain
left join of_choices on scopes.domain = of_choices.domain
left join of_labels on scopes.domain = of_labels.domain
left join of_raters on scopes.domain = of_raters.domain
left join of_colours on scopes.domain = of_colours.domain
left join of_phrases on scopes.domain = of_phrases.domain
left join of_splits on scopes.domain = of_splits.domain
left join of_cells on scopes.domain = of_cells.domain
order by scopes.domain_index;
