-- question: How balanced is the training split?
-- topic: splits
-- answer: Clips per domain and emotion, and how many times as many as if all eight were equal.
select
    domains.domain,
    emotion_wheel.emotion,
    count(benchmark_split.clip_id) as clip_count,
    round(
        8 * count(benchmark_split.clip_id)
        / nullif(sum(count(benchmark_split.clip_id)) over (partition by domains.domain), 0),
        2
    ) as times_even
from domains
cross join emotion_wheel
left join benchmark_split
    on domains.domain = benchmark_split.domain
    and emotion_wheel.emotion = benchmark_split.emotion
    and benchmark_split.split = 'train'
group by domains.domain_index, domains.domain, emotion_wheel.emotion_index, emotion_wheel.emotion
order by domains.domain_index, emotion_wheel.emotion_index;
