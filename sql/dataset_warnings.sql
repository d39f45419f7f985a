-- view: dataset_warnings
-- gives: What a reader must know before any number of this dataset is used or its files are passed on.
-- grain: warning (per labeller, per domain, or one for all); no row where there is nothing to warn of
-- source: this project
-- depends on: domains, human_annotations, split_leaks, emotion_labeller, emotion_labels, clip_facts, benchmark_split,
--   source_videos, benchmark_cells
-- note: The most serious come first. A labeller is at chance where Wilson's 95 % interval of its measured accuracy holds the
--   share that always answering the most frequent label would be right on, or lies below it.
-- columns:
--   code (VARCHAR): simulated_answers, split_leaks, labeller_at_chance, labeller_not_measured, no_training_split,
--     sources_without_licence or cells_below
--   subject (VARCHAR): the domain or the labeller's model_id that it is about; null where it is about everything
--   item_count (BIGINT): how many answers, values, labels, clips, sources or cells are concerned
--   total_count (BIGINT): of how many; null where that says nothing
--   message (VARCHAR): the warning, a sentence
--   what_to_do (VARCHAR): what removes it, a sentence

create or replace view dataset_warnings as
with
answers as (
    select count(*) as answer_count, count(*) filter (where starts_with(annotator_id, 'simulated-')) as simulated_count
    from human_annotations
),

final_labels as (
    select count(*) as label_count from emotion_labels
),

labels_by_model as (
    select vlm_model_id as model_id, vlm_model_revision as model_revision, count(*) as label_count
    from clip_facts
    where label_source = 'vlm' and vlm_model_id is not null
    group by vlm_model_id, vlm_model_revision
),

labellers as (
    select
        labels_by_model.model_id,
        labels_by_model.label_count,
        emotion_labeller.held_out_clip_count,
        emotion_labeller.validation_accuracy,
        emotion_labeller.baseline_accuracy
    from labels_by_model
    left join emotion_labeller
        on
            labels_by_model.model_id = emotion_labeller.model_id
            and labels_by_model.model_revision = emotion_labeller.revision
),

splits as (
    select
        domains.domain,
        domains.domain_index,
        count(*) filter (where benchmark_split.split = 'benchmark') as benchmark_count
    from domains
    inner join benchmark_split on domains.domain = benchmark_split.domain
    group by domains.domain, domains.domain_index
    having count(*) filter (where benchmark_split.split = 'train') = 0
),

sources as (
    select count(*) as source_count, count(*) filter (where trim(coalesce(license, '')) = '') as unknown_count
    from source_videos
),

-- A domain without any benchmark clip has no labels of people yet: that is work to do, and no fault of a cell.
cells as (
    select count(*) as cell_count, count(*) filter (where missing_count > 0) as lacking_count, min(wanted_count) as wanted
    from benchmark_cells
    where domain in (select domain from benchmark_split where split = 'benchmark')
),

warnings as (
    select
        1 as rank,
        0 as place,
        'simulated_answers' as code,
        null as subject,
        simulated_count as item_count,
        answer_count as total_count,
        format('{:,} of {:,} human answers are simulated, not given by people.', simulated_count, answer_count) as message,
        'Take nothing from it about people: labels, agreement and annotators show how the system works.' as what_to_do
    from answers
    where simulated_count > 0

    union all
    select
        2,
        0,
        'split_leaks',
        null,
        count(*),
        null,
        format('The benchmark and the training split share {:,} groups, films or files.', count(*)),
        'Build benchmark_split again; emovid sql "from split_leaks" names them.'
    from split_leaks
    having count(*) > 0

    union all
    select
        3,
        row_number() over (order by model_id),
        'labeller_at_chance',
        model_id,
        label_count,
        (select label_count from final_labels),
        format(
            '{:,} of {:,} labels are by {}, which is not shown to be better than always answering the most frequent label:'
            || ' it is right on {:.1f} % of {:,} held-out clips, that answer on {:.1f} %.',
            label_count,
            (select label_count from final_labels),
            model_id,
            100 * validation_accuracy,
            held_out_clip_count,
            100 * baseline_accuracy
        ),
        'Have people label more clips (emovid annotate export), or use only labels with label_source = ''human''.'
    from labellers
    where wilson_low(validation_accuracy * held_out_clip_count, held_out_clip_count) <= baseline_accuracy

    union all
    select
        4,
        row_number() over (order by model_id),
        'labeller_not_measured',
        model_id,
        label_count,
        (select label_count from final_labels),
        format(
            '{:,} of {:,} labels are by {}, whose accuracy is not known.',
            label_count,
            (select label_count from final_labels),
            model_id
        ),
        'Have people label clips that it can be measured on (emovid annotate export), then build again.'
    from labellers
    where validation_accuracy is null

    union all
    select
        5,
        domain_index,
        'no_training_split',
        domain,
        benchmark_count,
        null,
        format('{} has nothing to train on: all that it could use is in the benchmark or not used.', domain),
        'Add videos of this domain, or lower benchmark.per_cell.'
    from splits
    where benchmark_count > 0

    union all
    select
        6,
        0,
        'sources_without_licence',
        null,
        unknown_count,
        source_count,
        format('{:,} of {:,} sources have no stated licence.', unknown_count, source_count),
        'Clear their rights, and state them in the column license of manifest.csv, before anything is passed on.'
    from sources
    where unknown_count > 0

    union all
    select
        7,
        0,
        'cells_below',
        null,
        lacking_count,
        cell_count,
        format('{:,} of {:,} cells of the benchmark have fewer than {:,} clips.', lacking_count, cell_count, wanted),
        'Have people label clips of these emotions; emovid sql "from benchmark_cells" names the cells.'
    from cells
    where lacking_count > 0
)

select
    code,
    subject,
    item_count,
    total_count,
    message,
    what_to_do
from warnings
order by rank, place;
