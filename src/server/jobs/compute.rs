use super::*;
pub(super) fn compute(_d: &Database, _i: &str) -> Result<Computed, RunFailure> { todo!() }
