//! HTTP and background jobs.
