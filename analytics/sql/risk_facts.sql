-- risk_facts    grain: one row per principal_arn of table risk: the counts that its score is computed from
-- reads: risk_facts_rows; facts: JSON, as analytics/findings/risk/kept.py writes and reads it
create table risk_facts as
select principal_arn, facts::json as facts
from risk_facts_rows
order by principal_arn
