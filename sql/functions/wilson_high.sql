-- function: wilson_high
-- gives: The upper end of Wilson's 95 % interval of a share, from how many of how many.
-- source: what is not counted is the rest, and has the interval's other end
-- depends on: wilson_low
-- arguments:
--   k (BIGINT): how many have what is counted, 0 to n
--   n (BIGINT): how many there are
-- returns: DOUBLE; the upper end, 0 to 1; null where an argument is null or n is 0

create or replace macro wilson_high(k, n) as
1 - wilson_low(n - k, n);
