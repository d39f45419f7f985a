-- function: stirling_error
-- gives: What Stirling's formula leaves out: ln Γ(z + 1) - [(z + 1/2) ln z - z + ln(2π) / 2].
-- source: Loader (2000), Fast and accurate computation of binomial probabilities
-- depends on: nothing
-- note: ln Γ of a large number has no digits left behind the point; this remainder keeps them all.
-- arguments:
--   z (DOUBLE): above 0
-- returns: DOUBLE; the remainder, about 1 / (12 z)

create or replace macro stirling_error(z) as
case
    when z >= 100 then (1 / 12 - (1 / 360 - 1 / 1260 / (z * z)) / (z * z)) / z
    else lgamma(z + 1) - (z + 0.5) * ln(z) + z - 0.9189385332046727
end;
