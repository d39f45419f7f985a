-- function: log_excess
-- gives: d - ln(1 + d), with the digits that count near d = 0.
-- source: Kahan's form of ln(1 + d), in Goldberg (1991), What every computer scientist should know, theorem 4
-- depends on: nothing
-- arguments:
--   d (DOUBLE): more than -1
--   one_plus_d (DOUBLE): 1 + d, which the caller often knows better than 1 + d can be computed
-- returns: DOUBLE; d - ln(1 + d), 0 or more

create or replace macro log_excess(d, one_plus_d) as
case
    when abs(d) > 0.5 then d - ln(one_plus_d)
    -- The rounding of 1 + d is in both parts of the fraction; where it leaves nothing of d, the excess is nil.
    else d - d * coalesce(ln(1 + d) / nullif(1 + d - 1, 0), 1)
end;
