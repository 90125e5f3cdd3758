//! `codebook.md`: what the columns of the persons' files and their codes mean, in Chinese and English.

use std::fmt::Write as _;

use crate::{
    indicator::SurveyInputs,
    instrument::{
        Item, ItemKind, Texts,
        questionnaire::{Choice, MissingKind},
    },
};

/// The columns that no questionnaire defines.
const FIXED: [(&str, &str, &str); 17] = [
    ("id", "匿名编号", "pseudonymous id"),
    ("district", "区、县（市）代码", "code of the district"),
    ("stratum", "抽样层", "stratum"),
    ("psu", "初级抽样单元", "primary sampling unit"),
    ("residence", "城乡：urban 城镇，rural 农村", "urban or rural"),
    ("prob_…", "各阶段入样概率", "selection probability of each stage"),
    ("person_factor", "户内抽中概率的倒数", "inverse of the selection probability within the household"),
    ("score, score_…", "总分与各维度得分", "points, in all and by dimension"),
    ("tier, literate", "达到的等级；是否具备科学素质（1/0）", "tier reached; scientifically literate (1/0)"),
    ("dont_know", "答“不知道”的计分题数", "scored items answered 不知道"),
    ("not_used", "不带权数的原因", "why the response carries no weight"),
    ("weighting_class", "无应答调整的类", "class of the nonresponse adjustment"),
    ("weight_base", "基础权数", "inverse of the product of the stages' probabilities"),
    ("weight_eligibility", "资格未知户的权数分配后的权数", "after cases of unknown eligibility handed theirs over"),
    ("weight_nonresponse", "无应答调整后的权数", "after the nonresponse adjustment"),
    ("weight_person", "乘以户内因子后的权数", "times the person factor"),
    ("weight", "最终权数（九位小数）", "final weight, nine decimals"),
];

/// Words of `answers.csv` that are no codes of an option.
const WORDS: [(&str, &str, &str); 8] = [
    (":dont_know", "不知道", "does not know"),
    (":refused", "拒答", "refused"),
    (":not_applicable", "不适用", "not applicable"),
    (":not_asked", "未问", "not asked"),
    (":not_reached", "中止未达", "the interview ended before it"),
    (":irrelevant", "按跳转不应作答", "answered although routing passes over it"),
    (":text", "有文字回答（内容不外传）", "answered in words, which are not given out"),
    (":none", "未选任何项", "no option was chosen"),
];

pub(crate) fn codebook(inputs: &SurveyInputs<'_>) -> Vec<u8> {
    let questionnaire = inputs.questionnaire;
    let mut out = String::new();
    let (title, title_en) = (questionnaire.title("zh-CN"), questionnaire.title("en"));
    line(&mut out, format_args!("# {title} / {title_en}\n"));
    line(&mut out, format_args!("`{}` {} · `{}`\n", questionnaire.id(), questionnaire.version(), questionnaire.hash()));
    line(&mut out, format_args!("## responses_weighted.csv\n\n| 列 column | 含义 | meaning |\n|---|---|---|"));
    FIXED.iter().for_each(|(column, zh, en)| line(&mut out, format_args!("| {column} | {zh} | {en} |")));
    for column in questionnaire.classifications() {
        line(&mut out, format_args!("\n### {}\n\n{}\n", column.id, both(&column.label)));
        let categories = column.categories.iter().map(|category| (&category.code, &category.label));
        categories.for_each(|(code, label)| line(&mut out, format_args!("- `{code}` {}", both(label))));
    }
    line(
        &mut out,
        format_args!(
            "\n## answers.csv\n\n空 empty: 无回答 no answer. 多选以空格分隔 several codes: one blank between."
        ),
    );
    line(&mut out, format_args!("`selection_probability`: 户内入样概率 selection probability within the household.\n"));
    WORDS.iter().for_each(|(word, zh, en)| line(&mut out, format_args!("- `{word}` {zh} / {en}")));
    questionnaire.items().for_each(|item| describe(&mut out, item));
    out.into_bytes()
}

fn describe(out: &mut String, item: &Item) {
    line(out, format_args!("\n### {}\n\n{}\n\n`{}`", item.id, both(&item.text), item.kind.as_str()));
    if let Some(unit) = &item.unit {
        line(out, format_args!("{}", both(unit)));
    }
    if item.kind == ItemKind::Matrix {
        out.push('\n');
        item.rows.iter().for_each(|row| line(out, format_args!("- `{}.{}` {}", item.id, row.code, both(&row.label))));
    }
    if !item.options.is_empty() {
        out.push('\n');
        item.options
            .iter()
            .for_each(|Choice { code, label, .. }| line(out, format_args!("- `{code}` {}", both(label))));
    }
    if !item.missing.is_empty() {
        let kinds: Vec<String> =
            item.missing.iter().map(|kind: &MissingKind| format!("`:{}`", kind.as_str())).collect();
        line(out, format_args!("\n{}", kinds.join(" ")));
    }
}

/// Chinese, and English where it says something else. A line break would end a table row or a list item.
fn both(texts: &Texts) -> String {
    let (zh, en) = (texts.get("zh-CN"), texts.get("en"));
    let text = if zh == en { zh.to_owned() } else { format!("{zh} / {en}") };
    text.replace(['\n', '\r'], " ")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string does not fail");
}
