-- question: Which labeller is best, and how near do people come to each other?
-- topic: quality
-- answer: Over all domains, on the same blind clips. Compare models with each other by `majority`, and models with people
--   by `others`, where each answer is held against the majority of the other people.
select
    truth,
    rater_id,
    rater_kind,
    clip_count,
    accuracy,
    accuracy_low,
    accuracy_high,
    macro_f1,
    kappa,
    ece,
    nll,
    model_s_per_clip,
    prompt_tokens_per_clip
from labeller_comparison
where scope = 'total'
order by truth, accuracy desc, rater_id;
