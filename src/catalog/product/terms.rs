//! What a product is made of, as it is given and checked.

use crate::catalog::credit_config::CreditConfig;
use crate::catalog::credit_config::check::{Given as GivenConfig, Unchecked};
use crate::error::Error;
use crate::input;
use crate::pg::call::argument::ArrayOf;
use crate::pg::statement::Session;
use crate::pg::value::Json;

/// The kinds of products.
pub const TYPES: [&str; 3] = ["service", "good", "credit"];
/// The most images, and the most features.
const MOST: usize = 100;
/// The longest text on a card's statement, in characters.
const DESCRIPTOR_LENGTH: usize = 22;

/// As given.
#[derive(Default)]
pub struct Given<'a> {
    /// Its display name.
    pub name: Option<&'a str>,
    /// One of [`TYPES`].
    pub kind: Option<&'a str>,
    /// What it is.
    pub description: Option<&'a str>,
    /// Addresses of pictures.
    pub images: Option<ArrayOf<String>>,
    /// What it has to offer.
    pub features: Option<ArrayOf<String>>,
    /// What one unit is called.
    pub unit_label: Option<&'a str>,
    /// What a card's statement says.
    pub statement_descriptor: Option<&'a str>,
    /// What one unit grants.
    pub config: GivenConfig<'a>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// As read; `None` where nothing is given.
pub struct Terms<'a> {
    /// Its display name.
    pub name: Option<&'a str>,
    /// One of [`TYPES`].
    pub kind: Option<&'a str>,
    /// What it is.
    pub description: Option<&'a str>,
    /// Addresses of pictures.
    pub images: Option<Vec<String>>,
    /// What it has to offer.
    pub features: Option<Vec<String>>,
    /// What one unit is called.
    pub unit_label: Option<&'a str>,
    /// What a card's statement says.
    pub statement_descriptor: Option<&'a str>,
    /// What one unit grants.
    pub config: Option<Unchecked>,
    /// The application's own.
    pub metadata: Option<Json>,
}

impl<'a> Given<'a> {
    /// Reads what is given, over what one unit grants so far. Raises PC007, PC013.
    pub fn read(self, there: Option<CreditConfig>) -> Result<Terms<'a>, Error> {
        input::text("description", self.description)?;
        if let Some(kind) = self.kind {
            input::choice("type", Some(kind), kind, &TYPES)?;
        }
        if self.statement_descriptor.is_some_and(|text| text.is_empty() || text.chars().count() > DESCRIPTOR_LENGTH) {
            return Err(Error::argument("statement_descriptor", "must have 1 to 22 characters"));
        }
        Ok(Terms {
            name: input::optional_key("name", self.name)?,
            kind: self.kind,
            description: self.description,
            images: texts("images", self.images)?,
            features: texts("features", self.features)?,
            unit_label: input::optional_key("unit_label", self.unit_label)?,
            statement_descriptor: self.statement_descriptor,
            config: self.config.read(there)?,
            metadata: self.metadata,
        })
    }
}

impl Terms<'_> {
    /// Checks what one unit grants. Raises PC004, PC007, PC008, PC013, PC015.
    pub fn check(mut self, session: &Session) -> Result<Self, Error> {
        self.config = self.config.map(|config| config.check(session)).transpose()?;
        Ok(self)
    }
}

/// A list of texts, in their order.
fn texts(argument: &'static str, given: Option<ArrayOf<String>>) -> Result<Option<Vec<String>>, Error> {
    let Some(given) = given else { return Ok(None) };
    let given = given.elements(argument)?;
    if given.len() > MOST {
        return Err(Error::argument(argument, "must have at most 100 elements"));
    }
    given
        .into_iter()
        .map(|text| match text {
            Some(text) if !text.is_empty() => {
                Ok(input::text(argument, Some(&text))?.map(String::from).unwrap_or_default())
            }
            _ => Err(Error::argument(argument, "must not have an empty element or NULL")),
        })
        .collect::<Result<_, _>>()
        .map(Some)
}
