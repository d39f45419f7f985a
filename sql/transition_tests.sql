-- view: transition_tests
-- gives: Whether the emotions of successive clips depend on each other, and how strongly they hold, per kind of pair.
-- grain: kind; both rows are always there
-- source: paper, text on emotional transitions (requirement R26: self 0.46 to 0.53, within a polarity 0.08 to 0.18, across
--   less than 0.08)
-- depends on: emotion_wheel, emotion_transitions
-- note: The chi-square test of independence over the emotions that occur; for a chain it is the test of first order
--   against order zero. Its p-value is good where few cells expect less than five pairs. Probabilities are those of
--   emotion_transitions, and `within` leaves out an emotion's transition to itself. Shares are of pairs, so that frequent
--   emotions weigh more there than in the mean probabilities.
-- columns:
--   kind (VARCHAR): strict or bridged
--   pair_count (BIGINT): pairs of clips
--   emotion_count (BIGINT): emotions that occur in them
--   chi_square (DOUBLE): Pearson's statistic; null where there are not two emotions on either side
--   df (BIGINT): degrees of freedom, (emotions that start a pair - 1) × (emotions that end one - 1)
--   p_value (DOUBLE): probability of a chi_square as large if emotions followed each other by chance
--   cramers_v (DOUBLE): √(chi_square / pairs / (the smaller number of emotions - 1)), 0 (independent) to 1
--   low_expected_share (DOUBLE): share of the cells that expect less than five pairs
--   self_probability_mean (DOUBLE): mean probability of staying, over emotions
--   self_probability_min (DOUBLE): the smallest of these
--   self_probability_max (DOUBLE): the largest of these
--   within_probability_mean (DOUBLE): mean probability of a change to another emotion of the same polarity, over cells
--   within_probability_min (DOUBLE): the smallest of these
--   within_probability_max (DOUBLE): the largest of these
--   cross_probability_mean (DOUBLE): mean probability of a change to an emotion of the other polarity, over cells
--   cross_probability_min (DOUBLE): the smallest of these
--   cross_probability_max (DOUBLE): the largest of these
--   self_share (DOUBLE): share of pairs that stay with the emotion
--   expected_self_share (DOUBLE): that share if emotions followed each other by chance
--   same_polarity_share (DOUBLE): share of pairs that stay within the polarity, with the emotion or not
--   expected_same_polarity_share (DOUBLE): that share if emotions followed each other by chance

create or replace view transition_tests as
with
cells as (
    select
        emotion_transitions.*,
        case
            when from_emotion = to_emotion then 'self'
            when origin.polarity = target.polarity then 'within'
            else 'cross'
        end as relation
    from emotion_transitions
    inner join emotion_wheel as origin on emotion_transitions.from_emotion = origin.emotion
    inner join emotion_wheel as target on emotion_transitions.to_emotion = target.emotion
),

sums as (
    select
        kind,
        sum(transition_count)::bigint as pair_count,
        count(distinct from_emotion) filter (where from_count + to_count > 0 and relation = 'self') as emotion_count,
        count(*) filter (where relation = 'self' and from_count > 0) as row_count,
        count(*) filter (where relation = 'self' and to_count > 0) as column_count,
        sum(pow(transition_count - expected_count, 2) / expected_count) filter (where expected_count > 0) as chi_square,
        avg((expected_count < 5)::integer) filter (where expected_count > 0) as low_expected_share,
        avg(probability) filter (where relation = 'self') as self_probability_mean,
        min(probability) filter (where relation = 'self') as self_probability_min,
        max(probability) filter (where relation = 'self') as self_probability_max,
        avg(probability) filter (where relation = 'within') as within_probability_mean,
        min(probability) filter (where relation = 'within') as within_probability_min,
        max(probability) filter (where relation = 'within') as within_probability_max,
        avg(probability) filter (where relation = 'cross') as cross_probability_mean,
        min(probability) filter (where relation = 'cross') as cross_probability_min,
        max(probability) filter (where relation = 'cross') as cross_probability_max,
        sum(transition_count) filter (where relation = 'self') / nullif(sum(transition_count), 0) as self_share,
        sum(expected_count) filter (where relation = 'self') / nullif(sum(transition_count), 0) as expected_self_share,
        sum(transition_count) filter (where relation <> 'cross') / nullif(sum(transition_count), 0)
            as same_polarity_share,
        sum(expected_count) filter (where relation <> 'cross') / nullif(sum(transition_count), 0)
            as expected_same_polarity_share
    from cells
    group by kind
),

tested as (
    select *, case when row_count > 1 and column_count > 1 then (row_count - 1) * (column_count - 1) end as df
    from sums
)

select
    kind,
    pair_count,
    emotion_count,
    case when df is not null then chi_square end as chi_square,
    df,
    chi2_upper_tail(chi_square, df) as p_value,
    case when df is not null then sqrt(chi_square / pair_count / (least(row_count, column_count) - 1)) end as cramers_v,
    low_expected_share,
    self_probability_mean,
    self_probability_min,
    self_probability_max,
    within_probability_mean,
    within_probability_min,
    within_probability_max,
    cross_probability_mean,
    cross_probability_min,
    cross_probability_max,
    self_share,
    expected_self_share,
    same_polarity_share,
    expected_same_polarity_share
from tested
order by kind desc;
