-- view: paper_comparison
-- gives: What the paper prints beside what this library gives, with the query that gives it.
-- grain: printed value
-- source: paper, all tables and the text
-- depends on: paper_numbers, dataset_comparison, dataset_statistics, human_labels_by_outcome, rater_agreement,
--   colour_anova, domains, emotion_wheel, emotion_transitions, caption_phrases, benchmark_cells, source_videos, clips,
--   annotation_tasks, human_annotations, human_labels, vlm_labels, captions, colour_attributes, benchmark_split, clip_facts
-- note: `ours_sql` runs as it stands and gives one value: `ours` where it is a number, `ours_text` where it is words.
--   All three are null where this library measures no such thing. Transitions are the bridged ones: the paper counts
--   from clip to clip of its dataset. Of brightness and colorfulness, the larger p-value and η² over all domains stand
--   here. `frame_stride` is read off the clips, and null where their frames would fit several strides.
-- columns:
--   number_index (BIGINT): order of the rows, from 0
--   place (VARCHAR): Table 1, 2 or 3, or the part of the text
--   quantity (VARCHAR): what is printed
--   domain (VARCHAR): movie, animation, sticker or total; null where it does not apply
--   emotion (VARCHAR): emotion that the value is of; null where it does not apply
--   next_emotion (VARCHAR): emotion of the next clip, in transitions; null where it does not apply
--   dataset (VARCHAR): row of Table 1; null elsewhere
--   task (VARCHAR): T2V (text to video) or I2V (image to video); null where it does not apply
--   model (VARCHAR): model that was measured; null where it does not apply
--   printed (VARCHAR): what the paper says
--   relation (VARCHAR): how the value is meant: = or <, or <= for the largest of several
--   printed_value (DOUBLE): the number in it, in `unit`; null where it is not a number
--   consistent_value (DOUBLE): what the number should be; null where nothing contradicts it
--   ours (DOUBLE): the number of this library, in `unit`; null where there is none
--   ours_text (VARCHAR): the words of this library; null where it is a number or there are none
--   unit (VARCHAR): s, h, percent, clips, videos, frames, ...; null for plain numbers and for words
--   note (VARCHAR): why the consistent value is another, or what is unsure; may be null
--   ours_sql (VARCHAR): query that gives `ours` or `ours_text`; null where nothing does

create or replace view paper_comparison as
with
-- What a row of each quantity asks; braces stand for the row's own values.
questions as (
    select *
    from (
        values
            ('dataset_modalities', 'select modalities from dataset_comparison where dataset = ''{dataset}'''),
            ('dataset_duration', 'select duration_h from dataset_comparison where dataset = ''{dataset}'''),
            ('dataset_clip_count', 'select clip_count from dataset_comparison where dataset = ''{dataset}'''),
            ('dataset_content', 'select content from dataset_comparison where dataset = ''{dataset}'''),
            ('dataset_label_scheme', 'select label_scheme from dataset_comparison where dataset = ''{dataset}'''),
            ('clip_count', 'select clip_count from dataset_statistics where domain = ''{domain}'''),
            ('duration_mean', 'select duration_mean_s from dataset_statistics where domain = ''{domain}'''),
            ('duration_sd', 'select duration_sd_s from dataset_statistics where domain = ''{domain}'''),
            ('has_video', 'select has_video::integer from dataset_statistics where domain = ''{domain}'''),
            ('has_audio', 'select has_audio::integer from dataset_statistics where domain = ''{domain}'''),
            ('has_caption', 'select has_caption::integer from dataset_statistics where domain = ''{domain}'''),
            ('duration_total', 'select 3600 * duration_total_h from dataset_statistics where domain = ''total'''),
            ('emotion_index', 'select emotion_index from emotion_wheel where emotion = ''{emotion}'''),
            ('polarity', 'select polarity from emotion_wheel where emotion = ''{emotion}'''),
            ('collected_count', 'select count(*) from source_videos where domain = ''{domain}'''),
            (
                'human_label_count',
                'select clip_count from human_labels_by_outcome where outcome = ''agreed'' and domain = ''{domain}'''
            ),
            (
                'training_clip_count',
                'select count(*) from benchmark_split where split = ''train'' and ''{domain}'' in (domain, ''total'')'
            ),
            (
                'transition_self',
                'select probability from emotion_transitions where kind = ''bridged'' '
                || 'and from_emotion = ''{emotion}'' and to_emotion = ''{next_emotion}'''
            ),
            (
                'transition_chain',
                'select probability from emotion_transitions where kind = ''bridged'' '
                || 'and from_emotion = ''{emotion}'' and to_emotion = ''{next_emotion}'''
            ),
            (
                'transition_within_polarity_min',
                'select min(probability) from emotion_transitions as t, emotion_wheel as a, emotion_wheel as b '
                || 'where kind = ''bridged'' and from_emotion = a.emotion and to_emotion = b.emotion '
                || 'and a.polarity = b.polarity and a.emotion <> b.emotion'
            ),
            (
                'transition_within_polarity_max',
                'select max(probability) from emotion_transitions as t, emotion_wheel as a, emotion_wheel as b '
                || 'where kind = ''bridged'' and from_emotion = a.emotion and to_emotion = b.emotion '
                || 'and a.polarity = b.polarity and a.emotion <> b.emotion'
            ),
            (
                'transition_across_polarity_max',
                'select max(probability) from emotion_transitions as t, emotion_wheel as a, emotion_wheel as b '
                || 'where kind = ''bridged'' and from_emotion = a.emotion and to_emotion = b.emotion '
                || 'and a.polarity <> b.polarity'
            ),
            ('movie_duration_min', 'select min(duration_s) from clips where domain = ''movie'''),
            ('movie_duration_max', 'select max(duration_s) from clips where domain = ''movie'''),
            (
                'extra_human_choice',
                'select any_value(label) from human_annotations where label = ''no_specific_emotion'''
            ),
            (
                'human_share',
                'select 100 * count(*) / nullif((select count(*) from clips where domain <> ''sticker''), 0) '
                || 'from annotation_tasks where purpose = ''label'' and domain <> ''sticker'''
            ),
            (
                'annotators_per_clip',
                'select min(required_annotators) from annotation_tasks where purpose = ''label'''
            ),
            (
                'agreeing_annotators_min',
                'select min(agree_count) from human_labels where outcome = ''agreed'' and domain <> ''sticker'''
            ),
            ('labeller', 'select string_agg(distinct model_id, '', '' order by model_id) from vlm_labels'),
            ('captioner', 'select string_agg(distinct model_id, '', '' order by model_id) from captions'),
            (
                'validation_share',
                'select 100 * count(*) / nullif((select count(*) from clips), 0) '
                || 'from annotation_tasks where purpose = ''validate'''
            ),
            (
                'rater_count',
                'select count(distinct rater) from '
                || '(select unnest([rater_a, rater_b]) as rater from rater_agreement where domain = ''total'')'
            ),
            ('rater_pair_count', 'select count(*) from rater_agreement where domain = ''total'''),
            ('kappa_gap', 'select 100 * any_value(kappa_gap) from rater_agreement where domain = ''total'''),
            (
                'frame_stride',
                'select case when max((frame_count - 1) // sampled_frame_count) + 1 = '
                || 'min((frame_count - 1) // nullif(sampled_frame_count - 1, 0)) '
                || 'then max((frame_count - 1) // sampled_frame_count) + 1 end from clip_facts'
            ),
            ('colour_level_count', 'select count(distinct brightness) from colour_attributes'),
            ('anova_p_value', 'select max(p_value) from colour_anova where domain = ''total'''),
            ('anova_eta_squared', 'select 100 * max(eta_squared) from colour_anova where domain = ''total'''),
            ('phrases_per_emotion', 'select max(rank) from caption_phrases'),
            ('phrase_words_min', 'select min(word_count) from caption_phrases'),
            ('phrase_words_max', 'select max(word_count) from caption_phrases'),
            ('benchmark_clip_count', 'select sum(clip_count) from benchmark_cells'),
            (
                'benchmark_domain_count',
                'select count(distinct domain) from benchmark_cells where clip_count > 0'
            ),
            (
                'benchmark_emotion_count',
                'select count(distinct emotion) from benchmark_cells where clip_count > 0'
            ),
            ('benchmark_cell_clip_count', 'select min(clip_count) from benchmark_cells'),
            (
                'prompt_suffix',
                'select any_value(regexp_extract(prompt, ''The video is in the ".+" emotion'')) '
                || 'from benchmark_split where emotion = ''amusement'''
            )
    ) as listed (quantity, template)
),

-- Each view and table is read once, and not once per row of the paper.
statistics as materialized (
    select * from dataset_statistics
),

comparison_answers as (
    select
        dataset,
        unnest([
            {'quantity': 'dataset_duration', 'ours': duration_h, 'ours_text': null},
            {'quantity': 'dataset_clip_count', 'ours': clip_count::double, 'ours_text': null},
            {'quantity': 'dataset_modalities', 'ours': null, 'ours_text': modalities},
            {'quantity': 'dataset_content', 'ours': null, 'ours_text': content},
            {'quantity': 'dataset_label_scheme', 'ours': null, 'ours_text': label_scheme}
        ], recursive := true)
    from dataset_comparison
    where is_computed
),

statistics_answers as (
    select
        domain,
        unnest([
            {'quantity': 'clip_count', 'ours': clip_count::double},
            {'quantity': 'duration_mean', 'ours': duration_mean_s},
            {'quantity': 'duration_sd', 'ours': duration_sd_s},
            {'quantity': 'has_video', 'ours': has_video::integer},
            {'quantity': 'has_audio', 'ours': has_audio::integer},
            {'quantity': 'has_caption', 'ours': has_caption::integer},
            {'quantity': case domain when 'total' then 'duration_total' end, 'ours': 3600 * duration_total_h}
        ], recursive := true)
    from statistics
),

wheel_answers as (
    select
        emotion,
        unnest([
            {'quantity': 'emotion_index', 'ours': emotion_index, 'ours_text': null},
            {'quantity': 'polarity', 'ours': null, 'ours_text': polarity}
        ], recursive := true)
    from emotion_wheel
),

moves as (
    select
        emotion_transitions.from_emotion as emotion,
        emotion_transitions.to_emotion as next_emotion,
        emotion_transitions.probability,
        origin.polarity = target.polarity as is_within
    from emotion_transitions
    inner join emotion_wheel as origin on emotion_transitions.from_emotion = origin.emotion
    inner join emotion_wheel as target on emotion_transitions.to_emotion = target.emotion
    where emotion_transitions.kind = 'bridged'
),

move_ranges as (
    select unnest([
        {
            'quantity': 'transition_within_polarity_min',
            'ours': min(probability) filter (where is_within and emotion <> next_emotion)
        },
        {
            'quantity': 'transition_within_polarity_max',
            'ours': max(probability) filter (where is_within and emotion <> next_emotion)
        },
        {'quantity': 'transition_across_polarity_max', 'ours': max(probability) filter (where not is_within)}
    ], recursive := true)
    from moves
),

-- A clip of n frames of which s were sampled fits the strides above (n - 1) / s, up to (n - 1) / (s - 1). Grouped first:
-- distinct values of some groups are sooner found than those of all clips.
levels as (
    select
        domain,
        brightness,
        vlm_model_id,
        caption_model_id,
        min(duration_s) as shortest_s,
        max(duration_s) as longest_s,
        max((frame_count - 1) // sampled_frame_count) + 1 as least_stride,
        min((frame_count - 1) // nullif(sampled_frame_count - 1, 0)) as largest_stride
    from clip_facts
    group by all
),

clip_answers as (
    select unnest([
        {'quantity': 'movie_duration_min', 'ours': min(shortest_s) filter (where domain = 'movie'), 'ours_text': null},
        {'quantity': 'movie_duration_max', 'ours': max(longest_s) filter (where domain = 'movie'), 'ours_text': null},
        {
            'quantity': 'frame_stride',
            'ours': case when max(least_stride) = min(largest_stride) then max(least_stride) end,
            'ours_text': null
        },
        {'quantity': 'colour_level_count', 'ours': count(distinct brightness), 'ours_text': null},
        {
            'quantity': 'labeller',
            'ours': null,
            'ours_text': string_agg(distinct vlm_model_id, ', ' order by vlm_model_id)
        },
        {
            'quantity': 'captioner',
            'ours': null,
            'ours_text': string_agg(distinct caption_model_id, ', ' order by caption_model_id)
        }
    ], recursive := true)
    from levels
),

task_answers as (
    select unnest([
        {
            'quantity': 'human_share',
            'ours': 100 * count(*) filter (where purpose = 'label' and domain <> 'sticker')
                / nullif((select sum(clip_count) from statistics where domain not in ('sticker', 'total')), 0)
        },
        {
            'quantity': 'validation_share',
            'ours': 100 * count(*) filter (where purpose = 'validate')
                / nullif((select clip_count from statistics where domain = 'total'), 0)
        },
        {
            'quantity': 'annotators_per_clip',
            'ours': min(required_annotators) filter (where purpose = 'label')
        }
    ], recursive := true)
    from annotation_tasks
),

pairs as (
    select rater_a, rater_b, kappa_gap
    from rater_agreement
    where domain = 'total'
),

pair_answers as (
    select unnest([
        {'quantity': 'rater_pair_count', 'ours': count(*)},
        {'quantity': 'kappa_gap', 'ours': 100 * any_value(kappa_gap)}
    ], recursive := true)
    from pairs
),

anova_answers as (
    select unnest([
        {'quantity': 'anova_p_value', 'ours': max(p_value)},
        {'quantity': 'anova_eta_squared', 'ours': 100 * max(eta_squared)}
    ], recursive := true)
    from colour_anova
    where domain = 'total'
),

phrase_answers as (
    select unnest([
        {'quantity': 'phrases_per_emotion', 'ours': max(rank)},
        {'quantity': 'phrase_words_min', 'ours': min(word_count)},
        {'quantity': 'phrase_words_max', 'ours': max(word_count)}
    ], recursive := true)
    from caption_phrases
),

cell_answers as (
    select unnest([
        {'quantity': 'benchmark_clip_count', 'ours': sum(clip_count)},
        {'quantity': 'benchmark_domain_count', 'ours': count(distinct domain) filter (where clip_count > 0)},
        {'quantity': 'benchmark_emotion_count', 'ours': count(distinct emotion) filter (where clip_count > 0)},
        {'quantity': 'benchmark_cell_clip_count', 'ours': min(clip_count)}
    ], recursive := true)
    from benchmark_cells
),

training_answers as (
    select coalesce(domain, 'total') as domain, count(*) as ours
    from benchmark_split
    where split = 'train'
    group by grouping sets ((domain), ())
),

answers as (
    select quantity, dataset, ours, ours_text from comparison_answers
    union all by name
    select quantity, case when quantity <> 'duration_total' then domain end as domain, ours
    from statistics_answers
    where quantity is not null
    union all by name
    select quantity, emotion, ours, ours_text from wheel_answers
    union all by name
    select 'collected_count' as quantity, domains.domain, count(source_videos.source_id) as ours
    from domains
    left join source_videos on domains.domain = source_videos.domain
    group by domains.domain
    union all by name
    select 'human_label_count' as quantity, domain, clip_count as ours
    from human_labels_by_outcome
    where outcome = 'agreed'
    union all by name
    select 'training_clip_count' as quantity, scopes.domain, coalesce(training_answers.ours, 0) as ours
    from statistics as scopes
    left join training_answers on scopes.domain = training_answers.domain
    union all by name
    select
        unnest(['transition_self', 'transition_chain']) as quantity,
        'movie' as domain,
        emotion,
        next_emotion,
        probability as ours
    from moves
    union all by name
    select quantity, 'movie' as domain, ours from move_ranges
    union all by name
    select quantity, ours, ours_text from clip_answers
    union all by name
    select
        'extra_human_choice' as quantity,
        (select label from human_annotations where label = 'no_specific_emotion' limit 1) as ours_text
    union all by name
    select quantity, ours from task_answers
    union all by name
    select 'agreeing_annotators_min' as quantity, min(agree_count) as ours
    from human_labels
    where outcome = 'agreed' and domain <> 'sticker'
    union all by name
    select 'rater_count' as quantity, count(distinct rater) as ours
    from (select unnest([rater_a, rater_b]) as rater from pairs) as raters
    union all by name
    select quantity, ours from pair_answers
    union all by name
    select quantity, ours from anova_answers
    union all by name
    select quantity, ours from phrase_answers
    union all by name
    select quantity, ours from cell_answers
    union all by name
    select
        'prompt_suffix' as quantity,
        regexp_extract(
            (select prompt from benchmark_split where emotion = 'amusement' limit 1), 'The video is in the ".+" emotion'
        ) as ours_text
)

select
    paper_numbers.number_index,
    paper_numbers.place,
    paper_numbers.quantity,
    paper_numbers.domain,
    paper_numbers.emotion,
    paper_numbers.next_emotion,
    paper_numbers.dataset,
    paper_numbers.task,
    paper_numbers.model,
    paper_numbers.printed,
    paper_numbers.relation,
    paper_numbers.printed_value,
    paper_numbers.consistent_value,
    answers.ours,
    answers.ours_text,
    paper_numbers.unit,
    paper_numbers.note,
    case
        -- The other datasets of Table 1 are not ours.
        when coalesce(paper_numbers.dataset, 'EmoVid') = 'EmoVid'
            then replace(
                replace(
                    replace(
                        replace(questions.template, '{dataset}', coalesce(paper_numbers.dataset, '')),
                        '{domain}',
                        coalesce(paper_numbers.domain, '')
                    ),
                    '{emotion}',
                    coalesce(paper_numbers.emotion, '')
                ),
                '{next_emotion}',
                coalesce(paper_numbers.next_emotion, '')
            )
    end as ours_sql
from paper_numbers
left join questions on paper_numbers.quantity = questions.quantity
left join answers
    on paper_numbers.quantity = answers.quantity
    and paper_numbers.dataset is not distinct from answers.dataset
    and paper_numbers.domain is not distinct from answers.domain
    and paper_numbers.emotion is not distinct from answers.emotion
    and paper_numbers.next_emotion is not distinct from answers.next_emotion
order by paper_numbers.number_index;
