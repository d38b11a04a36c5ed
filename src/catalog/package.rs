//! Packages: a product and its price, created in one call.

use crate::amount::Decimal;
use crate::catalog::price;
use crate::catalog::product::{self, Given, Terms};
use crate::error::{Difference, Error};
use crate::pg::call::argument::{ArrayOf, Interval, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement, in_latest_snapshot, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT2OID, INTERVALOID, JSONBOID, NUMERICOID, TEXTARRAYOID, TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A product and its price in one.
    pub struct PackageRow {
        /// The price's id: what a top-up names.
        pub price_id: Uuid,
        /// The product's.
        pub product_id: Uuid,
        /// Its display name.
        pub name: String,
        /// Credits that one unit grants.
        pub credits: Decimal,
        /// Of which currency.
        pub credit_currency: String,
        /// What one unit costs, in major units.
        pub unit_amount: Decimal,
        /// The payment currency's code.
        pub price_currency: String,
    } read
}

static THERE: Statement = Statement::new(
    c"SELECT p.price_id, d.product_id, d.name, d.credits, d.credit_currency, p.unit_amount, p.currency
      FROM credits_internal.prices p JOIN credits_internal.products d ON d.product_id = p.product_id
      WHERE p.price_id = $1",
    &[UUIDOID],
);

// Those on sale under the same name, in the same currencies, the oldest first, with what differs.
static DIFFERENCES: Statement = Statement::scanning(
    c"SELECT p.price_id, x.what, x.there, x.given
      FROM credits_internal.products d
      JOIN credits_internal.prices p ON p.product_id = d.product_id
      LEFT JOIN LATERAL (
          SELECT v.no, v.what, v.there, v.given
          FROM (VALUES
              (1, 'credits', trim_scale(d.credits)::text, trim_scale($4)::text, d.credits = $4),
              (2, 'unit_amount', trim_scale(p.unit_amount)::text, trim_scale($5)::text, p.unit_amount = $5),
              (3, 'description', d.description, $6, $6 IS NULL OR d.description = $6),
              (4, 'category', d.category, $7, d.category = $7),
              (5, 'priority', d.priority::text, $8::text, d.priority = $8),
              (6, 'time_to_live', d.time_to_live::text, $9::text, d.time_to_live IS NOT DISTINCT FROM $9),
              (7, 'applicable_meters', d.applicable_meters::text, $10::text,
                  d.applicable_meters IS NOT DISTINCT FROM $10),
              (8, 'metadata', d.metadata::text, $11::text, $11 IS NULL OR d.metadata = $11))
              AS v (no, what, there, given, same)
          WHERE v.same IS NOT TRUE) x ON true
      WHERE d.name = $1 AND d.credit_currency = $2 AND p.currency = $3
        AND d.archived_at IS NULL AND p.archived_at IS NULL
      ORDER BY p.price_id, x.no",
    &[
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        TEXTOID,
        INT2OID,
        INTERVALOID,
        TEXTARRAYOID,
        JSONBOID,
    ],
);

/// The package that is on sale on these terms, if there is one of that name in these currencies. Raises PC002 if those
/// that there are have other terms.
fn find(
    session: &Session,
    terms: &Terms<'_>,
    (unit_amount, price_currency): (Decimal, &str),
) -> Result<Option<PackageRow>, Error> {
    // One after the other: nothing in the tables keeps two sessions from making the same package.
    Lock::of(session, c"products", (terms.name, &terms.credit_currency, price_currency)).take();
    in_latest_snapshot(session, |session| {
        let rows = DIFFERENCES.run(
            session,
            &[
                terms.name.cell(),
                terms.credit_currency.cell(),
                price_currency.cell(),
                terms.credits.cell(),
                unit_amount.cell(),
                terms.description.cell(),
                terms.category.cell(),
                terms.priority.cell(),
                terms.time_to_live.cell(),
                terms.applicable_meters.cell(),
                terms.metadata.cell(),
            ],
        )?;
        let (mut first, mut differences) = (None, Vec::new());
        for mut row in rows.iter() {
            let price_id: Uuid = row.next()?;
            let Some(what) = row.next()? else {
                let there = THERE.run(session, &[price_id.cell()])?;
                return PackageRow::read(there.first().ok_or_else(|| Error::internal("a price is not there"))?)
                    .map(Some);
            };
            if *first.get_or_insert(price_id) == price_id {
                differences.push(Difference { what, there: row.next()?, given: row.next()? });
            }
        }
        match first {
            None => Ok(None),
            Some(_) => Err(Error::ExistsOtherwise { argument: "name", key: terms.name.to_string(), differences }),
        }
    })
}

/// `credits.package_create`. Raises PC002, PC004, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn package_create_2(
    name: Option<&str>,
    credits: Option<Numeric>,
    unit_amount: Option<Numeric>,
    price_currency: Option<&str>,
    credit_currency: Option<&str>,
    description: Option<&str>,
    category: Option<&str>,
    priority: Option<i32>,
    time_to_live: Option<Interval>,
    applicable_meters: Option<ArrayOf<String>>,
    metadata: Option<Json>,
    if_not_exists: Option<bool>,
) -> Reply<One<PackageRow>> {
    let given = Given {
        name,
        description,
        credit_currency,
        credits,
        category,
        priority,
        time_to_live,
        applicable_meters,
        metadata,
    };
    Reply(writing(|session| {
        let terms = product::check(session, given)?;
        let amount = price::check(session, unit_amount, ("price_currency", price_currency))?;
        if if_not_exists == Some(true)
            && let Some(there) = find(session, &terms, amount)?
        {
            return Ok(One(there));
        }
        let product = product::make(session, &terms)?;
        let price = price::make(session, product.product_id, amount, None)?;
        Ok(One(PackageRow {
            price_id: price.price_id,
            product_id: product.product_id,
            name: product.name,
            credits: product.credits,
            credit_currency: product.credit_currency,
            unit_amount: price.unit_amount,
            price_currency: price.currency,
        }))
    }))
}

crate::older!(package_create_wrapper => package_create_2_wrapper, 11 of 12);
