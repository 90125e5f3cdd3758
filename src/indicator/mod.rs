//! Where instrument and statistics meet: tables by district and group, targets and verdicts.
