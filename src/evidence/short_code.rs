//! A code of nine signs that a surveyor can read out over the telephone.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// Crockford's base 32: no I, L, O or U; the five signs after `Z` are for the check only.
const SIGNS: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

/// Forty bits of a digest in eight base-32 signs and Crockford's check sign (the number modulo 37).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortCode(u64);

/// Why a text is no short code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShortCodeError {
    /// Not eight signs and a check sign.
    #[error("read the short code: it has eight signs and a check sign")]
    Length,
    /// A sign that base 32 does not have.
    #[error("read the short code: {0:?} is not one of its signs")]
    Sign(char),
    /// The check sign does not fit: a sign was misheard.
    #[error("read the short code: the check sign does not fit")]
    Check,
}

impl ShortCode {
    /// The code of some bytes: the first forty bits of their SHA-256.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().take(5).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |place: u32| char::from(SIGNS[(self.0 >> (5 * place) & 31) as usize]);
        let half = |from: u32| (0..4).map(|i| sign(from - i)).collect::<String>();
        write!(f, "{}-{}-{}", half(7), half(3), char::from(SIGNS[(self.0 % 37) as usize]))
    }
}

impl FromStr for ShortCode {
    type Err = ShortCodeError;

    /// Reads what a person typed: any case, hyphens and blanks skipped, `O` for 0 and `I` or `L` for 1.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let signs: Vec<char> = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        let [number @ .., check] = signs.as_slice() else { return Err(ShortCodeError::Length) };
        if number.len() != 8 {
            return Err(ShortCodeError::Length);
        }
        let mut value = 0;
        for sign in number {
            let digit = place_of(*sign).filter(|digit| *digit < 32).ok_or(ShortCodeError::Sign(*sign))?;
            value = value << 5 | digit;
        }
        let expected = place_of(*check).ok_or(ShortCodeError::Sign(*check))?;
        if value % 37 == expected { Ok(Self(value)) } else { Err(ShortCodeError::Check) }
    }
}

fn place_of(sign: char) -> Option<u64> {
    let sign = match sign.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    SIGNS.iter().position(|known| char::from(*known) == sign).map(|place| place as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_as_it_was_written() {
        for text in ["", "a", "abc", "一份答卷"] {
            let code = ShortCode::of(text.as_bytes());
            assert_eq!(code.to_string().parse(), Ok(code));
            assert_eq!(code.to_string().to_lowercase().replace('-', " ").parse(), Ok(code));
        }
    }

    #[test]
    fn crockfords_own_example_has_its_check_sign() {
        // 1234 is 16J in base 32, and 1234 mod 37 is 13: check sign D.
        assert_eq!(ShortCode(1234).to_string(), "0000-016J-D");
    }

    #[test]
    fn every_single_misheard_sign_is_found() {
        let code = ShortCode::of(b"abc").to_string().replace('-', "");
        for at in 0..8 {
            for other in SIGNS.iter().take(32).map(|sign| char::from(*sign)) {
                let mut signs: Vec<char> = code.chars().collect();
                if signs[at] == other {
                    continue;
                }
                signs[at] = other;
                let heard: String = signs.into_iter().collect();
                assert_eq!(heard.parse::<ShortCode>(), Err(ShortCodeError::Check), "{heard}");
            }
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        assert_eq!("".parse::<ShortCode>(), Err(ShortCodeError::Length));
        assert_eq!("0000-016J".parse::<ShortCode>(), Err(ShortCodeError::Length));
        assert_eq!("0000-01!J-D".parse::<ShortCode>(), Err(ShortCodeError::Sign('!')));
    }
}
