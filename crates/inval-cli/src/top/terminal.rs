//! The terminal: taken for the display, and given back as it was.

use std::io::{self, Stdout, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};

/// Whether the terminal is ours. Giving it back twice would put the cursor on what was written in between.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours. It is given back when this is dropped, and on a panic before that is told.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    pub(super) fn enter() -> io::Result<Self> {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _ = give_back();
            hook(info);
        }));
        let terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        let screen = Self { terminal };
        take()?;
        Ok(screen)
    }

    /// Draws what has changed; all of it if the size has.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(drop)
    }

    /// Gives the terminal back and stops. What comes after is a signal to go on, and then [`Self::renew`].
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        #[cfg(unix)]
        {
            give_back()?;
            signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        }
        Ok(())
    }

    /// Takes the terminal, whatever others have made of it, and draws everything the next time.
    pub(super) fn renew(&mut self) -> io::Result<()> {
        // One that knows nothing of the screen; clearing would ask the terminal for its cursor, and keys would wait.
        self.terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        disable_raw_mode()?;
        take()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // If the terminal has gone, there is nothing to give back.
        let _ = give_back();
    }
}

fn take() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::Relaxed);
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, Hide)
}

fn give_back() -> io::Result<()> {
    if !IS_TAKEN.swap(false, Ordering::Relaxed) {
        return Ok(());
    }
    // Each part, whatever becomes of the other.
    let cooked = disable_raw_mode();
    execute!(stdout(), Show, LeaveAlternateScreen).and(cooked)
}
