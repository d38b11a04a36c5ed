//! Which price an event has: a version of its meter's prices, an override of its customer's, or both where the override
//! is a discount. One number says both, so that an event that has no override, as most, needs no more room. Pure.

/// A version of a meter's prices, and the number of an override; zero for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Of the meter's prices.
    pub list: i32,
    /// Of the customer's overrides of that meter's prices.
    pub override_no: i32,
}

/// The most versions of a meter's prices: what is beyond counts overrides. sql/verify/usage.sql has it too.
pub const MOST_VERSIONS: i32 = 65_535;
/// The most overrides that a customer has of one meter.
pub const MOST_OVERRIDES: i32 = 32_767;

/// What an event has that was imported with what it was charged: no price of ours.
pub const CHARGED_ELSEWHERE: i32 = 0;

impl Version {
    /// As an event has it.
    pub fn packed(self) -> i32 {
        self.override_no * (MOST_VERSIONS + 1) + self.list
    }

    /// What an event has.
    pub fn unpacked(packed: i32) -> Self {
        Version { list: packed % (MOST_VERSIONS + 1), override_no: packed / (MOST_VERSIONS + 1) }
    }
}

/// As the key of a period names it: 'v3', 'o2' for a price of the customer's own, 'v3o2' for a discount.
impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.list > 0 {
            write!(f, "v{}", self.list)?;
        }
        if self.override_no > 0 {
            write!(f, "o{}", self.override_no)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_version_without_an_override_is_its_number() {
        assert_eq!(Version { list: 7, override_no: 0 }.packed(), 7);
        let names = [(7, 0), (0, 2), (7, 2)].map(|(list, override_no)| Version { list, override_no }.to_string());
        assert_eq!(names, ["v7", "o2", "v7o2"]);
    }

    proptest! {
        #[test]
        fn a_version_is_what_was_packed(list in 0..=MOST_VERSIONS, override_no in 0..=MOST_OVERRIDES) {
            let version = Version { list, override_no };
            prop_assert_eq!(Version::unpacked(version.packed()), version);
        }
    }
}
