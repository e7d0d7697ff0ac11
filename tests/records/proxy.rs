//! A network between station and database server that can be cut at a chosen point of what they say.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the network does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It carries everything.
    Carry,
    /// It cuts when a COMMIT comes, which the server never gets.
    CutBeforeCommit,
    /// It cuts when the answer to a COMMIT comes, which the station never gets.
    CutAfterCommit,
}

#[derive(Debug)]
struct Wire {
    next: Next,
    /// Whether it carries new connections.
    is_up: bool,
    /// COMMITs to let pass before.
    commits: u32,
}

#[derive(Clone)]
pub struct Proxy {
    address: String,
    wire: Arc<Mutex<Wire>>,
}

/// A COMMIT on the wire: a simple query.
const COMMIT: &[u8] = b"COMMIT\0";

impl Proxy {
    pub fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let proxy = Proxy {
            address: listener.local_addr().expect("an address").to_string(),
            wire: Arc::new(Mutex::new(Wire {
                next: Next::Carry,
                is_up: true,
                commits: 0,
            })),
        };
        let wire = Arc::clone(&proxy.wire);
        thread::spawn(move || {
            for station in listener.incoming().flatten() {
                if !wire.lock().expect("the wire").is_up {
                    continue;
                }
                let server = TcpStream::connect(&server).expect("the server");
                carry(station, server, &wire);
            }
        });
        proxy
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// After `commits` more COMMITs.
    pub fn then(&self, commits: u32, next: Next) {
        let mut wire = self.wire.lock().expect("the wire");
        (wire.commits, wire.next) = (commits, next);
    }

    pub fn set_up(&self, is_up: bool) {
        self.wire.lock().expect("the wire").is_up = is_up;
    }

    /// Whether it has done what it was told.
    pub fn has_cut(&self) -> bool {
        self.wire.lock().expect("the wire").next == Next::Carry
    }
}

fn carry(station: TcpStream, server: TcpStream, wire: &Arc<Mutex<Wire>>) {
    let (mut from_station, mut to_server) = (
        station.try_clone().expect("a socket"),
        server.try_clone().expect("a socket"),
    );
    let (mut from_server, mut to_station) = (server, station);
    // set by the one direction, seen by the other
    let answers_no_more = Arc::new(Mutex::new(false));
    let silent = Arc::clone(&answers_no_more);
    let wire = Arc::clone(wire);
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(length @ 1..) = from_station.read(&mut buffer) {
            let bytes = &buffer[..length];
            if bytes.windows(COMMIT.len()).any(|window| window == COMMIT) {
                let mut wire = wire.lock().expect("the wire");
                if wire.next != Next::Carry && wire.commits > 0 {
                    wire.commits -= 1;
                } else {
                    match std::mem::replace(&mut wire.next, Next::Carry) {
                        Next::Carry => {}
                        Next::CutBeforeCommit => break,
                        Next::CutAfterCommit => *silent.lock().expect("silent") = true,
                    }
                }
            }
            if to_server.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = from_station.shutdown(Shutdown::Both);
        // a station that is cut off says no good-bye: to the server it is just silent
        if !*silent.lock().expect("silent") {
            let _ = to_server.shutdown(Shutdown::Write);
        }
    });
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(length @ 1..) = from_server.read(&mut buffer) {
            if *answers_no_more.lock().expect("silent")
                || to_station.write_all(&buffer[..length]).is_err()
            {
                break;
            }
        }
        let _ = to_station.shutdown(Shutdown::Both);
    });
}
