//! What the operator asks a running station for.

/// One request; sites are named by their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The key of a site.
    Start {
        /// The site.
        site: String,
    },
    /// A code was scanned.
    Code {
        /// The site that it was scanned for; none where the station is to find out.
        site: Option<String>,
        /// The code.
        code: String,
    },
    /// A verdict was seen.
    Acknowledge {
        /// The site; none for all sites.
        site: Option<String>,
    },
    /// No new board; the station ends when those in work are done.
    Quit,
    /// Those in work end at the next point where a board can be left safely.
    Cancel,
}
