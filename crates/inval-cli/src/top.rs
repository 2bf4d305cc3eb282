//! The command `inval top`: readings, keys and signals come in, screens go out.

mod app;
mod keys;
mod model;
mod history;
mod health;
mod order;

mod view;
mod columns;
mod cells;
mod theme;

mod events;
mod terminal;

#[cfg(test)]
mod screens;

use std::env;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::args::TopArgs;
use crate::client::{Endpoint, Ticks};
use crate::failure::UsageError;
use app::{App, Wish};
use events::{Event, Events};
use terminal::Screen;
use theme::Theme;

/// How long the screen stays as it is if nothing happens; ages on it grow.
const REDRAW: Duration = Duration::from_secs(1);

/// Shows all namespaces until somebody has seen enough. Only where the very first reading fails, it does.
pub(crate) fn run(args: &TopArgs) -> anyhow::Result<()> {
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    if is_dumb || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(UsageError::NoTerminal.into());
    }
    let endpoint = Endpoint::open(&args.origin)?;
    let mut ticks = Ticks::every(args.interval);
    ticks.wait();
    let first = endpoint.statistics(None)?;
    let mut app = App::new(endpoint.identity(), args.interval, Theme::of_environment());
    app.on_reading(Ok(first), Instant::now());

    let events = Events::with_signals()?;
    let mut screen = Screen::enter()?;
    events.add_keys();
    events.add_readings(endpoint, ticks);
    show(&mut app, &mut screen, &events)
}

fn show(app: &mut App, screen: &mut Screen, events: &Events) -> anyhow::Result<()> {
    loop {
        screen.draw(|frame| app.draw(frame, Instant::now()))?;
        match events.next(REDRAW) {
            None | Some(Event::Resized) => {}
            Some(Event::Reading { told, at }) => app.on_reading(told, at),
            Some(Event::Key(key)) => match app.on_key(key) {
                Wish::GoOn => {}
                Wish::Suspend => screen.suspend()?,
                Wish::Quit => return Ok(()),
            },
            Some(Event::Stop) => return Ok(()),
            Some(Event::Suspend) => screen.suspend()?,
            Some(Event::Continue) => screen.renew()?,
            Some(Event::Broken(error)) => return Err(error.into()),
        }
    }
}
