//! The discount of a cart: at most one, by a coupon or by a promotion code, judged anew with whatever changes.

use crate::amount::Decimal;
use crate::catalog::discount::CartLine;
use crate::catalog::redemption::{self, Cart, Chosen, Quote, Verification};
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::nearest::nearest;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{JSONBOID, NUMERICOID, TEXTOID, UUIDOID};
use serde_json::{Map, Value};
use uuid::Uuid;

/// What a caller may say of a discount.
const KEYS: [&str; 7] =
    ["coupon", "coupon_id", "promotion_code", "promotion_code_id", "code", "verification_method", "verification_data"];

/// What is chosen.
#[derive(Debug, Clone)]
pub enum Choice {
    /// What people type in.
    Code(String),
    /// A code, by its id.
    PromotionCode(Uuid),
    /// A coupon without a code.
    Coupon(Uuid),
}

/// A discount as it is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which.
    pub choice: Choice,
    /// What the application vouches with: how it knows.
    pub method: Option<String>,
    /// And what.
    pub data: Option<Data>,
}

/// What it knows.
#[derive(Debug, Clone)]
pub enum Data {
    /// As an argument, or from a row.
    Json(Json),
    /// As a part of another's text.
    Text(String),
}

static CAST: Statement = Statement::new(c"SELECT $1::jsonb", &[TEXTOID]);

fn wrong(reason: impl Into<String>) -> Error {
    Error::argument("discounts", reason)
}

/// Reads what a caller gives: an array of one object at most. Raises PC013.
pub fn read(text: &str) -> Result<Option<Asked>, Error> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let given = value.as_array().ok_or_else(|| wrong("must be a JSON array of objects"))?;
    match given.as_slice() {
        [] => Ok(None),
        [one] => Asked::read(one.as_object().ok_or_else(|| wrong("must be a JSON array of objects"))?).map(Some),
        _ => Err(wrong(format!("must be one at most: they are {}", given.len()))),
    }
}

impl Asked {
    /// By what people type in.
    pub fn by_code(code: &str, vouched: Verification) -> Self {
        let choice = Choice::Code(code.to_string());
        Asked { choice, method: vouched.method, data: vouched.data.map(Data::Json) }
    }

    /// What a session has, from its row.
    pub fn stored(
        coupon_id: Option<Uuid>,
        code_id: Option<Uuid>,
        method: Option<String>,
        data: Option<Json>,
    ) -> Option<Self> {
        let choice = match (coupon_id?, code_id) {
            (_, Some(id)) => Choice::PromotionCode(id),
            (id, None) => Choice::Coupon(id),
        };
        Some(Asked { choice, method, data: data.map(Data::Json) })
    }

    fn read(object: &Map<String, Value>) -> Result<Self, Error> {
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::UnknownKey { argument: "discounts", key: key.clone(), nearest: nearest(key, KEYS) });
        }
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let id = |keys: [&str; 2]| {
            let given = keys.into_iter().find_map(text);
            let read =
                |given: &str| Uuid::parse_str(given).map_err(|_| wrong(format!("must have an id as {}", keys[0])));
            given.map(read).transpose()
        };
        let (coupon, code) = (id(["coupon", "coupon_id"])?, id(["promotion_code", "promotion_code_id"])?);
        let choice = match (coupon, code, text("code")) {
            (Some(id), None, None) => Choice::Coupon(id),
            (None, Some(id), None) => Choice::PromotionCode(id),
            (None, None, Some(code)) => Choice::Code(input::kept_key("code", Some(code))?),
            _ => return Err(wrong("must have one of coupon, promotion_code and code")),
        };
        let data = object.get("verification_data").filter(|value| !value.is_null());
        if data.is_some_and(|data| !data.is_object()) {
            return Err(Error::argument("verification_data", "must be a JSON object"));
        }
        let method = input::text("verification_method", text("verification_method"))?.map(String::from);
        Ok(Asked { choice, method, data: data.map(|data| Data::Text(data.to_string())) })
    }

    /// What a replay is compared with.
    pub fn compared(&self) -> String {
        match &self.choice {
            Choice::Code(code) => format!("code {}", code.to_lowercase()),
            Choice::PromotionCode(id) => format!("promotion code {id}"),
            Choice::Coupon(id) => format!("coupon {id}"),
        }
    }

    fn verification(&self, session: &Session) -> Result<Verification, Error> {
        let data = match &self.data {
            None => None,
            Some(Data::Json(data)) => Some(data.clone()),
            Some(Data::Text(text)) => {
                CAST.run(session, &[text.cell()])?.first().map_or(Ok(None), |mut row| row.next())?
            }
        };
        Ok(Verification { method: self.method.clone(), data })
    }

    fn chosen(&self) -> Chosen<'_> {
        match &self.choice {
            Choice::Code(code) => Chosen::Code(code),
            Choice::PromotionCode(id) => Chosen::PromotionCode(*id),
            Choice::Coupon(id) => Chosen::Coupon(*id),
        }
    }
}

/// What a discount takes off these lines, judged; whose customer is locked. Raises PC016, PC019.
pub fn quote(
    session: &Session,
    (customer_id, holder_id): (&str, Option<Uuid>),
    asked: &Asked,
    (currency, lines): (&str, &[CartLine]),
    now: Time,
) -> Result<Quote, Error> {
    let cart = Cart { customer_id, holder_id, currency, lines };
    redemption::quote(session, &cart, &asked.chosen(), &asked.verification(session)?, now)
}

/// What was taken off a cart that nobody submitted, line by line, as it counts now that a payment of it is reported; `None`
/// where there is nothing any more to count it by. Its customer is locked.
pub fn promised(session: &Session, asked: &Asked, off: (&str, &[Decimal])) -> Result<Option<Quote>, Error> {
    match redemption::promised(session, &asked.chosen(), &asked.verification(session)?, off) {
        // What nobody ever used was deleted.
        Err(Error::ObjectNotFound { .. }) => Ok(None),
        promised => promised.map(Some),
    }
}

static PUT: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET coupon_id = $3, promotion_code_id = $4, promotion_code = $5, amount_off = $6, verification_method = $7,
          verification_data = $8
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2",
    &[TEXTOID, UUIDOID, UUIDOID, UUIDOID, TEXTOID, NUMERICOID, TEXTOID, JSONBOID],
);

/// Writes down a session's discount, or that it has none.
pub fn put(session: &Session, (customer_id, id): (&str, Uuid), quote: Option<&Quote>) -> Result<(), Error> {
    let cells = [
        customer_id.cell(),
        id.cell(),
        quote.map(|quote| quote.coupon_id).cell(),
        quote.and_then(|quote| quote.promotion_code_id).cell(),
        quote.and_then(|quote| quote.code.as_ref()).cell(),
        quote.map(|quote| quote.amount).cell(),
        quote.and_then(|quote| quote.verification.method.as_ref()).cell(),
        quote.and_then(|quote| quote.verification.data.as_ref()).cell(),
    ];
    PUT.run(session, &cells).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_most_by_one_way() {
        let id = "0190a6f2-0000-7000-8000-000000000001";
        assert!(read("[]").unwrap().is_none());
        for (given, compared) in [
            (format!(r#"[{{"coupon": "{id}"}}]"#), format!("coupon {id}")),
            (
                format!(r#"[{{"promotion_code_id": "{id}", "verification_data": {{}}}}]"#),
                format!("promotion code {id}"),
            ),
            (String::from(r#"[{"code": "Spring"}]"#), String::from("code spring")),
        ] {
            assert_eq!(read(&given).unwrap().unwrap().compared(), compared);
        }
        for wrong in [
            "{}",
            "1",
            "[1]",
            "[{}]",
            r#"[{"code": ""}]"#,
            r#"[{"coupon": "x"}]"#,
            r#"[{"code": "a"}, {"code": "b"}]"#,
            r#"[{"code": "a", "verification_data": 1}]"#,
            r#"[{"cuopon": "a"}]"#,
        ] {
            assert_eq!(read(wrong).unwrap_err().sqlstate(), "PC013", "{wrong}");
        }
    }
}
