-- actions    grain: one row per action of the catalogue; `number` is its bit in every set
-- reads: action_rows
create table actions as
select number, action, service, access_level, visibility, weight, weight_class, high_risk from action_rows order by number
