//! Several waves of one place side by side: the share with its interval, the gaps between two groups, and their changes.
//!
//! The waves are a chain of runs, each compared with the one before. Every run of the chain was scored by one profile,
//! because a run refuses to be compared with another's.

use serde::{Deserialize, Serialize};

use super::{
    Label, SampleRelation,
    files::Target,
    results::{Compared, Difference, ResultRow, Results, Status, SurveyHead, VersionHead},
    waves::compared,
};

/// Version of the document's shape.
pub const SERIES_SCHEMA: &str = "scilit/series/1";

/// The published national results of the China Association for Science and Technology's surveys, in percent. The
/// instrument changed several times; they stand beside a place's own waves and are never joined to them.
const NATIONAL: [(i32, f64); 13] = [
    (1996, 0.2),
    (2001, 1.44),
    (2003, 1.98),
    (2005, 1.60),
    (2007, 2.25),
    (2010, 3.27),
    (2015, 6.20),
    (2018, 8.47),
    (2020, 10.56),
    (2022, 12.93),
    (2023, 14.14),
    (2024, 15.37),
    (2025, 16.74),
];

/// One run of the chain with what its survey says about time.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOfWave {
    /// The run.
    pub run: String,
    /// First day of fieldwork, ISO 8601.
    pub fieldwork_from: String,
    /// Last day of fieldwork, ISO 8601.
    pub fieldwork_to: String,
    /// What it found.
    pub results: Results,
}

/// Waves of one place over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// [`SERIES_SCHEMA`].
    pub schema: String,
    /// The place.
    pub place: String,
    /// The one profile of all waves.
    pub profile: VersionHead,
    /// Confidence level of every interval.
    pub level: f64,
    /// Decimals of a share in percent that the coarsest wave was released with; nothing when none was rounded.
    pub percent_decimals: Option<i32>,
    /// The place's own targets, as the newest wave has them.
    pub targets: Vec<TargetPath>,
    /// The waves, the earliest first.
    pub waves: Vec<Wave>,
    /// Changes from one wave to the next, and from the first to the last when there are more than two.
    pub changes: Vec<WaveChange>,
    /// The published national results.
    pub national: Vec<Published>,
    /// Where they were published.
    pub national_source: Label,
}

/// One wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wave {
    /// The run.
    pub run: String,
    /// The survey.
    pub survey: SurveyHead,
    /// Interim or final.
    pub status: Status,
    /// The year in which fieldwork began.
    pub year: i32,
    /// First day of fieldwork.
    pub fieldwork_from: String,
    /// Last day of fieldwork.
    pub fieldwork_to: String,
    /// The whole place.
    pub whole: ResultRow,
    /// The rows of each variable with two groups, such as 城乡.
    pub groups: Vec<ResultRow>,
    /// Their gaps.
    pub gaps: Vec<Difference>,
}

/// What changed between two waves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaveChange {
    /// The earlier year.
    pub from: i32,
    /// The later year.
    pub to: i32,
    /// The whole place's share, later minus earlier.
    pub whole: Compared,
    /// The gaps, later minus earlier.
    pub gaps: Vec<GapChange>,
}

/// How one gap changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapChange {
    /// The variable's column.
    pub variable: String,
    /// Its name.
    pub label: Label,
    /// Gap later minus gap earlier.
    #[serde(flatten)]
    pub of: Compared,
}

/// A target and the way to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetPath {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// Target minus the newest wave's share.
    pub distance: Option<f64>,
    /// Years left after the newest wave; nothing when its year has come.
    pub years_left: Option<i32>,
    /// What each of those years would have to add, as a share.
    pub needed_a_year: Option<f64>,
    /// What each year from the first wave to the target's would have had to add.
    pub planned_a_year: Option<f64>,
}

/// A figure that others published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The year.
    pub year: i32,
    /// The share.
    pub share: f64,
}

impl Series {
    /// The series of a chain of runs, the newest first; `None` for an empty chain.
    #[must_use]
    pub fn of(mut chain: Vec<RunOfWave>) -> Option<Self> {
        chain.reverse();
        let newest = chain.last()?.results.clone();
        let waves: Vec<Wave> = chain.iter().filter_map(wave).collect();
        let mut changes: Vec<WaveChange> = chain
            .windows(2)
            .zip(waves.windows(2))
            .map(|(runs, waves)| change(&runs[0].results, &runs[1].results, [&waves[0], &waves[1]]))
            .collect();
        let apart = chain.iter().all(|run| run.results.changes.as_ref().is_none_or(is_apart));
        if let ([first, .., last], true) = (waves.as_slice(), waves.len() > 2 && apart) {
            changes.push(whole_change(first, last, compared(&last.whole, &first.whole, 0.0, false), true));
        }
        let own = |target: &&Target| Some(&target.region) == newest.survey.region.as_ref();
        let targets = newest.targets.iter().filter(own).map(|target| path(target, &waves)).collect();
        let published = |&(year, percent): &(i32, f64)| Published { year, share: percent / 100.0 };
        Some(Self {
            schema: SERIES_SCHEMA.to_owned(),
            place: newest.survey.place,
            profile: newest.profile,
            level: newest.method.level,
            percent_decimals: chain
                .iter()
                .filter_map(|run| run.results.release.as_ref())
                .map(|of| of.percent_decimals)
                .min(),
            targets,
            waves,
            changes,
            national: NATIONAL.iter().map(published).collect(),
            national_source: Label::new(
                "中国科协历次中国公民科学素质抽样调查公布数（全国）",
                "published results of the China Association for Science and Technology's surveys (national)",
            ),
        })
    }
}

fn wave(run: &RunOfWave) -> Option<Wave> {
    let RunOfWave { run, fieldwork_from, fieldwork_to, results } = run;
    let whole = results.tables.iter().find(|table| table.by.is_empty())?.rows.first()?.clone();
    // A variable of two groups has one difference.
    let pairs = |one: &&Difference| results.differences.iter().filter(|of| of.variable == one.variable).count() == 1;
    let gaps: Vec<Difference> = results.differences.iter().filter(pairs).cloned().collect();
    let of_gap = |table: &&super::results::ResultTable| gaps.iter().any(|gap| gap.variable == table.id);
    let groups = results.tables.iter().filter(of_gap).flat_map(|table| table.rows.clone()).collect();
    Some(Wave {
        run: run.clone(),
        survey: results.survey.clone(),
        status: results.status,
        year: fieldwork_from.get(..4)?.parse().ok()?,
        fieldwork_from: fieldwork_from.clone(),
        fieldwork_to: fieldwork_to.clone(),
        whole,
        groups,
        gaps,
    })
}

fn is_apart(changes: &super::results::Changes) -> bool {
    changes.samples == SampleRelation::Independent
}

/// The change that the later run computed itself, so that shared places are accounted for.
fn change(earlier: &Results, later: &Results, [first, second]: [&Wave; 2]) -> WaveChange {
    let made = later.changes.as_ref().filter(|changes| changes.input_digest == earlier.input_digest);
    let row = made.and_then(|changes| changes.rows.iter().find(|row| row.table == "city"));
    let whole = row.map_or_else(Compared::default, |row| row.of.clone());
    whole_change(first, second, whole, made.is_some_and(is_apart))
}

fn whole_change(first: &Wave, last: &Wave, whole: Compared, apart: bool) -> WaveChange {
    let gap_change = |later: &Difference| {
        let earlier = first.gaps.iter().find(|gap| gap.variable == later.variable)?;
        let of = if apart { compared(&as_row(&later.of), &as_row(&earlier.of), 0.0, false) } else { joint_unknown() };
        Some(GapChange { variable: later.variable.clone(), label: later.label.clone(), of })
    };
    WaveChange { from: first.year, to: last.year, whole, gaps: last.gaps.iter().filter_map(gap_change).collect() }
}

fn as_row(of: &Compared) -> ResultRow {
    ResultRow { estimate: of.estimate, se: of.se, df: of.df, ..ResultRow::default() }
}

/// Over shared places the covariance of two gaps is not in the results, and leaving it out would misstate the error.
fn joint_unknown() -> Compared {
    let zh = "两次调查了同样的村（居），差距的变化不在此给出区间";
    let en = "the waves share places, and the change of a gap has no interval here";
    Compared { not_estimable: Some(Label::new(zh, en)), ..Compared::default() }
}

fn path(target: &Target, waves: &[Wave]) -> TargetPath {
    let newest = waves.last().and_then(|wave| Some((wave.year, wave.whole.estimate?)));
    let first = waves.first().and_then(|wave| Some((wave.year, wave.whole.estimate?)));
    let rate = |(year, share): (i32, f64)| {
        let years = target.year - year;
        (years > 0).then(|| (target.value - share) / f64::from(years))
    };
    TargetPath {
        target: target.clone(),
        distance: newest.map(|(_, share)| target.value - share),
        years_left: newest.map(|(year, _)| target.year - year).filter(|years| *years > 0),
        needed_a_year: newest.and_then(rate),
        planned_a_year: first.and_then(rate),
    }
}
