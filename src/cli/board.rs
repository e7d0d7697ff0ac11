//! `rtflash board serve`: a virtual board under a Black Magic Probe, for other tools to connect to over TCP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, Subcommand};
use virtual_board::board::{Board, BoardConfig, BoardError, FlashFileError};
use virtual_board::remote::{BLACK_MAGIC, Idle, Server, Version};

use super::standing::Standing;
use super::{ERROR, complain, print};
use crate::link::{VirtualBench, VirtualError, VirtualProbe};
use crate::problem::{ExitCode, Problem};

/// Exit codes of `board` and what is below it.
pub const EXIT_CODES: &str = "\
Exit codes: 0 served until Ctrl-C or, with --once, to the first client's end; 2 the
address cannot be listened on; 21 the board's flash file cannot be used; 23 it could
not be written. `rtflash --help` lists them all.";

/// What can be done with a virtual board.
#[derive(Debug, Subcommand)]
pub enum BoardCommand {
    /// Let other tools attach to a virtual board: it speaks the Black Magic Probe remote protocol over TCP
    ///
    /// Prints the address it listens on. probe-rs attaches to it with `--chip MIMXRT1060 --protocol swd --probe
    /// 1d50:6018:ADDRESS`, rtflash with `--probe 1d50:6018:ADDRESS`, Black Magic Debug with `blackmagic -d ADDRESS`.
    ///
    /// One client is served at a time, the next one waits. When a client has gone, the flash is written to FILE and a
    /// report printed: virtual time, packets, what the flash did, what the manuals forbid, where the boot ROM and the core
    /// stand. The board stays powered for the next client.
    ///
    /// The board lives in virtual time, which only packets advance: by one round trip each (1 ms) and the SWD clocks they
    /// cost. Without packets the board stands still. A client that sleeps on its own clock and then looks once sees no
    /// progress; --run-when-idle lets the board run on meanwhile, and its times then differ from run to run.
    #[command(after_help = EXIT_CODES)]
    Serve(ServeArgs),
}

/// Arguments of `board serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The board: `virtual` for a fresh one, `virtual:FILE` for one that keeps its flash in FILE, with options after a
    /// question mark as for `rtflash flash --probe`, except `probe=`
    #[arg(value_name = "BOARD", default_value = "virtual")]
    board: String,
    /// Address and port to listen on; port 0 lets the system choose, and the choice is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Listen on an address that other computers can reach: whoever connects can read and write all of the board
    #[arg(long)]
    allow_remote: bool,
    /// Version of the remote protocol, 0 to 4; old probe firmware speaks an old one
    #[arg(long, value_name = "N", default_value_t = Version::NEWEST.number(),
          value_parser = clap::value_parser!(u8).range(
              Version::OLDEST.number() as i64..=Version::NEWEST.number() as i64))]
    protocol_version: u8,
    /// End when the first client has gone
    #[arg(long)]
    once: bool,
    /// Let the board run on while the client sends nothing
    #[arg(long)]
    run_when_idle: bool,
    /// Flash part on the board, unless BOARD says part=NAME
    #[arg(long, value_name = "PART", default_value = "is25wp064")]
    flash: String,
}

/// Runs it.
///
/// # Errors
/// What keeps the board from starting or the address from being listened on.
pub fn run(command: &BoardCommand) -> Result<u8, Problem> {
    let BoardCommand::Serve(arguments) = command;
    serve(arguments)
}

fn serve(arguments: &ServeArgs) -> Result<u8, Problem> {
    let version = Version::new(arguments.protocol_version).ok_or_else(|| {
        Problem::new(
            "protocol-version",
            ExitCode::Usage,
            format!(
                "there is no protocol version {}",
                arguments.protocol_version
            ),
        )
    })?;
    let listener = listen(arguments)?;
    let address = listener
        .local_addr()
        .map_err(|e| cannot_listen(arguments.listen, &e))?;
    let bench = VirtualBench::start(config(arguments)?)?;
    let idle = if arguments.run_when_idle {
        Idle::Runs
    } else {
        Idle::Stands
    };
    let server = Server::new(bench.board().clone(), version, idle);
    let stop = Arc::new(Stop::new(address));
    let asked = stop.clone();
    ctrlc::set_handler(move || asked.ask())
        .map_err(|e| Problem::new("signal-handler", ExitCode::Internal, e.to_string()))?;
    print(&format!(
        "listening {address}, Black Magic Probe remote protocol version {}",
        version.number()
    ));
    print(&format!(
        "attach    probe-rs … --probe 1d50:6018:{}",
        stop.reachable()
    ));
    let mut written = true;
    loop {
        let (client, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(e) => return Err(cannot_listen(address, &e)),
        };
        if stop.is_asked() {
            break;
        }
        let before = standing(&bench)?;
        stop.watch(&client);
        if let Err(error) = server.serve(&client)
            && !stop.is_asked()
        {
            tracing::warn!("{peer}: {error}");
        }
        stop.forget();
        let (after, saved) = ask(&bench, |board| (Standing::of(board), board.save()))?;
        print(&format!("client    {peer} has gone"));
        for line in after.since(&before) {
            print(&line);
        }
        written &= is_written(saved);
        if arguments.once || stop.is_asked() {
            break;
        }
    }
    Ok(if written {
        ExitCode::Proven
    } else {
        ExitCode::RecordNotWritten
    }
    .number())
}

fn config(arguments: &ServeArgs) -> Result<BoardConfig, Problem> {
    let asked = VirtualProbe::parse(&arguments.board)?.ok_or_else(|| {
        Problem::new(
            "virtual-board",
            ExitCode::Usage,
            format!("\"{}\" is no virtual board", arguments.board),
        )
        .fix("write `virtual` or `virtual:FILE`, with options after a question mark")
    })?;
    let asked = asked.under(BLACK_MAGIC).ok_or_else(|| {
        Problem::new(
            "virtual-option",
            ExitCode::Usage,
            "a served board has a Black Magic Probe and no other",
        )
        .fix("leave `probe=` out; `round-trip-us=` may stay")
    })?;
    Ok(asked.config(&arguments.flash)?)
}

fn listen(arguments: &ServeArgs) -> Result<TcpListener, Problem> {
    let address = arguments.listen;
    if !address.ip().is_loopback() && !arguments.allow_remote {
        return Err(Problem::new(
            "listen-remote",
            ExitCode::Usage,
            format!("{address} can be reached by other computers"),
        )
        .because(
            "the protocol asks nobody who he is, and whoever connects reads and writes the board and its flash file",
        )
        .fix("listen on 127.0.0.1, or say --allow-remote"));
    }
    TcpListener::bind(address).map_err(|e| cannot_listen(address, &e))
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Problem {
    Problem::new(
        "listen",
        ExitCode::Usage,
        format!("cannot listen on {address}"),
    )
    .because(error.to_string())
    .fix("choose another port, or port 0 for any that is free")
}

fn ask<R: Send + 'static>(
    bench: &VirtualBench,
    question: impl FnOnce(&mut Board) -> R + Send + 'static,
) -> Result<R, Problem> {
    let answer = bench.board().with(question);
    Ok(answer.map_err(VirtualError::from)?)
}

fn standing(bench: &VirtualBench) -> Result<Standing, Problem> {
    ask(bench, Standing::of)
}

fn is_written(saved: Result<(), FlashFileError>) -> bool {
    let Err(error) = saved else {
        return true;
    };
    let mut problem = Problem::from(VirtualError::from(BoardError::from(error)));
    problem.exit = ExitCode::RecordNotWritten;
    complain(&problem, ERROR);
    false
}

/// Ctrl-C, or the signal that ends a process: the client is hung up on and the server comes to its end.
struct Stop {
    asked: AtomicBool,
    client: Mutex<Option<TcpStream>>,
    address: SocketAddr,
}

impl Stop {
    fn new(address: SocketAddr) -> Self {
        Stop {
            asked: AtomicBool::new(false),
            client: Mutex::new(None),
            address,
        }
    }

    /// Where a client on this computer finds the server.
    fn reachable(&self) -> SocketAddr {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        address
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    fn client(&self) -> std::sync::MutexGuard<'_, Option<TcpStream>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, client: &TcpStream) {
        *self.client() = client.try_clone().ok();
        if self.is_asked() {
            self.hang_up();
        }
    }

    fn forget(&self) {
        *self.client() = None;
    }

    fn hang_up(&self) {
        if let Some(client) = &*self.client() {
            // a client that has gone by itself is as good
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.hang_up();
        // wakes the server where it waits for a client; where it does not, the connection goes with the process
        let _ = TcpStream::connect(self.reachable());
    }
}
