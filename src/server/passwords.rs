//! Passwords: Argon2id, few at a time, because each takes 19 MiB.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};

use super::{AccountRefusal, Refusal, Text, secrets};

/// Memory in KiB, passes and lanes, as OWASP advises.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Signs a password has at least and bytes at most.
const SIGNS_MIN: usize = 12;
const BYTES_MAX: usize = 1024;

/// Callers that may wait for a hash.
const WAITING_MAX: usize = 32;

/// What an unknown login is checked against, so that it takes as long as a known one; no password has this hash.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2NpbGl0LW5vYm9keS0wMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The commonest passwords of twelve signs and more.
const COMMON: [&str; 14] = [
    "123456789012",
    "1234567890123",
    "1234567890123456",
    "password1234",
    "password12345",
    "passwordpassword",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop[]",
    "1q2w3e4r5t6y",
    "administrator",
    "adminadminadmin",
    "111111111111",
    "000000000000",
];

/// Where callers wait until a processor is free for their hash.
#[derive(Debug, Clone)]
pub struct Passwords(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    at_once_max: usize,
    queue: Mutex<Queue>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    running: usize,
    waiting: usize,
}

/// The right to compute one hash.
#[derive(Debug)]
pub(super) struct Turn(Arc<Gate>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.0.freed.notify_one();
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::at_once(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl Passwords {
    fn at_once(at_once_max: usize) -> Self {
        Self(Arc::new(Gate { at_once_max, queue: Mutex::default(), freed: Condvar::new() }))
    }

    /// Waits for a turn, unless too many wait already.
    pub(super) fn turn(&self) -> Result<Turn, Refusal> {
        let gate = &self.0;
        let mut queue = gate.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.running >= gate.at_once_max {
            if queue.waiting >= WAITING_MAX {
                return Err(AccountRefusal::Busy.into());
            }
            queue.waiting += 1;
            while queue.running >= gate.at_once_max {
                queue = gate.freed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            queue.waiting -= 1;
        }
        queue.running += 1;
        Ok(Turn(Arc::clone(gate)))
    }
}

/// The hash of a new password.
pub(super) fn hash(_: &Turn, password: &str) -> Result<String, Refusal> {
    let salt: [u8; 16] = secrets::random()?;
    let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|error| broken(&error))?;
    Ok(hash.to_string())
}

/// Whether the password has this hash; without a hash it takes as long and is always wrong.
pub(super) fn is_right(_: &Turn, password: &str, hash: Option<&str>) -> Result<bool, Refusal> {
    let parsed = PasswordHash::new(hash.unwrap_or(NOBODYS)).map_err(|error| broken(&error))?;
    let fits = argon2()?.verify_password(password.as_bytes(), &parsed).is_ok();
    Ok(fits && hash.is_some())
}

/// Refuses a new password that is too short, endless, or among the commonest.
pub(super) fn check(password: &str) -> Result<(), Refusal> {
    let (zh, en) = match password {
        _ if password.chars().count() < SIGNS_MIN => ("密码至少12个字符", "a password has at least 12 signs"),
        _ if password.len() > BYTES_MAX => ("密码过长", "the password is too long"),
        _ if COMMON.contains(&password.to_lowercase().as_str()) => {
            ("密码过于常见", "the password is among the commonest")
        }
        _ => return Ok(()),
    };
    Err(AccountRefusal::WeakPassword(Text::new(zh, en)).into())
}

fn argon2() -> Result<Argon2<'static>, Refusal> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| broken(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::Stored { what: "password hash", message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_and_nobodys_fits_none() {
        let turn = Passwords::default().turn().expect("a turn");
        let kept = hash(&turn, "correct horse battery").expect("a hash");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_right(&turn, "correct horse battery", Some(&kept)).expect("checked"));
        assert!(!is_right(&turn, "correct horse batterz", Some(&kept)).expect("checked"));
        assert!(!is_right(&turn, "correct horse battery", None).expect("checked"));
    }

    #[test]
    fn short_and_common_passwords_are_refused_by_length_and_list_only() {
        assert!(check("elevensigns").is_err() && check("PASSWORD1234").is_err() && check(&"x".repeat(1025)).is_err());
        assert!(check("十二个汉字也算十二个字符呀").is_ok() && check("aaaaaaaaaaab").is_ok());
    }

    #[test]
    fn rel_s7_no_more_hash_at_once_than_allowed_and_the_thirty_fourth_is_turned_away() {
        let passwords = Passwords::at_once(1);
        let first = passwords.turn().expect("the first turn");
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| {
                let passwords = passwords.clone();
                thread::spawn(move || passwords.turn().map(drop).is_ok())
            })
            .collect();
        while passwords.0.queue.lock().expect("the queue").waiting < WAITING_MAX {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(passwords.0.queue.lock().expect("the queue").running, 1);
        assert!(matches!(passwords.turn(), Err(Refusal::Account(AccountRefusal::Busy))));
        drop(first);
        assert!(waiting.into_iter().all(|thread| thread.join().expect("no panic")));
        assert!(passwords.turn().is_ok());
    }
}
