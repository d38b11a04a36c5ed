//! Texts of statements that the catalogue's rooms share, and what they are in a schema of the release before, where a product
//! had its terms in columns.

/// A product's single terms, of its credit_config, as columns.
macro_rules! config_columns {
    ($config:literal) => {
        concat!(
            "(",
            $config,
            "->>'currency') COLLATE \"C\", (",
            $config,
            "->>'amount')::numeric, ",
            $config,
            "->>'category', (",
            $config,
            "->>'priority')::smallint, (",
            $config,
            "->>'valid_for')::interval,
             CASE WHEN ",
            $config,
            " ? 'applicable_meters'
                  THEN ARRAY(SELECT jsonb_array_elements_text(",
            $config,
            "->'applicable_meters')) END"
        )
    };
}
pub(crate) use config_columns;

/// Products of the release before, as a table with all columns of now.
macro_rules! products_before {
    () => {
        "(SELECT b.product_id, b.name, b.description, b.metadata, b.created_at, b.archived_at, 'credit' AS type,
                 NULL::text[] AS images, NULL::text[] AS features, NULL::text AS unit_label,
                 NULL::text AS statement_descriptor, b.created_at AS updated_at,
                 jsonb_strip_nulls(jsonb_build_object(
                     'currency', b.credit_currency, 'amount', trim_scale(b.credits)::text, 'category', b.category,
                     'priority', b.priority, 'applicable_meters', to_jsonb(b.applicable_meters),
                     'valid_for', (SELECT format('%s months %s days %s seconds',
                                                 extract(year FROM b.time_to_live) * 12 + extract(month FROM b.time_to_live),
                                                 extract(day FROM b.time_to_live),
                                                 extract(hour FROM b.time_to_live) * 3600
                                                 + extract(minute FROM b.time_to_live) * 60
                                                 + extract(second FROM b.time_to_live))
                                   WHERE b.time_to_live IS NOT NULL))) AS credit_config
          FROM credits_internal.products b)"
    };
}
pub(crate) use products_before;

/// Prices of the release before, likewise.
macro_rules! prices_before {
    () => {
        "(SELECT b.*, NULL::jsonb AS recurring, NULL::text AS nickname, NULL::text AS lookup_key,
                 NULL::jsonb AS currency_options, NULL::jsonb AS pricing, NULL::integer AS quantity_limit_per_checkout,
                 NULL::jsonb AS credit_config, NULL::text AS tax_behavior, b.created_at AS updated_at
          FROM credits_internal.prices b)"
    };
}
pub(crate) use prices_before;

/// Each price with what it grants, as credits_internal.offers shows them, likewise.
macro_rules! offers_before {
    () => {
        "(SELECT b.price_id, b.product_id, c.name AS product_name, b.type, b.unit_amount, b.currency,
                 c.credits, c.credit_currency, c.applicable_meters IS NOT NULL AS restricted, NULL::jsonb AS pricing,
                 b.archived_at IS NULL AND c.archived_at IS NULL AS active
          FROM credits_internal.prices b JOIN credits_internal.products c ON c.product_id = b.product_id)"
    };
}
pub(crate) use offers_before;
