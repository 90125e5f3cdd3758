//! The grammar, and a recursive-descent parser for it.
//!
//! ```text
//! rule      = "all(" rule { "," rule } ")" | "any(" rule { "," rule } ")" | "not(" rule ")"
//!           | "answered(" item ")" | "missing(" item [ "," text ] ")" | "includes(" item "," text ")"
//!           | term ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) term
//!           | term "in" "[" value { "," value } "]"
//! term      = item | "count(" item ")" | value
//! item      = name [ "." name ]                       a dot names the row of a matrix
//! value     = text | number | "true" | "false"
//! text      = "…" or '…', with \\ \" \' inside
//! number    = [ "-" ] digits [ "." digits ]
//! name      = letter { letter | digit | "_" | "-" }   ASCII
//! ```

use super::{Comparison, Literal, Node, Reference, Term};
use crate::instrument::questionnaire::MissingKind;

/// Longer rules are refused: no person writes them, and the limit bounds the work.
const LENGTH_MAX: usize = 4000;
/// Nesting of all, any and not; bounds the stack of every evaluator.
const DEPTH_MAX: usize = 24;
const RESERVED: [&str; 10] = ["all", "any", "not", "answered", "missing", "includes", "count", "in", "true", "false"];

/// Where and why a rule leaves the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct ParseError {
    /// The column in the text of the rule, counted in characters from 1.
    pub column: usize,
    /// What was expected or is not allowed.
    pub reason: String,
}

pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    let mut parser = Parser { text, at: 0 };
    if text.len() > LENGTH_MAX {
        return parser.fail(format!("the rule is longer than {LENGTH_MAX} bytes"));
    }
    let node = parser.rule(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return parser.fail("expected the end of the rule");
    }
    Ok(node)
}

/// Whether a word has a meaning of its own in rules, so that no item may be called so.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, ParseError>;

impl<'a> Parser<'a> {
    fn rule(&mut self, depth: usize) -> Parsed<Node> {
        if depth > DEPTH_MAX {
            return self.fail(format!("nested deeper than {DEPTH_MAX}"));
        }
        self.skip_space();
        let start = self.at;
        if let Some(name) = self.name()
            && self.eat("(")
        {
            match name {
                "all" => return Ok(Node::All { of: self.parts(depth)? }),
                "any" => return Ok(Node::Any { of: self.parts(depth)? }),
                "not" => return self.negation(depth),
                "answered" => return self.answered(),
                "missing" => return self.missing(),
                "includes" => return self.includes(),
                "count" => {}
                _ => {
                    self.at = start;
                    return self.fail(format!("unknown function \"{name}\""));
                }
            }
        }
        self.at = start;
        self.comparison()
    }

    fn parts(&mut self, depth: usize) -> Parsed<Vec<Node>> {
        let mut parts = vec![self.rule(depth + 1)?];
        while self.eat(",") {
            parts.push(self.rule(depth + 1)?);
        }
        self.expect(")")?;
        Ok(parts)
    }

    fn negation(&mut self, depth: usize) -> Parsed<Node> {
        let of = Box::new(self.rule(depth + 1)?);
        self.expect(")")?;
        Ok(Node::Not { of })
    }

    fn answered(&mut self) -> Parsed<Node> {
        let item = self.item()?;
        self.expect(")")?;
        Ok(Node::Answered { item })
    }

    fn missing(&mut self) -> Parsed<Node> {
        let item = self.item()?;
        let kind = if self.eat(",") { Some(self.missing_kind()?) } else { None };
        self.expect(")")?;
        Ok(Node::Missing { item, kind })
    }

    fn missing_kind(&mut self) -> Parsed<MissingKind> {
        let before = self.at;
        let word = self.quoted()?;
        MissingKind::parse(&word).map_or_else(
            || {
                self.at = before;
                self.fail(format!("\"{word}\" is not a missing kind"))
            },
            Ok,
        )
    }

    fn includes(&mut self) -> Parsed<Node> {
        let item = self.item()?;
        self.expect(",")?;
        let code = self.quoted()?;
        self.expect(")")?;
        Ok(Node::Includes { item, code })
    }

    fn comparison(&mut self) -> Parsed<Node> {
        let left = self.term()?;
        let before = self.at;
        if self.name() == Some("in") {
            return self.membership(left);
        }
        self.at = before;
        let how = self.sign()?;
        let right = self.term()?;
        Ok(Node::Compare { left, how, right })
    }

    fn membership(&mut self, left: Term) -> Parsed<Node> {
        self.expect("[")?;
        let mut values = vec![self.value()?];
        while self.eat(",") {
            values.push(self.value()?);
        }
        self.expect("]")?;
        Ok(Node::In { left, values })
    }

    fn sign(&mut self) -> Parsed<Comparison> {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
        // Two-character signs first, or `<=` would be read as `<`.
        for how in [Equal, NotEqual, AtMost, AtLeast, Less, Greater] {
            if self.eat(how.sign()) {
                return Ok(how);
            }
        }
        self.fail("expected == != < <= > >= or in")
    }

    fn term(&mut self) -> Parsed<Term> {
        self.skip_space();
        let start = self.at;
        match self.name() {
            Some("count") if self.eat("(") => {
                let item = self.item()?;
                self.expect(")")?;
                Ok(Term::Count(item))
            }
            Some("true" | "false") | None => {
                self.at = start;
                self.value().map(Term::Value)
            }
            Some(_) => {
                self.at = start;
                self.item().map(Term::Item)
            }
        }
    }

    fn item(&mut self) -> Parsed<Reference> {
        let id = self.item_name()?;
        let row = if self.rest().starts_with('.') {
            self.at += 1;
            Some(self.item_name()?)
        } else {
            None
        };
        Ok(Reference { id, row })
    }

    fn item_name(&mut self) -> Parsed<String> {
        self.skip_space();
        let before = self.at;
        match self.name() {
            Some(name) if !is_reserved(name) => Ok(name.to_owned()),
            _ => {
                self.at = before;
                self.fail("expected the id of an item")
            }
        }
    }

    fn value(&mut self) -> Parsed<Literal> {
        self.skip_space();
        match self.rest().chars().next() {
            Some('"' | '\'') => self.quoted().map(Literal::Text),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number().map(Literal::Number),
            _ => {
                let before = self.at;
                match self.name() {
                    Some("true") => Ok(Literal::Bool(true)),
                    Some("false") => Ok(Literal::Bool(false)),
                    _ => {
                        self.at = before;
                        self.fail("expected an item or a value")
                    }
                }
            }
        }
    }

    fn quoted(&mut self) -> Parsed<String> {
        self.skip_space();
        let quote = match self.rest().chars().next() {
            Some(c @ ('"' | '\'')) => c,
            _ => return self.fail("expected a text in quotes"),
        };
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += i + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                    _ => return self.fail("a backslash stands before \\, \" or ' only"),
                },
                c if c.is_control() => return self.fail("a control character in a text"),
                c => text.push(c),
            }
        }
        self.fail("a text without its closing quote")
    }

    fn number(&mut self) -> Parsed<f64> {
        let sign = usize::from(self.rest().starts_with('-'));
        let whole = self.digits(sign);
        let mut decimals = 0;
        let mut length = sign + whole;
        if whole > 0 && self.rest()[length..].starts_with('.') {
            decimals = self.digits(length + 1);
            // Six decimals at most: below that JavaScript would print an exponent.
            if !(1..=6).contains(&decimals) {
                return self.fail("expected one to six digits after the decimal point");
            }
            length += 1 + decimals;
        }
        // At most 15 digits: they survive the way to a double and back, here and on the tablet.
        if whole == 0 || whole + decimals > 15 {
            return self.fail("expected a number of at most 15 digits");
        }
        let number: f64 = self.rest()[..length].parse().expect("digits with at most one point are a number");
        self.at += length;
        // `+ 0.0` turns a negative zero into zero.
        Ok(number + 0.0)
    }

    fn digits(&self, from: usize) -> usize {
        self.rest()[from..].bytes().take_while(u8::is_ascii_digit).count()
    }

    fn name(&mut self) -> Option<&'a str> {
        self.skip_space();
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-').count();
        self.at += length;
        Some(&rest[..length])
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { self.fail(format!("expected \"{token}\"")) }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, reason: impl Into<String>) -> Parsed<T> {
        let column = self.text[..self.at].chars().count() + 1;
        Err(ParseError { column, reason: reason.into() })
    }
}
