-- question: Which emotions do generated videos miss, and what is recognised instead?
-- topic: generated video
-- answer: A row for each emotion asked for and another one recognised, most frequent first; the diagonal is left out.
select generator, task, asked_emotion, recognised_emotion, video_count, asked_count, share, is_polarity_right, is_trial
from generation_matrix
where domain = 'total' and not is_right and video_count > 0
order by task desc, generator, video_count desc, asked_emotion, recognised_emotion;
