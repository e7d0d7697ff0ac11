//! Recorded events that the tests play.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::records::{AttemptId, VerdictKind};
use crate::station::view::{Keyboard, Model, Page, Settings};
use crate::station::{EVENT_VERSION, Event, Needs, UnitVerdict, What};

/// Between two events, in seconds.
pub const SECONDS_APART: i64 = 5;

/// Events in the order in which they are told.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub events: Vec<Event>,
    seconds: i64,
    units: u32,
}

pub fn settings() -> Settings {
    Settings {
        barcodes: false,
        color: true,
        zone: TimeZone::UTC,
    }
}

pub fn verdict(kind: VerdictKind) -> UnitVerdict {
    UnitVerdict {
        attempt: Some(AttemptId(1)),
        verdict: kind,
        exit: 0,
        code: None,
        text: "PASS".to_owned(),
        to_do: "remove the board".to_owned(),
        uid: Some("5A01D2B3C4E5F607".to_owned()),
        serial: Some("SN-000041".to_owned()),
        cycle_seconds: 4.25,
        over_budget: false,
        records_seconds: 0.02,
    }
}

pub fn fail() -> UnitVerdict {
    UnitVerdict {
        exit: 11,
        code: Some("verify-mismatch".to_owned()),
        text: "the flash differs from the image at 0x60012345: read 0x00, expected 0x5A (app.hex)"
            .to_owned(),
        to_do: "put the board aside for rework: the flash part does not keep what is written"
            .to_owned(),
        ..verdict(VerdictKind::Fail)
    }
}

pub fn refused() -> UnitVerdict {
    UnitVerdict {
        exit: 6,
        code: Some("passed-before".to_owned()),
        text: "this unit has passed the job before, as SN-000017".to_owned(),
        to_do: "put it to the finished ones".to_owned(),
        ..verdict(VerdictKind::Refused)
    }
}

impl Scene {
    /// A station with sites of these labels.
    pub fn of(sites: &[&str]) -> Self {
        let mut scene = Scene::default();
        scene.tell(
            None,
            What::StationStarted {
                station: "LINE-3".to_owned(),
                job: "blinky-2.1".to_owned(),
                job_sha256: "3f9a12c4d5e6f708192a3b4c5d6e7f80".to_owned(),
                sites: sites.iter().map(|site| (*site).to_owned()).collect(),
                rehearsal: false,
                interrupted: 0,
            },
        );
        scene
    }

    /// A station with so many sites.
    pub fn with_sites(count: usize) -> Self {
        let labels: Vec<String> = (0..count)
            .map(|place| {
                format!(
                    "{}{}",
                    if place % 2 == 0 { 'A' } else { 'B' },
                    place / 2 + 1
                )
            })
            .collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        Scene::of(&labels)
    }

    pub fn tell(&mut self, site: Option<&str>, what: What) {
        let started = "2026-11-23T10:00:00Z".parse::<Timestamp>().expect("time");
        self.events.push(Event {
            event_version: EVENT_VERSION,
            at: started + jiff::SignedDuration::from_secs(self.seconds),
            site: site.map(str::to_owned),
            what,
        });
        self.seconds += SECONDS_APART;
    }

    pub fn seated(mut self, site: &str) -> Self {
        self.tell(Some(site), What::BoardSeated);
        self
    }

    pub fn removed(mut self, site: &str) -> Self {
        self.tell(Some(site), What::BoardRemoved);
        self
    }

    pub fn waits(mut self, site: &str, needs: Needs) -> Self {
        self = self.seated(site);
        self.tell(Some(site), What::Waiting { needs });
        self
    }

    pub fn begun(mut self, site: &str) -> Self {
        self.tell(
            Some(site),
            What::Begun {
                attempt: AttemptId(1),
            },
        );
        self
    }

    pub fn known(mut self, site: &str, attempt_of_unit: u32) -> Self {
        self = self.begun(site);
        self.tell(
            Some(site),
            What::UnitKnown {
                uid: "5A01D2B3C4E5F607".to_owned(),
                serial: Some("SN-000041".to_owned()),
                attempt_of_unit,
            },
        );
        self
    }

    pub fn at(
        mut self,
        site: &str,
        phase: &'static str,
        done_bytes: u64,
        total_bytes: u64,
    ) -> Self {
        self.tell(Some(site), What::Phase { phase });
        self.tell(
            Some(site),
            What::Progress {
                done_bytes,
                total_bytes,
            },
        );
        self
    }

    pub fn ends(mut self, site: &str, verdict: UnitVerdict) -> Self {
        self.tell(Some(site), What::Verdict(Box::new(verdict)));
        self
    }

    pub fn passes(self, site: &str) -> Self {
        self.unit(site, 1, verdict(VerdictKind::Pass))
    }

    pub fn fails(self, site: &str) -> Self {
        self.unit(site, 1, fail())
    }

    /// A new unit comes, is known and gets its verdict.
    pub fn unit(mut self, site: &str, attempt_of_unit: u32, verdict: UnitVerdict) -> Self {
        self.units += 1;
        let uid = format!("5A01D2B3C4E5{:04X}", self.units);
        let serial = Some(format!("SN-{:06}", self.units));
        self = self.seated(site).begun(site);
        self.tell(
            Some(site),
            What::UnitKnown {
                uid: uid.clone(),
                serial: serial.clone(),
                attempt_of_unit,
            },
        );
        let uid = Some(uid);
        self.ends(
            site,
            UnitVerdict {
                uid,
                serial,
                ..verdict
            },
        )
    }

    pub fn acknowledged(mut self, site: &str) -> Self {
        self.tell(Some(site), What::Acknowledged);
        self
    }

    pub fn probe_gone(mut self, site: &str) -> Self {
        let why = "1366:0101:000012345678 is not connected".to_owned();
        self.tell(Some(site), What::ProbeGone { why });
        self
    }

    pub fn model(&self) -> Model {
        let mut model = Model::new();
        for event in &self.events {
            model.apply(event);
        }
        model
    }

    pub fn drawn(&self, width: u16, height: u16) -> Buffer {
        draw(
            &self.model(),
            &Keyboard::new(false),
            &settings(),
            width,
            height,
        )
    }
}

/// Eight sites in the middle of a shift.
pub fn shift() -> Scene {
    let mut scene = Scene::with_sites(8);
    for _ in 0..12 {
        for site in ["A1", "B1", "A2", "B2", "A3", "A4"] {
            scene = scene.passes(site).removed(site);
        }
    }
    let mut slow = verdict(VerdictKind::Pass);
    slow.over_budget = true;
    scene
        .fails("B3")
        .acknowledged("B3")
        .probe_gone("B4")
        .waits("A4", Needs::Key)
        .seated("A2")
        .known("A2", 1)
        .at("A2", "program", 471_040, 1_048_576)
        .unit("A3", 2, slow)
        .unit("B2", 1, refused())
        .passes("A1")
        .fails("B1")
}

pub fn draw(
    model: &Model,
    keyboard: &Keyboard,
    settings: &Settings,
    width: u16,
    height: u16,
) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("terminal");
    let page = Page {
        model,
        keyboard,
        settings,
    };
    terminal.draw(|frame| page.render(frame)).expect("drawn");
    terminal.backend().buffer().clone()
}

pub fn rows(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width).max(1);
    buffer
        .content()
        .chunks(width)
        .map(|row| {
            let text: String = row.iter().map(|cell| cell.symbol()).collect();
            text.trim_end().to_owned()
        })
        .collect()
}
