//! A plan in words for people.

use jiff::{Timestamp, tz::TimeZone};

use super::{Periods, Planned, Standing, What};
use crate::server::Text;

/// A day by the calendar of China.
pub(super) fn day(ms: i64) -> String {
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    Timestamp::from_millisecond(ms).map_or_else(|_| "-".to_owned(), |at| at.to_zoned(zone).date().to_string())
}

/// The rule by which something goes, as the log keeps it.
pub(super) fn rule(what: What, periods: Periods) -> String {
    match what {
        What::Contacts => format!("contact data are kept for {} days after the closing", periods.contacts_days),
        What::Pictures => format!("pictures are kept for {} days after the closing", periods.contacts_days),
        What::Recordings => format!("recordings are kept for {} days", periods.recordings_days),
        What::Unnamed => format!("attachments that no interview names are kept for {} days", periods.recordings_days),
        What::Uploads => format!("uploads that were not ended are kept for {} days", periods.recordings_days),
        What::Raw => "raw responses are kept for two years after the closing".to_owned(),
    }
}

impl What {
    /// What it is, for people.
    #[must_use]
    pub fn label(self) -> Text {
        let (zh, en) = match self {
            Self::Contacts => ("联系信息", "contact data (cases)"),
            Self::Recordings => ("录音", "recordings"),
            Self::Pictures => ("照片等附件", "pictures and other attachments"),
            Self::Unnamed => ("无对应答卷的附件", "attachments that no interview names"),
            Self::Uploads => ("未传完的附件", "uploads that were not ended"),
            Self::Raw => ("原始答卷", "raw responses (bodies)"),
        };
        Text::new(zh, en)
    }
}

impl Planned {
    /// One sentence: what, how many, and when it goes or why it does not.
    #[must_use]
    pub fn sentence(&self) -> Text {
        let (label, items) = (self.what.label(), self.items);
        let from = self.from_ms.map(day).unwrap_or_default();
        let (zh, en) = match self.standing {
            Standing::Due => ("下一次执行时删除".to_owned(), "deleted by the next run".to_owned()),
            Standing::Kept => (format!("保存至 {from}"), format!("kept until {from}")),
            Standing::Open => {
                ("调查结束后才开始计期".to_owned(), "kept; the period begins when the survey is closed".to_owned())
            }
            Standing::Held => ("留存保全中，不删除".to_owned(), "kept: a legal hold stands over the survey".to_owned()),
            Standing::OnCommand => (
                format!("自 {from} 起可以删除，只在管理员下令时删除"),
                format!("may be deleted since {from}, by `scilit retention delete-raw` only"),
            ),
            Standing::Nothing => ("没有需要删除的".to_owned(), "none there".to_owned()),
        };
        Text::new(format!("{}：{items}，{zh}", label.zh), format!("{}: {items}, {en}", label.en))
    }
}
