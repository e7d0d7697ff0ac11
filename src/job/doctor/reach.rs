//! The way to the debug port: as a job goes it, and where the port is silent, slower and through the reset pin.

use super::Question;
use super::examination::{Examination, check};
use crate::diagnosis::{Observation, Weight};
use crate::job::run::Run;
use crate::link::{Choice, Connection, LinkError};
use crate::problem::{ExitCode, Problem};
use crate::report::ProbeRecord;
use crate::survey::require_debug_port;

/// A clock that nearly every contact stands, in kHz.
const SLOW_KHZ: u32 = 100;
/// Below this VTref a board is taken as unpowered, in millivolts (lowest RT1062 I/O supply is 1.65 V).
const UNPOWERED_MILLIVOLTS: u32 = 1_400;
/// Code of a port that gives no answer on a powered board.
const NO_ANSWER: &str = "target-no-answer";
/// Code of a board whose VTref is low.
const NO_POWER: &str = "target-unpowered";
/// How the codes of what is wrong with the probe begin.
const OF_THE_PROBE: &str = "probe-";

impl Run<'_> {
    /// Opens the probe and wakes the debug port; where it is silent, more slowly and under reset.
    pub(super) fn reach(
        &mut self,
        question: &Question,
        examination: &mut Examination,
    ) -> Result<Connection, Problem> {
        self.always_check_contact = true;
        let connection = match self.connect() {
            Ok(connection) => connection,
            Err(problem) if problem.code.starts_with(OF_THE_PROBE) => return Err(problem),
            Err(problem) => {
                examination.ok(check::PROBE, "can be opened");
                examination.at(check::DEBUG_PORT);
                match problem.code {
                    NO_ANSWER => self.reach_a_silent_port(question, problem, examination)?,
                    NO_POWER => {
                        examination.at(check::POWER);
                        let what = "the board has no power".to_owned();
                        return Err(Problem { what, ..problem });
                    }
                    _ => return Err(problem),
                }
            }
        };
        let name = connection.probe().to_string();
        examination.ok(check::PROBE, name);
        match connection.millivolts() {
            Some(low) if low < UNPOWERED_MILLIVOLTS => examination.ok(
                check::POWER,
                format!("the probe measures {low} mV at VTref, which is not wired then: the debug port answers"),
            ),
            Some(millivolts) => examination.ok(check::POWER, format!("{millivolts} mV at VTref")),
            None => examination.ok(check::POWER, "the debug port answers; the probe does not measure VTref"),
        }
        examination.ok(check::DEBUG_PORT, "open");
        Ok(connection)
    }

    fn reach_a_silent_port(
        &mut self,
        question: &Question,
        problem: Problem,
        examination: &mut Examination,
    ) -> Result<Connection, Problem> {
        let slowly = Choice {
            speed_khz: Some(SLOW_KHZ),
            ..self.bench.choice().clone()
        };
        let opened = self.open_with(slowly);
        let millivolts = match &opened {
            Err(LinkError::NoTarget { millivolts }) => *millivolts,
            _ => None,
        };
        if let Ok(connection) = opened {
            let what = format!("the debug port answers at {SLOW_KHZ} kHz and not faster");
            let poor = Problem::new("contact-poor", ExitCode::LinkLost, what)
                .because("a fast clock needs a short cable and a good ground")
                .fix(format!("check the pins and GND, use a shorter cable with a ground wire beside SWCLK; until then --speed {SLOW_KHZ}"));
            examination.found(check::CONTACT, Observation::of(poor));
            return self.adopt(connection);
        }
        let mut tried = format!("at the clock asked for and at {SLOW_KHZ} kHz");
        if !question.no_reset && !self.bench.choice().connect_under_reset {
            // the race against the firmware is won by a fast clock; a poor contact needs a slow one
            let reached = self
                .reach_under_reset(None)
                .or_else(|_| self.reach_under_reset(Some(SLOW_KHZ)));
            if let Ok(connection) = reached {
                let pins = Problem::new(
                    "swd-pins-off",
                    ExitCode::LinkLost,
                    "the debug port answers after a pulse of the reset pin only",
                )
                .because("the firmware takes the SWD pins for something else, or sleeps")
                .fix("use --connect-under-reset with this firmware");
                examination.found(check::DEBUG_PORT, Observation::new(Weight::Suspicion, pins));
                return Ok(connection);
            }
            tried += ", and after a pulse of the reset pin";
        }
        if let Some(millivolts) = millivolts {
            examination.ok(check::POWER, format!("{millivolts} mV at VTref"));
        }
        Err(Problem {
            what: "the debug port gives no answer: not wired, held in reset, or closed by fuses".to_owned(),
            why: Some(format!(
                "tried {tried}. A port that is closed by fuses (SJC_DISABLE; JTAG_SMODE: no debug, or a challenge first) stays as \
                 silent as one that is not wired or whose board is held in reset: SWD cannot tell these apart"
            )),
            fix: Some(
                "check SWDIO, SWCLK and GND, and that the reset line is high; where another board of this kind answers, this one is \
                 closed: it takes images through its USB or UART serial downloader only"
                    .to_owned(),
            ),
            ..problem
        })
    }

    /// Opens the probe with another choice than the user's, slowly: the contact is to be checked.
    fn open_with(&self, choice: Choice) -> Result<Connection, LinkError> {
        let chip = self.job.target.chip();
        Connection::open_carefully(&choice, chip, self.bench.clock().clone(), |_, _| true)
    }

    /// Goes on with a connection that was opened in another way than jobs do it.
    fn adopt(&mut self, connection: Connection) -> Result<Connection, Problem> {
        require_debug_port(connection.debug_port(), self.job.target.chip())?;
        self.unproven_khz = connection.unproven_khz();
        self.record.probe = Some(ProbeRecord {
            name: connection.probe().name.clone(),
            selector: connection.probe().selector().to_string(),
            speed_khz: connection.speed_khz(),
            contact: Vec::new(),
            contact_warning: None,
        });
        Ok(connection)
    }

    pub(super) fn reach_under_reset(
        &mut self,
        speed_khz: Option<u32>,
    ) -> Result<Connection, Problem> {
        let choice = self.bench.choice().clone();
        let connection = self.open_with(Choice {
            connect_under_reset: true,
            speed_khz: speed_khz.or(choice.speed_khz),
            ..choice
        })?;
        self.adopt(connection)
    }
}
