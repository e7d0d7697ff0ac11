//! Wire protocol between the host and the RAM-resident flash algorithm, compiled into both; `PROTOCOL.md` is normative.
//!
//! The host writes requests and payload into rings in on-chip RAM and reads results and replies back, with aligned
//! 32-bit debug accesses only, while the core runs on. Every word has one writer; every counter only grows.
#![no_std]

pub mod chunk;
pub mod crc;
pub mod digest;
pub mod fault;
pub mod layout;
pub mod request;
pub mod result;
pub mod setup;
pub mod status;
pub mod words;

pub use chunk::{Chunk, ChunkHeader};
pub use digest::{Digest, Digester};
pub use fault::{Fault, FaultCode, Stage};
pub use layout::{LAYOUT_DIGEST, MAGIC, VERSION};
pub use request::{Request, RequestKind};
pub use result::ResultRecord;
pub use setup::Setup;
pub use status::{ServerState, Status};
pub use words::Words;
