//! What was made last from a column of the table: the next table of estimates often asks for the same.

use std::sync::{Arc, Mutex, PoisonError};

type Kept<T> = Option<(Arc<Vec<f64>>, Arc<T>)>;

/// One thing made from one column. The column is held, so that its place in memory is nobody else's.
#[derive(Debug, Clone)]
pub(in crate::statistics) struct ByColumn<T>(Arc<Mutex<Kept<T>>>);

impl<T> Default for ByColumn<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> ByColumn<T> {
    /// What was made from this column, or what `make` makes now.
    pub fn get_or_make(&self, column: Arc<Vec<f64>>, make: impl FnOnce() -> T) -> Arc<T> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, made)) = kept().as_ref()
            && Arc::ptr_eq(of, &column)
        {
            return made.clone();
        }
        // What another column needed makes room first. It is made outside the lock: that runs on all threads, and one
        // that waits for the others may take up work that asks here too.
        kept().take();
        let made = Arc::new(make());
        *kept() = Some((column, made.clone()));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_made_again_for_another_column_only() {
        let (kept, a, b) = (ByColumn::default(), Arc::new(vec![1.0]), Arc::new(vec![1.0]));
        assert_eq!(*kept.get_or_make(a.clone(), || 1), 1);
        assert_eq!(*kept.get_or_make(a.clone(), || 2), 1);
        assert_eq!(*kept.get_or_make(b, || 3), 3);
        assert_eq!(*kept.get_or_make(a, || 4), 4);
    }
}
