//! FlexSPI does what the i.MX RT1060 manual says, driven as NXP's own drivers drive it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::mem::offset_of;

use imxrt_ral::flexspi as ral;
use virtual_board::bus::{BusFault, Width};
use virtual_board::flexspi::registers as model;
use virtual_board::flexspi::{FlexSpi, Pads, Ports};
use virtual_board::nor::{Nor, Part, TimingProfile};
use virtual_board::time::Time;
use virtual_board::trace::Trace;

// Offsets and bits as the manual prints them, on purpose not those of the model.
const MCR0: u32 = 0x00;
const MCR1: u32 = 0x04;
const AHBCR: u32 = 0x0C;
const INTEN: u32 = 0x10;
const INTR: u32 = 0x14;
const LUTKEY: u32 = 0x18;
const LUTCR: u32 = 0x1C;
const FLSHA1CR0: u32 = 0x60;
const FLSHA1CR2: u32 = 0x80;
const IPCR0: u32 = 0xA0;
const IPCR1: u32 = 0xA4;
const IPCMD: u32 = 0xB0;
const IPRXFCR: u32 = 0xB8;
const IPTXFCR: u32 = 0xBC;
const STS0: u32 = 0xE0;
const STS1: u32 = 0xE4;
const IPRXFSTS: u32 = 0xF0;
const IPTXFSTS: u32 = 0xF4;
const RFDR: u32 = 0x100;
const TFDR: u32 = 0x180;
const LUT: u32 = 0x200;

const DONE: u32 = 0x001;
const ERROR: u32 = 0x008;
const RX_READY: u32 = 0x020;
const TX_ROOM: u32 = 0x040;
const STOPPED_BY_READ: u32 = 0x100;
const STOPPED_BY_WRITE: u32 = 0x200;
const TIMEOUT: u32 = 0x800;

// MCR0: RXCLKSRC = 1, no grant time-outs of note, FIFOs on the IP side.
const MCR0_IN_USE: u32 = 0xFFFF_8010;
const MDIS: u32 = 0x2;
const SWRESET: u32 = 0x1;

const QE: u8 = 0x40;
const KEY: u32 = 0x5AF0_5AF0;

// Sequences of the tests.
const READ: u32 = 0;
const READ_ID: u32 = 1;
const STATUS: u32 = 2;
const ENABLE: u32 = 3;
const PROGRAM: u32 = 4;
const ERASE: u32 = 5;
const QUAD_READ: u32 = 6;
const WRITE_STATUS: u32 = 7;
const SCRATCH: u32 = 15;

const CMD: u32 = 0x01;
const RADDR: u32 = 0x02;
const MODE8: u32 = 0x07;
const WRITE_DATA: u32 = 0x08;
const READ_DATA: u32 = 0x09;
const DUMMY: u32 = 0x0C;
const JMP_ON_CS: u32 = 0x1F;
const DDR: u32 = 0x20;

const fn step(opcode: u32, pads: u32, operand: u32) -> u32 {
    let code = match pads {
        1 => 0,
        2 => 1,
        _ => 2,
    };
    opcode << 10 | code << 8 | operand
}

struct Rig {
    flexspi: FlexSpi,
    nor: Nor,
    trace: Trace,
    now: Time,
    hz: u64,
    pads: Pads,
}

impl Rig {
    /// After reset, nothing set up.
    fn cold() -> Self {
        let Ok(part) = Part::builtin("is25wp064") else {
            unreachable!("built in")
        };
        let mut nor = Nor::new(part, TimingProfile::Typ);
        nor.set_status_register(QE);
        for (index, byte) in nor.content_mut()[..0x4000].iter_mut().enumerate() {
            *byte = (index as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3];
        }
        let flexspi = FlexSpi::new();
        Rig {
            flexspi,
            nor,
            trace: Trace::default(),
            now: Time::us(1),
            hz: 30_000_000,
            pads: Pads::ALL,
        }
    }

    /// Set up for the flash, LUT filled.
    fn new() -> Self {
        let mut rig = Rig::cold();
        rig.write(MCR0, MCR0_IN_USE);
        rig.write(MCR0, MCR0_IN_USE | SWRESET);
        rig.write(FLSHA1CR0, 8 * 1024);
        let one = |code| step(CMD, 1, code);
        rig.sequence(
            READ,
            &[one(0x03), step(RADDR, 1, 24), step(READ_DATA, 1, 4)],
        );
        rig.sequence(READ_ID, &[one(0x9F), step(READ_DATA, 1, 3)]);
        rig.sequence(STATUS, &[one(0x05), step(READ_DATA, 1, 1)]);
        rig.sequence(ENABLE, &[one(0x06)]);
        rig.sequence(
            PROGRAM,
            &[one(0x02), step(RADDR, 1, 24), step(WRITE_DATA, 1, 8)],
        );
        rig.sequence(ERASE, &[one(0x20), step(RADDR, 1, 24)]);
        let quad = [
            one(0xEB),
            step(RADDR, 4, 24),
            step(MODE8, 4, 0xFF),
            step(DUMMY, 4, 4),
            step(READ_DATA, 4, 4),
        ];
        rig.sequence(QUAD_READ, &quad);
        rig.sequence(WRITE_STATUS, &[one(0x01), step(WRITE_DATA, 1, 1)]);
        rig
    }

    fn ports(&mut self) -> (&mut FlexSpi, Ports<'_>) {
        let ports = Ports {
            now: self.now,
            serial_root_hz: self.hz,
            pads: self.pads,
            nor: &mut self.nor,
            trace: &mut self.trace,
        };
        (&mut self.flexspi, ports)
    }

    fn try_read(&mut self, offset: u32, width: Width) -> Result<u32, BusFault> {
        self.now += Time::ns(50);
        let (flexspi, mut ports) = self.ports();
        flexspi.read(offset, width, &mut ports)
    }

    fn try_write(&mut self, offset: u32, value: u32) -> Result<(), BusFault> {
        self.now += Time::ns(50);
        let (flexspi, mut ports) = self.ports();
        flexspi.write(offset, Width::Word, value, &mut ports)
    }

    fn read(&mut self, offset: u32) -> u32 {
        let value = self.try_read(offset, Width::Word);
        assert!(
            value.is_ok(),
            "read of {offset:03X}h: {:?}",
            self.trace.lines().last()
        );
        value.unwrap_or(0)
    }

    fn write(&mut self, offset: u32, value: u32) {
        let done = self.try_write(offset, value);
        assert!(
            done.is_ok(),
            "write of {offset:03X}h: {:?}",
            self.trace.lines().last()
        );
    }

    fn sequence(&mut self, number: u32, steps: &[u32]) {
        self.write(LUTKEY, KEY);
        self.write(LUTCR, 2);
        for index in 0..4 {
            let half = |at: usize| steps.get(at).copied().unwrap_or(0);
            self.write(
                LUT + 16 * number + 4 * index as u32,
                half(2 * index) | half(2 * index + 1) << 16,
            );
        }
        self.write(LUTKEY, KEY);
        self.write(LUTCR, 1);
    }

    /// As the SDK prepares and triggers a transfer.
    fn start(&mut self, sequence: u32, address: u32, size: u32) {
        let cr2 = self.read(FLSHA1CR2);
        self.write(FLSHA1CR2, cr2 | 1 << 31);
        self.write(INTR, 0x1F);
        self.write(IPCR0, address);
        for control in [IPTXFCR, IPRXFCR] {
            let value = self.read(control);
            self.write(control, value | 1);
        }
        self.write(IPCR1, size | sequence << 16);
        self.write(IPCMD, 1);
    }

    fn wait(&mut self, flag: u32) -> u32 {
        for _ in 0..2_000_000 {
            let flags = self.read(INTR);
            if flags & flag != 0 {
                return flags;
            }
        }
        unreachable!(
            "flag {flag:#x} never rose, INTR {:#x}, {:?}",
            self.flexspi_intr(),
            self.trace.lines().last()
        )
    }

    fn flexspi_intr(&mut self) -> u32 {
        self.read(INTR)
    }

    /// As the SDK ends one.
    fn finish(&mut self) -> u32 {
        let flags = self.wait(DONE);
        while self.read(STS0) & 3 != 3 {}
        flags
    }

    /// As the SDK receives: by watermarks, the tail by the fill level.
    fn receive(&mut self, size: usize) -> Vec<u8> {
        let watermark = ((self.read(IPRXFCR) >> 2 & 0xF) as usize + 1) * 8;
        let mut data = Vec::new();
        while data.len() < size {
            let chunk = (size - data.len()).min(watermark);
            if chunk == watermark {
                self.wait(RX_READY);
            } else {
                while ((self.read(IPRXFSTS) & 0xFF) as usize) * 8 < chunk {}
            }
            for word in 0..chunk.div_ceil(4) {
                data.extend(self.read(RFDR + 4 * word as u32).to_le_bytes());
            }
            data.truncate(data.len() - (chunk.next_multiple_of(4) - chunk));
            self.write(INTR, RX_READY);
        }
        data
    }

    /// As the SDK sends: a watermark whenever there is room.
    fn send(&mut self, data: &[u8]) {
        let watermark = ((self.read(IPTXFCR) >> 2 & 0xF) as usize + 1) * 8;
        for chunk in data.chunks(watermark) {
            self.wait(TX_ROOM);
            for (index, word) in chunk.chunks(4).enumerate() {
                let mut bytes = [0; 4];
                bytes[..word.len()].copy_from_slice(word);
                self.write(TFDR + 4 * index as u32, u32::from_le_bytes(bytes));
            }
            self.write(INTR, TX_ROOM);
        }
    }

    fn ip_read(&mut self, sequence: u32, address: u32, size: usize) -> Vec<u8> {
        self.start(sequence, address, size as u32);
        let data = self.receive(size);
        self.finish();
        data
    }

    fn command(&mut self, sequence: u32, address: u32) {
        self.start(sequence, address, 0);
        self.finish();
    }

    fn until_ready(&mut self) {
        while self.ip_read(STATUS, 0, 1)[0] & 1 != 0 {}
    }

    fn ahb(&mut self, offset: u32, size: usize) -> Result<(Vec<u8>, Time), BusFault> {
        let mut data = vec![0; size];
        let (flexspi, mut ports) = self.ports();
        let stall = flexspi.ahb_read(offset, &mut data, &mut ports)?;
        self.now += stall;
        Ok((data, stall))
    }

    fn error_of(&mut self, steps: &[u32], address: u32, size: u32) -> u32 {
        self.sequence(SCRATCH, steps);
        self.start(SCRATCH, address, size);
        let flags = self.wait(DONE);
        assert_eq!(flags & ERROR, ERROR);
        let status = self.read(STS1);
        assert_eq!(status >> 16 & 0xF, SCRATCH);
        self.write(INTR, ERROR | DONE);
        assert_eq!(self.read(STS1), 0);
        status >> 24 & 0xF
    }
}

#[test]
fn offsets_and_fields_are_those_of_imxrt_ral() {
    macro_rules! offsets {
        ($($register:ident),*) => { $(
            assert_eq!(model::$register as usize, offset_of!(ral::RegisterBlock, $register), stringify!($register));
        )* };
    }
    offsets!(
        MCR0,
        MCR1,
        MCR2,
        AHBCR,
        INTEN,
        INTR,
        LUTKEY,
        LUTCR,
        AHBRXBUF0CR0,
        FLSHA1CR0,
        FLSHCR4,
        IPCR0,
        IPCR1,
        IPCMD
    );
    offsets!(
        IPRXFCR, IPTXFCR, STS0, STS1, STS2, AHBSPNDSTS, IPRXFSTS, IPTXFSTS, RFDR, TFDR, LUT
    );
    assert_eq!(
        model::FLSHA1CR1 as usize,
        offset_of!(ral::RegisterBlock, FLSHCR1)
    );
    assert_eq!(
        model::FLSHA1CR2 as usize,
        offset_of!(ral::RegisterBlock, FLSHCR2)
    );
    assert_eq!(
        model::DLLCRA as usize,
        offset_of!(ral::RegisterBlock, DLLCR)
    );
    assert_eq!(model::END as usize, size_of::<ral::RegisterBlock>());
    let fields = [
        (model::mcr0::SWRESET, ral::MCR0::SWRESET::mask),
        (model::mcr0::MDIS, ral::MCR0::MDIS::mask),
        (model::mcr0::RXCLKSRC_MASK, ral::MCR0::RXCLKSRC::mask),
        (model::mcr0::ARDFEN, ral::MCR0::ARDFEN::mask),
        (model::mcr0::ATDFEN, ral::MCR0::ATDFEN::mask),
        (model::mcr0::SERCLKDIV_MASK, ral::MCR0::SERCLKDIV::mask),
        (model::mcr0::HSEN, ral::MCR0::HSEN::mask),
        (model::mcr0::COMBINATIONEN, ral::MCR0::COMBINATIONEN::mask),
        (model::mcr0::SCKFREERUNEN, ral::MCR0::SCKFREERUNEN::mask),
        (
            0xFFFF << model::mcr1::SEQWAIT_SHIFT,
            ral::MCR1::SEQWAIT::mask,
        ),
        (model::mcr1::AHBBUSWAIT_MASK, ral::MCR1::AHBBUSWAIT::mask),
        (model::mcr2::CLRLEARNPHASE, ral::MCR2::CLRLEARNPHASE::mask),
        (model::ahbcr::APAREN, ral::AHBCR::APAREN::mask),
        (model::ahbcr::PREFETCHEN, ral::AHBCR::PREFETCHEN::mask),
        (model::intr::IPCMDDONE, ral::INTR::IPCMDDONE::mask),
        (model::intr::IPCMDGE, ral::INTR::IPCMDGE::mask),
        (model::intr::AHBCMDGE, ral::INTR::AHBCMDGE::mask),
        (model::intr::IPCMDERR, ral::INTR::IPCMDERR::mask),
        (model::intr::AHBCMDERR, ral::INTR::AHBCMDERR::mask),
        (model::intr::IPRXWA, ral::INTR::IPRXWA::mask),
        (model::intr::IPTXWE, ral::INTR::IPTXWE::mask),
        (model::intr::SCKSTOPBYRD, ral::INTR::SCKSTOPBYRD::mask),
        (model::intr::SCKSTOPBYWR, ral::INTR::SCKSTOPBYWR::mask),
        (model::intr::AHBBUSTIMEOUT, ral::INTR::AHBBUSTIMEOUT::mask),
        (model::intr::SEQTIMEOUT, ral::INTR::SEQTIMEOUT::mask),
        (model::lut::LOCK, ral::LUTCR::LOCK::mask),
        (model::lut::UNLOCK, ral::LUTCR::UNLOCK::mask),
        (model::ahbrxbuf::BUFSZ_MASK, ral::AHBRXBUF0CR0::BUFSZ::mask),
        (
            model::ahbrxbuf::MSTRID_MASK,
            ral::AHBRXBUF0CR0::MSTRID::mask,
        ),
        (
            model::ahbrxbuf::PREFETCHEN,
            ral::AHBRXBUF0CR0::PREFETCHEN::mask,
        ),
        (model::flshcr0::FLSHSZ_MASK, ral::FLSHA1CR0::FLSHSZ::mask),
        (model::flshcr1::TCSS_MASK, ral::FLSHCR1::TCSS::mask),
        (model::flshcr1::TCSH_SHIFT, ral::FLSHCR1::TCSH::offset),
        (model::flshcr1::WA, ral::FLSHCR1::WA::mask),
        (model::flshcr1::CAS_MASK, ral::FLSHCR1::CAS::mask),
        (
            model::flshcr1::CSINTERVALUNIT,
            ral::FLSHCR1::CSINTERVALUNIT::mask,
        ),
        (
            model::flshcr1::CSINTERVAL_SHIFT,
            ral::FLSHCR1::CSINTERVAL::offset,
        ),
        (model::flshcr2::ARDSEQID_MASK, ral::FLSHCR2::ARDSEQID::mask),
        (
            model::flshcr2::ARDSEQNUM_SHIFT,
            ral::FLSHCR2::ARDSEQNUM::offset,
        ),
        (model::flshcr2::CLRINSTRPTR, ral::FLSHCR2::CLRINSTRPTR::mask),
        (model::ipcr1::IDATSZ_MASK, ral::IPCR1::IDATSZ::mask),
        (
            model::ipcr1::ISEQID_MASK << model::ipcr1::ISEQID_SHIFT,
            ral::IPCR1::ISEQID::mask,
        ),
        (
            model::ipcr1::ISEQNUM_MASK << model::ipcr1::ISEQNUM_SHIFT,
            ral::IPCR1::ISEQNUM::mask,
        ),
        (model::ipcr1::IPAREN, ral::IPCR1::IPAREN::mask),
        (model::IPCMD_TRG, ral::IPCMD::TRG::mask),
        (model::fifo::CLEAR, ral::IPRXFCR::CLRIPRXF::mask),
        (model::fifo::CLEAR, ral::IPTXFCR::CLRIPTXF::mask),
        (model::fifo::DMAEN, ral::IPTXFCR::TXDMAEN::mask),
        (
            model::fifo::WMRK_MASK << model::fifo::WMRK_SHIFT,
            ral::IPRXFCR::RXWMRK::mask,
        ),
        (
            model::fifo::WMRK_MASK << model::fifo::WMRK_SHIFT,
            ral::IPTXFCR::TXWMRK::mask,
        ),
        (
            0xFFFF << model::fifo::COUNTER_SHIFT,
            ral::IPRXFSTS::RDCNTR::mask,
        ),
        (model::dllcr::DLLEN, ral::DLLCR::DLLEN::mask),
        (model::status::SEQIDLE, ral::STS0::SEQIDLE::mask),
        (model::status::ARBIDLE, ral::STS0::ARBIDLE::mask),
        (
            model::status::AHBCMDERRCODE_SHIFT,
            ral::STS1::AHBCMDERRCODE::offset,
        ),
        (
            model::status::IPCMDERRID_SHIFT,
            ral::STS1::IPCMDERRID::offset,
        ),
        (
            model::status::IPCMDERRCODE_SHIFT,
            ral::STS1::IPCMDERRCODE::offset,
        ),
    ];
    for (index, (ours, theirs)) in fields.into_iter().enumerate() {
        assert_eq!(ours, theirs, "field {index} of the list");
    }
}

#[test]
fn registers_start_with_the_manuals_values() {
    let mut rig = Rig::cold();
    let values = [
        (0x00, 0xFFFF_80C2),
        (0x04, 0xFFFF_FFFF),
        (0x08, 0x2000_81F7),
        (0x0C, 0x18),
        (0x10, 0),
        (0x14, 0x40),
        (0x18, KEY),
        (0x1C, 2),
        (0x20, 0x8000_0020),
        (0x24, 0x8001_0020),
        (0x2C, 0x8003_0020),
        (0x60, 0x1_0000),
        (0x6C, 0x1_0000),
        (0x70, 0x63),
        (0x80, 0),
        (0x94, 0),
        (0xA0, 0),
        (0xA4, 0),
        (0xB0, 0),
        (0xB8, 0),
        (0xBC, 0),
        (0xC0, 0x100),
        (0xE0, 3),
        (0xE4, 0),
        (0xE8, 0x0100_0100),
        (0xEC, 0),
        (0xF0, 0),
        (0xF4, 0),
    ];
    for (offset, value) in values {
        assert_eq!(rig.read(offset), value, "{offset:03X}h");
    }
    assert_eq!(rig.trace.violations(), 0);
}

#[test]
fn an_offset_without_a_register_faults() {
    let mut rig = Rig::new();
    for offset in [
        0x30, 0x5C, 0x90, 0x98, 0xA8, 0xB4, 0xC8, 0xDC, 0xF8, 0x300, 0xFFC,
    ] {
        assert_eq!(
            rig.try_read(offset, Width::Word),
            Err(BusFault),
            "{offset:03X}h"
        );
        assert_eq!(rig.try_write(offset, 0), Err(BusFault), "{offset:03X}h");
    }
    assert_eq!(rig.try_write(STS0, 0), Err(BusFault));
    assert_eq!(rig.try_read(TFDR, Width::Word), Err(BusFault));
    assert_eq!(rig.try_read(MCR0, Width::Byte), Err(BusFault));
    assert!(rig.trace.violations() > 20);
}

#[test]
fn after_reset_the_fifo_windows_belong_to_the_ahb_side() {
    let mut rig = Rig::cold();
    rig.write(MCR0, 0xFFFF_80C0);
    assert_eq!(rig.read(RFDR), 0);
    rig.write(TFDR, 0x1234);
    assert_eq!(rig.trace.violations(), 2);
}

#[test]
fn the_lut_changes_only_between_unlock_and_lock_with_the_key() {
    let mut rig = Rig::new();
    let before = rig.read(LUT);
    rig.write(LUT, 0xDEAD);
    rig.write(LUTCR, 2);
    rig.write(LUT, 0xDEAD);
    rig.write(LUTKEY, 0x1234);
    rig.write(LUTCR, 2);
    rig.write(LUT, 0xDEAD);
    assert_eq!((rig.read(LUT), rig.read(LUTCR)), (before, 1));
    assert_eq!(rig.trace.violations(), 5);
    rig.write(LUTKEY, KEY);
    rig.write(LUTCR, 2);
    rig.write(LUT, 0xDEAD);
    assert_eq!((rig.read(LUT), rig.read(LUTCR)), (0xDEAD, 2));
}

#[test]
fn lut_and_fifos_are_out_of_reach_while_the_module_is_disabled() {
    let unlock = |rig: &mut Rig| {
        rig.write(LUTKEY, KEY);
        rig.write(LUTCR, 2);
    };
    type Try = fn(&mut Rig);
    let tries: [Try; 4] = [
        |rig| rig.write(LUT + 4 * 60, 0x1234),
        |rig| assert_eq!(rig.read(LUT), 0),
        |rig| rig.write(TFDR, 0x1234),
        |rig| assert_eq!(rig.read(RFDR), 0),
    ];
    for attempt in tries {
        let mut rig = Rig::cold();
        unlock(&mut rig);
        rig.write(MCR0, MCR0_IN_USE | MDIS);
        assert_eq!(rig.trace.violations(), 0);
        attempt(&mut rig);
        assert_eq!(rig.trace.violations(), 1, "{:#?}", rig.trace.lines());
        rig.write(MCR0, MCR0_IN_USE);
        assert_eq!(rig.read(LUT + 4 * 60), 0);
    }
    let mut rig = Rig::cold();
    rig.write(MCR0, MCR0_IN_USE);
    unlock(&mut rig);
    rig.write(LUT + 4 * 60, 0x1234);
    assert_eq!(
        (rig.read(LUT + 4 * 60), rig.trace.violations()),
        (0x1234, 0)
    );
}

#[test]
fn the_lut_key_counts_for_the_next_write_only() {
    let mut rig = Rig::new();
    rig.write(LUTKEY, KEY);
    rig.write(LUTCR, 1);
    assert_eq!((rig.read(LUTCR), rig.trace.violations()), (1, 0));
    rig.write(LUTKEY, KEY);
    rig.write(FLSHA1CR0, 8 * 1024);
    rig.write(LUTCR, 2);
    assert_eq!((rig.read(LUTCR), rig.trace.violations()), (1, 1));
}

#[test]
fn the_lut_is_left_alone_while_a_prefetch_runs() {
    let mut rig = Rig::new();
    rig.write(AHBCR, 0x38);
    rig.ahb(0, 4).expect("a read");
    rig.write(LUTKEY, KEY);
    rig.write(LUTCR, 2);
    assert_eq!(rig.read(STS0) & 3, 0, "the prefetch runs");
    rig.write(LUT + 4 * 60, 0x1234);
    assert_eq!(rig.trace.violations(), 1, "{:#?}", rig.trace.lines());
    while rig.read(STS0) & 3 != 3 {
        rig.now += Time::us(10);
    }
    rig.write(LUT + 4 * 60, 0x1234);
    assert_eq!(
        (rig.read(LUT + 4 * 60), rig.trace.violations()),
        (0x1234, 1)
    );
}

#[test]
fn the_sdk_way_of_reading_works_for_every_length_and_watermark() {
    let mut rig = Rig::new();
    assert_eq!(rig.ip_read(READ_ID, 0, 3), [0x9D, 0x70, 0x17]);
    for watermark in [0, 7, 15] {
        rig.write(IPRXFCR, watermark << 2);
        for size in [1, 4, 7, 8, 9, 63, 64, 128, 129, 1000] {
            let expected = rig.nor.content()[5..5 + size].to_vec();
            assert_eq!(
                rig.ip_read(READ, 5, size),
                expected,
                "{size} bytes, watermark {watermark}"
            );
            assert_eq!(rig.ip_read(QUAD_READ, 5, size), expected);
        }
    }
    assert_eq!(rig.trace.violations(), 0, "{:?}", rig.trace.lines());
}

#[test]
fn the_sdk_way_of_programming_works_for_every_watermark() {
    let mut rig = Rig::new();
    for (watermark, page) in [(0u32, 0x10_0000u32), (7, 0x10_0100), (15, 0x10_0200)] {
        rig.write(IPTXFCR, watermark << 2);
        let data: Vec<u8> = (0..=255).collect();
        rig.command(ENABLE, 0);
        rig.start(PROGRAM, page, 256);
        rig.send(&data);
        rig.finish();
        rig.until_ready();
        assert_eq!(rig.nor.content()[page as usize..page as usize + 256], data);
    }
    rig.command(ENABLE, 0);
    rig.start(PROGRAM, 0x10_0305, 3);
    rig.send(&[1, 2, 3]);
    rig.finish();
    rig.until_ready();
    assert_eq!(
        rig.nor.content()[0x10_0304..0x10_0309],
        [0xFF, 1, 2, 3, 0xFF]
    );
    assert_eq!(rig.trace.violations(), 0, "{:?}", rig.trace.lines());
}

#[test]
fn the_rom_way_of_filling_the_fifo_before_the_trigger_works() {
    let mut rig = Rig::new();
    let page = 0x10_0000;
    rig.command(ENABLE, 0);
    // It clears errors by read-modify-write, which also pushes a watermark of nothing; then it empties the FIFO.
    let flags = rig.read(INTR);
    rig.write(INTR, flags | 0x1E);
    rig.write(IPTXFCR, 7 << 2);
    rig.write(IPTXFCR, 7 << 2 | 1);
    let words: Vec<u32> = (0..64u32).map(|word| 0x0101_0101 * word).collect();
    for (index, word) in words[..16].iter().enumerate() {
        rig.write(TFDR + 4 * index as u32, *word);
    }
    rig.write(INTR, TX_ROOM | DONE);
    assert_eq!(rig.read(IPTXFSTS) & 0xFF, 8);
    rig.write(IPCR0, page);
    rig.write(IPCR1, 256 | PROGRAM << 16);
    rig.write(IPCMD, 1);
    let rest: Vec<u8> = words[16..]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    rig.send(&rest);
    rig.finish();
    rig.until_ready();
    let expected: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(
        rig.nor.content()[page as usize..page as usize + 256],
        expected
    );
}

#[test]
fn an_empty_tx_fifo_stops_the_clock_and_spoils_nothing() {
    let mut rig = Rig::new();
    rig.command(ENABLE, 0);
    rig.start(PROGRAM, 0x10_0000, 16);
    rig.send(&[0x11; 8]);
    rig.now += Time::ms(2);
    assert_eq!(rig.read(INTR) & (DONE | STOPPED_BY_WRITE), STOPPED_BY_WRITE);
    assert_eq!(rig.read(STS0) & 3, 0);
    rig.send(&[0x22; 8]);
    // 64 clocks at 30 MHz from the moment data came, whatever the pause before.
    rig.now += Time::us(2);
    assert_eq!(rig.read(INTR) & DONE, 0);
    rig.finish();
    rig.until_ready();
    assert_eq!(
        rig.nor.content()[0x10_0000..0x10_0010],
        [[0x11; 8], [0x22; 8]].concat()
    );
}

#[test]
fn a_full_rx_fifo_stops_the_clock_and_loses_nothing() {
    let mut rig = Rig::new();
    rig.start(READ, 0, 200);
    rig.now += Time::ms(2);
    assert_eq!(
        rig.read(INTR) & (DONE | RX_READY | STOPPED_BY_READ),
        RX_READY | STOPPED_BY_READ
    );
    assert_eq!(rig.read(IPRXFSTS) & 0xFF, 16);
    let data = rig.receive(200);
    rig.finish();
    assert_eq!(data, rig.nor.content()[..200]);
    assert_eq!(rig.read(IPRXFSTS) >> 16, 25);
}

#[test]
fn a_tail_popped_below_the_watermark_is_gone_and_relying_on_it_is_told() {
    // As Black Magic Debug reads: the whole FIFO as watermark, no clear between commands.
    let read = |rig: &mut Rig, sequence: u32, size: u32| {
        rig.write(INTR, DONE);
        rig.write(IPCR1, size | sequence << 16);
        rig.write(IPCMD, 1);
        rig.wait(DONE);
        assert_eq!(rig.read(INTR) & RX_READY, 0);
        let word = rig.read(RFDR);
        rig.write(INTR, RX_READY);
        assert_eq!(rig.read(IPRXFSTS) & 0xFF, 0);
        word
    };
    let mut rig = Rig::new();
    rig.write(IPRXFCR, 15 << 2 | 1);
    assert_eq!(read(&mut rig, READ_ID, 3), 0x17_709D);
    assert_eq!(rig.trace.violations(), 0, "nothing relied on it yet");
    assert_eq!(read(&mut rig, STATUS, 1), u32::from(QE));
    assert_eq!(rig.trace.violations(), 1, "{:?}", rig.trace.lines());

    rig.write(IPRXFCR, 15 << 2 | 1);
    assert_eq!(read(&mut rig, STATUS, 1), u32::from(QE));
    assert_eq!(rig.trace.violations(), 1, "cleared, as the manual asks");
}

#[test]
fn a_tail_left_in_the_rx_fifo_spoils_the_next_read() {
    let mut rig = Rig::new();
    rig.write(IPRXFCR, 1);
    let mut read = |sequence: u32, size: u32| {
        rig.write(INTR, DONE);
        rig.write(IPCR1, size | sequence << 16);
        rig.write(IPCMD, 1);
        rig.wait(DONE);
        rig.read(RFDR)
    };
    assert_eq!(read(READ_ID, 3), 0x17_709D);
    assert_eq!(read(STATUS, 1), 0x17_709D, "still the identification");
}

#[test]
fn a_command_takes_its_clocks_and_is_busy_meanwhile() {
    let mut rig = Rig::new();
    rig.command(ENABLE, 0);
    rig.write(IPTXFCR, 15 << 2 | 1);
    rig.write(INTR, DONE);
    rig.write(IPCR0, 0x10_0000);
    rig.write(IPCR1, 128 | PROGRAM << 16);
    for word in 0..32 {
        rig.write(TFDR + 4 * word, 0);
    }
    rig.write(INTR, TX_ROOM);
    rig.write(IPCMD, 1);
    let begun = rig.now;
    // 8 + 24 + 1024 clocks, 3 setup and 3 hold, at 30 MHz.
    let clocks = Time::cycles(8 + 24 + 1024 + 6, rig.hz);
    rig.now = begun + clocks - Time::ns(150);
    assert_eq!((rig.read(INTR) & DONE, rig.read(STS0) & 3), (0, 0));
    rig.now = begun + clocks + Time::ns(50);
    assert_eq!((rig.read(INTR) & DONE, rig.read(STS0) & 3), (DONE, 3));
}

#[test]
fn errors_have_the_manuals_codes_and_nothing_is_executed() {
    let mut rig = Rig::new();
    let enable = step(CMD, 1, 0x06);
    assert_eq!(rig.error_of(&[enable, step(JMP_ON_CS, 1, 0)], 0, 0), 0x2);
    assert_eq!(rig.error_of(&[enable, step(0x1E, 1, 0)], 0, 0), 0x3);
    assert_eq!(
        rig.error_of(&[enable, step(CMD | DDR, 1, 0), step(DUMMY, 1, 1)], 0, 0),
        0x4
    );
    assert_eq!(rig.error_of(&[enable, step(DUMMY | DDR, 1, 1)], 0, 0), 0x5);
    for offset in [FLSHA1CR0 + 4, FLSHA1CR0 + 8, FLSHA1CR0 + 12] {
        rig.write(offset, 0);
    }
    assert_eq!(rig.error_of(&[enable], 0x80_0000, 0), 0x6);
    assert_eq!(rig.error_of(&[enable], 0x7F_FFFF, 2), 0xF);
    assert_eq!(
        rig.nor.status_register(),
        QE,
        "no write enable reached the flash"
    );
}

#[test]
fn a_sequence_that_takes_too_long_times_out() {
    let mut rig = Rig::new();
    rig.write(MCR1, 0x0002_FFFF);
    rig.command(ENABLE, 0);
    rig.start(PROGRAM, 0x10_0000, 8);
    // 2 * 1024 clocks of 33.3 ns.
    rig.now += Time::us(60);
    assert_eq!(rig.read(INTR) & (DONE | TIMEOUT), 0);
    rig.now += Time::us(10);
    assert_eq!(
        rig.read(INTR) & (DONE | ERROR | TIMEOUT),
        DONE | ERROR | TIMEOUT
    );
    assert_eq!(rig.read(STS1) >> 24, 0xE);
    assert_eq!(rig.read(STS0) & 3, 3);
    assert_eq!(rig.ip_read(READ_ID, 0, 3), [0x9D, 0x70, 0x17]);
}

#[test]
fn several_sequences_run_one_after_the_other() {
    let mut rig = Rig::new();
    rig.sequence(14, &[step(CMD, 1, 0x06)]);
    rig.sequence(15, &[step(CMD, 1, 0x20), step(RADDR, 1, 24)]);
    rig.write(INTR, DONE);
    rig.write(IPCR0, 0x1000);
    rig.write(IPCR1, 14 << 16 | 1 << 24);
    rig.write(IPCMD, 1);
    rig.finish();
    rig.until_ready();
    assert!(
        rig.nor.content()[0x1000..0x2000]
            .iter()
            .all(|byte| *byte == 0xFF)
    );
    assert_eq!(rig.trace.violations(), 0);
}

#[test]
fn an_ahb_read_shows_the_flash_as_it_was_until_a_software_reset() {
    let mut rig = Rig::new();
    rig.write(AHBCR, 0x78);
    let before = rig.nor.content()[0x1000..0x1010].to_vec();
    assert_eq!(
        rig.ahb(0x1000, 16).map(|(data, _)| data),
        Ok(before.clone())
    );
    rig.now += Time::us(200);
    rig.command(ENABLE, 0);
    rig.command(ERASE, 0x1000);
    rig.until_ready();
    assert_eq!(
        rig.ahb(0x1000, 16).map(|(data, _)| data),
        Ok(before),
        "stale"
    );
    assert_eq!(
        rig.ahb(0x1800, 16).map(|(data, _)| data),
        Ok(vec![0xFF; 16]),
        "fetched anew"
    );
    assert_eq!(
        rig.ahb(0x1000, 16).map(|(data, _)| data),
        Ok(vec![0xFF; 16]),
        "replaced"
    );
    rig.nor.content_mut()[0x1000] = 0x5A;
    assert_eq!(
        rig.ahb(0x1000, 1).map(|(data, _)| data),
        Ok(vec![0xFF]),
        "stale"
    );
    rig.write(MCR0, MCR0_IN_USE | SWRESET);
    assert_eq!(rig.read(MCR0) & SWRESET, 0);
    assert_eq!(rig.ahb(0x1000, 1).map(|(data, _)| data), Ok(vec![0x5A]));
    assert_eq!(rig.trace.violations(), 0, "{:?}", rig.trace.lines());
}

#[test]
fn a_software_reset_keeps_lut_and_configuration() {
    let mut rig = Rig::new();
    let lut = *rig.flexspi.lut();
    rig.write(MCR0, MCR0_IN_USE | SWRESET);
    assert_eq!(
        (rig.read(MCR0), rig.read(FLSHA1CR0), rig.read(LUTCR)),
        (MCR0_IN_USE, 8 * 1024, 1)
    );
    assert_eq!(*rig.flexspi.lut(), lut);
}

#[test]
fn an_ahb_read_waits_for_its_clocks_and_a_prefetched_byte_costs_nothing() {
    let mut rig = Rig::new();
    rig.write(AHBCR, 0x78);
    // 3 setup, 8 + 24 command and address, 64 for the eight bytes.
    let (_, stall) = rig.ahb(0, 8).unwrap_or_default();
    assert_eq!(
        stall,
        Time::cycles(3 + 32, rig.hz) + Time::ps(8 * Time::cycles(8, rig.hz).as_ps())
    );
    let (_, stall) = rig.ahb(8, 8).unwrap_or_default();
    assert_eq!(
        stall,
        Time::ps(8 * Time::cycles(8, rig.hz).as_ps()),
        "still arriving"
    );
    rig.now += Time::ms(1);
    let (_, stall) = rig.ahb(128, 8).unwrap_or_default();
    assert_eq!(stall, Time::ZERO);
}

#[test]
fn an_ip_command_cuts_a_prefetch_short() {
    let mut rig = Rig::new();
    rig.write(AHBCR, 0x78);
    assert!(rig.ahb(0, 8).is_ok());
    rig.ip_read(READ_ID, 0, 3);
    rig.now += Time::ms(1);
    rig.nor.content_mut()[0xF8] = 0x5A;
    assert_eq!(rig.ahb(0xF8, 1).map(|(data, _)| data), Ok(vec![0x5A]));
}

#[test]
fn an_ahb_read_of_a_busy_or_missing_flash_gives_what_the_wires_give() {
    let mut rig = Rig::new();
    rig.command(ENABLE, 0);
    rig.command(ERASE, 0x3000);
    assert_eq!(rig.ahb(0, 4).map(|(data, _)| data), Ok(vec![0xFF; 4]));
    let mut rig = Rig::new();
    rig.nor.faults.absent = true;
    assert_eq!(rig.ahb(0, 4).map(|(data, _)| data), Ok(vec![0xFF; 4]));
}

#[test]
fn an_ahb_read_the_block_cannot_do_is_a_bus_fault() {
    let mut rig = Rig::new();
    rig.hz = 0;
    assert_eq!(rig.ahb(0, 4).map(|_| ()), Err(BusFault));
    let mut rig = Rig::new();
    rig.write(MCR0, MCR0_IN_USE | MDIS);
    assert_eq!(rig.ahb(0, 4).map(|_| ()), Err(BusFault));
    let mut rig = Rig::new();
    for offset in [FLSHA1CR0 + 4, FLSHA1CR0 + 8, FLSHA1CR0 + 12] {
        rig.write(offset, 0);
    }
    assert_eq!(rig.ahb(0x80_0000, 4).map(|_| ()), Err(BusFault));
    rig.sequence(READ, &[step(0x1E, 1, 0)]);
    assert_eq!(rig.ahb(0, 4).map(|_| ()), Err(BusFault));
    assert_eq!((rig.read(INTR) & 0x10, rig.read(STS1)), (0x10, 0x300));
    let (flexspi, mut ports) = rig.ports();
    assert_eq!(flexspi.ahb_write(0, &[0], &mut ports), Err(BusFault));
}

#[test]
fn an_ahb_read_waits_for_a_running_ip_command_and_fails_behind_a_stopped_one() {
    let mut rig = Rig::new();
    let expected = rig.nor.content()[..4].to_vec();
    rig.start(READ, 0x100, 64);
    assert_eq!(rig.ahb(0, 4).map(|(data, _)| data), Ok(expected));
    rig.start(READ, 0x100, 256);
    assert_eq!(rig.ahb(0x2000, 4).map(|_| ()), Err(BusFault));
    assert_eq!(rig.read(INTR) & 0x4, 0x4);
}

#[test]
fn jmp_on_cs_starts_the_next_ahb_read_behind_the_opcode() {
    let mut rig = Rig::new();
    let expected = rig.nor.content()[0x800..0x804].to_vec();
    let quad = [
        step(CMD, 1, 0xEB),
        step(RADDR, 4, 24),
        step(MODE8, 4, 0xA0),
        step(DUMMY, 4, 4),
        step(READ_DATA, 4, 4),
        step(JMP_ON_CS, 1, 1),
    ];
    rig.sequence(READ, &quad);
    assert!(rig.ahb(0, 4).is_ok());
    assert_eq!(rig.nor.continuous_read(), Some(0xEB));
    assert_eq!(
        rig.ahb(0x800, 4).map(|(data, _)| data),
        Ok(expected.clone())
    );
    assert_eq!(rig.trace.violations(), 0);
    // With the pointer cleared the opcode goes out again, into a flash that does not expect one.
    rig.write(FLSHA1CR2, 1 << 31);
    rig.now += Time::us(10);
    assert_ne!(
        rig.ahb(0x1800, 4).map(|(data, _)| data),
        Ok(rig.nor.content()[0x1800..0x1804].to_vec())
    );
}

#[test]
fn unconnected_pads_and_bad_sampling_give_wrong_data() {
    let expected = Rig::new().nor.content()[..64].to_vec();
    let quad = |change: &dyn Fn(&mut Rig)| {
        let mut rig = Rig::new();
        change(&mut rig);
        let data = rig.ip_read(QUAD_READ, 0, 64);
        (data == expected, rig.trace.violations() > 0)
    };
    assert_eq!(quad(&|_| {}), (true, false));
    assert_eq!(quad(&|rig| rig.pads.ss0 = false), (false, true));
    assert_eq!(quad(&|rig| rig.pads.sclk = false), (false, true));
    assert_eq!(quad(&|rig| rig.pads.data[3] = false), (false, true));
    assert_eq!(quad(&|rig| rig.pads.dqs = false), (false, true));
    let mut rig = Rig::new();
    rig.pads.data[1] = false;
    assert_eq!(rig.ip_read(READ_ID, 0, 3), [0xFF; 3]);
    assert!(rig.trace.violations() > 0);
    assert_eq!(quad(&|rig| rig.hz = 104_000_000), (true, false));
    assert_eq!(quad(&|rig| rig.hz = 120_000_000), (false, true));
    let internal = |hz: u64| {
        quad(&move |rig| {
            rig.write(MCR0, MCR0_IN_USE & !0x30);
            rig.pads.dqs = false;
            rig.hz = hz;
        })
    };
    assert_eq!(internal(60_000_000), (true, false));
    assert_eq!(internal(72_000_000), (false, true));
    let mut rig = Rig::new();
    rig.pads.data = [true, true, false, false];
    assert_eq!(
        rig.ip_read(READ, 0, 64),
        expected,
        "one line needs no D2 and D3"
    );
    assert_eq!(rig.trace.violations(), 0);
}

#[test]
fn a_disabled_module_or_a_stopped_clock_runs_no_command() {
    let mut rig = Rig::new();
    rig.write(MCR0, MCR0_IN_USE | MDIS);
    rig.start(ENABLE, 0, 0);
    rig.now += Time::ms(10);
    assert_eq!(rig.read(INTR) & DONE, 0);
    let mut rig = Rig::new();
    rig.hz = 0;
    rig.start(ENABLE, 0, 0);
    rig.now += Time::ms(10);
    assert_eq!((rig.read(INTR) & DONE, rig.read(STS0) & 3), (0, 0));
    rig.hz = 30_000_000;
    rig.finish();
    assert_eq!(rig.ip_read(STATUS, 0, 1), [QE | 2]);
}

#[test]
fn a_chip_reset_forgets_the_block_and_leaves_the_flash_alone() {
    let mut rig = Rig::new();
    rig.command(ENABLE, 0);
    rig.start(WRITE_STATUS, 0, 1);
    rig.send(&[0]);
    rig.finish();
    let (flexspi, mut ports) = rig.ports();
    flexspi.reset(&mut ports);
    assert_eq!(
        (rig.read(MCR0), rig.read(LUTCR), rig.read(LUT)),
        (0xFFFF_80C2, 2, 0)
    );
    assert_eq!(
        rig.nor.status_register(),
        QE | 3,
        "the register write goes on"
    );
    rig.now += Time::ms(2);
    rig.nor.settle(rig.now);
    assert_eq!(rig.nor.status_register(), 0);
}

#[test]
fn interrupts_follow_enable_and_flags() {
    let mut rig = Rig::new();
    rig.write(INTEN, DONE);
    assert!(!rig.flexspi.interrupt());
    rig.command(ENABLE, 0);
    assert!(rig.flexspi.interrupt());
    rig.write(INTR, DONE);
    assert!(!rig.flexspi.interrupt());
}
