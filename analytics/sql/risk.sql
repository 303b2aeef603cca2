-- risk    grain: one row per principal_arn: an identity of the snapshot that its account can change, with its score
-- reads: risk_rows; score is the sum of the six factors and floor_points, rank is a total order from 1
-- floor: the floor that lifts the sum, or null; administrator: surely, maybe, or null; confidence_reasons: JSON
create table risk as
select
    principal_arn, rank, score, band, control_reach, data_reach, breadth, unused, exposure, asset, floor, floor_points,
    administrator, steps_to_administrator, trust_class, paths, confidence, confidence_share,
    confidence_reasons::json as confidence_reasons
from risk_rows
order by rank
