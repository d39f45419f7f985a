-- question: What are the prompts and first frames of the benchmark?
-- topic: splits
-- answer: What a model is given: the prompt for text to video, with the first frame for image to video.
-- parameters:
--   domain (VARCHAR, null): only this domain; null for all
select clip_id, domain, emotion, prompt, first_frame_path
from benchmark_split
where split = 'benchmark' and ($domain is null or domain = $domain)
order by domain, emotion, clip_id;
