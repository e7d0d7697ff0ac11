//! The operator's view is what its events say, on any terminal, in colour and without.

mod golden;
mod keys;
mod picture;
mod property;
mod scenes;
mod story;
mod terminal;
