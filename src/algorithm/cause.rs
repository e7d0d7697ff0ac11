//! Fault words into what the user reads: stable code, exit code, why, and what to do.

use mailbox::Request;
use mailbox::fault::{Fault, FaultCode, Stage};

use super::AlgorithmError;
use crate::link::CoreState;
use crate::problem::{ExitCode, Place, Problem};
use crate::target::FlashPart;

const POWER_OR_WEAR: &str = "check the board's 1.8 V or 3.3 V flash supply; if it stays, the flash part is worn out or broken";
const CHECK_WIRING: &str = "check the flash part's wiring and supply, and the board description's `max_hz` and `dqs_pad_free`";
const REPORT: &str = "start again with -vv and report the log: this is a defect in rtflash";

impl From<AlgorithmError> for Problem {
    fn from(error: AlgorithmError) -> Problem {
        let what = error.to_string();
        match error {
            AlgorithmError::Link(error) => error.into(),
            AlgorithmError::Blob => {
                Problem::new("algorithm-blob", ExitCode::Internal, what).fix(REPORT)
            }
            AlgorithmError::ReadBack { address, .. } => {
                Problem::new("ram-differs", ExitCode::LinkLost, what)
                    .because(
                        "the wire is disturbed, or something on the board writes to the same RAM",
                    )
                    .fix("lower --speed; start again with --connect-under-reset")
                    .at(Place::at(address))
            }
            AlgorithmError::Silent { core, .. } => {
                Problem::new("algorithm-silent", ExitCode::LinkLost, what)
                    .because(silence(core))
                    .fix("start again; if it stays, check the board's supply and reset line")
            }
            AlgorithmError::Stopped { fault, .. } => {
                Problem::new("algorithm-defect", ExitCode::Internal, what)
                    .because(fault.map_or("it left no reason".to_owned(), |fault| why(&fault)))
                    .fix(REPORT)
            }
            AlgorithmError::NotStarted { fault: Some(fault) } => not_started(&what, &fault),
            AlgorithmError::NotStarted { fault: None } => {
                Problem::new("algorithm-start", ExitCode::Internal, what).fix(REPORT)
            }
            AlgorithmError::Failed { request, fault } => failed(&what, &request, &fault),
            AlgorithmError::Damaged(_) => Problem::new("wire-noise", ExitCode::LinkLost, what)
                .because("its check sum is wrong, however often it is read")
                .fix("check cable and connector; lower --speed"),
            AlgorithmError::Reply => {
                Problem::new("algorithm-reply", ExitCode::Internal, what).fix(REPORT)
            }
            AlgorithmError::Cancelled => Problem::new("cancelled", ExitCode::Cancelled, what)
                .because("the user asked for it")
                .fix("start again: the board does not boot half an image"),
        }
    }
}

const fn silence(core: Option<CoreState>) -> &'static str {
    match core {
        Some(CoreState::Halted) => "its core is halted",
        Some(CoreState::LockedUp) => "its core is locked up",
        Some(CoreState::Asleep) => "its core sleeps",
        Some(CoreState::Running) => {
            "its core runs, but not this code any more: the board was reset"
        }
        None => "its core cannot be asked",
    }
}

fn not_started(what: &str, fault: &Fault) -> Problem {
    let problem = |code, exit: ExitCode| Problem::new(code, exit, what).because(why(fault));
    match (fault.code, fault.stage) {
        (FaultCode::Timeout, Stage::Wake) => problem("flash-busy", ExitCode::ReadFailed)
            .fix("power the board off and on; if it stays, the flash part is broken"),
        (FaultCode::IdentityChanged, _) => {
            problem("flash-unstable", ExitCode::ReadFailed).fix(CHECK_WIRING)
        }
        (FaultCode::Clock, _) => problem("clock-failed", ExitCode::ReadFailed)
            .fix("check the 24 MHz crystal and the supply"),
        (FaultCode::BadSetup | FaultCode::Defect, _) => {
            problem("algorithm-defect", ExitCode::Internal).fix(REPORT)
        }
        _ => problem("flash-no-answer", ExitCode::ReadFailed).fix(CHECK_WIRING),
    }
}

fn failed(what: &str, request: &Request, fault: &Fault) -> Problem {
    let exit = exit_of(request, fault);
    let problem = |code, fix: &str| {
        Problem::new(code, exit, what)
            .because(why(fault))
            .fix(fix)
            .at(place(request, fault))
    };
    match fault.code {
        FaultCode::Timeout => problem("flash-timeout", POWER_OR_WEAR),
        FaultCode::NotBlank => problem("erase-incomplete", POWER_OR_WEAR),
        FaultCode::ReadBackDiffers => problem("program-differs", POWER_OR_WEAR),
        FaultCode::StatusDiffers => problem(
            "status-differs",
            "check that WP# is not held low while SRWD is set; if it stays, the flash part is broken",
        ),
        FaultCode::NoWriteEnable => problem("write-enable-refused", CHECK_WIRING),
        FaultCode::Rejected => problem(
            "flash-protected",
            "the range is protected: look at the BP bits, sector locks and WP# of the flash part",
        ),
        FaultCode::Controller | FaultCode::IdentityChanged => {
            problem("flash-unstable", CHECK_WIRING)
        }
        FaultCode::BadPayload => problem(
            "payload-damaged",
            "check cable and connector; lower --speed",
        ),
        FaultCode::LeaseLost => problem(
            "lease-lost",
            "start again; do not suspend rtflash while it works",
        ),
        FaultCode::Clock => problem("clock-failed", "check the 24 MHz crystal and the supply"),
        FaultCode::OutOfRange => problem(
            "flash-too-small",
            "choose the flash part that is fitted with --target",
        ),
        FaultCode::BadRequest
        | FaultCode::AfterFault
        | FaultCode::Unsupported
        | FaultCode::BadSetup
        | FaultCode::Defect => problem("algorithm-defect", REPORT),
    }
}

fn exit_of(request: &Request, fault: &Fault) -> ExitCode {
    match (fault.code, request) {
        (FaultCode::LeaseLost | FaultCode::BadPayload, _) => ExitCode::LinkLost,
        (
            FaultCode::BadRequest
            | FaultCode::AfterFault
            | FaultCode::Unsupported
            | FaultCode::BadSetup
            | FaultCode::Defect,
            _,
        ) => ExitCode::Internal,
        (_, Request::Erase { .. }) => ExitCode::EraseFailed,
        (_, Request::Program { .. } | Request::SetStatus { .. }) => ExitCode::ProgramFailed,
        _ => ExitCode::ReadFailed,
    }
}

fn place(request: &Request, fault: &Fault) -> Place {
    let concerns_bytes = matches!(
        request,
        Request::Erase { .. }
            | Request::Program { .. }
            | Request::Read { .. }
            | Request::Digest { .. }
            | Request::Map { .. }
    );
    let sector = concerns_bytes.then_some(fault.address / FlashPart::SECTOR_BYTES);
    Place {
        sector,
        ..Place::default()
    }
}

/// What the target saw, in words.
fn why(fault: &Fault) -> String {
    let Fault {
        code,
        stage,
        address,
        expected,
        found,
    } = *fault;
    let at = format!("flash offset 0x{address:06X}");
    match code {
        FaultCode::Timeout => format!(
            "{at}: not finished after {} ms; the status register reads 0x{found:02X} ({})",
            expected / 1000,
            stage_name(stage)
        ),
        FaultCode::NotBlank => format!("{at} reads 0x{found:08X} after the erase"),
        FaultCode::ReadBackDiffers => {
            format!("{at} reads 0x{found:08X} instead of 0x{expected:08X}")
        }
        FaultCode::StatusDiffers => {
            format!("0x{expected:02X} was written, 0x{found:02X} reads back")
        }
        FaultCode::Controller => format!(
            "{at}: the FlexSPI reports an error, STS1 = 0x{found:08X} ({})",
            stage_name(stage)
        ),
        FaultCode::NoWriteEnable => {
            format!("{at}: after 06h the status register reads 0x{found:02X}, WEL is not set")
        }
        FaultCode::Rejected => {
            format!("{at}: the part ended with WEL still set, status register 0x{found:02X}")
        }
        FaultCode::IdentityChanged => format!(
            "the JEDEC ID read {} first and {} then",
            id(expected),
            id(found)
        ),
        FaultCode::Clock => format!("the clock register at 0x{address:08X} reads 0x{found:08X}"),
        FaultCode::OutOfRange => {
            format!("{at} with {found} bytes is outside the part's {expected} bytes")
        }
        FaultCode::LeaseLost => "the host did not renew its lease in time".to_owned(),
        FaultCode::BadPayload => format!(
            "{at}: a payload chunk arrived damaged (0x{expected:08X} expected, 0x{found:08X} found)"
        ),
        FaultCode::AfterFault => "an earlier request failed".to_owned(),
        FaultCode::Defect if expected != 0 => {
            format!("exception {expected} in the flash algorithm")
        }
        FaultCode::Defect => format!("the flash algorithm panicked at line {found}"),
        FaultCode::BadRequest | FaultCode::Unsupported | FaultCode::BadSetup => {
            format!(
                "{code:?} during {} (0x{expected:X}, 0x{found:X})",
                stage_name(stage)
            )
        }
    }
}

fn id(word: u32) -> String {
    let [a, b, c, _] = word.to_le_bytes();
    format!("{a:02X} {b:02X} {c:02X}")
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Entry => "entry",
        Stage::Clocks => "clock set-up",
        Stage::Controller => "controller set-up",
        Stage::Wake => "waking the flash",
        Stage::Identify => "identification",
        Stage::WriteEnable => "write enable",
        Stage::Erase => "erase",
        Stage::Program => "program",
        Stage::ReadBack => "read-back",
        Stage::Digest => "digest",
        Stage::Read => "read",
        Stage::SetStatus => "status write",
        Stage::Exit => "exit sequence",
        Stage::Payload => "payload",
        Stage::Request => "request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::error::doing;
    use mailbox::layout;

    #[test]
    fn an_erase_that_leaves_bits_is_told_with_address_and_remedy() {
        let request = Request::Erase {
            address: 0x1_0000,
            size: 0x1_0000,
            opcode: 0xD8,
            flags: 1,
        };
        let fault = Fault::new(FaultCode::NotBlank, Stage::Erase)
            .at(0x1_2344)
            .values(!0, 0xFFFF_FFFE);
        let problem = Problem::from(AlgorithmError::Failed { request, fault });
        assert_eq!(
            problem.to_string(),
            "the flash did not erase [erase-incomplete]\n  where: sector 18\n  \
             why:   flash offset 0x012344 reads 0xFFFFFFFE after the erase\n  \
             do:    check the board's 1.8 V or 3.3 V flash supply; if it stays, the flash part is worn out or broken"
        );
        assert_eq!(problem.exit, ExitCode::EraseFailed);
    }

    #[test]
    fn every_fault_has_a_code_a_reason_and_a_remedy() {
        let requests = [
            Request::Identify,
            Request::Erase {
                address: 0,
                size: 4096,
                opcode: 0x20,
                flags: 0,
            },
            Request::Program {
                address: 0,
                length: 4,
                first_chunk: 0,
                chunks: 1,
            },
            Request::Read {
                address: 0,
                length: layout::REPLY_MAX_BYTES,
            },
        ];
        let codes: Vec<FaultCode> = (1..).map_while(FaultCode::from_word).collect();
        let stages: Vec<Stage> = (1..).map_while(Stage::from_word).collect();
        assert!(codes.len() > 10 && stages.len() > 5);
        let every = || {
            codes
                .iter()
                .flat_map(|code| stages.iter().map(move |stage| (*code, *stage)))
        };
        for (code, stage) in every() {
            for request in requests {
                let fault = Fault::new(code, stage);
                let problem = Problem::from(AlgorithmError::Failed { request, fault });
                assert!(problem.why.is_some() && problem.fix.is_some(), "{code:?}");
                assert!(!problem.code.is_empty() && !problem.what.is_empty());
                assert!(problem.exit != ExitCode::Proven);
                assert!(!doing(&request).is_empty());
            }
        }
    }
}
