//! Draws that are the same in every run with the same seed.

/// A stream of draws: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Draw {
    state: u64,
}

impl Draw {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Draw { state: seed }
    }

    /// The stream of one unit among many: what one draws does not depend on how much another one does.
    pub fn of(seed: u64, number: u64) -> Self {
        let mut draw = Draw::new(seed);
        let begin = draw.next();
        let mut own = Draw::new(begin ^ number.wrapping_mul(Self::STEP));
        own.next();
        own
    }

    /// 64 bits.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(Self::STEP);
        let z = self.state;
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 where the limit is. Uneven by less than one in 2^32 for limits below that.
    pub fn below(&mut self, limit: u64) -> u64 {
        let (high, _) = widening(self.next(), limit);
        high
    }

    /// Whether one of a hundred tickets, `percent` of which win, does.
    pub fn wins(&mut self, percent: u8) -> bool {
        self.below(100) < percent.into()
    }

    /// One of `choices`; none of none.
    pub fn one_of<'c, T>(&mut self, choices: &'c [T]) -> Option<&'c T> {
        choices.get(usize::try_from(self.below(choices.len() as u64)).ok()?)
    }

    /// A fraction of 1, below 1, in steps of a millionth.
    pub fn fraction(&mut self) -> f64 {
        const STEPS: u32 = 1_000_000;
        self.below(STEPS.into()) as f64 / f64::from(STEPS)
    }
}

/// High and low word of a product.
const fn widening(a: u64, b: u64) -> (u64, u64) {
    let product = a as u128 * b as u128;
    ((product >> u64::BITS) as u64, product as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_units_do_not_share_a_stream() {
        let stream = |mut draw: Draw| (0..100).map(|_| draw.next()).collect::<Vec<_>>();
        assert_eq!(stream(Draw::of(7, 3)), stream(Draw::of(7, 3)));
        assert_ne!(stream(Draw::of(7, 3)), stream(Draw::of(8, 3)));
        let (third, fourth) = (stream(Draw::of(7, 3)), stream(Draw::of(7, 4)));
        assert!(third.iter().all(|number| !fourth.contains(number)));
    }

    #[test]
    fn draws_stay_below_their_limit_and_reach_every_number() {
        let mut draw = Draw::new(1);
        let mut seen = [0; 5];
        for _ in 0..1000 {
            seen[draw.below(5) as usize] += 1;
        }
        assert!(
            seen.iter().all(|count| (150..250).contains(count)),
            "{seen:?}"
        );
        assert_eq!(draw.below(0), 0);
        assert!(!Draw::new(1).wins(0) && Draw::new(1).wins(100));
        assert_eq!(draw.one_of::<u8>(&[]), None);
    }
}
