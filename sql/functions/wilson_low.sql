-- function: wilson_low
-- gives: The lower end of Wilson's 95 % interval of a share, from how many of how many.
-- source: Wilson (1927), Probable inference, the law of succession, and statistical inference; z = 1.959964
-- depends on: nothing
-- note: Rounding may end a hair below 0 where nothing is counted; that is cut off.
-- arguments:
--   k (BIGINT): how many have what is counted, 0 to n
--   n (BIGINT): how many there are
-- returns: DOUBLE; the lower end, 0 to 1; null where an argument is null or n is 0

create or replace macro wilson_low(k, n) as
case
    -- `greatest` passes over nulls.
    when n > 0 and k is not null then greatest(
        (k + pow(1.959964, 2) / 2 - 1.959964 * sqrt(k / n * (n - k) + pow(1.959964, 2) / 4)) / (n + pow(1.959964, 2)), 0
    )
end;
