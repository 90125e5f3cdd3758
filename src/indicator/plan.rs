//! The analysis plan of an indicator run: the same document that `scilit estimate` reads.

use super::{
    files::{Margins, Sample},
    options::VarianceChoice,
};
use crate::statistics::plan::{
    Adjustment, BaseWeight, Calibrate, CiPlan, Columns, DataPlan, DesignPlan, Distance, EstimatorPlan, Household,
    IntervalMethod, Margin, MarginCell, Moment, NonresponseClass, Plan, PreAdjustment, Stage, StagesDesign,
    UnknownEligibility,
};

/// The file of a run that holds its rows.
pub const CASES_FILE: &str = "cases.csv";
/// Column: the row's pseudonymous id.
pub const ID: &str = "id";
/// Column: state of the case, [`RESPONDENT`], [`NONRESPONDENT`], [`UNKNOWN`] or [`INELIGIBLE`].
pub const STATUS: &str = "status";
/// State of a case whose response carries a weight.
pub const RESPONDENT: &str = "respondent";
/// Column: the class within which respondents carry nonrespondents' weight.
pub const WEIGHTING_CLASS: &str = "weighting_class";
/// State of an eligible case without such a response, and of one that nobody tells anything of.
pub const NONRESPONDENT: &str = "nonrespondent";
/// State of a case of which it is not known whether it is eligible.
pub const UNKNOWN: &str = "unknown";
/// State of a case that is not eligible: nobody lives there, or nobody of the population does.
pub const INELIGIBLE: &str = "ineligible";
/// Column: the final disposition of the case.
pub const DISPOSITION: &str = "disposition";
/// Column: inverse of the person's selection probability within the household.
pub const PERSON_FACTOR: &str = "person_factor";
/// Column: 1 for 具备科学素质.
pub const LITERATE: &str = "literate";
/// Column: inverse of the product of the stages' probabilities.
pub const WEIGHT_BASE: &str = "weight_base";
/// Column: the base weight after cases of unknown eligibility handed theirs over.
pub const WEIGHT_ELIGIBILITY: &str = "weight_eligibility";
/// Column: that after the nonresponse adjustment.
pub const WEIGHT_NONRESPONSE: &str = "weight_nonresponse";
/// Column: that times the person factor.
pub const WEIGHT_PERSON: &str = "weight_person";
/// Column: the final weight.
pub const WEIGHT: &str = "weight";

/// Weights are rounded before they are used, so that whoever starts from the published files computes with the same
/// numbers; a billionth of a person is far below any error of a survey.
pub const WEIGHT_DECIMALS: u8 = 9;

/// Coverage of the intervals.
pub const LEVEL: f64 = 0.95;

/// What became of the cases, as far as the plan depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseStates {
    /// Some are [`UNKNOWN`].
    pub unknown: bool,
    /// Some are [`INELIGIBLE`].
    pub ineligible: bool,
}

/// The plan of a run: base weight, unknown eligibility where there is any, weighting-class nonresponse adjustment,
/// person factor, raking to the margins, variance by strata and primary sampling units with replacement at the first
/// stage, logit intervals.
///
/// Cases of unknown eligibility hand their weight to the known ones of their class, the ineligible among them: so the
/// same share of them is taken as eligible as of the known ones (proportional allocation, by weight and class). Then
/// the respondents carry the weight of the eligible; that of the ineligible goes to nobody.
///
/// No finite population correction: PPS without replacement is treated as with replacement, which overstates the
/// variance a little and never understates it (Särndal, Swensson and Wretman 1992, section 4.6).
#[must_use]
pub fn analysis_plan(sample: &Sample, margins: Option<&Margins>, variance: VarianceChoice, states: CaseStates) -> Plan {
    Plan {
        id: Some("indicator".to_owned()),
        title: Some("Share of residents aged 18 to 69 who are scientifically literate".to_owned()),
        data: Some(DataPlan { file: CASES_FILE.to_owned(), id: Some(ID.to_owned()) }),
        pre_adjustments: pre_adjustments(sample, states),
        design: Some(DesignPlan::Stages(StagesDesign {
            stages: vec![Stage {
                unit: Some("psu".to_owned()),
                stratum: Columns::one("stratum"),
                population_units: None,
            }],
            weight: Some(WEIGHT_PERSON.to_owned()),
            unit_ids_nested_in_stratum: false,
        })),
        adjustments: margins.map(raking).into_iter().collect(),
        weight_decimals: Some(WEIGHT_DECIMALS),
        variance: variance.plan(),
        estimator: Some(share_by(&[])),
        ..Plan::default()
    }
}

/// The estimator of the share, by a crossing of columns.
#[must_use]
pub fn share_by(by: &[&str]) -> EstimatorPlan {
    EstimatorPlan::Proportion(share_moment(by))
}

pub(super) fn share_moment(by: &[&str]) -> Moment {
    Moment {
        variable: LITERATE.to_owned(),
        by: Columns::of(by.iter().copied()),
        ci: Some(CiPlan { methods: vec![IntervalMethod::Logit], level: LEVEL, df: None }),
        deff: true,
    }
}

fn pre_adjustments(sample: &Sample, states: CaseStates) -> Vec<PreAdjustment> {
    let mut steps = vec![PreAdjustment::BaseWeight(BaseWeight {
        probabilities: sample.stages.clone(),
        multiplier: None,
        result: WEIGHT_BASE.to_owned(),
    })];
    if states.unknown {
        steps.push(PreAdjustment::UnknownEligibility(UnknownEligibility {
            weight: WEIGHT_BASE.to_owned(),
            status: STATUS.to_owned(),
            unknown: UNKNOWN.to_owned(),
            cells: vec![WEIGHTING_CLASS.to_owned()],
            result: WEIGHT_ELIGIBILITY.to_owned(),
            drop_unknown: false,
        }));
    }
    steps.extend([
        PreAdjustment::NonresponseClass(NonresponseClass {
            weight: if states.unknown { WEIGHT_ELIGIBILITY } else { WEIGHT_BASE }.to_owned(),
            status: STATUS.to_owned(),
            respondent: RESPONDENT.to_owned(),
            ineligible: states.ineligible.then(|| INELIGIBLE.to_owned()),
            cells: vec![WEIGHTING_CLASS.to_owned()],
            result: WEIGHT_NONRESPONSE.to_owned(),
            drop_nonrespondents: true,
        }),
        PreAdjustment::Household(Household {
            weight: WEIGHT_NONRESPONSE.to_owned(),
            multiplier: PERSON_FACTOR.to_owned(),
            result: WEIGHT_PERSON.to_owned(),
        }),
    ]);
    steps
}

fn raking(margins: &Margins) -> Adjustment {
    let margin = |margin: &super::files::Margin| Margin {
        by: Columns::one(&margin.variable),
        cells: (margin.levels.iter())
            .map(|level| MarginCell::new(&margin.variable, &level.level, level.total))
            .collect(),
    };
    Adjustment::Calibrate(Calibrate {
        distance: Distance::Raking,
        margins: margins.margins.iter().map(margin).collect(),
        ..Calibrate::default()
    })
}
