//! What the numbers cannot say, and how anybody can check them.

use super::{At, Block, Section};
use crate::{
    indicator::results::Status,
    report::{AboutRun, Language},
};

/// The limits, the ones of this run first.
pub(super) fn limits(at: &At<'_>) -> Section {
    let mut limits = Vec::new();
    let mut add = |zh: &str, en: &str| limits.push(at.pick(zh, en).to_owned());
    if at.results.survey.example {
        add(
            "本报告使用合成的示例数据，不反映任何地方的实际情况。",
            "The data are synthetic examples and say nothing about any real place.",
        );
    }
    if at.results.status == Status::Interim {
        add(
            "这是临时结果：调查尚未结束或审核尚未完成，数字还会变化，不得作为考核依据。",
            "Results are interim: the survey or its review is not finished, and the numbers will change; do not judge anybody by them.",
        );
    }
    if at.results.weights.steps.iter().all(|step| step.id != "rake") {
        add("权数没有按人口边际校准。", "The weights were not raked to population margins.");
    }
    add(
        "区间只反映抽样误差，不包括无应答、测量和抽样框造成的偏差。",
        "Intervals show sampling error only, not bias from nonresponse, measurement or the frame.",
    );
    add(
        "样本小的地区和群体区间很宽，先后名次多半分不出真实高低。",
        "Small districts and groups have wide intervals; most ranks among them are not real differences.",
    );
    add(
        "不同计分方案、不同问卷的结果不能直接比较。",
        "Results by different scoring profiles or questionnaires must not be compared.",
    );
    add(
        "“无法判定”是一个结论：现有样本不足以说明是否达到目标。",
        "“Undetermined” is a finding: the sample cannot tell whether the target was met.",
    );
    at.section("limits", "局限", "Limits", vec![Block::List(limits)])
}

/// Digests, commands and the QR code.
pub(super) fn verification(at: &At<'_>, about: &AboutRun<'_>) -> Section {
    let fact = |zh: &str, en: &str, value: &str| (at.pick(zh, en).to_owned(), value.to_owned());
    let facts = vec![
        fact("计算编号", "Run", about.id),
        fact("结果摘要（SHA-256）", "Digest of the results (SHA-256)", about.results_sha256),
        fact("输入摘要（SHA-256）", "Digest of the inputs (SHA-256)", &at.results.input_digest),
        fact("问卷摘要", "Digest of the questionnaire", &at.results.questionnaire.hash),
        fact("计分方案摘要", "Digest of the scoring profile", &at.results.profile.hash),
        fact("计算程序", "Engine", &at.results.engine),
    ];
    let how = at.text(
        "本报告的每一个数字都可以由外部人员重新计算。向数据保管单位索取本次计算的数据包，在任何一台计算机上运行下面的命令：第一条核对签名、审计日志并重新计算全部结果；第二条不用本软件，只用 Python 标准库核对公布的比例；第三条得到 results.json 的摘要，应与上面的结果摘要相同。",
        "Anybody can compute every number of this report again. Ask the keeper of the data for the bundle of this run and type the commands below on any computer: the first checks signature and audit log and computes everything again; the second checks the published shares without this software, with Python's standard library alone; the third gives the digest of results.json, which must be the one above.",
    );
    let commands = vec![
        "scilit verify BUNDLE --recompute".to_owned(),
        "python3 verify.py BUNDLE".to_owned(),
        "sha256sum BUNDLE/results.json".to_owned(),
    ];
    let code = match (about.address, at.language) {
        (Some(address), Language::Chinese) => format!("扫码打开核验页面：{address}"),
        (Some(address), Language::English) => format!("Scan to open the verification page: {address}"),
        (None, Language::Chinese) => "二维码内容是结果摘要。".to_owned(),
        (None, Language::English) => "The code holds the digest of the results.".to_owned(),
    };
    let blocks = vec![Block::Facts(facts), how, Block::Commands(commands), Block::Code(code)];
    at.section("verification", "核验", "Verification", blocks)
}
