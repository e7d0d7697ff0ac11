//! The operator's view is what its events say, on any terminal, in colour and without.

mod golden;
mod keys;
mod picture;
mod property;
// `script` of util-linux makes the pseudo-terminal
#[cfg(target_os = "linux")]
mod pseudo_terminal;
mod scenes;
mod story;
mod terminal;
