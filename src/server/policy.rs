//! The policy file `policy.txt`, read at compile time: who may use a route, and how far they see.

use super::Role;

/// Whether somebody must be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Somebody known must ask.
    Token,
    /// Anybody may ask.
    Public,
    /// Anybody may ask when results are public.
    Results,
    /// Somebody known must ask; revoked devices and those of disabled users pass, marked as such.
    Late,
    /// Somebody known must ask, and a tablet must run a release that is not too old.
    Current,
}

/// How far a role sees on a route; the order is from nothing to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// Refused.
    No,
    /// What the asker sent or was given.
    Own,
    /// Within the region of the asker's grant.
    Region,
    /// Everything.
    All,
}

/// One line of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Whether somebody must be known.
    pub open: Open,
    grants: [Grant; 5],
}

impl Access {
    /// How far the role sees.
    pub fn grant(&self, role: Role) -> Grant {
        self.grants[role as usize]
    }
}

/// The policy as people edit it.
const POLICY: &[u8] = include_bytes!("policy.txt");

/// Fields of a line: method, path, open and the five roles.
const FIELDS: usize = 8;

/// The line of a route. In a constant, a route without a line is a compile error.
pub(super) const fn access(method: &str, path: &str) -> Access {
    let mut at = 0;
    while let Some((start, end)) = next_line(at) {
        let fields = fields(start, end);
        if is(fields[0], method) && is(fields[1], path) {
            return Access { open: open(fields[2]), grants: grants(&fields) };
        }
        at = end;
    }
    panic!("this route has no line in src/server/policy.txt")
}

/// How many lines begin with a method, `PART` aside: as many as there are routes, or the build fails.
pub(super) const fn lines() -> usize {
    let (mut at, mut lines) = (0, 0);
    while let Some((start, end)) = next_line(at) {
        if !is(fields(start, end)[0], "PART") {
            lines += 1;
        }
        at = end;
    }
    lines
}

type Field = (usize, usize);

/// The next line from `at` that is neither empty nor a comment.
const fn next_line(mut at: usize) -> Option<Field> {
    while at < POLICY.len() {
        let start = at;
        while at < POLICY.len() && POLICY[at] != b'\n' {
            at += 1;
        }
        if at > start && POLICY[start] != b'#' {
            return Some((start, at));
        }
        at += 1;
    }
    None
}

const fn fields(start: usize, end: usize) -> [Field; FIELDS] {
    let mut fields = [(0, 0); FIELDS];
    let (mut at, mut found) = (start, 0);
    while at < end {
        let from = at;
        while at < end && POLICY[at] != b' ' {
            at += 1;
        }
        if at > from {
            assert!(found < FIELDS, "a line of src/server/policy.txt has too many fields");
            fields[found] = (from, at);
            found += 1;
        }
        at += 1;
    }
    assert!(found == FIELDS, "a line of src/server/policy.txt has too few fields");
    fields
}

const fn is(field: Field, word: &str) -> bool {
    let word = word.as_bytes();
    if field.1 - field.0 != word.len() {
        return false;
    }
    let mut i = 0;
    while i < word.len() {
        if POLICY[field.0 + i] != word[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn open(field: Field) -> Open {
    match field {
        _ if is(field, "token") => Open::Token,
        _ if is(field, "public") => Open::Public,
        _ if is(field, "results") => Open::Results,
        _ if is(field, "late") => Open::Late,
        _ if is(field, "current") => Open::Current,
        _ => panic!("src/server/policy.txt: the third field is token, public, results, late or current"),
    }
}

const fn grants(fields: &[Field; FIELDS]) -> [Grant; 5] {
    let mut grants = [Grant::No; 5];
    let mut i = 0;
    while i < 5 {
        grants[i] = match fields[i + 3] {
            field if is(field, "no") => Grant::No,
            field if is(field, "own") => Grant::Own,
            field if is(field, "region") => Grant::Region,
            field if is(field, "all") => Grant::All,
            _ => panic!("src/server/policy.txt: a role's field is no, own, region or all"),
        };
        i += 1;
    }
    grants
}
