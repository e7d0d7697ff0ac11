//! The probe behind a TCP connection, as the hosts of the protocol know it beside the serial port.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Framed, Framer, Remote, Version};
use crate::board::{BoardError, BoardHandle};
use crate::probe::WireError;

/// How long the line is silent before the board goes on without the host, and by how much at a time.
const SILENCE: Duration = Duration::from_millis(20);
const READ_BYTES: usize = 4096;

/// What the board does while the host is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Idle {
    /// Stands still: virtual time is made of packets only, and a session takes the same time on every computer.
    #[default]
    Stands,
    /// Runs about as long as the silence lasts, for hosts that wait on their own clock.
    Runs,
}

/// Why a connection ended otherwise than by the host's wish.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The connection.
    #[error("the connection broke: {0}")]
    Connection(#[from] io::Error),
    /// The board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The probe.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// A probe on a running board, which keeps its state from one host to the next.
#[derive(Clone, Debug)]
pub struct Server {
    board: BoardHandle,
    probe: Arc<Mutex<Remote>>,
    idle: Idle,
}

impl Server {
    /// A probe that speaks `version` under `board`.
    pub fn new(board: BoardHandle, version: Version, idle: Idle) -> Self {
        Server {
            board,
            probe: Arc::new(Mutex::new(Remote::new(version))),
            idle,
        }
    }

    /// Answers the packets of one host until it hangs up.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn serve(&self, mut client: &TcpStream) -> Result<(), ServeError> {
        client.set_nodelay(true)?;
        client.set_read_timeout((self.idle == Idle::Runs).then_some(SILENCE))?;
        let mut framer = Framer::default();
        let mut buffer = [0; READ_BYTES];
        loop {
            let count = match client.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    self.board.sleep(SILENCE)?;
                    continue;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e.into()),
            };
            for byte in buffer.iter().take(count) {
                if let Some(packet) = framer.push(*byte) {
                    client.write_all(&self.answer(packet)?)?;
                }
            }
        }
    }

    /// The answer to one packet.
    ///
    /// # Errors
    /// [`ServeError`] where board or probe are gone.
    pub fn answer(&self, packet: Framed) -> Result<Vec<u8>, ServeError> {
        let probe = self.probe.clone();
        let answer = self.board.with(move |board| {
            let mut probe = probe.lock().unwrap_or_else(PoisonError::into_inner);
            board.remote(&mut probe, &packet)
        })?;
        Ok(answer?)
    }
}
