//! What a promotion code is made of, as it is given and read.

use crate::amount::{self, Decimal};
use crate::catalog::coupon::terms::{limit, moment};
use crate::catalog::credit_config::check::refused;
use crate::catalog::discount::{Amounts, amounts};
use crate::error::Error;
use crate::fields::{Checked, Fields, json, wrong};
use crate::input;
use crate::input::key::Inputs;
use crate::ledger::currency;
use crate::metering::event::json::moment as parse;
use crate::moment::{EPOCH, Time};
use crate::pg::call::argument::ArrayOf;
use crate::pg::statement::Session;
use serde_json::{Map, Value};

/// Who may use one.
const TYPES: [&str; 3] = ["code", "user_restricted", "attested"];
/// What other names for the last of them are.
const ATTESTED_TOO: [&str; 2] = ["nft", "vc"];
/// The longest code, in characters.
const CODE_LENGTH: usize = 100;
/// The most codes that one call creates.
const MOST_CODES: usize = 100;
/// The most customers that one is for.
const MOST_CUSTOMERS: usize = 10_000;
const MINIMUM: &str = "minimum_amount";

/// By what two codes are the same: upper and lower case are, and spaces around one do not count.
pub fn key_of(code: &str) -> String {
    code.trim().to_lowercase()
}

/// What the purchase must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restrictions {
    minimum: Option<(Decimal, String)>,
    options: Amounts,
    /// Whether it is for customers who never paid anything.
    pub first_transaction: bool,
}

impl Restrictions {
    /// Reads an argument. Raises PC013.
    fn given(text: &str) -> Result<Self, Error> {
        let read = json(text).and_then(|value| Restrictions::read("", &value));
        read.map_err(|wrong| refused("restrictions", &wrong))
    }

    /// Reads what is stored.
    pub fn stored(text: &str) -> Result<Self, Error> {
        let read = json(text).and_then(|value| Restrictions::read("", &value));
        read.map_err(|_| Error::internal("a code's restrictions are none"))
    }

    fn read(path: &str, value: &Value) -> Checked<Self> {
        let known =
            ["minimum_amount", "currency", "minimum_amount_currency", "currency_options", "first_time_transaction"];
        let fields = Fields::of(path, value, &known)?;
        let currency = fields.text(fields.spelled("currency", "minimum_amount_currency")?)?;
        // 0 is no minimum.
        let least = fields.number(MINIMUM, amount::not_negative)?.filter(|least| !least.is_zero());
        let minimum = match (least, currency) {
            (Some(least), Some(currency)) => Some((least, currency.to_string())),
            (Some(_), None) => return fields.wrong("currency", "is required with minimum_amount"),
            (None, _) => None,
        };
        let options = match fields.get("currency_options") {
            Some(given) => amounts::read(&fields.at("currency_options"), given, MINIMUM)?,
            None => Amounts::new(),
        };
        if minimum.as_ref().is_some_and(|(_, currency)| options.contains_key(currency)) {
            return fields.wrong("currency_options", "has the currency that minimum_amount is in");
        }
        let first_transaction = fields.truth("first_time_transaction")?.unwrap_or(false);
        Ok(Restrictions { minimum, options, first_transaction })
    }

    /// What all that is bought must come to, by currency; `None` for anything.
    pub fn amounts(&self) -> Option<Amounts> {
        let mut all = self.options.clone();
        all.extend(self.minimum.clone().map(|(least, currency)| (currency, least)));
        Some(all).filter(|all| !all.is_empty())
    }

    /// As they are stored; `None` where there are none.
    pub fn text(&self) -> Option<String> {
        let mut object = Map::new();
        if let Some((least, currency)) = &self.minimum {
            object.insert(MINIMUM.into(), least.normalize().to_string().into());
            object.insert("currency".into(), currency.clone().into());
        }
        if !self.options.is_empty() {
            object.insert("currency_options".into(), amounts::value(&self.options, MINIMUM));
        }
        if self.first_transaction {
            object.insert("first_time_transaction".into(), true.into());
        }
        (!object.is_empty()).then(|| Value::Object(object).to_string())
    }

    /// Looks the currencies up. Raises PC007, PC008.
    pub fn check(&self, session: &Session) -> Result<(), Error> {
        let amounts = self.amounts().unwrap_or_default();
        amounts
            .iter()
            .try_for_each(|(code, least)| currency::resolve_for(session, code, "restrictions", *least).map(drop))
    }
}

/// As given; JSON as its text.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// What people type in; `None` for a random one.
    pub code: Option<String>,
    /// Whether it is switched on.
    pub active: Option<bool>,
    /// How often it may be used in all.
    pub max_redemptions: Option<i32>,
    /// From when on it may be used.
    pub starts_at: Option<Time>,
    /// When it cannot be used any more.
    pub expires_at: Option<Time>,
    /// Who may use it.
    pub customers: Option<Vec<String>>,
    /// One of [`TYPES`].
    pub verification_type: Option<String>,
    /// What the purchase must be.
    pub restrictions: Option<String>,
    /// For the merchant.
    pub description: Option<String>,
    /// The application's own.
    pub metadata: Option<String>,
}

/// As it is stored.
#[derive(Debug, Clone)]
pub struct Code {
    /// What people type in; `None` for a random one.
    pub code: Option<String>,
    /// Whether it is switched on.
    pub active: bool,
    /// How often it may be used in all; `None` for any number. It has a table of its own.
    pub max_redemptions: Option<i32>,
    /// From when on it may be used.
    pub starts_at: Option<Time>,
    /// When it cannot be used any more.
    pub expires_at: Option<Time>,
    /// Who may use it; `None` for all.
    pub customers: Option<Vec<String>>,
    /// One of [`TYPES`].
    pub verification_type: &'static str,
    /// What the purchase must be.
    pub restrictions: Restrictions,
    /// For the merchant.
    pub description: Option<String>,
    /// The application's own.
    pub metadata: Option<String>,
}

/// Customers as an argument. Raises PC013.
pub fn customers(given: Option<ArrayOf<String>>) -> Result<Option<Vec<String>>, Error> {
    const ARGUMENT: &str = "customer_ids";
    let Some(given) = given else { return Ok(None) };
    let given = given.elements(ARGUMENT)?;
    if given.len() > MOST_CUSTOMERS {
        return Err(Error::argument(ARGUMENT, format!("must have at most {MOST_CUSTOMERS} elements")));
    }
    let mut customers =
        given.into_iter().map(|id| input::kept_key(ARGUMENT, id)).collect::<Result<Vec<String>, _>>()?;
    customers.sort();
    customers.dedup();
    Ok(Some(customers))
}

impl Given {
    /// Reads the codes of a new coupon: an array of objects, with keys as promotion_code_create() has parameters. Raises PC013.
    pub fn list(text: &str) -> Result<Vec<Self>, Error> {
        let read = || -> Checked<Vec<Self>> {
            let value = json(text)?;
            let Some(codes) = value.as_array().filter(|codes| codes.len() <= MOST_CODES) else {
                return wrong("", "must be an array of at most 100 codes");
            };
            codes.iter().enumerate().map(|(index, code)| Given::of(&format!("[{index}]"), code)).collect()
        };
        read().map_err(|wrong| refused("promotion_codes", &wrong))
    }

    fn of(path: &str, value: &Value) -> Checked<Self> {
        let known = [
            "code",
            "max_redemptions",
            "expires_at",
            "customer_ids",
            "verification_type",
            "restrictions",
            "starts_at",
            "description",
            "metadata",
        ];
        let fields = Fields::of(path, value, &known)?;
        let text = |key: &str| Ok(fields.text(key)?.map(String::from));
        let json = |key: &str| fields.get(key).map(Value::to_string);
        Ok(Given {
            code: text("code")?,
            active: None,
            max_redemptions: fields.whole("max_redemptions", 1..=i32::MAX)?,
            starts_at: time(&fields, "starts_at")?,
            expires_at: time(&fields, "expires_at")?,
            customers: fields.names("customer_ids")?,
            verification_type: text("verification_type")?,
            restrictions: json("restrictions"),
            description: text("description")?,
            metadata: json("metadata"),
        })
    }

    /// What is given, over what is there.
    pub fn over(self, there: Given) -> Given {
        Given {
            code: there.code,
            active: self.active.or(there.active),
            max_redemptions: self.max_redemptions,
            starts_at: self.starts_at.or(there.starts_at).filter(|at| *at != Time::BEGINNING),
            expires_at: self.expires_at.or(there.expires_at).filter(|at| *at != Time::NEVER),
            customers: match self.customers {
                Some(given) => Some(given).filter(|given| !given.is_empty()),
                // All of them may be erased: then it is for nobody.
                None => there.customers,
            },
            verification_type: self.verification_type.or(there.verification_type),
            restrictions: self.restrictions.or(there.restrictions),
            description: self.description.or(there.description),
            metadata: self.metadata.or(there.metadata),
        }
    }

    /// Reads what needs nothing to be looked up. Raises PC013.
    pub fn read(self) -> Result<Code, Error> {
        if let Some(code) = &self.code {
            check_code(code)?;
        }
        input::text("description", self.description.as_deref())?;
        let given = self.verification_type.as_deref().map(|given| match ATTESTED_TOO.contains(&given) {
            true => TYPES[2],
            false => given,
        });
        let default = if self.customers.is_some() { TYPES[1] } else { TYPES[0] };
        let chosen = input::choice("verification_type", given, default, &TYPES)?;
        let verification_type = TYPES.into_iter().find(|known| *known == chosen).unwrap_or(default);
        if verification_type == TYPES[1] && self.customers.is_none() {
            return Err(Error::argument("customer_ids", "is required for the verification_type 'user_restricted'"));
        }
        let (starts_at, expires_at) =
            (moment("starts_at", self.starts_at, None)?, moment("expires_at", self.expires_at, None)?);
        if starts_at.zip(expires_at).is_some_and(|(starts, expires)| expires <= starts) {
            return Err(Error::argument("expires_at", "must be later than starts_at"));
        }
        let restrictions = self.restrictions.map(|text| Restrictions::given(&text)).transpose()?;
        Ok(Code {
            code: self.code,
            active: self.active.unwrap_or(true),
            max_redemptions: limit("max_redemptions", self.max_redemptions, 1)?,
            starts_at,
            expires_at,
            customers: self.customers,
            verification_type,
            restrictions: restrictions.unwrap_or_default(),
            description: self.description,
            metadata: self.metadata,
        })
    }
}

/// A moment in JSON: as text, or as seconds since 1970.
fn time(fields: &Fields<'_>, key: &str) -> Checked<Option<Time>> {
    let moment = match fields.get(key) {
        None => return Ok(None),
        Some(Value::String(text)) => parse("at", text).ok(),
        Some(Value::Number(seconds)) => {
            seconds.as_i64().map(|seconds| Time(0).plus_seconds(seconds.saturating_sub(EPOCH)))
        }
        Some(_) => None,
    };
    match moment.filter(|at| at.date().is_some()) {
        None => fields.wrong(key, "must be a time with its offset, like 2026-03-01T12:00:00Z"),
        moment => Ok(moment),
    }
}

/// A code that people can type in. Raises PC013.
fn check_code(code: &str) -> Result<(), Error> {
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control();
    if code.is_empty() || code.chars().count() > CODE_LENGTH || code.chars().any(is_odd) {
        return Err(Error::argument("code", "must have 1 to 100 characters, and no spaces"));
    }
    Ok(())
}

impl Code {
    /// What a replay is compared by. The first [`FROZEN`] are frozen once it was used.
    pub fn compared(&self) -> Inputs {
        vec![
            ("verification_type", Some(self.verification_type.to_string())),
            ("restrictions", self.restrictions.text()),
            ("code", self.code.clone()),
            ("max_redemptions", self.max_redemptions.map(|most| most.to_string())),
            ("starts_at", self.starts_at.map(|at| at.to_string())),
            ("expires_at", self.expires_at.map(|at| at.to_string())),
            ("customer_ids", self.customers.as_ref().map(|customers| format!("{customers:?}"))),
        ]
    }
}

/// How many of what a code is compared by are frozen.
pub const FROZEN: usize = 2;

/// Letters and digits of random codes: none of them looks like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How long random codes are: 60 bits.
const RANDOM_LENGTH: usize = 12;

/// A random code of random bytes, of which it takes five bits each.
pub fn random(bytes: &[u8; 16]) -> String {
    // Without those that a uuid has the same always.
    let random = bytes[..6].iter().chain(&bytes[9..]);
    random.take(RANDOM_LENGTH).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(given: Given) -> String {
        given.read().map_or_else(|error| error.to_string(), |_| String::from("none"))
    }

    fn kind(given: Given) -> &'static str {
        given.read().map_or("none", |code| code.verification_type)
    }

    #[test]
    fn codes_are_the_same_in_any_case() {
        assert_eq!(key_of(" Frühling20\n"), key_of("FRÜHLING20"));
        for (code, is_one) in [("A", true), ("", false), ("A B", false), ("A\u{7}", false), (&"x".repeat(101), false)] {
            assert_eq!(check_code(code).is_ok(), is_one, "{code}");
        }
    }

    #[test]
    fn random_codes_are_of_random_bits_alone() {
        assert_eq!(random(&[0xFF; 16]), "ZZZZZZZZZZZZ");
        let mut bytes = [0; 16];
        (bytes[6], bytes[7], bytes[8]) = (0x4F, 0xFF, 0xBF);
        assert_eq!(random(&bytes), "000000000000");
    }

    #[test]
    fn who_may_use_it() {
        let for_ann = Given { customers: Some(vec![String::from("ann")]), ..Given::default() };
        assert_eq!(kind(Given::default()), "code");
        assert_eq!(kind(for_ann.clone()), "user_restricted");
        let of = |kind: &str, given: Given| Given { verification_type: Some(kind.to_string()), ..given };
        assert_eq!(kind(of("nft", Given::default())), "attested");
        assert_eq!(kind(of("vc", for_ann.clone())), "attested");
        assert_eq!(kind(of("code", for_ann)), "code");
        let nobody = "customer_ids is required for the verification_type 'user_restricted'";
        assert_eq!(reason(of("user_restricted", Given::default())), nobody);
        // Where all were erased it is for nobody, and no list is for all.
        let erased = || Given { customers: Some(Vec::new()), ..Given::default() };
        assert_eq!(Given::default().over(erased()).customers, Some(Vec::new()));
        assert_eq!(erased().over(Given::default()).customers, None);
    }

    #[test]
    fn restrictions_are_stored_in_one_form() {
        let text = |text: &str| Restrictions::given(text).map(|it| it.text()).map_err(|error| error.to_string());
        let stored = r#"{"minimum_amount":"20","currency":"USD","first_time_transaction":true,
                          "currency_options":{"EUR":{"minimum_amount":"18.5"}}}"#;
        let given = r#"{"minimum_amount": 20.0, "minimum_amount_currency": "USD", "first_time_transaction": true,
                        "currency_options": [{"currency": "EUR", "minimum_amount": "18.50"}]}"#;
        let read: Value = serde_json::from_str(&text(given).unwrap().unwrap()).unwrap();
        assert_eq!(read, serde_json::from_str::<Value>(stored).unwrap());
        assert_eq!(text(stored), text(given));
        assert_eq!(text("{}"), Ok(None));
        assert_eq!(text(r#"{"minimum_amount": 0, "first_time_transaction": false}"#), Ok(None));
        let no_currency = "restrictions is wrong at currency: it is required with minimum_amount";
        assert_eq!(text(r#"{"minimum_amount": 5}"#), Err(no_currency.to_string()));
        assert!(text(r#"{"minimum": 5}"#).is_err());
    }

    #[test]
    fn lists_of_codes_have_times() {
        let read = |text: &str| Given::list(text).map_err(|error| error.to_string());
        let given =
            read(r#"[{"code": "A", "expires_at": "2026-03-01T12:00:00Z"}, {"expires_at": 1772366400}]"#).unwrap();
        assert_eq!(given[0].expires_at, given[1].expires_at);
        assert!(read(r#"[{"expires_at": "soon"}]"#).unwrap_err().contains("[0].expires_at"));
        assert!(read(r#"{"code": "A"}"#).is_err());
    }
}
