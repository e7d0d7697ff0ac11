//! What the operator asks of a station.

/// Something asked for: by a key, by a scanner, by a signal that ends the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The key of a site.
    Start {
        /// The site's label.
        site: String,
    },
    /// A code was scanned.
    Code {
        /// Label of the site that the operator had chosen for it; none where the station finds the one that waits.
        site: Option<String>,
        /// The code.
        code: String,
    },
    /// The verdict was seen.
    Acknowledge {
        /// The site's label; none for all sites.
        site: Option<String>,
    },
    /// No further board is begun; the station ends when those under way are done.
    Quit,
    /// As [`Command::Quit`], and boards under way end where they can be left safely.
    Cancel,
}
