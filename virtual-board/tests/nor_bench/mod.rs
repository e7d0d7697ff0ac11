//! A flash chip on a bench, for the tests of its data sheet.

#![allow(dead_code, reason = "not every test uses everything")]

use virtual_board::nor::{Lines, Nor, Part, TimingProfile};
use virtual_board::time::Time;
use virtual_board::trace::Trace;

pub const SLOW_HZ: u64 = 30_000_000;
pub const QE: u8 = 0x40;
pub const WIP: u8 = 0x01;
pub const WEL: u8 = 0x02;

/// A chip on a bench: a clock, a log and a hand on each line.
pub struct Bench {
    pub nor: Nor,
    pub trace: Trace,
    pub now: Time,
    pub hz: u64,
}

impl Bench {
    pub fn with(name: &str, profile: TimingProfile) -> Self {
        let Ok(part) = Part::builtin(name) else {
            unreachable!("{name} is built in")
        };
        Bench {
            nor: Nor::new(part, profile),
            trace: Trace::default(),
            now: Time::us(1),
            hz: SLOW_HZ,
        }
    }

    pub fn new() -> Self {
        Bench::with("is25wp064", TimingProfile::Typ)
    }

    pub fn quad() -> Self {
        let mut bench = Bench::new();
        bench.nor.set_status_register(QE);
        bench
    }

    pub fn select(&mut self) {
        self.nor.select(self.now, self.hz, &mut self.trace);
    }

    pub fn deselect(&mut self) {
        self.now += Time::us(1);
        self.nor.deselect(self.now, &mut self.trace);
    }

    pub fn out(&mut self, bytes: &[u8], lines: Lines) {
        for byte in bytes {
            self.nor.shift_out(*byte, lines, false, &mut self.trace);
        }
    }

    pub fn take(&mut self, count: usize, lines: Lines) -> Vec<u8> {
        (0..count)
            .map(|_| self.nor.shift_in(lines, false, &mut self.trace))
            .collect()
    }

    /// One command on one line with `count` bytes read behind it.
    pub fn spi(&mut self, bytes: &[u8], count: usize) -> Vec<u8> {
        self.select();
        self.out(bytes, Lines::One);
        let answer = self.take(count, Lines::One);
        self.deselect();
        answer
    }

    pub fn qpi(&mut self, bytes: &[u8], count: usize) -> Vec<u8> {
        self.select();
        self.out(bytes, Lines::Four);
        let answer = self.take(count, Lines::Four);
        self.deselect();
        answer
    }

    pub fn status(&mut self) -> u8 {
        self.spi(&[0x05], 1)[0]
    }

    pub fn wait(&mut self, time: Time) {
        self.now += time;
        self.nor.settle(self.now);
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.spi(&[0x06], 0);
        self.spi(bytes, 0);
    }

    pub fn write_and_wait(&mut self, bytes: &[u8]) {
        self.write(bytes);
        self.wait(Time::ms(60_000));
    }

    pub fn read(&mut self, address: u32, count: usize) -> Vec<u8> {
        self.spi(&with_address(0x03, address), count)
    }

    /// EBh: command on one line, the rest on four.
    pub fn quad_io_read(&mut self, address: u32, mode: u8, dummies: u32, count: usize) -> Vec<u8> {
        self.select();
        self.out(&[0xEB], Lines::One);
        self.quad_io_tail(address, mode, dummies, count)
    }

    pub fn quad_io_tail(&mut self, address: u32, mode: u8, dummies: u32, count: usize) -> Vec<u8> {
        let [_, high, middle, low] = with_address(0, address);
        self.out(&[high, middle, low, mode], Lines::Four);
        self.nor.dummy(dummies, false, &mut self.trace);
        let data = self.take(count, Lines::Four);
        self.deselect();
        data
    }

    pub fn complained(&mut self) -> bool {
        self.trace.violations() > 0
    }
}

pub fn with_address(opcode: u8, address: u32) -> [u8; 4] {
    let [_, high, middle, low] = address.to_be_bytes();
    [opcode, high, middle, low]
}

pub fn program(address: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = with_address(0x02, address).to_vec();
    bytes.extend(data);
    bytes
}
