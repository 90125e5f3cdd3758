//! A drawn survey as columns: what hundreds of small surveys need for a coverage test, without any JSON.

use super::draw::DrawnSurvey;
use crate::simulate::place::DISTRICTS;

/// One entry a case, respondents and others, in the order of [`DrawnSurvey::cases`].
///
/// Traits and `literate` of cases that do not respond are filled in as well: the simulation knows them. An estimate
/// must use them for respondents only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SurveyColumns {
    /// 6-digit code; the stratum.
    pub district: Vec<&'static str>,
    /// 12-digit code of the 居/村委会.
    pub psu: Vec<String>,
    /// `urban` or `rural`.
    pub residence: Vec<&'static str>,
    /// Inclusion probability of the 居/村委会.
    pub prob_psu: Vec<f64>,
    /// Inclusion probability of the household within it.
    pub prob_household: Vec<f64>,
    /// Persons aged 18 to 69 in the household.
    pub n_eligible: Vec<f64>,
    /// `n_eligible / (prob_psu · prob_household)`.
    pub base_weight: Vec<f64>,
    /// `male` or `female`.
    pub sex: Vec<&'static str>,
    /// Age band.
    pub age_group: Vec<&'static str>,
    /// 受教育程度.
    pub education: Vec<&'static str>,
    /// 1 if the person has 70 points or more, else 0.
    pub literate: Vec<f64>,
    /// Points from 0 to 100.
    pub score: Vec<f64>,
    /// Whether there is an interview.
    pub responds: Vec<bool>,
}

impl DrawnSurvey<'_> {
    /// The survey as columns.
    pub fn columns(&self) -> SurveyColumns {
        let mut columns = SurveyColumns::default();
        for case in &self.cases {
            let (person, psu) = (self.person(case), self.psu(case));
            columns.district.push(DISTRICTS[psu.district].code);
            columns.psu.push(psu.code.clone());
            columns.residence.push(psu.residence.code());
            columns.prob_psu.push(case.prob_psu);
            columns.prob_household.push(case.prob_household);
            columns.n_eligible.push(f64::from(case.n_eligible));
            columns.base_weight.push(f64::from(case.n_eligible) / (case.prob_psu * case.prob_household));
            columns.sex.push(person.sex.code());
            columns.age_group.push(person.age_group().code());
            columns.education.push(person.education.code());
            columns.literate.push(f64::from(u8::from(person.is_literate())));
            columns.score.push(person.score());
            columns.responds.push(case.responds);
        }
        columns
    }
}
