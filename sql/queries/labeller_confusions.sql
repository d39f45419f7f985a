-- question: Where do people and the labeller disagree?
-- topic: labels
-- answer: A confusion matrix without its diagonal, counted by pair of emotions. A trained labeller has learnt from
--   some of these clips, so it disagrees less here than on new ones; `labeller_comparison` has its accuracy on blind ones.
select human_emotion, vlm_emotion, count(*) as clip_count
from clip_catalogue
where human_emotion <> vlm_emotion
group by human_emotion, vlm_emotion
order by clip_count desc, human_emotion, vlm_emotion;
