//! Breaks the daemon and its servers on purpose; `cargo xtask chaos` runs more of it, and longer.

fn main() -> std::process::ExitCode {
    inval_chaos::main(env!("CARGO_BIN_EXE_inval"))
}
