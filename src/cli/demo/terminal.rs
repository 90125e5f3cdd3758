//! The short table that the demo prints.

use super::{accounts::ACCOUNTS, folder::DemoFolder};
use crate::indicator::{
    Label,
    results::{ResultRow, Results, Status, verdict_label},
};
use comfy_table::{CellAlignment, Table, presets::NOTHING};

/// Language of what is printed for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    /// 简体中文
    #[value(name = "zh-CN")]
    Chinese,
    /// English
    #[value(name = "en")]
    English,
}

impl Language {
    pub(super) fn of(self, label: &Label) -> &str {
        match self {
            Self::Chinese => &label.zh,
            Self::English => &label.en,
        }
    }

    pub(super) fn pick(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

/// Tables that the terminal shows; the crossings stand in the files and on the page.
const SHOWN: [&str; 7] = ["city", "district", "sex", "age_group", "education", "residence", "key_group"];

/// The headline and the table.
pub(super) fn summary(results: &Results, language: Language) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let mut header = vec![
        language.pick("区域或人群", "Region or group").to_owned(),
        language.pick("样本量", "n").to_owned(),
        language.pick("比例", "Share").to_owned(),
        language.pick("95% 置信区间", "95 % interval").to_owned(),
        language.pick("设计效应", "Deff").to_owned(),
    ];
    header.extend(results.targets.iter().map(|target| language.of(&target.label).to_owned()));
    table.set_header(header);
    for shown in results.tables.iter().filter(|table| SHOWN.contains(&table.id.as_str())) {
        if shown.id != "city" {
            table.add_row([format!("— {}", language.of(&shown.label))]);
        }
        for row in &shown.rows {
            table.add_row(cells(row, results, language));
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n{table}", headline(results, language))
}

fn headline(results: &Results, language: Language) -> String {
    let (cases, used) = (results.sample.cases, results.sample.used);
    let status = match results.status {
        Status::Interim => language.pick("临时结果", "interim"),
        Status::Final => language.pick("最终结果", "final"),
    };
    let profile = language.of(&results.profile.title);
    let title = &results.survey.title;
    match language {
        Language::Chinese => {
            format!("{title}（{status}）\n样本户 {cases} 个，有效答卷 {used} 份；评分方案：{profile}")
        }
        Language::English => format!("{title} ({status})\n{cases} cases, {used} responses used; profile: {profile}"),
    }
}

fn cells(row: &ResultRow, results: &Results, language: Language) -> Vec<String> {
    let name = row.labels.iter().map(|label| language.of(label)).collect::<Vec<_>>().join(" × ");
    let interval = row.ci.map(|[lower, upper]| format!("{}–{}", percent(lower), percent(upper)));
    let absent = || "–".to_owned();
    let mut cells = vec![
        name,
        row.n.map_or_else(String::new, |n| n.to_string()),
        row.estimate.map_or_else(absent, percent),
        interval.unwrap_or_else(absent),
        row.deff.map_or_else(absent, |deff| format!("{deff:.2}")),
    ];
    cells.extend(results.targets.iter().map(|target| {
        let verdict = row.verdicts.iter().find(|verdict| verdict.target == target.id);
        verdict.map_or_else(absent, |verdict| language.of(&verdict_label(verdict.verdict)).to_owned())
    }));
    cells
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// Where everything is, and how to go on.
pub(super) fn closing(folder: &DemoFolder, base: Option<&str>, password: &str, language: Language) -> String {
    let path = folder.path().display();
    let files = match language {
        Language::Chinese => {
            format!("文件、访问令牌（tokens.txt）与示例账号（accounts.txt）在 {path}/，全部为示例数据。")
        }
        Language::English => {
            format!(
                "Files, access tokens (tokens.txt) and accounts (accounts.txt) are in {path}/; everything is made-up data."
            )
        }
    };
    match (base, language) {
        (None, _) => files,
        (Some(base), Language::Chinese) => {
            let accounts = logins("、");
            format!(
                "{files}\n结果页面：{base}/ ，工作台：{base}/desk/ ，接口文档：{base}/api/docs/ 。\n\
                 工作台示例账号：{accounts}；密码均为 {password} 。按 Ctrl+C 结束。"
            )
        }
        (Some(base), Language::English) => {
            let accounts = logins(", ");
            format!(
                "{files}\nResults: {base}/ , desk: {base}/desk/ , API: {base}/api/docs/ .\n\
                 Accounts at the desk: {accounts}; the password of each is {password} . Ctrl+C ends."
            )
        }
    }
}

/// Who can sign in at the desk.
fn logins(between: &str) -> String {
    let office = ACCOUNTS.iter().map(|(login, ..)| *login);
    office.chain(["demo-surveyor"]).collect::<Vec<_>>().join(between)
}
