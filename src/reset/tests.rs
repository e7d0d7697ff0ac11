//! The texts of the causes: every one says why and what to do.

use super::*;
use crate::address::Address;
use crate::problem::{ExitCode, Problem};

const FAULT: FaultStatus = FaultStatus {
    exception: 3,
    cfsr: 0x0001_0000,
    hfsr: 0x4000_0000,
};

fn every_cause() -> Vec<Cause> {
    let at = Address::new(0x0020_EB00);
    vec![
        Cause::NoReset { srsr: 0 },
        Cause::Halted { at: None },
        Cause::ResetLoop { srsr: 0x12 },
        Cause::LockedUp { finding: None },
        Cause::EntryFault {
            fault: FAULT,
            finding: None,
        },
        Cause::ImageCrashed {
            at: Some(at),
            fault: Some(FAULT),
        },
        Cause::Resets {
            started: true,
            srsr: 2,
        },
        Cause::NotStartedAgain { srsr: 2 },
        Cause::ImageLeft { at: None },
        Cause::BootConfig {
            what: "auto-probe".to_owned(),
            sbmr1: 1,
        },
        Cause::SignatureRefused { sbmr2: 2 },
        Cause::SlotNotStarted { at, expected: at },
        Cause::DebugPortSilent,
        Cause::StrappedToSerialDownloader { sbmr2: 0x0100_0001 },
        Cause::BootFusesNotSet { sbmr2: 1 },
        Cause::ReservedBootMode { sbmr2: 0x0300_0001 },
        Cause::OtherBootDevice {
            sbmr1: 0x40,
            from_fuses: true,
        },
        Cause::OtherBootDevice {
            sbmr1: 0x40,
            from_fuses: false,
        },
        Cause::NoFcb { found: [0; 4] },
        Cause::NoIvt { found: [0xFF; 4] },
        Cause::QuadEnableOff { status: 0 },
        Cause::Closed { sbmr2: 0x0200_0002 },
        Cause::RomRefused { at, has_dcd: true },
        Cause::OtherCode { at, expected: at },
        Cause::AsleepWithoutBus,
        Cause::NothingSeen,
    ]
}

#[test]
fn every_cause_says_why_and_what_to_do_and_ends_in_exit_16() {
    for cause in every_cause() {
        let problem = Problem::from(cause);
        assert_eq!(problem.exit, ExitCode::BootNotProven, "{problem}");
        assert!(problem.why.is_some() && problem.fix.is_some(), "{problem}");
        assert!(
            problem.what.chars().next().is_some_and(char::is_lowercase),
            "{problem}"
        );
    }
}

#[test]
fn a_missing_fcb_is_told_with_the_bytes_found() {
    let not_booted = NotBooted {
        cause: Cause::NoFcb { found: [0xFF; 4] },
        evidence: Vec::new(),
    };
    assert_eq!(
        Problem::from(not_booted).to_string(),
        "the flash has no FCB [fcb-missing]\n  \
         why:   flash offset 0x0 holds FF FF FF FF, not 46 43 46 42\n  \
         do:    run `rtflash flash` with the whole image; the FCB is inserted"
    );
}

#[test]
fn evidence_reads_as_sentences() {
    let address = Address::new(0x6000_22B8);
    let within = std::time::Duration::from_millis(17);
    assert_eq!(
        Evidence::ResetHandlerExecuted { address, within }.to_string(),
        "the reset handler at 0x600022B8 was executed within 17 ms (DWT comparator)"
    );
    assert_eq!(
        Evidence::ProgramCounter {
            last: address,
            samples: 4,
            in_rom: 1
        }
        .to_string(),
        "program counter at 0x600022B8, 1 of 4 samples in the boot ROM"
    );
}
