-- network_of(source_ip_address) (macro)    grain: one value per address: where a call came from, roughly
-- The /16 of an IPv4 and the /48 of an IPv6 address; the name of a service, or "AWS Internal", as it stands.
create or replace temp macro network_of(source_ip_address) as case
    when regexp_full_match(source_ip_address, '\d{1,3}(\.\d{1,3}){3}')
        then split_part(source_ip_address, '.', 1) || '.' || split_part(source_ip_address, '.', 2) || '.0.0/16'
    when regexp_full_match(source_ip_address, '[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*')
        then lower(array_to_string(
            list_transform(
                list_resize(string_split(split_part(source_ip_address, '::', 1), ':'), 3, ''),
                lambda part: coalesce(nullif(ltrim(part, '0'), ''), '0')
            ), ':'
        )) || '::/48'
    else source_ip_address
end
