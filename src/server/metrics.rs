//! Numbers for a monitor: counts and times by route and status, never by person, place or case.
//!
//! Each server has a recorder of its own, so that several in one process do not mix their numbers.

use std::sync::Arc;

use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::Health;

/// Seconds; the goals are 0.1 and 0.5.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The numbers of one server. Cloning shares them.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let builder = PrometheusBuilder::new();
        // Fails for an empty list only; without buckets the times would come as quantiles.
        let builder = builder.set_buckets(&BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        Self { recorder: Arc::new(recorder), handle }
    }
}

impl Metrics {
    /// A request was answered. The route is the pattern from the table of routes, so that the number of series is bounded.
    pub fn answered(&self, method: &'static str, route: String, status: u16, seconds: f64) {
        with_local_recorder(&*self.recorder, || {
            histogram!("scilit_http_request_seconds", "method" => method, "route" => route.clone()).record(seconds);
            counter!("scilit_http_requests_total", "method" => method, "route" => route, "status" => status.to_string())
                .increment(1);
        });
    }

    /// Adds to a count; `name` ends in `_total`.
    pub fn add(&self, name: &'static str, amount: u64) {
        with_local_recorder(&*self.recorder, || counter!(name).increment(amount));
    }

    /// Everything in the text form of Prometheus.
    pub fn render(&self, health: Option<&Health>) -> String {
        with_local_recorder(&*self.recorder, || {
            gauge!("scilit_up_database").set(if health.is_some() { 1.0 } else { 0.0 });
            if let Some(health) = health {
                gauge!("scilit_ready").set(if health.is_good() { 1.0 } else { 0.0 });
                gauge!("scilit_audit_entries").set(health.log_entries as f64);
            }
            if let Some(disk) = health.and_then(|health| health.disk) {
                gauge!("scilit_disk_free_bytes").set(disk.free as f64);
                gauge!("scilit_disk_total_bytes").set(disk.total as f64);
            }
        });
        self.handle.run_upkeep();
        self.handle.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_do_not_mix_their_numbers() {
        let (one, two) = (Metrics::default(), Metrics::default());
        one.answered("GET", "/healthz".to_owned(), 200, 0.003);
        one.answered("GET", "/healthz".to_owned(), 200, 0.3);
        two.add("scilit_x_total", 2);
        let text = one.render(None);
        assert!(
            text.contains("scilit_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 2"),
            "{text}"
        );
        assert!(
            text.contains("scilit_http_request_seconds_bucket{method=\"GET\",route=\"/healthz\",le=\"0.005\"} 1"),
            "{text}"
        );
        assert!(text.contains("scilit_up_database 0"), "{text}");
        assert!(!two.render(None).contains("healthz") && two.render(None).contains("scilit_x_total 2"));
    }
}
