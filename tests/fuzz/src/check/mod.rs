//! What must hold for every input; the fuzz targets and the replay of their corpus ask the same.

pub mod file;
pub mod flash;
pub mod header;
pub mod mailbox;
pub mod merge;
pub mod server;

/// Panics where an input shows a defect.
pub type Check = fn(&[u8]);

/// Every fuzz target: its name, which is that of its corpus, and what it asks.
pub const TARGETS: &[(&str, Check)] = &[
    ("intel_hex", file::intel_hex),
    ("s_record", file::s_record),
    ("elf", file::elf),
    ("uf2", file::uf2),
    ("raw", file::raw),
    ("merge", merge::merge),
    ("fcb", header::fcb),
    ("ivt", header::ivt),
    ("dcd", header::dcd),
    ("mcuboot", flash::mcuboot),
    ("judge", flash::judged),
    ("mailbox", mailbox::mailbox),
    ("server", server::server),
];

/// An input that is taken apart from its front.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Input(bytes)
    }

    /// The next byte, until none is left.
    pub fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    /// The next word; zeros behind the end.
    pub fn word(&mut self) -> u32 {
        self.take().map_or(0, u32::from_le_bytes)
    }

    /// The next `N` words.
    pub fn words<const N: usize>(&mut self) -> [u32; N] {
        std::array::from_fn(|_| self.word())
    }

    /// The next bytes, as many as there are up to `length`.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(length.min(self.0.len()));
        self.0 = tail;
        head
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }
}
