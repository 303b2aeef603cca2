-- would_lower    grain: one row per principal_arn, position: a single change that lowers the score, the best first
-- reads: would_lower_rows; score_after is what the score would be, by the function that makes it; detail: JSON
-- calls_broken: 0 where it is proven that no observed call of the window breaks; null: not proven
create table would_lower as
select principal_arn, position, kind, title, detail::json as detail, score_after, calls_broken
from would_lower_rows
order by principal_arn, position
