//! What is published, whatever way: the same metrics, the same labels, the same values.

#![cfg(test)]

#[path = "published/readings.rs"]
mod readings;
#[path = "published/catalogue.rs"]
mod catalogue;
#[path = "published/prometheus.rs"]
mod prometheus;
#[path = "published/publisher.rs"]
mod publisher;
#[path = "published/rules.rs"]
mod rules;
#[path = "published/monitoring.rs"]
mod monitoring;
#[path = "published/page.rs"]
mod page;
