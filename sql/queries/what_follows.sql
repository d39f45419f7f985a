-- question: What follows fear?
-- topic: clips
-- answer: The next clip of the same film, only where nothing was dropped between the two.
-- parameters:
--   emotion (VARCHAR, fear): the emotion
select to_emotion, transition_count, round(probability, 2) as probability
from emotion_transitions
inner join emotion_wheel on emotion_transitions.to_emotion = emotion_wheel.emotion
where kind = 'strict' and from_emotion = $emotion and transition_count > 0
order by transition_count desc, emotion_index;
