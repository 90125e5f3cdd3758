//! A synthetic city and surveys drawn from it.
