-- view: paper_comparison
-- gives: What the paper prints beside what this library gives, with the query that gives it.
-- grain: printed value
-- source: paper, all tables and the text
-- depends on: paper_numbers, dataset_comparison, dataset_statistics, human_labels_by_outcome, protocol_statistics,
--   emotion_wheel, emotion_transitions, transition_tests
-- note: A quantity is a column of a view, and the values that a row of the paper has say which row of that view. `ours_sql`
--   is put together from the same names, runs as it stands and gives one value: `ours` where it is a number, `ours_text`
--   where it is words. All three are null where this library measures no such thing. Transitions are the bridged ones: the
--   paper counts from clip to clip of its dataset.
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
-- Which column of which view a quantity is, and in which multiple where the unit is another. The domain stands here
-- where the paper names none.
questions as (
    select *
    from (
        values
            ('dataset_modalities', 'dataset_comparison', 'modalities', null, null),
            ('dataset_duration', 'dataset_comparison', 'duration_h', null, null),
            ('dataset_clip_count', 'dataset_comparison', 'clip_count', null, null),
            ('dataset_content', 'dataset_comparison', 'content', null, null),
            ('dataset_label_scheme', 'dataset_comparison', 'label_scheme', null, null),
            ('clip_count', 'dataset_statistics', 'clip_count', null, null),
            ('duration_mean', 'dataset_statistics', 'duration_mean_s', null, null),
            ('duration_sd', 'dataset_statistics', 'duration_sd_s', null, null),
            ('has_video', 'dataset_statistics', 'has_video', null, null),
            ('has_audio', 'dataset_statistics', 'has_audio', null, null),
            ('has_caption', 'dataset_statistics', 'has_caption', null, null),
            ('duration_total', 'dataset_statistics', 'duration_total_h', 3600, 'total'),
            ('emotion_index', 'emotion_wheel', 'emotion_index', null, null),
            ('polarity', 'emotion_wheel', 'polarity', null, null),
            ('human_label_count', 'human_labels_by_outcome', 'clip_count', null, null),
            ('transition_self', 'emotion_transitions', 'probability', null, null),
            ('transition_chain', 'emotion_transitions', 'probability', null, null),
            ('transition_within_polarity_min', 'transition_tests', 'within_probability_min', null, null),
            ('transition_within_polarity_max', 'transition_tests', 'within_probability_max', null, null),
            ('transition_across_polarity_max', 'transition_tests', 'cross_probability_max', null, null),
            ('collected_count', 'protocol_statistics', 'source_count', null, null),
            ('movie_duration_min', 'protocol_statistics', 'duration_min_s', null, 'movie'),
            ('movie_duration_max', 'protocol_statistics', 'duration_max_s', null, 'movie'),
            ('human_share', 'protocol_statistics', 'label_share', 100, 'total'),
            ('annotators_per_clip', 'protocol_statistics', 'required_annotators', null, 'total'),
            ('extra_human_choice', 'protocol_statistics', 'extra_choice', null, 'total'),
            ('agreeing_annotators_min', 'protocol_statistics', 'agree_count_min', null, 'total'),
            ('labeller', 'protocol_statistics', 'labeller', null, 'total'),
            ('captioner', 'protocol_statistics', 'captioner', null, 'total'),
            ('validation_share', 'protocol_statistics', 'validation_share', 100, 'total'),
            ('rater_count', 'protocol_statistics', 'rater_count', null, 'total'),
            ('rater_pair_count', 'protocol_statistics', 'rater_pair_count', null, 'total'),
            ('kappa_gap', 'protocol_statistics', 'kappa_gap', 100, 'total'),
            ('frame_stride', 'protocol_statistics', 'frame_stride', null, 'total'),
            ('colour_level_count', 'protocol_statistics', 'brightness_level_count', null, 'total'),
            ('anova_p_value', 'protocol_statistics', 'anova_p_value', null, 'total'),
            ('anova_eta_squared', 'protocol_statistics', 'anova_eta_squared', 100, 'total'),
            ('phrases_per_emotion', 'protocol_statistics', 'phrases_per_emotion', null, 'total'),
            ('phrase_words_min', 'protocol_statistics', 'phrase_words_min', null, 'total'),
            ('phrase_words_max', 'protocol_statistics', 'phrase_words_max', null, 'total'),
            ('training_clip_count', 'protocol_statistics', 'train_clip_count', null, null),
            ('benchmark_clip_count', 'protocol_statistics', 'benchmark_clip_count', null, 'total'),
            ('benchmark_domain_count', 'protocol_statistics', 'benchmark_domain_count', null, 'total'),
            ('benchmark_emotion_count', 'protocol_statistics', 'benchmark_emotion_count', null, 'total'),
            ('benchmark_cell_clip_count', 'protocol_statistics', 'benchmark_cell_clip_count', null, 'total'),
            ('prompt_suffix', 'protocol_statistics', 'prompt_suffix', null, 'total')
    ) as listed (quantity, source, measure, factor, domain)
),

asked as (
    select
        paper_numbers.*,
        questions.source,
        questions.measure,
        questions.factor,
        coalesce(paper_numbers.domain, questions.domain) as asked_domain
    from paper_numbers
    left join questions on paper_numbers.quantity = questions.quantity
),

-- The rows of each view, read once: what tells them apart, as values and as a condition, and all columns by name.
measured as (
    select
        'dataset_comparison' as source,
        dataset,
        format('dataset = ''{}''', dataset) as condition,
        to_json(entry) as measures
    from dataset_comparison as entry
    -- The other datasets of Table 1 are not ours.
    where is_computed
    union all by name
    select
        'dataset_statistics' as source,
        domain,
        format('domain = ''{}''', domain) as condition,
        to_json(entry) as measures
    from dataset_statistics as entry
    union all by name
    select
        'protocol_statistics' as source,
        domain,
        format('domain = ''{}''', domain) as condition,
        to_json(entry) as measures
    from protocol_statistics as entry
    union all by name
    select
        'human_labels_by_outcome' as source,
        domain,
        format('domain = ''{}'' and outcome = ''{}''', domain, outcome) as condition,
        to_json(entry) as measures
    from human_labels_by_outcome as entry
    where outcome = 'agreed'
    union all by name
    select
        'emotion_wheel' as source,
        emotion,
        format('emotion = ''{}''', emotion) as condition,
        to_json(entry) as measures
    from emotion_wheel as entry
    union all by name
    select
        'emotion_transitions' as source,
        'movie' as domain,
        from_emotion as emotion,
        to_emotion as next_emotion,
        format('kind = ''{}'' and from_emotion = ''{}'' and to_emotion = ''{}''', kind, from_emotion, to_emotion)
            as condition,
        to_json(entry) as measures
    from emotion_transitions as entry
    where kind = 'bridged'
    union all by name
    select
        'transition_tests' as source,
        'movie' as domain,
        format('kind = ''{}''', kind) as condition,
        to_json(entry) as measures
    from transition_tests as entry
    where kind = 'bridged'
),

answered as (
    select
        asked.*,
        measured.condition,
        measured.measures -> asked.measure as answer,
        json_type(answer) as kind
    from asked
    left join measured
        on asked.source = measured.source
        and asked.dataset is not distinct from measured.dataset
        and asked.asked_domain is not distinct from measured.domain
        and asked.emotion is not distinct from measured.emotion
        and asked.next_emotion is not distinct from measured.next_emotion
)

select
    number_index,
    place,
    quantity,
    domain,
    emotion,
    next_emotion,
    dataset,
    task,
    model,
    printed,
    relation,
    printed_value,
    consistent_value,
    case when kind <> 'VARCHAR' then coalesce(factor, 1) * answer::double end as ours,
    case when kind = 'VARCHAR' then answer ->> '$' end as ours_text,
    unit,
    note,
    format(
        'select {}{}{} from {} where {}',
        coalesce(factor || ' * ', ''),
        measure,
        case when kind = 'BOOLEAN' then '::integer' else '' end,
        source,
        condition
    ) as ours_sql
from answered
order by number_index;
