//! Stretches of time: each word of an object is kept together with the one in which the object was created. So a word's
//! newest objects are found stretch by stretch, however many older ones have it too. Pure.

use crate::moment::Time;

/// How many bits of a time are left out: a stretch lasts 2^39 µs, some 153 hours. Indexes hold it, as [`super::words`] says.
const BITS: u32 = 39;
/// The signs of a stretch's name, in PostgreSQL's order of bytes.
const SIGNS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many stretches have a name, half of them before 2000: those of 4,000 years. What is beyond them is in the first or
/// the last one.
const STRETCHES: i64 = 62 * 62 * 62;

/// A stretch of time, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch(i64);

impl Stretch {
    /// The one that a time is in.
    pub fn of(time: Time) -> Stretch {
        Stretch((time.0 >> BITS).clamp(-STRETCHES / 2, STRETCHES / 2 - 1))
    }

    /// How many there are from one to a later one, with both.
    pub fn until(self, later: Stretch) -> i64 {
        later.0 - self.0 + 1
    }

    /// The one that is so many earlier.
    pub fn back(self, count: i64) -> Stretch {
        Stretch(self.0 - count)
    }

    /// What precedes each word in it.
    pub fn name(self) -> String {
        let number = usize::try_from(self.0 + STRETCHES / 2).unwrap_or_default();
        [number / (62 * 62), number / 62, number].iter().map(|digit| char::from(SIGNS[digit % 62])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_those_of_the_indexes() {
        assert_eq!(Stretch::of(Time(0)).name(), "V00");
        assert_eq!(Stretch::of(Time(-1)).name(), "Uzz");
        assert_eq!(Stretch::of(Time((1 << BITS) - 1)).name(), "V00");
        assert_eq!(Stretch::of(Time(1 << BITS)).name(), "V01");
        assert_eq!(Stretch::of(Time::BEGINNING).name(), "000");
        assert_eq!(Stretch::of(Time::NEVER).name(), "zzz");
    }

    #[test]
    fn spans_are_counted_with_both_ends() {
        let (one, later) = (Stretch::of(Time(0)), Stretch::of(Time(3 << BITS)));
        assert_eq!((one.until(later), one.until(one), later.back(3)), (4, 1, one));
    }

    proptest! {
        #[test]
        fn names_go_in_the_order_of_time(one: i64, other: i64) {
            let (one, other) = (Stretch::of(Time(one)), Stretch::of(Time(other)));
            prop_assert_eq!(one.name().cmp(&other.name()), one.cmp(&other));
            prop_assert_eq!(one.name().len(), 3);
        }
    }
}
