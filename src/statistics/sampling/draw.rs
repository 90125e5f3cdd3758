//! The stages of a draw put together.

use std::collections::BTreeMap;

use super::{
    frame::{Frame, FrameUnit},
    random::Stream,
    systematic::{Selected, SystematicError, select_equal, select_pps},
};

/// What to draw from a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawPlan {
    /// Seed; the same seed gives the same sample.
    pub seed: u64,
    /// First-stage units in each stratum; every stratum of the frame and no other.
    pub psus: BTreeMap<String, usize>,
    /// Second-stage units in each first-stage unit; needed exactly when the frame names them.
    pub ssus_per_psu: Option<usize>,
    /// Households in each last area unit; all of them where it has fewer.
    pub households: u64,
    /// Reserve households in each last area unit beside those.
    pub reserves: u64,
}

/// Why a sample cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// A stratum of the frame without a number, or a number without a stratum.
    #[error("stratum {0:?} stands in the frame or in the allocation, but not in both")]
    Stratum(String),
    /// A stratum that is to give no unit: its people would have no chance at all.
    #[error("stratum {0:?} is to give no unit; leave it out of the frame if it is not surveyed")]
    NoUnits(String),
    /// Too few units in a stratum or first-stage unit.
    #[error("stratum {stratum:?}{}: {source}", psu.as_ref().map(|p| format!(", unit {p:?}")).unwrap_or_default())]
    TooFew {
        /// The stratum.
        stratum: String,
        /// The first-stage unit, where its second stage is to blame.
        psu: Option<String>,
        /// What is missing.
        source: SystematicError,
    },
    /// The frame's stages and the plan's do not fit.
    #[error("the frame {}", if *.frame_has_ssus { "names second-stage units, so their number a first-stage unit is needed" } else { "names no second-stage units, so none can be drawn" })]
    Stages {
        /// Whether the frame names second-stage units.
        frame_has_ssus: bool,
    },
    /// No households are wanted.
    #[error("at least one household a unit must be drawn")]
    NoHouseholds,
}

/// One household of the sample.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnCase {
    /// Identifier: last area unit and household number.
    pub case_id: String,
    /// District of the unit.
    pub district: String,
    /// Stratum.
    pub stratum: String,
    /// First-stage unit.
    pub psu: String,
    /// Second-stage unit, where there is one.
    pub ssu: Option<String>,
    /// `urban` or `rural`.
    pub residence: String,
    /// Number of the household on the unit's list, from 1.
    pub household: u64,
    /// Inclusion probability of the first-stage unit.
    pub prob_psu: f64,
    /// Whether the first-stage unit was taken with certainty.
    pub certainty: bool,
    /// Inclusion probability of the second-stage unit inside its first-stage unit.
    pub prob_ssu: Option<f64>,
    /// Inclusion probability of the household inside its unit, as one of the main sample.
    pub prob_household: f64,
    /// 0 for the main sample; reserves count from 1 in the order in which they are to be used.
    pub reserve: u64,
}

/// Draws a stratified multi-stage sample.
///
/// Inside each stratum first-stage units are sorted by the frame's order columns, then residence and identifier, and
/// drawn by systematic sampling in proportion to size, units that fill an interval with certainty. Second-stage units
/// are drawn the same way inside them, households systematically with equal chances. A replacement by a reserve keeps
/// the probability of the household it replaces.
///
/// **Shapes and units**: the answer is sorted by stratum, then by the order of the draw; the main sample of a unit comes
/// before its reserves.
///
/// **Errors**: [`DrawError`], one variant a cause.
///
/// **Source**: Madow 1949; Särndal, Swensson and Wretman 1992, chapters 3 and 4.
///
/// **Example**
/// ```
/// use scilit::statistics::sampling::{DrawPlan, Frame, draw};
/// let text = "district,stratum,psu,residence,households\n1,A,P1,urban,30\n1,A,P2,rural,10\n";
/// let frame = Frame::parse("frame.csv", text, &[]).unwrap();
/// let plan = DrawPlan { seed: 7, psus: [("A".into(), 1)].into(), ssus_per_psu: None, households: 5, reserves: 0 };
/// let cases = draw(&frame, &plan).unwrap();
/// assert_eq!(cases.len(), 5);
/// // Proportional to size, then equal chances: every household has 1/40 · 5 in all.
/// assert!((cases[0].prob_psu * cases[0].prob_household - 0.125).abs() < 1e-15);
/// ```
pub fn draw(frame: &Frame, plan: &DrawPlan) -> Result<Vec<DrawnCase>, DrawError> {
    if plan.households == 0 {
        return Err(DrawError::NoHouseholds);
    }
    if frame.has_ssus != plan.ssus_per_psu.is_some() {
        return Err(DrawError::Stages { frame_has_ssus: frame.has_ssus });
    }
    let mut strata: BTreeMap<&str, Vec<&FrameUnit>> = BTreeMap::new();
    for unit in &frame.units {
        strata.entry(&unit.stratum).or_default().push(unit);
    }
    if let Some(name) = plan.psus.keys().find(|name| !strata.contains_key(name.as_str())) {
        return Err(DrawError::Stratum(name.clone()));
    }
    let mut cases = Vec::new();
    for (name, units) in strata {
        match plan.psus.get(name) {
            None => return Err(DrawError::Stratum(name.to_owned())),
            Some(0) => return Err(DrawError::NoUnits(name.to_owned())),
            Some(n) => draw_stratum(name, units, *n, plan, &mut cases)?,
        }
    }
    Ok(cases)
}

/// A first-stage unit: the frame's rows that belong to it, in order.
struct Psu<'a> {
    rows: Vec<&'a FrameUnit>,
    size: u64,
}

fn draw_stratum(
    name: &str,
    mut units: Vec<&FrameUnit>,
    n: usize,
    plan: &DrawPlan,
    cases: &mut Vec<DrawnCase>,
) -> Result<(), DrawError> {
    units.sort_by(|a, b| in_order(a, b));
    let mut stream = Stream::of(plan.seed, name);
    let psus = first_stage(&units);
    let sizes: Vec<u64> = psus.iter().map(|p| p.size).collect();
    let refuse = |psu: Option<String>| move |source| DrawError::TooFew { stratum: name.to_owned(), psu, source };
    for chosen in select_pps(&sizes, n, |bound| stream.below(bound)).map_err(refuse(None))? {
        let psu = &psus[chosen.index];
        let Some(ssus) = plan.ssus_per_psu else {
            draw_households(psu.rows[0], chosen, None, plan, &mut stream, cases);
            continue;
        };
        let sizes: Vec<u64> = psu.rows.iter().map(|u| u.size).collect();
        let taken = select_pps(&sizes, ssus.min(sizes.len()), |bound| stream.below(bound));
        for ssu in taken.map_err(refuse(Some(psu.rows[0].psu.clone())))? {
            draw_households(psu.rows[ssu.index], chosen, Some(ssu.probability), plan, &mut stream, cases);
        }
    }
    Ok(())
}

fn in_order(a: &FrameUnit, b: &FrameUnit) -> std::cmp::Ordering {
    let keys = a.order.iter().zip(&b.order).map(|(a, b)| a.compare(b)).find(|o| o.is_ne());
    let tie = || (&a.residence, &a.psu, &a.ssu).cmp(&(&b.residence, &b.psu, &b.ssu));
    keys.unwrap_or_else(tie)
}

/// Groups sorted rows into first-stage units, in the order of each one's first row.
fn first_stage<'a>(units: &[&'a FrameUnit]) -> Vec<Psu<'a>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut psus: Vec<Psu<'a>> = Vec::new();
    for &unit in units {
        let at = *places.entry(&unit.psu).or_insert_with(|| {
            psus.push(Psu { rows: Vec::new(), size: 0 });
            psus.len() - 1
        });
        psus[at].rows.push(unit);
        psus[at].size += unit.size;
    }
    psus
}

/// Draws the main sample and the reserves of one last area unit together, then decides by lot which are reserves.
///
/// Spread as one systematic sample, each of its households is equally likely to be in the main sample, with
/// probability households / listed.
fn draw_households(
    unit: &FrameUnit,
    psu: Selected,
    prob_ssu: Option<f64>,
    plan: &DrawPlan,
    stream: &mut Stream,
    cases: &mut Vec<DrawnCase>,
) {
    let main = plan.households.min(unit.households);
    let wanted = main + plan.reserves.min(unit.households - main);
    let mut numbers = select_equal(unit.households, wanted, |bound| stream.below(bound));
    stream.shuffle(&mut numbers);
    let (chosen, reserves) = numbers.split_at_mut(main as usize);
    chosen.sort_unstable();
    let area = unit.ssu.as_ref().map_or_else(|| unit.psu.clone(), |ssu| format!("{}-{ssu}", unit.psu));
    let case = |(household, reserve): (u64, u64)| DrawnCase {
        case_id: format!("{area}-{household:04}"),
        district: unit.district.clone(),
        stratum: unit.stratum.clone(),
        psu: unit.psu.clone(),
        ssu: unit.ssu.clone(),
        residence: unit.residence.clone(),
        household,
        prob_psu: psu.probability,
        certainty: psu.certainty,
        prob_ssu,
        prob_household: main as f64 / unit.households as f64,
        reserve,
    };
    cases.extend(chosen.iter().map(|h| case((*h, 0))));
    cases.extend(reserves.iter().zip(1..).map(|(h, rank)| case((*h, rank))));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn frame(rows: &[(&str, &str, &str, u64)]) -> Frame {
        let unit = |(line, (stratum, psu, residence, households)): (usize, &(&str, &str, &str, u64))| FrameUnit {
            district: "230102".into(),
            stratum: (*stratum).into(),
            psu: (*psu).into(),
            ssu: None,
            residence: (*residence).into(),
            households: *households,
            size: *households,
            order: Vec::new(),
            line: line as u64 + 2,
        };
        Frame { units: rows.iter().enumerate().map(unit).collect(), has_ssus: false }
    }

    fn city() -> Frame {
        frame(&[
            ("A", "A1", "urban", 300),
            ("A", "A2", "urban", 100),
            ("A", "A3", "rural", 60),
            ("A", "A4", "rural", 40),
            ("B", "B1", "rural", 80),
            ("B", "B2", "rural", 20),
        ])
    }

    fn plan(seed: u64, a: usize, b: usize) -> DrawPlan {
        DrawPlan {
            seed,
            psus: [("A".to_owned(), a), ("B".to_owned(), b)].into(),
            ssus_per_psu: None,
            households: 10,
            reserves: 0,
        }
    }

    #[test]
    fn a_sample_is_its_seed_whatever_the_order_of_the_frame() {
        let mut shuffled = city();
        shuffled.units.reverse();
        let one = draw(&city(), &plan(3, 2, 1)).unwrap();
        assert_eq!(one, draw(&shuffled, &plan(3, 2, 1)).unwrap());
        assert_ne!(one, draw(&city(), &plan(4, 2, 1)).unwrap());
    }

    #[test]
    fn another_stratum_does_not_change_this_one() {
        let only_a = Frame { units: city().units.into_iter().filter(|u| u.stratum == "A").collect(), has_ssus: false };
        let mut alone = plan(3, 2, 1);
        alone.psus.remove("B");
        let both = draw(&city(), &plan(3, 2, 1)).unwrap();
        let a: Vec<_> = both.into_iter().filter(|c| c.stratum == "A").collect();
        assert_eq!(a, draw(&only_a, &alone).unwrap());
    }

    #[test]
    fn units_come_up_as_often_as_their_probability_says() {
        let mut drawn: BTreeMap<String, (u32, f64)> = BTreeMap::new();
        const SEEDS: u32 = 4000;
        for seed in 0..SEEDS {
            let cases = draw(&city(), &plan(u64::from(seed), 2, 1)).unwrap();
            let psus: BTreeMap<_, _> = cases.iter().map(|c| (c.psu.clone(), c.prob_psu)).collect();
            assert_eq!(psus.len(), 3);
            for (psu, probability) in psus {
                let entry = drawn.entry(psu).or_insert((0, probability));
                entry.0 += 1;
                assert_eq!(entry.1, probability);
            }
        }
        assert_eq!(drawn["A1"], (SEEDS, 1.0), "300 of 500 fills the interval of 250");
        for (psu, (times, probability)) in drawn {
            let spread = (probability * (1.0 - probability) / f64::from(SEEDS)).sqrt();
            let share = f64::from(times) / f64::from(SEEDS);
            assert!((share - probability).abs() <= 4.0 * spread, "{psu}: {share} against {probability}");
        }
    }

    #[test]
    fn the_weights_of_a_self_weighting_design_add_to_the_households() {
        let total: f64 =
            draw(&city(), &plan(11, 2, 1)).unwrap().iter().map(|c| 1.0 / (c.prob_psu * c.prob_household)).sum();
        // Stratum A: 300 with certainty, then one of the other 200; stratum B: one of 100.
        assert!((total - 600.0).abs() < 1e-9, "{total}");
    }

    #[test]
    fn reserves_follow_the_main_sample_and_keep_its_probability() {
        let with = DrawPlan { reserves: 4, ..plan(5, 2, 1) };
        for cases in draw(&city(), &with).unwrap().chunk_by(|a, b| a.psu == b.psu) {
            assert_eq!(cases.iter().map(|c| c.reserve).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
            assert!(cases.iter().all(|c| c.prob_household == cases[0].prob_household));
            let numbers: BTreeSet<u64> = cases.iter().map(|c| c.household).collect();
            assert_eq!(numbers.len(), 14);
        }
    }

    #[test]
    fn a_small_unit_is_taken_whole() {
        let small = frame(&[("A", "A1", "urban", 6), ("B", "B1", "rural", 12)]);
        let with = DrawPlan { reserves: 5, ..plan(5, 1, 1) };
        let cases = draw(&small, &with).unwrap();
        assert_eq!(cases.iter().filter(|c| c.psu == "A1").count(), 6);
        assert!(cases.iter().filter(|c| c.psu == "A1").all(|c| c.prob_household == 1.0 && c.reserve == 0));
        assert_eq!(cases.iter().filter(|c| c.psu == "B1" && c.reserve > 0).count(), 2);
    }

    #[test]
    fn a_second_stage_multiplies_in() {
        let mut towns = city();
        towns.has_ssus = true;
        for unit in &mut towns.units {
            let ssu = unit.psu.clone();
            unit.psu = unit.stratum.repeat(2);
            unit.ssu = Some(ssu);
        }
        let three = DrawPlan { ssus_per_psu: Some(2), ..plan(2, 1, 1) };
        let cases = draw(&towns, &three).unwrap();
        assert!(cases.iter().all(|c| c.prob_psu == 1.0 && c.certainty));
        let total: f64 = cases.iter().map(|c| 1.0 / (c.prob_psu * c.prob_ssu.unwrap() * c.prob_household)).sum();
        assert!((total - 600.0).abs() < 1e-9, "{total}");
        assert!(cases[0].case_id.starts_with("AA-A"));
        assert_eq!(draw(&towns, &plan(2, 1, 1)), Err(DrawError::Stages { frame_has_ssus: true }));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut wrong = plan(1, 2, 1);
        wrong.psus.insert("C".into(), 1);
        assert_eq!(draw(&city(), &wrong), Err(DrawError::Stratum("C".into())));
        wrong.psus.remove("C");
        wrong.psus.remove("B");
        assert_eq!(draw(&city(), &wrong), Err(DrawError::Stratum("B".into())));
        assert_eq!(draw(&city(), &plan(1, 2, 0)), Err(DrawError::NoUnits("B".into())));
        let message = draw(&city(), &plan(1, 5, 1)).unwrap_err().to_string();
        assert_eq!(message, "stratum \"A\": 5 units are wanted, but only 4 have a size above zero");
        assert_eq!(draw(&city(), &DrawPlan { households: 0, ..plan(1, 1, 1) }), Err(DrawError::NoHouseholds));
    }
}
