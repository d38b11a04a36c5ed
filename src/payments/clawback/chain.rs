//! What was bought may have rolled over, and so be in several grants: which of them gives how much of what goes back. Unspent
//! credits first, as in one grant, the newest grant first. Pure.

use crate::amount::Decimal;
use uuid::Uuid;

/// One of the grants that rolled over into one another, and where its credits are; what went on from it is in the next.
#[derive(Debug, Clone)]
pub struct Link {
    /// Which.
    pub grant_id: Uuid,
    /// Left.
    pub remaining: Decimal,
    /// Held, and not waited for.
    pub held: Decimal,
    /// Expired or voided, and standing for nothing that went back before.
    pub lapsed: Decimal,
    /// Spent.
    pub spent: Decimal,
}

/// How many of the credits each gives, those that give none left out. They are given oldest first.
pub fn split(links: &[Link], credits: Decimal) -> Vec<(Uuid, Decimal)> {
    let mut open = credits;
    let mut parts = vec![Decimal::ZERO; links.len()];
    let places: [fn(&Link) -> Decimal; 4] = [|l| l.remaining, |l| l.held, |l| l.lapsed, |l| l.spent];
    for place in places {
        for (link, part) in links.iter().zip(&mut parts).rev() {
            let taken = place(link).min(open).max(Decimal::ZERO);
            *part += taken;
            open -= taken;
        }
    }
    // More than there ever was: as in one grant, what is not found counts as spent.
    if let Some(first) = parts.first_mut() {
        *first += open;
    }
    let given = links.iter().zip(parts).map(|(link, part)| (link.grant_id, part));
    given.rev().filter(|(_, part)| !part.is_zero()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn link(id: u128, [remaining, held, lapsed, spent]: [i64; 4]) -> Link {
        let [remaining, held, lapsed, spent] = [remaining, held, lapsed, spent].map(Decimal::from);
        Link { grant_id: Uuid::from_u128(id), remaining, held, lapsed, spent }
    }

    fn given(links: &[Link], credits: i64) -> Vec<(u128, String)> {
        let parts = split(links, Decimal::from(credits));
        parts.into_iter().map(|(id, part)| (id.as_u128(), part.to_string())).collect()
    }

    /// Of 100 bought 30 were spent, 10 are held and 20 expired; 40 rolled over: 15 spent, 25 left.
    #[test]
    fn what_is_left_goes_first_and_what_was_spent_last() {
        let links = [link(1, [0, 10, 20, 30]), link(2, [25, 0, 0, 15])];
        let part = |id: u128, credits: &str| (id, credits.to_string());
        assert_eq!(given(&links, 20), [part(2, "20")]);
        assert_eq!(given(&links, 30), [part(2, "25"), part(1, "5")]);
        assert_eq!(given(&links, 50), [part(2, "25"), part(1, "25")]);
        assert_eq!(given(&links, 60), [part(2, "30"), part(1, "30")]);
        assert_eq!(given(&links, 100), [part(2, "40"), part(1, "60")]);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_none_is_more_than_there_is(
            of in prop::collection::vec(prop::array::uniform4(0i64..50), 1..6),
            credits in 0i64..600,
        ) {
            let links: Vec<Link> = of.iter().enumerate().map(|(n, of)| link(n as u128, *of)).collect();
            let total: i64 = of.iter().flatten().sum();
            let parts = split(&links, Decimal::from(credits));
            prop_assert_eq!(parts.iter().map(|(_, part)| *part).sum::<Decimal>(), Decimal::from(credits));
            for (id, part) in parts {
                let there: i64 = of[id.as_u128() as usize].iter().sum();
                let more = if id.is_nil() { (credits - total).max(0) } else { 0 };
                prop_assert!(part > Decimal::ZERO && part <= Decimal::from(there + more));
            }
        }
    }
}
