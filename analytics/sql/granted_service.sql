-- granted_service (temporary)    grain: one row per distinct reach, profile of observable actions, service with a grant
create or replace temp table granted_service (
    reach_id integer, profile_id integer, service varchar,
    granted integer, surely integer, observable integer, granted_weight double, observable_weight double
)
