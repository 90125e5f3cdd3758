//! Numbers as the official releases write them: shares with two decimals, differences in 百分点, counts with thin
//! separators. What is not there is a dash, never a zero. The pages write the same.

/// Stands where there is no number.
pub const ABSENT: &str = "–";

/// Between thousands.
const THIN: char = '\u{202f}';

/// A number with so many decimals, halves away from zero as people round; no minus before a zero.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    // Every double is a finite decimal; 60 more places than asked for are enough to see whether it is a half exactly.
    let long = format!("{:.*}", decimals + 60, value.abs());
    let at = long.find('.').map_or(long.len(), |point| point + 1 + decimals);
    let rest = &long[at.min(long.len())..];
    let is_half = rest.strip_prefix('5').is_some_and(|rest| rest.bytes().all(|digit| digit == b'0'));
    let written = if is_half { up(&long[..at]) } else { format!("{:.decimals$}", value.abs()) };
    let is_zero = written.bytes().all(|sign| matches!(sign, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("−{written}") } else { written }
}

/// The next decimal of as many places.
fn up(digits: &str) -> String {
    let digits = digits.strip_suffix('.').unwrap_or(digits);
    let mut carried = true;
    let mut turned: Vec<char> = Vec::new();
    for digit in digits.chars().rev() {
        turned.push(match digit {
            '9' if carried => '0',
            digit if carried && digit != '.' => {
                carried = false;
                char::from_digit(digit.to_digit(10).unwrap_or(0) + 1, 10).unwrap_or('0')
            }
            digit => digit,
        });
    }
    let whole = if carried { "1" } else { "" };
    whole.chars().chain(turned.into_iter().rev()).collect()
}

/// 15.37%.
#[must_use]
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), |value| format!("{}%", fixed(value * 100.0, 2)))
}

/// 13.50%–17.40%.
#[must_use]
pub fn interval(ci: Option<[f64; 2]>) -> String {
    ci.map_or_else(|| ABSENT.to_owned(), |[low, high]| format!("{}–{}", share(Some(low)), share(Some(high))))
}

/// A share as it was set: 15%, 15.5%.
#[must_use]
pub fn set_share(value: f64) -> String {
    let written = fixed(value * 100.0, 2);
    let short = written.trim_end_matches('0').trim_end_matches('.');
    format!("{short}%")
}

/// A difference of two shares in 百分点, without its sign.
#[must_use]
pub fn points(value: f64) -> String {
    fixed(value.abs() * 100.0, 2)
}

/// A difference of two shares in 百分点 with its sign.
#[must_use]
pub fn signed_points(value: Option<f64>) -> String {
    let Some(value) = value else { return ABSENT.to_owned() };
    let written = fixed(value * 100.0, 2);
    let is_more = value > 0.0 && written.bytes().any(|sign| matches!(sign, b'1'..=b'9'));
    if is_more { format!("+{written}") } else { written }
}

/// An interval of a difference in 百分点.
#[must_use]
pub fn points_interval(ci: Option<[f64; 2]>) -> String {
    let both = |[low, high]: [f64; 2]| format!("{} ~ {}", signed_points(Some(low)), signed_points(Some(high)));
    ci.map_or_else(|| ABSENT.to_owned(), both)
}

/// A p-value with three decimals.
#[must_use]
pub fn p_value(value: Option<f64>) -> String {
    match value {
        None => ABSENT.to_owned(),
        Some(p) if p < 0.001 => "<0.001".to_owned(),
        Some(p) => fixed(p, 3),
    }
}

/// A number with decimals and thin separators.
#[must_use]
pub fn decimal(value: Option<f64>, decimals: usize) -> String {
    let Some(value) = value else { return ABSENT.to_owned() };
    let written = fixed(value, decimals);
    let (whole, part) = written.split_once('.').unwrap_or((&written, ""));
    let grouped = grouped(whole);
    if part.is_empty() { grouped } else { format!("{grouped}.{part}") }
}

/// A count with thin separators.
#[must_use]
pub fn count(value: impl TryInto<u64>) -> String {
    value.try_into().map_or_else(|_| ABSENT.to_owned(), |value| grouped(&value.to_string()))
}

/// A sum of weights or an effective n as a whole number.
#[must_use]
pub fn count_of(value: f64) -> String {
    decimal(Some(value), 0)
}

fn grouped(whole: &str) -> String {
    let digits = whole.chars().filter(char::is_ascii_digit).count();
    let mut out = String::new();
    let mut left = digits;
    for sign in whole.chars() {
        if sign.is_ascii_digit() {
            if left < digits && left.is_multiple_of(3) {
                out.push(THIN);
            }
            left -= 1;
        }
        out.push(sign);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_points_are_written_as_releases_write_them() {
        assert_eq!(share(Some(0.153_7)), "15.37%");
        assert_eq!(share(None), "–");
        assert_eq!(interval(Some([0.135, 0.174])), "13.50%–17.40%");
        assert_eq!((set_share(0.15), set_share(0.155), set_share(1.0)), ("15%".into(), "15.5%".into(), "100%".into()));
        assert_eq!(signed_points(Some(0.0123)), "+1.23");
        assert_eq!(signed_points(Some(-0.0123)), "−1.23");
        assert_eq!(signed_points(Some(-0.000_01)), "0.00", "no minus before a zero");
        assert_eq!(points_interval(Some([-0.01, 0.02])), "−1.00 ~ +2.00");
        assert_eq!((p_value(Some(0.0004)), p_value(Some(0.0421))), ("<0.001".into(), "0.042".into()));
    }

    #[test]
    fn an_exact_half_is_rounded_away_from_zero_and_no_other_number_is_moved() {
        assert_eq!(fixed(12.125, 2), "12.13", "exact in binary");
        assert_eq!(fixed(12.375, 2), "12.38");
        assert_eq!(fixed(-0.125, 2), "−0.13");
        assert_eq!(fixed(9.5, 0), "10");
        assert_eq!(fixed(99.995, 2), "100.00", "a little above the half in binary");
        assert_eq!(fixed(1.005, 2), "1.00", "a little below the half in binary");
        assert_eq!(fixed(0.0, 2), "0.00");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(1_234_567_u64), "1\u{202f}234\u{202f}567");
        assert_eq!(count(999_usize), "999");
        assert_eq!(decimal(Some(-12_345.678), 1), "−12\u{202f}345.7");
    }
}
