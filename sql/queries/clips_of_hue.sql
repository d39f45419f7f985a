-- question: Which clips are mostly of one hue, such as red?
-- topic: clips
-- answer: Hue is an angle: 350 and 10 degrees are 20 apart. A clip counts where most of its pixels have a hue and these
--   point one way.
-- parameters:
--   hue_deg (DOUBLE, 0): the hue: 0 red, 60 yellow, 120 green, 180 cyan, 240 blue, 300 magenta
--   within_deg (DOUBLE, 20): how far away it may be
--   limit (BIGINT, 20): how many clips
select clip_id, emotion, round(hue_chromatic_deg, 1) as hue_deg, round(hue_resultant, 3) as hue_resultant
from clip_catalogue
where
    180 - abs(180 - abs(hue_chromatic_deg - $hue_deg)) <= $within_deg
    and chromatic_share >= 0.5
    and hue_resultant >= 0.5
order by hue_resultant desc, clip_id
limit $limit;
