-- The rules of verify() for meters that count different values: what is known of a value is what its events say. It is
-- grouped and not joined, since one customer may have very many values.

CREATE VIEW credits_internal.value_discrepancies AS
SELECT CASE WHEN g.known IS DISTINCT FROM nullif(g.there, 0) THEN 'value: it has another number of events'
            ELSE 'value: no event brought it at that price' END AS problem,
       g.customer_id, g.currency, concat('value ', g.value, ' of ', g.event_name, ' ', g.period_key) AS subject,
       g.there::numeric AS expected, g.known::numeric AS found
FROM (SELECT x.customer_id, x.event_name, x.period, x.value, x.period_key, max(x.currency) AS currency,
             max(x.known) AS known, count(*) FILTER (WHERE x.there) AS there, bool_or(x.brings) AS brought
      FROM (SELECT v.customer_id, v.event_name, v.period, v.value, v.period_key, NULL::text AS currency,
                   v.event_count AS known, false AS there, false AS brings
            FROM credits_internal.usage_values v
            UNION ALL
            -- An event may have brought its value to where its own price counts, and been taken back since.
            SELECT e.customer_id, e.event_name, e.period, e.value, e.period_key, e.currency, NULL, NOT e.canceled,
                   split_part(e.period_key, ' ', 2) = concat('v' || nullif(e.price_version % 65536, 0),
                                                             'o' || nullif(e.price_version / 65536, 0))
            FROM credits_internal.event_values e
            -- Of another price than here, an event that was imported counts nowhere.
            WHERE e.period_key IS NOT NULL) x
      GROUP BY 1, 2, 3, 4, 5) g
WHERE g.known IS DISTINCT FROM nullif(g.there, 0) OR (g.known IS NOT NULL AND NOT g.brought);
COMMENT ON VIEW credits_internal.value_discrepancies IS
'Values of unique meters that do not count as their events say: no rows when all is sound. Ask verify().';
