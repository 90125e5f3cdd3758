//! Whether a profile and a questionnaire fit: a profile that cannot reach its maximum is at fault.

use super::{
    points::Points,
    profile::{ProfileDefinition, ScoringProfile},
};
use crate::instrument::{
    faults::{FaultCode, Faults, Findings},
    questionnaire::{Item, Questionnaire},
};

/// An item that counts, with its points and the place of its dimension in the profile.
#[derive(Debug, Clone, Copy)]
pub struct ScoredItem<'a> {
    /// Place of the item in the order of asking.
    pub place: usize,
    /// The item.
    pub item: &'a Item,
    /// Its points.
    pub points: Points,
    /// Place of its dimension in the profile.
    pub dimension: Option<usize>,
}

impl ScoringProfile {
    /// Checks that the profile and a questionnaire fit each other.
    ///
    /// # Errors
    /// Every reason why not, with the line of the profile file.
    pub fn check_fit(&self, questionnaire: &Questionnaire) -> Result<(), Faults> {
        let mut findings = Findings::default();
        let items = self.scored_items(questionnaire);
        let definition = self.definition();
        check_scheme(definition, questionnaire, &mut findings);
        check_totals(definition, &items, &mut findings);
        check_items(definition, &items, &mut findings);
        check_benchmarks(definition, &items, &mut findings);
        let mut faults = self.lines.locate(findings.into_vec());
        for fault in &mut faults {
            let (id, version) = (questionnaire.id(), questionnaire.version());
            fault.message = format!("profile {} with questionnaire {id} {version}: {}", self.id(), fault.message);
        }
        Faults::of(faults).map_or(Ok(()), Err)
    }

    /// The items that count, in the order of asking.
    #[must_use]
    pub fn scored_items<'a>(&self, questionnaire: &'a Questionnaire) -> Vec<ScoredItem<'a>> {
        let definition = self.definition();
        let scored = |(place, item): (usize, &'a Item)| {
            let dimension = match &definition.scheme {
                None => None,
                Some(scheme) => {
                    let code = item.dimensions.get(scheme)?;
                    Some(definition.dimensions.iter().position(|dimension| dimension.code == *code)?)
                }
            };
            Some(ScoredItem { place, item, points: item.points?, dimension })
        };
        questionnaire.items().enumerate().filter(|(_, item)| item.is_scored()).filter_map(scored).collect()
    }
}

fn check_scheme(definition: &ProfileDefinition, questionnaire: &Questionnaire, findings: &mut Findings) {
    let Some(id) = &definition.scheme else { return };
    let Some(scheme) = questionnaire.definition().schemes.iter().find(|scheme| scheme.id == *id) else {
        findings.add("/scheme", None, FaultCode::Fit, format!("the questionnaire has no scheme \"{id}\""));
        return;
    };
    for (i, dimension) in definition.dimensions.iter().enumerate() {
        if !scheme.dimensions.iter().any(|d| d.code == dimension.code) {
            let message = format!("scheme \"{id}\" of the questionnaire has no dimension \"{}\"", dimension.code);
            findings.add(&format!("/dimensions/{i}/code"), None, FaultCode::Fit, message);
        }
    }
    for item in questionnaire.items().filter(|item| item.is_scored()) {
        let Some(code) = item.dimensions.get(id) else { continue };
        if !definition.dimensions.iter().any(|dimension| dimension.code == *code) {
            let message = format!("its dimension \"{code}\" is not in the profile");
            findings.add("/dimensions", Some(&item.id), FaultCode::Fit, message);
        }
    }
}

fn check_totals(definition: &ProfileDefinition, items: &[ScoredItem<'_>], findings: &mut Findings) {
    for (i, dimension) in definition.dimensions.iter().enumerate() {
        let offered = items.iter().filter(|item| item.dimension == Some(i)).map(|item| item.points).sum();
        let code = &dimension.code;
        check_reach(&format!("dimension {code}"), dimension.maximum, offered, &format!("/dimensions/{i}"), findings);
    }
    let offered: Points = items.iter().map(|item| item.points).sum();
    check_reach("the total", definition.maximum, offered, "/maximum", findings);
}

fn check_reach(what: &str, maximum: Points, offered: Points, pointer: &str, findings: &mut Findings) {
    if offered < maximum {
        let message = format!("{what} cannot reach its maximum of {maximum}: the items give {offered}");
        findings.add(pointer, None, FaultCode::Fit, message);
    } else if offered > maximum {
        let message = format!("{what} passes its maximum of {maximum}: the items give {offered}");
        findings.add(pointer, None, FaultCode::Fit, message);
    }
}

fn check_items(definition: &ProfileDefinition, items: &[ScoredItem<'_>], findings: &mut Findings) {
    if let Some(expected) = definition.items
        && expected as usize != items.len()
    {
        let message = format!("{expected} items must count, {} do", items.len());
        findings.add("/items", None, FaultCode::Fit, message);
    }
    if let Some(points) = definition.points_per_item {
        for item in items.iter().filter(|item| item.points != points) {
            let message = format!("it gives {} points, every item must give {points}", item.points);
            findings.add("/points_per_item", Some(&item.item.id), FaultCode::Fit, message);
        }
    }
}

fn check_benchmarks(definition: &ProfileDefinition, items: &[ScoredItem<'_>], findings: &mut Findings) {
    let uncovered: Vec<String> = (1..=definition.benchmarks.unwrap_or(0))
        .filter(|number| !items.iter().any(|item| item.item.benchmarks.contains(number)))
        .map(|number| number.to_string())
        .collect();
    if !uncovered.is_empty() {
        let message = format!("no item covers benchmark {}", uncovered.join(", "));
        findings.add("/benchmarks", None, FaultCode::Fit, message);
    }
}
