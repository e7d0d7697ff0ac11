//! Lets ROM code be written as ordinary functions: each access to the bus is a point where they wait for the next step.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::Stop;
use crate::bus::{BusFault, Width};
use crate::rom::RomBus;
use crate::rom::script::Action;
use crate::time::Time;

/// What the ROM spends between two accesses, in core cycles: address, test and branch of a compiled loop. An estimate.
const BETWEEN_ACCESSES: u64 = 4;

/// What a step has to do.
#[derive(Clone, Copy, Debug)]
enum Request {
    Read(u32, Width),
    Write(u32, Width, u32),
    /// Core cycles.
    Cycles(u64),
    Spend(Time),
}

#[derive(Debug, Default)]
struct State {
    request: Option<Request>,
    answer: Option<Result<u32, BusFault>>,
}

/// The line between ROM code and the steps that carry out its accesses.
#[derive(Clone, Debug, Default)]
pub struct Line(Rc<RefCell<State>>);

impl Line {
    /// Carries out what the code waits for, if it waits.
    pub fn serve(&self, bus: &mut dyn RomBus) {
        let Some(request) = self.0.borrow_mut().request.take() else {
            return;
        };
        let answer = match request {
            Request::Read(address, width) => {
                bus.charge(BETWEEN_ACCESSES);
                bus.read(address, width)
            }
            Request::Write(address, width, value) => {
                bus.charge(BETWEEN_ACCESSES);
                bus.write(address, width, value).map(|()| 0)
            }
            Request::Cycles(cycles) => {
                bus.charge(cycles);
                Ok(0)
            }
            Request::Spend(span) => {
                bus.spend(span);
                Ok(0)
            }
        };
        self.0.borrow_mut().answer = Some(answer);
    }

    async fn ask(&self, request: Request) -> Result<u32, BusFault> {
        self.0.borrow_mut().request = Some(request);
        poll_fn(|_| match self.0.borrow_mut().answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }

    /// Reads a word.
    pub async fn read(&self, address: u32) -> Result<u32, Stop> {
        self.read_narrow(address, Width::Word).await
    }

    /// Reads a byte, halfword or word.
    pub async fn read_narrow(&self, address: u32, width: Width) -> Result<u32, Stop> {
        let answer = self.ask(Request::Read(address, width)).await;
        answer.map_err(|BusFault| Stop::Bus { address })
    }

    /// Writes a word.
    pub async fn write(&self, address: u32, value: u32) -> Result<(), Stop> {
        self.write_narrow(address, Width::Word, value).await
    }

    /// Writes a byte, halfword or word.
    pub async fn write_narrow(&self, address: u32, width: Width, value: u32) -> Result<(), Stop> {
        let answer = self.ask(Request::Write(address, width, value)).await;
        answer.map(|_| ()).map_err(|BusFault| Stop::Bus { address })
    }

    /// Sets and clears bits of a word.
    pub async fn modify(&self, address: u32, set: u32, clear: u32) -> Result<(), Stop> {
        let value = self.read(address).await?;
        self.write(address, (value & !clear) | set).await
    }

    /// Waits, without limit as the published driver does, until `value & mask == wanted`.
    pub async fn wait_for(&self, address: u32, mask: u32, wanted: u32) -> Result<(), Stop> {
        while self.read(address).await? & mask != wanted {}
        Ok(())
    }

    /// Passes core cycles.
    pub async fn cycles(&self, cycles: u64) {
        let _ = self.ask(Request::Cycles(cycles)).await;
    }

    /// Passes time.
    pub async fn spend(&self, span: Time) {
        let _ = self.ask(Request::Spend(span)).await;
    }

    /// Performs a script of the boot-time driver that sets registers and waits for them.
    pub async fn play(&self, script: Vec<Action>) -> Result<(), Stop> {
        for action in script {
            match action {
                Action::Write {
                    address,
                    width,
                    value,
                    ..
                } => self.write_narrow(address, width, value).await?,
                Action::Modify {
                    address,
                    width,
                    set,
                    clear,
                    ..
                } => {
                    let value = self.read_narrow(address, width).await?;
                    self.write_narrow(address, width, (value & !clear) | set)
                        .await?;
                }
                Action::Poll {
                    address,
                    mask,
                    wanted,
                    ..
                } => self.wait_for(address, mask, wanted).await?,
                _ => return Err(Stop::Model("a boot script in a ROM API call")),
            }
        }
        Ok(())
    }
}
