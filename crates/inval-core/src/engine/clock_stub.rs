//! stub
use crate::units::Timestamp;
#[derive(Debug, Default)]
pub struct ServerClock {
    offset: Option<i64>,
}
pub struct Sample {
    pub sent: Timestamp,
    pub received: Timestamp,
    pub server: Timestamp,
}
impl ServerClock {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn observe(&mut self, s: Sample) {
        let _ = s.sent;
        self.offset = Some(s.server.as_millis() as i64 - s.received.as_millis() as i64);
    }
    pub fn now(&self, local: Timestamp) -> Option<Timestamp> {
        Some(Timestamp::from_millis((local.as_millis() as i64 + self.offset?) as u64))
    }
    pub fn local(&self, server: Timestamp) -> Option<Timestamp> {
        Some(Timestamp::from_millis((server.as_millis() as i64 - self.offset?).max(0) as u64))
    }
}
