//! Expressions of estimates, such as `{north}/{south}`, with their exact gradient.
//!
//! Grammar: numbers, `{key}` for the estimate with that key, `+ - * / ^`, parentheses, and the functions `log`,
//! `exp`, `sqrt`. Each step carries the value together with its partial derivatives (forward differentiation), so the
//! delta method needs no finite differences.

use std::{iter::Peekable, str::CharIndices};

/// Why an expression cannot be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// A character or an end where something else was needed.
    #[error("expression {expression:?}: at character {at} {wanted} was expected")]
    Syntax {
        /// The whole expression.
        expression: String,
        /// Byte position of the fault, counted from 0.
        at: usize,
        /// What would have fitted.
        wanted: &'static str,
    },
    /// A name before a parenthesis that is no known function.
    #[error("expression {expression:?}: unknown function {name:?}, known are log, exp and sqrt")]
    UnknownFunction {
        /// The whole expression.
        expression: String,
        /// The name.
        name: String,
    },
    /// A key that no estimate has.
    #[error("expression {expression:?}: no estimate has the key {key:?}, there are {known}")]
    UnknownKey {
        /// The whole expression.
        expression: String,
        /// The key.
        key: String,
        /// The keys that exist.
        known: String,
    },
}

/// A value with its partial derivatives by each estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Dual {
    /// The value of the expression.
    pub value: f64,
    /// Its derivative by each estimate, in the order of the keys.
    pub gradient: Vec<f64>,
}

impl Dual {
    fn constant(value: f64, n: usize) -> Self {
        Self { value, gradient: vec![0.0; n] }
    }

    /// The value `value` with derivative `by_self` times one gradient plus `by_other` times another.
    fn chain(value: f64, by_self: f64, a: &Self, by_other: f64, b: &Self) -> Self {
        let gradient = a.gradient.iter().zip(&b.gradient).map(|(a, b)| by_self * a + by_other * b).collect();
        Self { value, gradient }
    }

    fn scaled(value: f64, by: f64, a: &Self) -> Self {
        Self { value, gradient: a.gradient.iter().map(|g| by * g).collect() }
    }

    fn power(&self, exponent: &Self) -> Self {
        let value = libm::pow(self.value, exponent.value);
        let by_base = exponent.value * libm::pow(self.value, exponent.value - 1.0);
        if exponent.gradient.iter().all(|g| *g == 0.0) {
            return Self::scaled(value, by_base, self);
        }
        Self::chain(value, by_base, self, value * libm::log(self.value), exponent)
    }
}

/// Evaluates an expression of named estimates with its gradient.
///
/// **Shapes and units**: as many `estimates` as `keys`; the gradient has one element a key.
///
/// **Errors**: [`ExpressionError::Syntax`], [`ExpressionError::UnknownFunction`], [`ExpressionError::UnknownKey`].
/// A value outside a function's range (the logarithm of a negative number) comes back as NaN.
///
/// **Source**: forward differentiation, Griewank and Walther 2008; R `deriv()` in `svycontrast`.
///
/// **Example**
/// ```
/// use scilit::statistics::expression::evaluate;
/// let ratio = evaluate("{a} / {b}", &["a", "b"], &[6.0, 2.0]).unwrap();
/// assert_eq!((ratio.value, ratio.gradient), (3.0, vec![0.5, -1.5]));
/// ```
pub fn evaluate<K: AsRef<str>>(expression: &str, keys: &[K], estimates: &[f64]) -> Result<Dual, ExpressionError> {
    let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
    let mut reader = Reader { expression, characters: expression.char_indices().peekable(), keys, estimates, depth: 0 };
    let value = reader.sum()?;
    reader.skip_blanks();
    match reader.characters.peek() {
        None => Ok(value),
        Some(_) => Err(reader.wrong("an operator or the end")),
    }
}

struct Reader<'a> {
    expression: &'a str,
    characters: Peekable<CharIndices<'a>>,
    keys: Vec<&'a str>,
    estimates: &'a [f64],
    depth: usize,
}

/// Parentheses nested deeper than this are a fault of the file, not an expression.
const DEPTH_MAX: usize = 100;

impl Reader<'_> {
    fn wrong(&mut self, wanted: &'static str) -> ExpressionError {
        let at = self.characters.peek().map_or(self.expression.len(), |(at, _)| *at);
        ExpressionError::Syntax { expression: self.expression.to_owned(), at, wanted }
    }

    fn skip_blanks(&mut self) {
        while self.characters.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    }

    fn operator(&mut self, which: &[char]) -> Option<char> {
        self.skip_blanks();
        self.characters.next_if(|(_, c)| which.contains(c)).map(|(_, c)| c)
    }

    fn sum(&mut self) -> Result<Dual, ExpressionError> {
        let mut left = self.term()?;
        while let Some(sign) = self.operator(&['+', '-']) {
            let right = self.term()?;
            let by = if sign == '+' { 1.0 } else { -1.0 };
            left = Dual::chain(left.value + by * right.value, 1.0, &left, by, &right);
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Dual, ExpressionError> {
        let mut left = self.signed()?;
        while let Some(sign) = self.operator(&['*', '/']) {
            let right = self.signed()?;
            let (a, b) = (left.value, right.value);
            left = if sign == '*' {
                Dual::chain(a * b, b, &left, a, &right)
            } else {
                Dual::chain(a / b, 1.0 / b, &left, -a / (b * b), &right)
            };
        }
        Ok(left)
    }

    /// A sign binds looser than a power: -x^2 is -(x^2), as in R.
    fn signed(&mut self) -> Result<Dual, ExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("less nesting"));
        }
        let value = match self.operator(&['+', '-']) {
            Some('-') => {
                let value = self.signed()?;
                Dual::scaled(-value.value, -1.0, &value)
            }
            Some(_) => self.signed()?,
            None => self.power()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn power(&mut self) -> Result<Dual, ExpressionError> {
        let base = self.atom()?;
        if self.operator(&['^']).is_none() {
            return Ok(base);
        }
        let exponent = self.signed()?;
        Ok(base.power(&exponent))
    }

    fn atom(&mut self) -> Result<Dual, ExpressionError> {
        self.skip_blanks();
        match self.characters.peek().map(|(_, c)| *c) {
            Some('(') => self.parenthesis(),
            Some('{') => self.key(),
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if c.is_ascii_alphabetic() => self.function(),
            _ => Err(self.wrong("a number, a {key}, a function or a parenthesis")),
        }
    }

    fn parenthesis(&mut self) -> Result<Dual, ExpressionError> {
        if self.operator(&['(']).is_none() {
            return Err(self.wrong("an opening parenthesis"));
        }
        let value = self.sum()?;
        if self.operator(&[')']).is_none() {
            return Err(self.wrong("a closing parenthesis"));
        }
        Ok(value)
    }

    fn key(&mut self) -> Result<Dual, ExpressionError> {
        self.characters.next();
        let mut key = String::new();
        loop {
            match self.characters.next() {
                Some((_, '}')) => break,
                Some((_, c)) => key.push(c),
                None => return Err(self.wrong("a closing brace")),
            }
        }
        let Some(i) = self.keys.iter().position(|k| *k == key) else {
            let known = self.keys.join(", ");
            return Err(ExpressionError::UnknownKey { expression: self.expression.to_owned(), key, known });
        };
        let mut value = Dual::constant(self.estimates[i], self.keys.len());
        value.gradient[i] = 1.0;
        Ok(value)
    }

    fn number(&mut self) -> Result<Dual, ExpressionError> {
        let fault = self.wrong("a number");
        let mut text = String::new();
        while let Some((_, c)) = self.characters.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '.') {
            text.push(c);
            if matches!(c, 'e' | 'E')
                && let Some((_, sign)) = self.characters.next_if(|(_, c)| matches!(c, '+' | '-'))
            {
                text.push(sign);
            }
        }
        let value: f64 = text.parse().map_err(|_| fault)?;
        Ok(Dual::constant(value, self.keys.len()))
    }

    fn function(&mut self) -> Result<Dual, ExpressionError> {
        let mut name = String::new();
        while let Some((_, c)) = self.characters.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
        if !matches!(name.as_str(), "log" | "exp" | "sqrt") {
            return Err(ExpressionError::UnknownFunction { expression: self.expression.to_owned(), name });
        }
        let x = self.parenthesis()?;
        Ok(match name.as_str() {
            "log" => Dual::scaled(libm::log(x.value), 1.0 / x.value, &x),
            "exp" => Dual::scaled(libm::exp(x.value), libm::exp(x.value), &x),
            _ => Dual::scaled(x.value.sqrt(), 0.5 / x.value.sqrt(), &x),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYS: [&str; 2] = ["甲 区", "b.2"];

    fn at(expression: &str) -> Dual {
        evaluate(expression, &KEYS, &[0.25, 4.0]).unwrap()
    }

    #[test]
    fn operators_bind_as_in_r() {
        assert_eq!(at("2 + 3 * 4 - 6 / 3").value, 12.0);
        assert_eq!(at("-2^2").value, -4.0);
        assert_eq!(at("2^3^2").value, 512.0);
        assert_eq!(at("2^-1").value, 0.5);
        assert_eq!(at("(1 - 2) - -3").value, 2.0);
        assert_eq!(at("1.5e-3*2E+3").value, 3.0);
        assert_eq!(at("8 / 4 / 2").value, 1.0);
    }

    #[test]
    fn keys_may_hold_any_character_but_a_brace() {
        assert_eq!(at("{甲 区} * {b.2}").gradient, [4.0, 0.25]);
    }

    #[test]
    fn a_fault_names_its_place() {
        let fault = |e: &str| evaluate(e, &KEYS, &[0.25, 4.0]).unwrap_err();
        assert!(matches!(fault("1 + "), ExpressionError::Syntax { at: 4, .. }));
        assert!(matches!(fault("(1"), ExpressionError::Syntax { at: 2, .. }));
        assert!(matches!(fault("1 2"), ExpressionError::Syntax { at: 2, .. }));
        assert!(matches!(fault("{b.2"), ExpressionError::Syntax { .. }));
        assert!(matches!(fault("1..2"), ExpressionError::Syntax { at: 0, .. }));
        assert!(matches!(fault("system(1)"), ExpressionError::UnknownFunction { .. }));
        assert!(fault("{c}").to_string().contains("甲 区, b.2"));
        assert!(matches!(fault(&"(".repeat(10_000)), ExpressionError::Syntax { .. }));
    }

    #[test]
    fn a_value_outside_a_functions_range_is_nan() {
        assert!(at("log(0 - 1)").value.is_nan());
    }

    proptest! {
        #[test]
        fn the_gradient_is_the_slope(a in 0.1..0.9f64, b in 0.1..0.9f64) {
            let e = "log({a}/(1-{a})) - sqrt({b})*exp({a}*{b})^2 + {b}^{a}";
            let f = |a: f64, b: f64| evaluate(e, &["a", "b"], &[a, b]).unwrap();
            let h = 1e-6;
            let slope = [(f(a + h, b).value - f(a - h, b).value) / (2.0 * h), (f(a, b + h).value - f(a, b - h).value) / (2.0 * h)];
            for (exact, near) in f(a, b).gradient.iter().zip(slope) {
                prop_assert!((exact - near).abs() < 1e-6 * near.abs().max(1.0));
            }
        }
    }
}
