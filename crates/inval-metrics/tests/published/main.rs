//! What is published, whatever way: the same metrics, the same labels, the same values.

mod readings;
mod catalogue;
mod prometheus;
