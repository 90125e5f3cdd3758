//! Connections that are not asked whether they live each time somebody takes one.
//!
//! A pool asks each connection for a sign of life before it hands it out: one more way to the server and back for every
//! look at the database, which a submission takes several times. A connection that answered a moment ago is taken at
//! its word here. If its server went away since, the one that holds it hears so from its own statement, as it would if
//! the server had gone a moment later.

use std::{
    ops::{Deref, DerefMut},
    time::{Duration, Instant},
};

use diesel::r2d2::{ConnectionManager, Error, ManageConnection, R2D2Connection};

/// So long a connection that answered is trusted. Errors after the server went away end within it, too.
const TRUST: Duration = Duration::from_secs(1);

#[expect(
    clippy::disallowed_methods,
    reason = "how long a connection was silent is a matter of the server's and of no result"
)]
fn now() -> Instant {
    Instant::now()
}

/// A connection, and when it last gave a sign of life to the pool.
pub struct Trusted<C> {
    connection: C,
    answered: Instant,
}

impl<C> Deref for Trusted<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C> DerefMut for Trusted<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.connection
    }
}

/// Diesel's manager, with that trust.
#[derive(Debug)]
pub struct TrustingManager<C>(ConnectionManager<C>);

impl<C> TrustingManager<C> {
    pub(super) fn new(url: &str) -> Self {
        Self(ConnectionManager::new(url))
    }
}

impl<C: R2D2Connection + 'static> ManageConnection for TrustingManager<C> {
    type Connection = Trusted<C>;
    type Error = Error;

    fn connect(&self) -> Result<Self::Connection, Error> {
        Ok(Trusted { connection: self.0.connect()?, answered: now() })
    }

    fn is_valid(&self, held: &mut Self::Connection) -> Result<(), Error> {
        if held.answered.elapsed() >= TRUST {
            self.0.is_valid(&mut held.connection)?;
            held.answered = now();
        }
        Ok(())
    }

    fn has_broken(&self, held: &mut Self::Connection) -> bool {
        self.0.has_broken(&mut held.connection)
    }
}
