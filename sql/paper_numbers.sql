-- view: paper_numbers
-- gives: Every number, and every choice, that the paper prints; nothing here is computed from this library.
-- grain: printed value
-- source: paper, all tables and the text; arXiv 2511.11002
-- depends on: nothing
-- note: Reviewed by hand; the tests compare it with the facts that were taken from the paper. `consistent_value` is
--   there where the printed number contradicts other numbers of the paper: the total of Table 2 and its mean, the sum
--   of the human labels, or the 240 videos that a share is of. Everything else is as printed.
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
--   unit (VARCHAR): s, h, percent, clips, videos, frames, ...; null for plain numbers and for words
--   note (VARCHAR): why the consistent value is another, or what is unsure; may be null

create or replace view paper_numbers as
with
table_1 as (
    select *
    from (
        values
            (0, 'CAER', 'v,a', '12h', 12, '13k clips', 13000, 'TV shows', '7 cls'),
            (1, 'MELD', 'v,a,t', '1.4h', 1.4, '1.4k clips', 1400, 'Human dialogue', '7 cls'),
            (2, 'DEAP', 'v,a', '2h', 2, '120 clips', 120, 'Music videos', 'V-A-D'),
            (3, 'VEATIC', 'v', '3h', 3, '124 clips', 124, 'In-the-wild', 'V-A'),
            (4, 'MEAD', 'v,a', '40h', 40, '10k clips', 10000, 'Human face', '7 cls + 3 intensity levels'),
            (5, 'DH-FaceEmoVid-150', 'v,t', '150h', 150, '18k clips', 18000, 'Human face', '6 cls + 4 compound'),
            (6, 'EmoVid', 'v,a,t', '39h', 39, '22k clips', 22000, 'Animation, Movie, Sticker', '8 cls (Mikels)')
    ) as printed_rows (item, dataset, modalities, duration, duration_h, clips, clip_count, content, label_scheme)
),

table_1_values as (
    select
        'Table 1' as place,
        item,
        dataset,
        unnest([
            {'position': 0, 'quantity': 'dataset_modalities', 'printed': modalities, 'value': null, 'unit': null},
            {'position': 1, 'quantity': 'dataset_duration', 'printed': duration, 'value': duration_h, 'unit': 'h'},
            {'position': 2, 'quantity': 'dataset_clip_count', 'printed': clips, 'value': clip_count, 'unit': 'clips'},
            {'position': 3, 'quantity': 'dataset_content', 'printed': content, 'value': null, 'unit': null},
            {'position': 4, 'quantity': 'dataset_label_scheme', 'printed': label_scheme, 'value': null, 'unit': null}
        ], recursive := true)
    from table_1
),

table_2 as (
    select *
    from (
        values
            (0, 'movie', '13255', '8.75', 8.05, '4.71', 'yes', 'yes', 'yes'),
            (1, 'animation', '2807', '5.12', null, '2.65', 'yes', 'yes', 'yes'),
            (2, 'sticker', '6696', '2.91', null, '2.18', 'yes', 'no', 'yes'),
            (3, 'total', '22758', '6.18', null, '4.53', null, null, null)
    ) as printed_rows (item, domain, clips, mean, consistent_mean, sd, video, audio, caption)
),

table_2_values as (
    select
        'Table 2' as place,
        item,
        domain,
        unnest([
            {'position': 0, 'quantity': 'clip_count', 'printed': clips, 'consistent': null, 'unit': 'clips'},
            {'position': 1, 'quantity': 'duration_mean', 'printed': mean, 'consistent': consistent_mean, 'unit': 's'},
            {'position': 2, 'quantity': 'duration_sd', 'printed': sd, 'consistent': null, 'unit': 's'},
            {'position': 3, 'quantity': 'has_video', 'printed': video, 'consistent': null, 'unit': null},
            {'position': 4, 'quantity': 'has_audio', 'printed': audio, 'consistent': null, 'unit': null},
            {'position': 5, 'quantity': 'has_caption', 'printed': caption, 'consistent': null, 'unit': null}
        ], recursive := true),
        case
            when consistent_mean is not null
                then 'With 8.75 the mean of all clips would be 6.58 s, not 6.18 s, and the length 41.6 h, not 39 h.'
        end as movie_note
    from table_2
),

table_3 as (
    select *
    from (
        values
            (0, 'T2V', 'VideoCrafter-V2', '610.1', '0.3012', null, '0.0184', '80.42', '42.5'),
            (1, 'T2V', 'HunyuanVideo', '552.6', '0.2776', null, '0.0116', '76.87', '40.41'),
            (2, 'T2V', 'CogVideoX', '584.0', '0.3013', null, '0.0213', '82.91', '44.58'),
            (3, 'T2V', 'WanVideo (before)', '594.3', '0.2982', null, '0.0091', '84.17', '44.16'),
            (4, 'T2V', 'WanVideo (after)', '573.7', '0.3021', null, '0.0143', '88.33', '48.33'),
            (5, 'I2V', 'DynamiCrafter512', '512.3', null, '0.7288', '0.028', '90.41', '71.25'),
            (6, 'I2V', 'HunyuanVideo', '544.6', null, '0.7244', '0.0233', '89.17', '70.0'),
            (7, 'I2V', 'CogVideoX', '528.4', null, '0.7214', '0.0331', '90.83', '70.83'),
            (8, 'I2V', 'WanVideo (before)', '517.9', null, '0.7146', '0.0325', '91.25', '71.3'),
            (9, 'I2V', 'WanVideo (after)', '517.8', null, '0.7193', '0.0324', '94.58', '76.25')
    ) as printed_rows (item, task, model, fvd, clip, sd, flicker, ea_2, ea_8)
),

table_3_values as (
    select
        'Table 3' as place,
        item,
        task,
        model,
        unnest([
            {'position': 0, 'quantity': 'fvd', 'printed': fvd, 'unit': null},
            {'position': 1, 'quantity': 'clip_score', 'printed': clip, 'unit': null},
            {'position': 2, 'quantity': 'first_frame_consistency', 'printed': sd, 'unit': null},
            {'position': 3, 'quantity': 'flicker', 'printed': flicker, 'unit': null},
            {'position': 4, 'quantity': 'ea_2', 'printed': ea_2, 'unit': 'percent'},
            {'position': 5, 'quantity': 'ea_8', 'printed': ea_8, 'unit': 'percent'}
        ], recursive := true)
    from table_3
),

-- A share of 240 videos has a whole number behind it: the nearest one, and what rounding it would print.
table_3_shares as (
    select
        *,
        case when unit = 'percent' then round(printed::double * 240 / 100) end as hits,
        case when unit = 'percent' then round(100 * round(printed::double * 240 / 100) / 240, 2) end as rounded
    from table_3_values
    where printed is not null
),

emotions as (
    select
        'text on emotions' as place,
        emotion_index as item,
        emotion,
        unnest([
            {'position': 0, 'quantity': 'emotion_index', 'printed': emotion_index::varchar},
            {'position': 1, 'quantity': 'polarity', 'printed': polarity}
        ], recursive := true)
    from (
        values
            (0, 'amusement', 'positive'),
            (1, 'awe', 'positive'),
            (2, 'contentment', 'positive'),
            (3, 'excitement', 'positive'),
            (4, 'anger', 'negative'),
            (5, 'disgust', 'negative'),
            (6, 'fear', 'negative'),
            (7, 'sadness', 'negative')
    ) as printed_rows (emotion_index, emotion, polarity)
),

domain_counts as (
    select *
    from (
        values
            (0, 'text on collection', 'collected_count', 'animation', '3000', null, null),
            (1, 'text on annotation', 'human_label_count', 'animation', '282', null, null),
            (2, 'text on annotation', 'human_label_count', 'movie', '2771', null, null),
            (
                3,
                'text on annotation',
                'human_label_count',
                'sticker',
                '6996',
                6696,
                'All stickers are verified by people, and Table 2 counts 6,696 of them: one digit is wrong.'
            ),
            (
                4,
                'text on annotation',
                'human_label_count',
                'total',
                '10049',
                9749,
                'The sum of 282, 2,771 and the 6,696 stickers of Table 2.'
            ),
            (5, 'text on training', 'training_clip_count', 'animation', '2727', null, null),
            (6, 'text on training', 'training_clip_count', 'movie', '8000', null, null),
            (7, 'text on training', 'training_clip_count', 'sticker', '6616', null, null),
            (8, 'text on training', 'training_clip_count', 'total', '17343', null, null)
    ) as printed_rows (item, place, quantity, domain, printed, consistent_value, note)
),

transitions as (
    select
        'text on transitions' as place,
        item,
        quantity,
        'movie' as domain,
        emotion,
        next_emotion,
        printed,
        relation
    from (
        values
            (0, 'transition_self', 'fear', 'fear', '0.53', '='),
            (1, 'transition_self', 'anger', 'anger', '0.46', '='),
            (2, 'transition_self', 'amusement', 'amusement', '0.46', '='),
            (3, 'transition_within_polarity_min', null, null, '0.08', '='),
            (4, 'transition_within_polarity_max', null, null, '0.18', '='),
            (5, 'transition_across_polarity_max', null, null, '0.08', '<='),
            (6, 'transition_chain', 'sadness', 'fear', 'sadness to fear', '='),
            (7, 'transition_chain', 'sadness', 'anger', 'sadness to anger', '='),
            (8, 'transition_chain', 'fear', 'anger', 'fear to anger', '='),
            (9, 'transition_order', null, null, '1', '=')
    ) as printed_rows (item, quantity, emotion, next_emotion, printed, relation)
),

models as (
    select
        'text on evaluation' as place,
        'model' as quantity,
        item,
        task,
        model,
        model as printed
    from (
        values
            (0, 'T2V', 'VideoCrafter-V2'),
            (1, 'T2V', 'HunyuanVideo'),
            (2, 'T2V', 'CogVideoX-5B'),
            (3, 'T2V', 'Wan2.1-T2V-14B'),
            (4, 'I2V', 'DynamiCrafter512'),
            (5, 'I2V', 'HunyuanVideo-I2V'),
            (6, 'I2V', 'CogVideoX-I2V'),
            (7, 'I2V', 'Wan2.1-I2V-480P')
    ) as printed_rows (item, task, model)
),

-- Both pairs are whole numbers of 240 videos, so arithmetic alone does not say which one was measured.
accuracies_in_text as (
    select
        'text on evaluation' as place,
        quantity,
        item,
        'I2V' as task,
        'WanVideo (after)' as model,
        printed,
        consistent_value,
        'percent' as unit,
        'Table 3 prints another value for the same model; both are whole numbers of 240 videos.' as note
    from (
        values
            (0, 'ea_2', '92.08', 94.58),
            (1, 'ea_8', '72.92', 76.25)
    ) as printed_rows (item, quantity, printed, consistent_value)
),

statements as (
    select
        item,
        place,
        quantity,
        printed,
        relation,
        printed_value::double as printed_value,
        unit,
        note
    from (
        values
            (0, 'text on statistics', 'duration_total', '140580', '=', 140580, 's', null),
            (1, 'text on collection', 'movie_duration_min', '4', '=', 4, 's', null),
            (2, 'text on collection', 'movie_duration_max', '30', '=', 30, 's', null),
            (3, 'text on annotation', 'extra_human_choice', 'no specific emotion', '=', null, null, null),
            (4, 'text on annotation', 'human_share', '20%', '=', 20, 'percent', 'Of animation and movie clips.'),
            (5, 'text on annotation', 'annotators_per_clip', '3', '=', 3, 'people', null),
            (6, 'text on annotation', 'agreeing_annotators_min', '2', '=', 2, 'people', null),
            (7, 'text on annotation', 'labeller', 'NVILA-Lite-2B (fine-tuned)', '=', null, null, null),
            (8, 'text on annotation', 'captioner', 'NVILA-8B-Video', '=', null, null, null),
            (9, 'text on validation', 'validation_share', '1%', '=', 1, 'percent', null),
            (10, 'text on validation', 'rater_count', '4', '=', 4, 'raters', 'Three people and the labeller.'),
            (11, 'text on validation', 'rater_pair_count', '6', '=', 6, 'pairs', null),
            (12, 'text on validation', 'kappa_gap', '< 4%', '<', 4, 'percent', null),
            (13, 'text on colour', 'frame_stride', '20', '=', 20, 'frames', null),
            (14, 'text on colour', 'hue', 'circular mean, integer degrees', '=', null, null, null),
            (15, 'text on colour', 'colorfulness', 'mean S, 1 decimal', '=', null, null, null),
            (16, 'text on colour', 'brightness', 'mean V, 1 decimal', '=', null, null, null),
            (17, 'text on colour', 'colour_level_count', '11', '=', 11, 'levels', null),
            (18, 'text on colour', 'anova_p_value', '<0.01', '<', 0.01, null, null),
            (19, 'text on colour', 'anova_eta_squared', '<1%', '<', 1, 'percent', null),
            (20, 'text on captions', 'phrases_per_emotion', '5', '=', 5, 'phrases', null),
            (21, 'text on captions', 'phrase_words_min', '2', '=', 2, 'words', null),
            (22, 'text on captions', 'phrase_words_max', '4', '=', 4, 'words', null),
            (23, 'text on evaluation', 'benchmark_clip_count', '240', '=', 240, 'clips', null),
            (24, 'text on evaluation', 'benchmark_domain_count', '3', '=', 3, 'domains', null),
            (25, 'text on evaluation', 'benchmark_emotion_count', '8', '=', 8, 'emotions', null),
            (26, 'text on evaluation', 'benchmark_cell_clip_count', '10', '=', 10, 'clips', null),
            (27, 'text on evaluation', 'benchmark_source', 'human-annotated, double-checked', '=', null, null, null),
            (
                28,
                'text on evaluation',
                'prompt_suffix',
                'The video is in the “amusement” emotion',
                '=',
                null,
                null,
                'One emotion as the example.'
            ),
            (29, 'text on training', 'lora_rank', '32', '=', 32, null, null),
            (30, 'text on training', 'learning_rate', '0.0001', '=', 0.0001, null, null),
            (31, 'text on training', 'epochs', '3', '=', 3, 'epochs', null),
            (32, 'text on training', 'batch_size', '1', '=', 1, 'clips', null),
            (33, 'text on training', 'gpu', 'H20 96GB', '=', null, null, null),
            (34, 'text on training', 'framework', 'DiffSynth-Studio', '=', null, null, null),
            (
                35,
                'extended version',
                'user_study_preference',
                '66.2%',
                '=',
                66.2,
                'percent',
                'Top-1 preference on the expression of emotion. From a review of the arXiv version, not from the paper.'
            )
    ) as printed_rows (item, place, quantity, printed, relation, printed_value, unit, note)
),

gathered as (
    select 1 as part, item, position, place, quantity, dataset, printed, value as printed_value, unit
    from table_1_values
    union all by name
    select
        2 as part,
        item,
        position,
        place,
        quantity,
        domain,
        printed,
        case printed when 'yes' then 1 when 'no' then 0 else printed::double end as printed_value,
        consistent as consistent_value,
        unit,
        case when quantity = 'duration_mean' then movie_note end as note
    from table_2_values
    where printed is not null
    union all by name
    select
        3 as part,
        item,
        position,
        place,
        quantity,
        task,
        model,
        printed,
        case when rounded <> printed::double then rounded end as consistent_value,
        unit,
        case
            when floor(10000 * hits / 240) / 100 = printed::double and rounded <> printed::double
                then format('{} of 240 videos, cut off instead of rounded.', hits::bigint)
            when rounded <> printed::double
                then format('No whole number of 240 videos gives this; the nearest is {}.', hits::bigint)
        end as note
    from table_3_shares
    union all by name
    select 4 as part, item, position, place, quantity, emotion, printed from emotions
    union all by name
    select 5 as part, item, place, quantity, domain, printed, consistent_value, 'clips' as unit, note from domain_counts
    union all by name
    select 6 as part, item, place, quantity, domain, emotion, next_emotion, printed, relation from transitions
    union all by name
    select 7 as part, item, place, quantity, task, model, printed from models
    union all by name
    select 8 as part, item, place, quantity, task, model, printed, consistent_value, unit, note from accuracies_in_text
    union all by name
    select 9 as part, item, place, quantity, printed, relation, printed_value, unit, note from statements
)

select
    row_number() over (order by part, item, position) - 1 as number_index,
    place,
    quantity,
    domain,
    emotion,
    next_emotion,
    dataset,
    task,
    model,
    printed,
    coalesce(relation, '=') as relation,
    coalesce(printed_value, try_cast(printed as double)) as printed_value,
    consistent_value::double as consistent_value,
    unit,
    note
from gathered
order by number_index;
