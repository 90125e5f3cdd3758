//! Scoring profiles: the versioned rule from answers to a verdict, as data.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::points::Points;
use crate::instrument::{
    canonical,
    faults::{Fault, FaultCode, Faults, Findings, Found},
    questionnaire::{is_code, is_identifier},
    source::{Lines, Read, read_toml},
    text::{MAIN_LANGUAGE, Texts},
};

const FORMAT: u32 = 1;

/// A scoring profile as its file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileDefinition {
    /// Version of the file format: 1.
    pub format: u32,
    /// Its id, for instance `A-2024`.
    pub id: String,
    /// Its version; another rule is another version.
    pub version: String,
    /// Its name.
    pub title: Texts,
    /// Where the rule comes from, and what is not certain about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Texts>,
    /// The scheme that sorts items into the dimensions; when absent every item with a key counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// The points of a person who answers everything right.
    pub maximum: Points,
    /// What reaching a cut means.
    pub comparison: CutComparison,
    /// What makes a person literate.
    pub verdict: VerdictRule,
    /// How many items must count; not checked when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// The points every item must have; not checked when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_per_item: Option<Points>,
    /// The 基准 1 to this number must all be covered; not checked when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmarks: Option<u8>,
    /// Largest share of the items that may lack an answer (refused, not asked, not reached; not 不知道) for a score.
    pub missing_share_max: f64,
    /// Tiers of the total, from low to high.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// The dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<ProfileDimension>,
    /// Other profiles whose results may stand beside this one's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<ProfileLink>,
}

/// What reaching a cut means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CutComparison {
    /// The score is at least the cut.
    #[serde(rename = "ge")]
    AtLeast,
    /// The score is above the cut.
    #[serde(rename = "gt")]
    Above,
}

impl CutComparison {
    /// Whether a score reaches a cut.
    #[must_use]
    pub fn reaches(self, score: Points, cut: Points) -> bool {
        match self {
            Self::AtLeast => score >= cut,
            Self::Above => score > cut,
        }
    }
}

/// What makes a person literate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictRule {
    /// The total reaches the tier marked `literate`.
    Total,
    /// Every dimension reaches its own cut.
    EveryDimension,
}

/// One tier of the total; tiers are cumulative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its code, for instance `literate`.
    pub code: String,
    /// Its name, for instance 具备科学素质.
    pub label: Texts,
    /// Its cut.
    pub cut: Points,
    /// Whether reaching it makes a person literate; true for exactly one tier.
    #[serde(default)]
    pub literate: bool,
}

/// One dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileDimension {
    /// Its code in the scheme.
    pub code: String,
    /// The points its items give together.
    pub maximum: Points,
    /// Its own cut, where the verdict needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Points>,
}

/// A declared link: results by the two profiles may be compared, for this reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileLink {
    /// Id of the other profile.
    pub profile: String,
    /// Version of the other profile.
    pub version: String,
    /// Why, and with what care.
    pub reason: Texts,
}

/// Two profiles that no link connects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("results scored by {left} and by {right} must not be compared: no link between the two profiles is declared")]
pub struct Incomparable {
    /// Id and version of the one.
    pub left: String,
    /// Id and version of the other.
    pub right: String,
}

/// A checked scoring profile.
#[derive(Debug, Clone)]
pub struct ScoringProfile {
    definition: ProfileDefinition,
    canonical: String,
    hash: String,
    pub(super) lines: Lines,
}

impl ScoringProfile {
    /// Reads and checks a profile file. `place` names the file in messages.
    ///
    /// # Errors
    /// Every fault of the file at once, with its line.
    pub fn from_toml(place: &str, source: &str) -> Result<Self, Faults> {
        let Read { document, lines, mut faults, .. } = read_toml::<ProfileDefinition>(place, source);
        if let Some(definition) = &document {
            faults.extend(lines.locate(check(definition)));
        }
        Self::build(document, lines, faults)
    }

    /// Reads a profile from its canonical JSON, as storage keeps it.
    ///
    /// # Errors
    /// Every fault; also when the bytes are not the canonical form.
    pub fn from_canonical_json(json: &str) -> Result<Self, Faults> {
        let lines = Lines::none("canonical JSON");
        let mut findings = Findings::default();
        let document = serde_json::from_str::<ProfileDefinition>(json)
            .map_err(|error| findings.add("", None, FaultCode::Syntax, error.to_string()))
            .ok();
        let mut found = document.as_ref().map(check).unwrap_or_default();
        if document.as_ref().is_some_and(|d| canonical::to_canonical_json(d) != json) {
            findings.add("", None, FaultCode::NotCanonical, "the bytes are not the canonical form of their content");
        }
        found.extend(findings.into_vec());
        let faults = lines.locate(found);
        Self::build(document, lines, faults)
    }

    fn build(document: Option<ProfileDefinition>, lines: Lines, mut faults: Vec<Fault>) -> Result<Self, Faults> {
        if document.is_none() && faults.is_empty() {
            let mut findings = Findings::default();
            findings.add("", None, FaultCode::Syntax, "cannot be read");
            faults = lines.locate(findings.into_vec());
        }
        match (document, Faults::of(faults)) {
            (Some(definition), None) => {
                let canonical = canonical::to_canonical_json(&definition);
                let hash = canonical::sha256_hex(canonical.as_bytes());
                Ok(Self { definition, canonical, hash, lines })
            }
            (_, Some(faults)) => Err(faults),
            (None, None) => unreachable!("an unreadable profile has a fault"),
        }
    }

    /// Its id, for instance `A-2024`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.definition.id
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.definition.version
    }

    /// SHA-256 of its canonical JSON: what an estimate carries.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The title in a language, or in Chinese.
    #[must_use]
    pub fn title(&self, language: &str) -> &str {
        self.definition.title.get(language)
    }

    /// The bytes whose SHA-256 is the hash.
    #[must_use]
    pub fn canonical_json(&self) -> &str {
        &self.canonical
    }

    /// The whole content.
    #[must_use]
    pub fn definition(&self) -> &ProfileDefinition {
        &self.definition
    }

    /// The tiers, from low to high.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.definition.tiers
    }

    /// The tiers a total reaches, from low to high: tiers are cumulative.
    pub fn tiers_reached(&self, points: Points) -> impl Iterator<Item = &Tier> {
        self.definition.tiers.iter().filter(move |tier| self.definition.comparison.reaches(points, tier.cut))
    }

    /// Whether results by this profile and another may be compared: the same profile, or a link that either declares.
    ///
    /// # Errors
    /// [`Incomparable`] when nothing connects them.
    pub fn comparable_with(&self, other: &Self) -> Result<(), Incomparable> {
        if self.hash == other.hash || self.links_to(other) || other.links_to(self) {
            return Ok(());
        }
        let name = |profile: &Self| format!("{} {}", profile.id(), profile.version());
        Err(Incomparable { left: name(self), right: name(other) })
    }

    fn links_to(&self, other: &Self) -> bool {
        self.definition.links.iter().any(|link| link.profile == other.id() && link.version == other.version())
    }
}

/// JSON Schema of the profile file.
#[must_use]
pub fn profile_schema() -> String {
    let schema = schemars::schema_for!(ProfileDefinition);
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

fn check(definition: &ProfileDefinition) -> Vec<Found> {
    let mut findings = Findings::default();
    check_head(definition, &mut findings);
    check_texts(definition, &mut findings);
    check_tiers(definition, &mut findings);
    check_dimensions(definition, &mut findings);
    findings.into_vec()
}

fn check_head(definition: &ProfileDefinition, findings: &mut Findings) {
    let mut fault = |pointer: &str, code, message: String| findings.add(pointer, None, code, message);
    if definition.format != FORMAT {
        fault("/format", FaultCode::Range, format!("format {} is unknown: write {FORMAT}", definition.format));
    }
    if !is_identifier(&definition.id) {
        fault("/id", FaultCode::BadIdentifier, format!("\"{}\" cannot be an id", definition.id));
    }
    if !is_code(&definition.version) {
        fault("/version", FaultCode::BadIdentifier, format!("\"{}\" cannot be a version", definition.version));
    }
    if !(0.0..1.0).contains(&definition.missing_share_max) {
        let message = format!("missing_share_max {} is not a share from 0 to below 1", definition.missing_share_max);
        fault("/missing_share_max", FaultCode::Range, message);
    }
    if definition.maximum == Points::default() {
        fault("/maximum", FaultCode::Range, "maximum must be above 0".to_owned());
    }
    if definition.benchmarks.is_some_and(|n| !(1..=26).contains(&n)) {
        fault("/benchmarks", FaultCode::Range, "benchmarks must be 1 to 26".to_owned());
    }
}

fn check_texts(definition: &ProfileDefinition, findings: &mut Findings) {
    let mut texts: BTreeMap<String, &Texts> = BTreeMap::from([("/title".to_owned(), &definition.title)]);
    texts.extend(definition.note.iter().map(|note| ("/note".to_owned(), note)));
    texts.extend(definition.tiers.iter().enumerate().map(|(i, t)| (format!("/tiers/{i}/label"), &t.label)));
    texts.extend(definition.links.iter().enumerate().map(|(i, l)| (format!("/links/{i}/reason"), &l.reason)));
    for (pointer, text) in texts {
        if !text.has(MAIN_LANGUAGE) || text.iter().any(|(_, words)| words.trim().is_empty()) {
            let message = format!("the text in {MAIN_LANGUAGE} is missing, or a text is empty");
            findings.add(&pointer, None, FaultCode::Language, message);
        }
    }
}

fn check_tiers(definition: &ProfileDefinition, findings: &mut Findings) {
    let tiers = &definition.tiers;
    for (i, tier) in tiers.iter().enumerate() {
        let at = format!("/tiers/{i}");
        if !is_code(&tier.code) || tiers[..i].iter().any(|earlier| earlier.code == tier.code) {
            let message = format!("\"{}\" is not a code, or stands twice", tier.code);
            findings.add(&format!("{at}/code"), None, FaultCode::DuplicateCode, message);
        }
        let out_of_reach = !definition.comparison.reaches(definition.maximum, tier.cut);
        if out_of_reach || (i > 0 && tiers[i - 1].cut >= tier.cut) {
            let message = format!("cut {} is not above the tier before it and within reach of the maximum", tier.cut);
            findings.add(&format!("{at}/cut"), None, FaultCode::Range, message);
        }
    }
    let literate = tiers.iter().filter(|tier| tier.literate).count();
    let message = match definition.verdict {
        VerdictRule::Total if literate != 1 => "exactly one tier must be marked literate",
        VerdictRule::EveryDimension if !tiers.is_empty() => "tiers have no meaning when every dimension decides",
        _ => return,
    };
    findings.add("/tiers", None, FaultCode::Structure, message);
}

fn check_dimensions(definition: &ProfileDefinition, findings: &mut Findings) {
    let dimensions = &definition.dimensions;
    let mut seen = BTreeSet::new();
    for (i, dimension) in dimensions.iter().enumerate() {
        let at = format!("/dimensions/{i}");
        if !is_identifier(&dimension.code) || !seen.insert(&dimension.code) {
            let message = format!("\"{}\" is not a code, or stands twice", dimension.code);
            findings.add(&format!("{at}/code"), None, FaultCode::DuplicateCode, message);
        }
        let reachable = |cut| definition.comparison.reaches(dimension.maximum, cut);
        let message = match (definition.verdict, dimension.cut) {
            (VerdictRule::EveryDimension, None) => "the dimension needs a cut of its own".to_owned(),
            (VerdictRule::Total, Some(_)) => "a cut of a dimension has no meaning when the total decides".to_owned(),
            (_, Some(cut)) if !reachable(cut) => format!("cut {cut} is out of reach of {}", dimension.maximum),
            _ => continue,
        };
        findings.add(&format!("{at}/cut"), None, FaultCode::Range, message);
    }
    let total: Points = dimensions.iter().map(|dimension| dimension.maximum).sum();
    let message = if dimensions.is_empty() != definition.scheme.is_none() {
        "a scheme and its dimensions stand together or not at all".to_owned()
    } else if definition.verdict == VerdictRule::EveryDimension && dimensions.is_empty() {
        "there is no dimension to decide".to_owned()
    } else if !dimensions.is_empty() && total != definition.maximum {
        format!("the dimensions give {total} points, the maximum is {}", definition.maximum)
    } else {
        return;
    };
    findings.add("/dimensions", None, FaultCode::Structure, message);
}
