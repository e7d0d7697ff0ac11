//! The RAM algorithm on a stack of its own: it runs on while the host waits or moves words, as long as that takes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use corosensei::{Coroutine, CoroutineResult, Yielder};
use flexspi_nor::bus::Bus;
use flexspi_nor::server::{Next, Server};
use mailbox::layout;
use virtual_board::soc::ResetCause;
use virtual_board::time::Time;

use crate::board::Board;

/// The mailbox area, kept for the next board of the thread.
pub type Area = &'static [AtomicU32];

thread_local! {
    static AREAS: RefCell<Vec<Area>> = const { RefCell::new(Vec::new()) };
}

/// The board's time for whoever only asks, in nanoseconds.
pub type Watch = Arc<AtomicU64>;

/// The bus as the algorithm has it: when the slice of time that the host's access takes is over, the host goes on.
struct Core<'y> {
    board: Board,
    until: Rc<Cell<Time>>,
    yielder: &'y Yielder<(), ()>,
}

impl Core<'_> {
    fn after_access(&self) {
        while self.board.with(|m| m.now) >= self.until.get() {
            self.yielder.suspend(());
        }
    }
}

impl Bus for Core<'_> {
    fn read32(&mut self, address: u32) -> u32 {
        let value = self.board.read32(address);
        self.after_access();
        value
    }
    fn write32(&mut self, address: u32, value: u32) {
        self.board.write32(address, value);
        self.after_access();
    }
    fn read16(&mut self, address: u32) -> u16 {
        let value = self.board.read16(address);
        self.after_access();
        value
    }
    fn write16(&mut self, address: u32, value: u16) {
        self.board.write16(address, value);
        self.after_access();
    }
    fn yield_hint(&mut self) {
        // nothing can happen before the flash is ready or the host moves on
        let until = self.until.get();
        self.board.with(|m| {
            let ready = m.nor.busy_until().filter(|at| *at > m.now);
            m.now = m.now.max(ready.map_or(until, |at| at.min(until)));
        });
        self.after_access();
    }
}

/// The target: the board, and the algorithm where it runs.
pub struct Target {
    /// The board.
    pub board: Board,
    /// Mailbox area.
    pub area: Area,
    core: RefCell<Option<Coroutine<(), (), ()>>>,
    until: Rc<Cell<Time>>,
    watch: Watch,
}

impl Target {
    /// No algorithm yet.
    pub fn new(board: Board, watch: Watch) -> Self {
        let area = AREAS.with(|areas| areas.borrow_mut().pop());
        Target {
            board,
            area: area.unwrap_or_else(|| {
                Box::leak(
                    (0..layout::AREA_BYTES / 4)
                        .map(|_| AtomicU32::new(0))
                        .collect(),
                )
            }),
            core: RefCell::new(None),
            until: Rc::default(),
            watch,
        }
    }

    /// Starts the algorithm, as the core does when it is let go with its program counter at the entry.
    pub fn start(&self) {
        let (board, until, area) = (self.board.clone(), self.until.clone(), self.area);
        let core = Coroutine::new(move |yielder: &Yielder<(), ()>, ()| {
            let bus = Core {
                board,
                until,
                yielder,
            };
            let mut server = Server::start(bus, area);
            while server.poll() == Next::GoOn {}
        });
        *self.core.borrow_mut() = Some(core);
    }

    /// Whether the algorithm runs.
    pub fn is_running(&self) -> bool {
        self.core.borrow().is_some()
    }

    /// SYSRESETREQ: chip and controller begin anew, the algorithm is gone, the flash is as it was.
    pub fn reset(&self) {
        self.core.borrow_mut().take();
        self.board.with(|m| m.reset(ResetCause::SystemRequest));
    }

    /// Lets the board run until `end`.
    pub fn run_until(&self, end: Time) {
        self.until.set(end);
        let mut slot = self.core.borrow_mut();
        while self.board.with(|m| m.now) < end {
            let Some(core) = slot.as_mut() else {
                self.board.with(|m| m.now = end);
                break;
            };
            if let CoroutineResult::Return(()) = core.resume(()) {
                *slot = None;
            }
        }
        drop(slot);
        if self.board.with(|m| m.reset_requested) {
            self.reset();
        }
        let now = self.now();
        self.watch.store(now.as_ps() / 1_000, Ordering::Relaxed);
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.board.with(|m| m.now)
    }

    /// Lets the board run for `span`.
    pub fn run_for(&self, span: Time) {
        self.run_until(self.board.with(|m| m.now) + span);
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.core.borrow_mut().take();
        AREAS.with(|areas| areas.borrow_mut().push(self.area));
    }
}
