//! Which attempts are meant.

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::records::{Filter, VerdictKind};

/// Which attempts are meant; where several are given, all of them must fit.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Only attempts of this job
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Only attempts at this station
    #[arg(long, value_name = "LABEL")]
    station: Option<String>,
    /// Only attempts at the site of this label
    #[arg(long, value_name = "LABEL")]
    site: Option<String>,
    /// Only attempts on the chip with this unique ID
    #[arg(long, value_name = "HEX")]
    uid: Option<String>,
    /// Only attempts on the unit with this serial number
    #[arg(long, value_name = "TEXT")]
    serial: Option<String>,
    /// Only attempts that ended so: pass, fail, refused, cancelled or interrupted
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    verdict: Option<VerdictKind>,
    /// Only attempts that ended with this stable code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only attempts begun then or later: RFC 3339, or a date, which begins at midnight here
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only attempts begun before then, or up to the end of that date
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,
    /// Only the newest N of these
    #[arg(long, value_name = "N")]
    last: Option<u32>,
}

impl FilterArgs {
    /// As the ledger takes it.
    pub fn filter(&self) -> Filter {
        Filter {
            id: None,
            job: self.job.clone(),
            station: self.station.clone(),
            site: self.site.clone(),
            uid: self.uid.as_deref().map(str::to_ascii_uppercase),
            serial: self.serial.clone(),
            verdict: self.verdict,
            code: self.code.clone(),
            since: self.since,
            until: self.until,
            newest: self.last,
        }
    }
}

fn verdict(text: &str) -> Result<VerdictKind, String> {
    let found = VerdictKind::ALL
        .into_iter()
        .find(|kind| kind.name() == text.to_ascii_lowercase());
    found.ok_or_else(|| {
        let names = VerdictKind::ALL.map(VerdictKind::name);
        format!("not one of {}", names.join(", "))
    })
}

fn since(text: &str) -> Result<Timestamp, String> {
    moment(text, Ok)
}

fn until(text: &str) -> Result<Timestamp, String> {
    moment(text, |date| date.checked_add(1.day()))
}

/// A time with its offset, or the midnight that `day` of a date begins with, here.
fn moment(
    text: &str,
    day: impl Fn(Date) -> Result<Date, jiff::Error>,
) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let midnight = text
        .parse::<Date>()
        .and_then(day)
        .and_then(|date| date.to_zoned(TimeZone::system()));
    midnight.map(|midnight| midnight.timestamp()).map_err(|_| {
        "not a time such as 2026-11-23T08:00:00Z or 2026-11-23T08:00:00+01:00, nor a date such as 2026-11-23"
            .to_owned()
    })
}
