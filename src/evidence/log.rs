//! Reading the audit log back and holding it against everything that vouches for it.

use super::{Checkpoint, EntryHeader, Frontier, commitment};

/// The log at one length as something outside the entries remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// The log it vouches for.
    pub checkpoint: Checkpoint,
    /// Where it came from, for a person.
    pub source: String,
}

/// The first thing wrong with a log. Sequence numbers are those of the entries, from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// There is no entry with this number, and there are later ones.
    #[error("entry {0} is missing")]
    Missing(i64),
    /// The entry is not the one its leaf was made of.
    #[error("entry {0} was edited or put in another's place")]
    Edited(i64),
    /// The entry's detail or salt is not what its commitment was made of.
    #[error("the detail of entry {0} was edited")]
    Detail(i64),
    /// The log ends before something that vouches for it.
    #[error("the log ends before entry {seq}, but {source_of_size} covers {size} entries")]
    Cut {
        /// The first entry that is gone.
        seq: i64,
        /// How many there were.
        size: u64,
        /// What says so.
        source_of_size: String,
    },
    /// There are entries that the log's head does not cover.
    #[error("entry {0} was added behind the end of the log")]
    Added(i64),
    /// The entries fit themselves and not what vouches for them.
    #[error("an entry from {from} to {to} was rewritten: the root is not that of {source_of_root}")]
    Rewritten {
        /// The first entry that nothing vouches for.
        from: i64,
        /// The last entry covered.
        to: i64,
        /// What says so.
        source_of_root: String,
    },
}

impl LogFault {
    /// The first entry that cannot be relied on.
    pub fn seq(&self) -> i64 {
        match self {
            Self::Missing(seq) | Self::Edited(seq) | Self::Detail(seq) | Self::Added(seq) => *seq,
            Self::Cut { seq, .. } => *seq,
            Self::Rewritten { from, .. } => *from,
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Missing(seq) => format!("第 {seq} 条记录缺失"),
            Self::Edited(seq) => format!("第 {seq} 条记录被改动或被调换位置"),
            Self::Detail(seq) => format!("第 {seq} 条记录的详情被改动"),
            Self::Cut { seq, size, source_of_size } => {
                format!("日志在第 {seq} 条之前中断，而 {source_of_size} 覆盖 {size} 条")
            }
            Self::Added(seq) => format!("第 {seq} 条记录是在日志末尾之后插入的"),
            Self::Rewritten { from, to, source_of_root } => {
                format!("第 {from} 至 {to} 条记录中有被改写的：根与 {source_of_root} 不符")
            }
        }
    }
}

/// Takes a log's entries in order and stops at the first fault.
#[derive(Debug, Clone, Default)]
pub struct LogCheck {
    tree: Frontier,
    /// The shortest last.
    vouchers: Vec<Voucher>,
    vouched: u64,
}

impl LogCheck {
    /// The tree over the entries taken so far.
    pub fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// Has the log held against these as well, as far as they reach beyond what was taken.
    pub fn expect(&mut self, vouchers: impl IntoIterator<Item = Voucher>) {
        let size = self.tree.size();
        self.vouchers.extend(vouchers.into_iter().filter(|voucher| voucher.checkpoint.size > size));
        self.vouchers.sort_by_key(|voucher| std::cmp::Reverse(voucher.checkpoint.size));
    }

    /// Takes the next entry with the leaf kept beside it and, unless erased, its salt and detail.
    ///
    /// # Errors
    /// The fault that shows here.
    pub fn take(&mut self, header: &EntryHeader, leaf: &[u8], detail: Detail<'_>) -> Result<(), LogFault> {
        let expected = place(self.tree.size());
        let seq = header.seq;
        if seq != expected {
            return Err(if seq > expected { LogFault::Missing(expected) } else { LogFault::Edited(seq) });
        }
        let computed = header.leaf();
        if computed != leaf {
            return Err(LogFault::Edited(seq));
        }
        let is_committed = match detail {
            (Some(salt), Some(detail)) => commitment(salt, detail) == header.commitment,
            (None, None) => true,
            _ => false,
        };
        if !is_committed {
            return Err(LogFault::Detail(seq));
        }
        self.tree.push(computed);
        self.hold_vouchers()
    }

    fn hold_vouchers(&mut self) -> Result<(), LogFault> {
        let (size, root) = (self.tree.size(), self.tree.root());
        while let Some(voucher) = self.vouchers.pop_if(|voucher| voucher.checkpoint.size <= size) {
            if voucher.checkpoint.root != root {
                return Err(self.rewritten(voucher.source));
            }
            self.vouched = size;
        }
        Ok(())
    }

    fn rewritten(&self, source_of_root: String) -> LogFault {
        let (from, to) = (place(self.vouched), place(self.tree.size()) - 1);
        LogFault::Rewritten { from, to, source_of_root }
    }

    /// Ends: the entries must be as many as the head and every voucher cover, and the head must be theirs.
    ///
    /// # Errors
    /// `Cut` or `Rewritten`.
    pub fn finish(&self, head: &Frontier) -> Result<Checkpoint, LogFault> {
        let (seq, size) = (place(self.tree.size()), self.tree.size());
        if let Some(voucher) = self.vouchers.last() {
            let (size, source_of_size) = (voucher.checkpoint.size, voucher.source.clone());
            return Err(LogFault::Cut { seq, size, source_of_size });
        }
        if head.size() > size {
            let source_of_size = "the log's head".to_owned();
            return Err(LogFault::Cut { seq, size: head.size(), source_of_size });
        }
        if *head != self.tree {
            return Err(self.rewritten("the log's head".to_owned()));
        }
        Ok(Checkpoint { size, root: self.tree.root() })
    }
}

/// An entry's salt and detail, both there or both erased.
pub type Detail<'a> = (Option<&'a [u8]>, Option<&'a str>);

fn place(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(seq: i64, action: &str) -> EntryHeader {
        let text = |text: &str| text.to_owned();
        let (actor, role, object, outcome) = (text("a"), text("admin"), text("survey/1"), text("done"));
        EntryHeader {
            seq,
            at_ms: seq,
            actor,
            role,
            action: text(action),
            object,
            outcome,
            commitment: commitment(b"salt", "{}"),
        }
    }

    fn log(n: i64) -> Vec<EntryHeader> {
        (0..n).map(|seq| header(seq, "survey.create")).collect()
    }

    fn tree(headers: &[EntryHeader]) -> Frontier {
        let mut tree = Frontier::new();
        headers.iter().for_each(|header| tree.push(header.leaf()));
        tree
    }

    fn voucher(headers: &[EntryHeader]) -> Voucher {
        let tree = tree(headers);
        Voucher { checkpoint: Checkpoint { size: tree.size(), root: tree.root() }, source: "a checkpoint".to_owned() }
    }

    fn check(headers: &[EntryHeader], head: &Frontier, vouchers: Vec<Voucher>) -> Result<Checkpoint, LogFault> {
        let mut check = LogCheck::default();
        check.expect(vouchers);
        for header in headers {
            check.take(header, &header.leaf(), (Some(b"salt"), Some("{}")))?;
        }
        check.finish(head)
    }

    #[test]
    fn an_untouched_log_is_vouched_for() {
        let log = log(20);
        let whole = check(&log, &tree(&log), vec![voucher(&log[..7]), voucher(&log), voucher(&[])]);
        assert_eq!(whole.expect("a whole log").size, 20);
    }

    #[test]
    fn a_rewritten_entry_lies_between_the_last_voucher_that_fits_and_the_first_that_does_not() {
        let mut rewritten = log(20);
        let vouchers = vec![voucher(&rewritten[..5]), voucher(&rewritten[..12]), voucher(&rewritten)];
        rewritten[8] = header(8, "survey.close");
        let fault = check(&rewritten, &tree(&rewritten), vouchers).expect_err("a fault");
        assert!(matches!(&fault, LogFault::Rewritten { from: 5, to: 11, .. }), "{fault:?}");
        assert!(check(&rewritten, &tree(&rewritten), Vec::new()).is_ok(), "nothing outside the log knows");
    }

    #[test]
    fn a_cut_tail_is_seen_from_the_head_or_from_a_voucher() {
        let log = log(20);
        let fault = check(&log[..15], &tree(&log), Vec::new()).expect_err("a fault");
        assert_eq!((fault.seq(), fault.to_string().contains("head")), (15, true));
        let fault = check(&log[..15], &tree(&log[..15]), vec![voucher(&log[..18])]).expect_err("a fault");
        assert!(matches!(fault, LogFault::Cut { seq: 15, size: 18, .. }));
    }

    #[test]
    fn gaps_edits_and_details_name_their_entry() {
        let log = log(4);
        let mut gap = log.clone();
        gap.remove(2);
        assert_eq!(check(&gap, &tree(&log), Vec::new()), Err(LogFault::Missing(2)));
        let mut taken = LogCheck::default();
        assert_eq!(taken.take(&log[0], &log[1].leaf(), (None, None)), Err(LogFault::Edited(0)));
        let other = taken.take(&log[0], &log[0].leaf(), (Some(b"salt"), Some("{ }")));
        assert_eq!(other, Err(LogFault::Detail(0)));
        let half = taken.take(&log[0], &log[0].leaf(), (Some(b"salt"), None));
        assert_eq!(half, Err(LogFault::Detail(0)), "an erasure takes both");
        assert_eq!(taken.take(&log[0], &log[0].leaf(), (None, None)), Ok(()), "erased");
    }

    #[test]
    fn every_fault_has_a_sentence_in_both_languages_that_names_its_entry() {
        let (source_of_size, source_of_root) = ("x".to_owned(), "x".to_owned());
        let faults = [
            LogFault::Missing(41),
            LogFault::Edited(41),
            LogFault::Detail(41),
            LogFault::Added(41),
            LogFault::Cut { seq: 41, size: 99, source_of_size },
            LogFault::Rewritten { from: 41, to: 99, source_of_root },
        ];
        for fault in faults {
            assert!(fault.to_string().contains("41") && fault.zh().contains("41"), "{fault:?}");
            assert_eq!(fault.seq(), 41);
        }
    }
}
