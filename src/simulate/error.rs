//! What a simulation can refuse.

/// A city or a survey that cannot be made as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// Too few persons for every district to have enough 居/村委会.
    #[error(
        "make a city of {persons} persons with about {persons_per_psu} in each 居/村委会: at least {needed} persons are needed"
    )]
    CityTooSmall {
        /// Persons asked for.
        persons: u32,
        /// Persons asked for in each 居/村委会.
        persons_per_psu: u32,
        /// The least number that works.
        needed: u32,
    },
    /// A share that is not inside (0, 1).
    #[error("make a city with {name} = {value}: it must be above {low} and below {high}")]
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Excluded lower limit.
        low: f64,
        /// Excluded upper limit.
        high: f64,
    },
    /// More 居/村委会 asked for than a district has.
    #[error("draw {asked} 居/村委会 in {district}: it has {available}, and between 2 and half of them can be drawn")]
    TooManyPsus {
        /// 6-digit code of the district.
        district: String,
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        available: usize,
    },
    /// Fewer interviews than one a drawn 居/村委会, or more households than there are.
    #[error("draw a survey of {persons} persons: with this design it must be between {least} and {most}")]
    Persons {
        /// Persons asked for.
        persons: u32,
        /// The least number.
        least: u32,
        /// The greatest number.
        most: u32,
    },
    /// No main-effects model has all the wanted rates.
    #[error("fit the literacy model: the nearest rate is still {worst_rate} away from its target")]
    NoFit {
        /// Furthest rate from its target, as a share.
        worst_rate: f64,
    },
}
