-- question: Does tuning on EmoVid make generated videos more emotional, by the paper?
-- topic: the paper
-- answer: Emotion accuracy before and after, with intervals for 240 videos. Where the intervals overlap widely, chance
--   explains much of the difference.
select task, generator, ea_8, ea_8_low, ea_8_high, ea_2, ea_2_low, ea_2_high, fvd
from generation_leaderboard
where not is_computed and generator like 'WanVideo%'
order by task desc, generator desc;
