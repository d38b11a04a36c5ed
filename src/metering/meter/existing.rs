//! A meter that exists already, compared with what `meter_create` was given.

use crate::error::Error;
use crate::input;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::Cell;
use pgrx::pg_sys::{JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};

// What is compared is the price in force now.
static DIFFERENCES: Statement = Statement::new(
    c"SELECT d.what, d.there, d.given
      FROM credits_internal.meters m
      CROSS JOIN LATERAL (SELECT s.unit_price, s.pricing FROM credits_internal.price_schedule s
                          WHERE s.event_name = $1 AND s.since <= $13 ORDER BY s.since DESC, s.version DESC LIMIT 1) p
      CROSS JOIN LATERAL (VALUES
          (1, 'name', m.name, $2, $2 IS NULL OR m.name = $2),
          (2, 'currency', m.currency, $3, m.currency = $3),
          (3, 'unit_price', trim_scale(p.unit_price)::text, trim_scale($11)::text,
              p.unit_price IS NOT DISTINCT FROM $11),
          (4, 'aggregation', m.aggregation, $4, m.aggregation = $4),
          (5, 'unit', m.unit, $6, $6 IS NULL OR m.unit = $6),
          (6, 'period', m.period, $5, m.period IS NOT DISTINCT FROM $5),
          (7, 'overage', m.overage, $7, m.overage = $7),
          (8, 'settlement', m.settlement, $8, m.settlement = $8),
          (9, 'description', m.description, $9, $9 IS NULL OR m.description = $9),
          (10, 'metadata', m.metadata::text, $10::text, $10 IS NULL OR m.metadata = $10),
          (11, 'pricing', p.pricing::text, $12::text, p.pricing IS NOT DISTINCT FROM $12),
          (12, 'unique_by', m.unique_by, $14, m.unique_by IS NOT DISTINCT FROM $14),
          (13, 'time_zone', m.time_zone, $15, m.time_zone IS NOT DISTINCT FROM $15),
          (14, 'period_from', m.period_from, $16, m.period_from = $16))
          AS d (no, what, there, given, same)
      WHERE m.event_name = $1 AND d.same IS NOT TRUE ORDER BY d.no",
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        NUMERICOID,
        JSONBOID,
        TIMESTAMPTZOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
    ],
);

/// Raises PC002 if the meter is not the same; `terms` are those that it would be created with.
pub fn check_same(session: &Session, event_name: &str, terms: &[Cell; 16]) -> Result<(), Error> {
    input::same("event_name", event_name, &DIFFERENCES.run(session, terms)?)
}
