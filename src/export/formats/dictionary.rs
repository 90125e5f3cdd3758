//! The description of the persons' columns, read from a run's own files: questionnaire, profile, regions.

use std::collections::BTreeMap;

use super::{Column, ColumnKind, FormatError, ValueLabel, answers::answers};
use crate::{
    export::{
        RESULTS_FILE,
        bundle::{PROFILE_FILE, QUESTIONNAIRE_FILE, REGIONS_FILE},
    },
    indicator::{
        Label,
        files::Regions,
        plan,
        results::{Results, Status},
    },
    instrument::{Classification, Questionnaire, ScoringProfile, Texts},
};

/// The files of a run that say what its columns mean.
#[derive(Debug, Clone, Copy)]
pub struct FormatSources<'a> {
    /// `questionnaire.json`.
    pub questionnaire: &'a [u8],
    /// `profile.toml`.
    pub profile: &'a [u8],
    /// `regions.csv`, where the survey has one.
    pub regions: Option<&'a [u8]>,
    /// `results.json`.
    pub results: &'a [u8],
    /// SHA-256 of the machine's CSV, so that each form names the file that it was made from.
    pub persons_sha256: &'a str,
}

/// What a form says of its survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Study {
    pub(super) code: String,
    pub(super) title: String,
    pub(super) place: String,
    pub(super) example: bool,
    pub(super) interim: bool,
    pub(super) engine: String,
    pub(super) questionnaire: String,
    pub(super) profile: String,
    pub(super) persons_sha256: String,
}

impl Study {
    /// 临时结果 or 最终结果, and that the data are made up where they are: whoever opens a file must see it there.
    pub(super) fn standing(&self) -> Label {
        let (zh, en) =
            if self.interim { ("临时结果", "interim results") } else { ("最终结果", "final results") };
        if !self.example {
            return Label::new(zh, en);
        }
        Label::new(&format!("{zh}，示例数据"), &format!("{en}, made-up data"))
    }
}

/// What the columns of the persons' file mean.
#[derive(Debug, Clone)]
pub struct Dictionary {
    known: BTreeMap<String, Column>,
    answers: Vec<Column>,
    study: Option<Study>,
}

impl Dictionary {
    /// The columns of surveys with this questionnaire, profile and regions.
    #[must_use]
    pub fn new(questionnaire: &Questionnaire, profile: &ScoringProfile, regions: &Regions) -> Self {
        let classifications = questionnaire.classifications();
        let mut known: Vec<Column> = fixed();
        known.push(of_districts(regions));
        known.extend(classifications.iter().map(of_classification));
        known.push(not_used(classifications));
        known.push(tiers(profile));
        known.extend(dimensions(questionnaire, profile));
        let known = known.into_iter().map(|column| (column.name.clone(), column)).collect();
        Self { known, answers: answers(questionnaire), study: None }
    }

    /// Reads the description of a run's files.
    ///
    /// # Errors
    /// `Source` names the file that is not as a run writes it.
    pub fn read(sources: &FormatSources<'_>) -> Result<Self, FormatError> {
        let questionnaire = text(QUESTIONNAIRE_FILE, sources.questionnaire)?;
        let questionnaire = read(QUESTIONNAIRE_FILE, Questionnaire::from_canonical_json(questionnaire))?;
        let profile = text(PROFILE_FILE, sources.profile)?;
        let profile = read(PROFILE_FILE, ScoringProfile::from_toml(PROFILE_FILE, profile))?;
        let regions =
            sources.regions.map(|bytes| read(REGIONS_FILE, Regions::parse(REGIONS_FILE, text(REGIONS_FILE, bytes)?)));
        let results: Results = read(RESULTS_FILE, serde_json::from_slice(sources.results))?;
        let mut dictionary = Self::new(&questionnaire, &profile, &regions.transpose()?.unwrap_or_default());
        let version = |title: &str, version: &str| format!("{title} {version}");
        dictionary.study = Some(Study {
            code: results.survey.code,
            title: results.survey.title,
            place: results.survey.place,
            example: results.survey.example,
            interim: results.status == Status::Interim,
            engine: results.engine,
            questionnaire: version(&results.questionnaire.title.zh, &results.questionnaire.version),
            profile: version(&results.profile.title.zh, &results.profile.version),
            persons_sha256: sources.persons_sha256.to_owned(),
        });
        Ok(dictionary)
    }

    /// The same columns of this survey.
    #[cfg(test)]
    pub(super) fn about(self, study: Study) -> Self {
        Self { study: Some(study), ..self }
    }

    /// The column of this name; one that nobody describes is a text.
    #[must_use]
    pub fn column(&self, name: &str) -> Column {
        if let Some(column) = self.known.get(name) {
            return column.clone();
        }
        if let Some(stage) = name.strip_prefix("prob_") {
            let label = Label::new(&format!("入样概率：{stage}"), &format!("selection probability: {stage}"));
            return Column::new(name, label, ColumnKind::Number);
        }
        Column::new(name, Label::same(name), ColumnKind::Text)
    }

    /// The columns of `answers.csv`.
    #[must_use]
    pub fn answers(&self) -> &[Column] {
        &self.answers
    }

    pub(super) fn study(&self) -> &Study {
        // Whoever writes a form has read the dictionary from files.
        self.study.as_ref().unwrap_or_else(|| unreachable!("a dictionary without files describes columns only"))
    }
}

fn text<'a>(file: &'static str, bytes: &'a [u8]) -> Result<&'a str, FormatError> {
    read(file, std::str::from_utf8(bytes))
}

fn read<T, E: std::fmt::Display>(file: &'static str, result: Result<T, E>) -> Result<T, FormatError> {
    result.map_err(|error| FormatError::Source { file, why: error.to_string() })
}

/// The columns that no questionnaire and no profile defines.
fn fixed() -> Vec<Column> {
    use ColumnKind::{Category, Integer, Number, Text};
    let column = |name: &str, kind, zh: &str, en: &str| Column::new(name, Label::new(zh, en), kind);
    vec![
        column("id", Text, "匿名编号", "pseudonymous id"),
        column("stratum", Text, "抽样层", "stratum"),
        column("psu", Text, "初级抽样单元", "primary sampling unit"),
        column("residence", Category, "城乡", "urban or rural")
            .with([ValueLabel::new("urban", "城镇", "urban"), ValueLabel::new("rural", "农村", "rural")]),
        column(
            plan::PERSON_FACTOR,
            Number,
            "户内抽中概率的倒数",
            "inverse of the selection probability within the household",
        ),
        column("score", Number, "总分", "points in all"),
        column(plan::LITERATE, Integer, "是否具备科学素质", "scientifically literate")
            .with([ValueLabel::new("1", "具备", "literate"), ValueLabel::new("0", "不具备", "not literate")]),
        column("dont_know", Integer, "答“不知道”的计分题数", "scored items answered 不知道"),
        column(plan::WEIGHTING_CLASS, Text, "无应答调整的类", "class of the nonresponse adjustment"),
        column(plan::WEIGHT_BASE, Number, "基础权数", "inverse of the product of the stages' probabilities"),
        column(
            plan::WEIGHT_ELIGIBILITY,
            Number,
            "资格未知户的权数分配后的权数",
            "after cases of unknown eligibility handed theirs over",
        ),
        column(plan::WEIGHT_NONRESPONSE, Number, "无应答调整后的权数", "after the nonresponse adjustment"),
        column(plan::WEIGHT_PERSON, Number, "乘以户内因子后的权数", "times the person factor"),
        column(plan::WEIGHT, Number, "最终权数", "final weight, nine decimals"),
    ]
}

fn of_districts(regions: &Regions) -> Column {
    let of_region =
        |region: &crate::indicator::files::Region| ValueLabel { code: region.code.clone(), label: region.name.clone() };
    Column::new("district", Label::new("区、县（市）", "district"), ColumnKind::Category)
        .with(regions.regions.values().filter(|region| region.parent.is_some()).map(of_region))
}

pub(super) fn label(texts: &Texts) -> Label {
    // A line break would end a row of the codebook or a command of a program.
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    Label::new(&one_line(texts.get("zh-CN")), &one_line(texts.get("en")))
}

fn of_classification(of: &Classification) -> Column {
    let value = |category: &crate::instrument::Category| ValueLabel {
        code: category.code.clone(),
        label: label(&category.label),
    };
    Column::new(&of.id, label(&of.label), ColumnKind::Category).with(of.categories.iter().map(value))
}

fn not_used(classifications: &[Classification]) -> Column {
    let missing = |of: &Classification| {
        let label = label(&of.label);
        let (zh, en) = (format!("缺少：{}", label.zh), format!("missing: {}", label.en));
        ValueLabel::new(&format!("no_{}", of.id), &zh, &en)
    };
    Column::new("not_used", Label::new("不带权数的原因", "why the response carries no weight"), ColumnKind::Category)
        .with([
            ValueLabel::new("not_scored", "未计分", "not scored"),
            ValueLabel::new("no_selection", "缺少户内抽选记录", "no record of the selection within the household"),
        ])
        .with(classifications.iter().map(missing))
}

fn tiers(profile: &ScoringProfile) -> Column {
    let value = |tier: &crate::instrument::Tier| ValueLabel { code: tier.code.clone(), label: label(&tier.label) };
    Column::new("tier", Label::new("达到的等级", "tier reached"), ColumnKind::Category)
        .with(profile.tiers().iter().map(value))
}

/// Points of each dimension under the name that the questionnaire's scheme gives it.
fn dimensions(questionnaire: &Questionnaire, profile: &ScoringProfile) -> Vec<Column> {
    let of = profile.definition();
    let scheme = questionnaire.definition().schemes.iter().find(|scheme| Some(&scheme.id) == of.scheme.as_ref());
    let name = |code: &str| {
        let found = scheme.and_then(|scheme| scheme.dimensions.iter().find(|dimension| dimension.code == code));
        found.map_or_else(|| Label::same(code), |dimension| label(&dimension.label))
    };
    let column = |code: &str| {
        let name = name(code);
        let label = Label::new(&format!("得分：{}", name.zh), &format!("points: {}", name.en));
        Column::new(&format!("score_{code}"), label, ColumnKind::Number)
    };
    of.dimensions.iter().map(|dimension| column(&dimension.code)).collect()
}
