//! The header: who tells the numbers, what happens in all, how they are getting on.

use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::app::App;
use super::super::cells;
use super::super::health::Health;
use crate::client::{self, print};
use crate::output::grouped;

/// How late numbers may be beyond the interval before that is told.
const PATIENCE: Duration = Duration::from_secs(2);

impl App {
    pub(super) fn draw_header(&self, frame: &mut Frame<'_>, area: Rect, now: Instant) {
        let rates = Line::styled(self.rates(area.width.into()), self.freshness());
        let healths = match &self.shown().error {
            Some(error) => Line::styled(format!("! {error}; trying again"), self.theme.error()),
            None => self.healths(),
        };
        let identity = Line::styled(self.identity.as_str(), self.theme.title());
        for (line, place) in [identity, rates, healths].into_iter().zip(area.rows()) {
            frame.render_widget(line, place);
        }
        self.draw_age(frame, Rect { height: area.height.min(1), ..area }, now);
    }

    /// How numbers look, which may be old.
    pub(super) fn freshness(&self) -> Style {
        if self.shown().error.is_some() { self.theme.stale() } else { Style::new() }
    }

    /// Says to the right how new the numbers are.
    fn draw_age(&self, frame: &mut Frame<'_>, area: Rect, now: Instant) {
        let age = self.shown().age(now);
        let is_late = age > self.interval + PATIENCE || self.shown().error.is_some();
        let age = cells::time_ms(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        let note = match (self.is_paused(), is_late) {
            (true, _) => format!(" paused, numbers of {age} ago"),
            (false, true) => format!(" numbers of {age} ago"),
            (false, false) => format!(" every {}", client::Span(self.interval)),
        };
        let style = if self.is_paused() { self.theme.title() } else { Style::new() };
        let width = u16::try_from(note.len()).unwrap_or(0).min(area.width);
        let place = Rect { x: area.right() - width, width, ..area };
        frame.render_widget(Line::styled(note, style), place);
    }

    /// What happens in all namespaces: as much of it as there is room for.
    fn rates(&self, room: usize) -> String {
        let total = self.shown().total();
        let rate = |of: fn(&client::Rates) -> f64| print::rate(total.as_ref().map(of));
        let parts = [
            format!("hits {}/s", rate(|rates| rates.hits)),
            format!("miss ratio {}", print::ratio(total.and_then(|rates| rates.miss_ratio))),
            format!("evicted {}/s", rate(|rates| rates.evicted)),
            format!("expired {}/s", rate(|rates| rates.expired)),
            format!("writes {}/s", rate(|rates| rates.inserted)),
        ];
        let mut line = String::new();
        for part in parts {
            let gap = if line.is_empty() { "" } else { "  " };
            if line.len() + gap.len() + part.len() > room {
                break;
            }
            line = line + gap + &part;
        }
        line
    }

    /// How many namespaces there are, and how many of each health, the worst first.
    fn healths(&self) -> Line<'static> {
        let healths = self.shown().healths();
        let all = healths.values().sum::<usize>();
        let mut spans = vec![Span::raw(match all {
            1 => "1 namespace".to_owned(),
            _ => format!("{} namespaces", grouped(all as u64)),
        })];
        let told = healths.into_iter().filter(|(health, _)| *health != Health::Unknown);
        for (at, (health, count)) in told.enumerate() {
            spans.push(Span::raw(if at == 0 { ": " } else { ", " }));
            let text = format!("{} {}", grouped(count as u64), health.name());
            spans.push(Span::styled(text, self.theme.health(health)));
        }
        if !self.filter.is_empty() {
            spans.push(Span::raw(format!("; {} with \"{}\"", self.rows().len(), self.filter)));
        }
        Line::from(spans)
    }
}
