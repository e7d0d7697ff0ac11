//! What the operator asks a running station for.

/// One request; sites are named by their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The key of a site.
    Start {
        /// The site.
        site: String,
    },
    /// The verdict at a site was seen.
    Acknowledge {
        /// The site.
        site: String,
    },
    /// A code was scanned.
    Scan {
        /// The site that it was scanned for; none where the station is to decide.
        site: Option<String>,
        /// The code.
        barcode: String,
    },
    /// No new board; the station ends when those in work are done.
    Quit,
    /// Those in work end at the next point where a board can be left safely.
    Cancel,
}
