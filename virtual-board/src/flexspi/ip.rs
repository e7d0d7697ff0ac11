//! IP commands: sequences that advance with virtual time and stop when a FIFO is empty or full.

use super::instruction::{self, ErrorCode, Instruction, Kind};
use super::registers::fifo::ENTRY_BYTES;
use super::registers::{flshcr1, intr, ipcr1, mcr0, mcr1, status};
use super::wires::{Chip, Wires};
use super::{FlexSpi, Ports};
use crate::nor::Lines;
use crate::time::Time;

/// SEQWAIT counts in units of this many serial clocks.
const SEQWAIT_UNIT: u64 = 1024;

/// An IP command under way.
#[derive(Clone, Debug)]
pub(super) struct Run {
    sequence: u8,
    sequences_left: u8,
    instructions: Vec<Instruction>,
    at: usize,
    /// Bytes left of the data instruction in hand.
    left: Option<u32>,
    address: u32,
    size: u32,
    wires: Wires,
    chip: Chip,
    sck_hz: u64,
    selected: bool,
    pub stalled: bool,
    /// Data received so far.
    received_bytes: usize,
    begun: Time,
    /// When SEQWAIT ends it; `None` where that is off, or before the serial clock runs.
    limit: Option<Time>,
    /// When the last finished piece ended.
    pub time: Time,
}

/// What comes next.
enum Piece {
    Select,
    Fixed(Instruction),
    Receive(Instruction, u32),
    Send(Instruction, u32),
    Deselect,
}

impl FlexSpi {
    /// IPCMD.TRG.
    pub(super) fn trigger(&mut self, ports: &mut Ports<'_>) {
        if self.mcr0 & mcr0::MDIS != 0 {
            return ports.trace.violation(
                ports.now,
                "flexspi",
                "IP command with MDIS = 1 is ignored",
            );
        }
        if self.run.is_some() {
            return ports.trace.violation(
                ports.now,
                "flexspi",
                "IP command while one is running is ignored",
            );
        }
        self.cut_prefetch(ports.now);
        let sequence = (self.ipcr1 >> ipcr1::ISEQID_SHIFT & ipcr1::ISEQID_MASK) as u8;
        let sequences_left = (self.ipcr1 >> ipcr1::ISEQNUM_SHIFT & ipcr1::ISEQNUM_MASK) as u8;
        let size = self.ipcr1 & ipcr1::IDATSZ_MASK;
        for number in 0..=sequences_left {
            let id = (sequence + number) & ipcr1::ISEQID_MASK as u8;
            if let Err(code) = instruction::check(&instruction::sequence(&self.lut, id, 0), true) {
                return self.ip_error(id, code, ports);
            }
        }
        let Some((chip, address, room)) = self.locate(self.ipcr0) else {
            return self.ip_error(sequence, ErrorCode::Address, ports);
        };
        if size > room {
            return self.ip_error(sequence, ErrorCode::Boundary, ports);
        }
        if ports.serial_root_hz == 0 {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "IP command with the serial clock stopped: it will not end",
            );
        }
        self.complain_about_modes(ports);
        let begun = ports.now.max(self.wires_free_at);
        let mut run = Run {
            sequence,
            sequences_left,
            instructions: Vec::new(),
            at: 0,
            left: None,
            address,
            size,
            wires: Wires::NONE,
            chip,
            sck_hz: ports.serial_root_hz,
            selected: false,
            stalled: false,
            received_bytes: 0,
            begun,
            limit: None,
            time: begun,
        };
        run.limit = self.limit_of(&run);
        self.load(&mut run, ports);
        self.run = Some(run);
        self.piece_ends = Time::ZERO;
        self.advance(ports);
    }

    fn load(&self, run: &mut Run, ports: &mut Ports<'_>) {
        run.instructions = instruction::sequence(&self.lut, run.sequence, 0);
        run.wires =
            Wires::connect(&run.instructions, self.mcr0, run.chip, ports).bent(&self.faults);
        run.at = 0;
        run.left = None;
        run.selected = false;
        if run.instructions.is_empty() {
            let text = format!("IP command runs sequence {}, which is empty", run.sequence);
            ports.trace.violation(ports.now, "flexspi", text);
        }
        let data = run
            .instructions
            .iter()
            .any(|i| matches!(i.kind, Kind::Read | Kind::Write) && i.operand == 0);
        if data && run.size == 0 {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "data instruction with IDATSZ = 0 and operand 0: no data",
            );
        }
    }

    /// Brings the command under way up to `ports.now`.
    pub(super) fn advance(&mut self, ports: &mut Ports<'_>) {
        if self.mcr0 & mcr0::MDIS != 0 {
            return;
        }
        if ports.now < self.piece_ends {
            return;
        }
        let Some(mut run) = self.run.take() else {
            return;
        };
        loop {
            if run.sck_hz == 0 {
                run.sck_hz = ports.serial_root_hz;
                run.time = run.time.max(ports.now);
                run.limit = self.limit_of(&run);
            }
            if run.sck_hz == 0 {
                break;
            }
            let Some(piece) = self.next_piece(&run) else {
                run.stalled = true;
                let flag = match run.instructions.get(run.at) {
                    Some(Instruction {
                        kind: Kind::Write, ..
                    }) => intr::SCKSTOPBYWR,
                    _ => intr::SCKSTOPBYRD,
                };
                self.flags |= flag;
                if self.time_out(&run, ports.now, ports) {
                    return;
                }
                break;
            };
            let end = run.time + Time::cycles(self.clocks_of(&piece), run.sck_hz);
            if self.time_out(&run, end.min(ports.now), ports) {
                return;
            }
            if end > ports.now {
                self.piece_ends = end;
                break;
            }
            if self.perform(&mut run, piece, end, ports) {
                self.flags |= intr::IPCMDDONE;
                return;
            }
        }
        self.run = Some(run);
    }

    /// When the piece of the IP command under way ends; `None` when idle or waiting for software.
    pub fn busy_until(&self) -> Option<Time> {
        let run = self.run.as_ref()?;
        let piece = self.next_piece(run)?;
        (run.sck_hz != 0).then(|| run.time + Time::cycles(self.clocks_of(&piece), run.sck_hz))
    }

    fn next_piece(&self, run: &Run) -> Option<Piece> {
        if !run.selected {
            return Some(Piece::Select);
        }
        let Some(instruction) = run.instructions.get(run.at).copied() else {
            return Some(Piece::Deselect);
        };
        let default = if run.size == 0 {
            u32::from(instruction.operand)
        } else {
            run.size
        };
        let left = run.left.unwrap_or(default);
        let chunk = left.min(ENTRY_BYTES as u32);
        match instruction.kind {
            Kind::Read if chunk == 0 || self.rx.has_room() => {
                Some(Piece::Receive(instruction, chunk))
            }
            Kind::Write if chunk == 0 || self.tx.has_entry() => {
                Some(Piece::Send(instruction, chunk))
            }
            Kind::Read | Kind::Write => None,
            _ => Some(Piece::Fixed(instruction)),
        }
    }

    fn clocks_of(&self, piece: &Piece) -> u64 {
        match piece {
            Piece::Select => u64::from(self.flshcr1[0] & flshcr1::TCSS_MASK),
            Piece::Deselect => {
                u64::from((self.flshcr1[0] >> flshcr1::TCSH_SHIFT) & flshcr1::TCSS_MASK)
            }
            Piece::Fixed(instruction) => fixed_clocks(instruction),
            Piece::Receive(instruction, bytes) | Piece::Send(instruction, bytes) => {
                data_clocks(instruction, *bytes)
            }
        }
    }

    /// Does one piece that ends at `end`; true when the whole command is over.
    fn perform(&mut self, run: &mut Run, piece: Piece, end: Time, ports: &mut Ports<'_>) -> bool {
        let started = run.time;
        run.time = end;
        match piece {
            Piece::Select => {
                run.wires.select(ports, started, run.sck_hz);
                run.selected = true;
            }
            Piece::Fixed(instruction) => {
                emit(&instruction, run.address, run.size, &run.wires, ports);
                run.at += 1;
            }
            Piece::Receive(instruction, bytes) => {
                let lines = instruction.lines.unwrap_or(Lines::Four);
                let mut entry = [0; ENTRY_BYTES];
                let data = entry.get_mut(..bytes as usize).unwrap_or_default();
                run.wires.take_all(ports, lines, instruction.ddr, data);
                self.bend(run, data);
                if !data.is_empty() {
                    self.rx.push_entry(data);
                }
                run.count(&instruction, bytes);
            }
            Piece::Send(instruction, bytes) => {
                let lines = instruction.lines.unwrap_or(Lines::Four);
                if bytes > 0 {
                    for byte in self.tx.pop_entry(bytes as usize) {
                        run.wires.drive(ports, byte, 8, lines, instruction.ddr);
                    }
                }
                run.count(&instruction, bytes);
            }
            Piece::Deselect => {
                run.wires.deselect(ports, end);
                run.time = end + self.interval(run.sck_hz);
                self.wires_free_at = run.time;
                if run.sequences_left == 0 {
                    return true;
                }
                run.sequences_left -= 1;
                run.sequence = (run.sequence + 1) & ipcr1::ISEQID_MASK as u8;
                self.load(run, ports);
            }
        }
        false
    }

    /// What a fault makes of data that have arrived.
    fn bend(&mut self, run: &mut Run, data: &mut [u8]) {
        self.strikes += u64::from(run.wires.are_bent());
        if self.faults.stale_commands.is_empty() {
            self.receptions += u64::from(run.received_bytes == 0);
            run.received_bytes += data.len();
            return;
        }
        if run.received_bytes == 0 {
            self.receptions += 1;
            self.received.swap(0, 1);
            self.received[0].clear();
        }
        self.received[0].extend(data.iter());
        if self.faults.stale_commands.contains(&(self.receptions - 1)) {
            let former = self.received[1].iter().skip(run.received_bytes);
            for (byte, stale) in data.iter_mut().zip(former) {
                self.strikes += u64::from(byte != stale);
                *byte = *stale;
            }
        }
        run.received_bytes += data.len();
    }

    fn limit_of(&self, run: &Run) -> Option<Time> {
        let units = u64::from(self.mcr1 >> mcr1::SEQWAIT_SHIFT);
        let span = Time::cycles(units * SEQWAIT_UNIT, run.sck_hz);
        (units != 0 && run.sck_hz != 0).then(|| run.begun + span)
    }

    fn time_out(&mut self, run: &Run, now: Time, ports: &mut Ports<'_>) -> bool {
        let Some(limit) = run.limit.filter(|limit| now >= *limit) else {
            return false;
        };
        if run.selected {
            run.wires.deselect(ports, limit.max(run.time));
        }
        self.flags |= intr::SEQTIMEOUT;
        self.ip_error(run.sequence, ErrorCode::Timeout, ports);
        true
    }

    fn ip_error(&mut self, sequence: u8, code: ErrorCode, ports: &mut Ports<'_>) {
        ports.trace.violation(
            ports.now,
            "flexspi",
            format!("IP command, sequence {sequence}: error {code:?}"),
        );
        self.flags |= intr::IPCMDERR | intr::IPCMDDONE;
        self.sts1 = (self.sts1 & status::AHB_HALF)
            | u32::from(sequence) << status::IPCMDERRID_SHIFT
            | (code as u32) << status::IPCMDERRCODE_SHIFT;
    }

    /// Software touched a FIFO: a stopped serial clock runs again from now on.
    pub(super) fn wake(&mut self, ports: &mut Ports<'_>) {
        if let Some(run) = self.run.as_mut()
            && std::mem::take(&mut run.stalled)
        {
            run.time = run.time.max(ports.now);
        }
        self.piece_ends = Time::ZERO;
        self.advance(ports);
    }

    /// SWRESET or a chip reset: the command under way is lost, CS# rises where it is.
    pub(super) fn abort(&mut self, ports: &mut Ports<'_>) {
        if let Some(run) = self.run.take() {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "a reset while an IP command was running",
            );
            if run.selected {
                run.wires.deselect(ports, ports.now);
            }
        }
    }
}

impl Run {
    fn count(&mut self, instruction: &Instruction, bytes: u32) {
        let default = if self.size == 0 {
            u32::from(instruction.operand)
        } else {
            self.size
        };
        let left = self.left.unwrap_or(default).saturating_sub(bytes);
        if left == 0 {
            self.left = None;
            self.at += 1;
        } else {
            self.left = Some(left);
        }
    }
}

/// Serial clocks of an instruction other than READ and WRITE.
pub(super) fn fixed_clocks(instruction: &Instruction) -> u64 {
    let width = instruction.lines.map_or(8, Lines::count);
    match instruction.kind {
        Kind::Dummy | Kind::DummyRwds => u64::from(instruction.operand),
        _ => u64::from(instruction.fixed_bits().div_ceil(width)),
    }
}

/// Serial clocks of `bytes` data bytes.
pub(super) fn data_clocks(instruction: &Instruction, bytes: u32) -> u64 {
    u64::from(bytes) * u64::from(8 / instruction.lines.map_or(8, Lines::count))
}

/// Puts an instruction other than READ and WRITE on the wires.
pub(super) fn emit(
    instruction: &Instruction,
    address: u32,
    size: u32,
    wires: &Wires,
    ports: &mut Ports<'_>,
) {
    let lines = instruction.lines.unwrap_or(Lines::Four);
    let ddr = instruction.ddr;
    match instruction.kind {
        Kind::Command => wires.drive(ports, instruction.operand, 8, lines, ddr),
        Kind::RowAddress => {
            drive_number(address, instruction.fixed_bits(), lines, ddr, wires, ports)
        }
        Kind::ColumnAddress => drive_number(0, instruction.fixed_bits(), lines, ddr, wires, ports),
        Kind::DataSize => drive_number(size, instruction.fixed_bits(), lines, ddr, wires, ports),
        Kind::Mode(bits) => {
            let top = (u32::from(instruction.operand) << (8 - bits)) as u8;
            wires.drive(ports, top, bits, lines, ddr);
        }
        Kind::Dummy => wires.idle(ports, u32::from(instruction.operand), ddr),
        Kind::DummyRwds => {
            ports.trace.violation(
                ports.now,
                "flexspi",
                "DUMMY_RWDS: this flash drives no RWDS; taken as DUMMY",
            );
            wires.idle(ports, u32::from(instruction.operand), ddr);
        }
        Kind::Stop | Kind::Read | Kind::Write | Kind::Learn | Kind::JumpOnCs | Kind::Unknown => {}
    }
}

/// Drives the low `bits` of `number`, highest first.
fn drive_number(
    number: u32,
    bits: u32,
    lines: Lines,
    ddr: bool,
    wires: &Wires,
    ports: &mut Ports<'_>,
) {
    let bits = bits.min(u32::BITS);
    let mut left = bits;
    while left > 0 {
        let now = if left % 8 == 0 { 8 } else { left % 8 };
        left -= now;
        let byte = (number >> left) as u8;
        wires.drive(
            ports,
            ((u32::from(byte) << (8 - now)) & 0xFF) as u8,
            now,
            lines,
            ddr,
        );
    }
}
