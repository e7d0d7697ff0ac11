//! Parts of a date, and the time zones that decide which day it is.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// A part of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatePart {
    Year,
    ShortYear,
    Month,
    Day,
    DayOfYear,
    IsoWeek,
    IsoYear,
    ShortIsoYear,
}

const CENTURY: i16 = 100;

impl DatePart {
    /// As it is written between braces.
    pub(super) const ALL: [(&'static str, DatePart); 8] = [
        ("yyyy", DatePart::Year),
        ("yy", DatePart::ShortYear),
        ("mm", DatePart::Month),
        ("dd", DatePart::Day),
        ("ddd", DatePart::DayOfYear),
        ("ww", DatePart::IsoWeek),
        ("iyyy", DatePart::IsoYear),
        ("iyy", DatePart::ShortIsoYear),
    ];

    /// Of one day.
    pub(super) fn of(self, date: Date) -> String {
        let week = date.iso_week_date();
        match self {
            DatePart::Year => format!("{:04}", date.year()),
            DatePart::ShortYear => format!("{:02}", date.year() % CENTURY),
            DatePart::Month => format!("{:02}", date.month()),
            DatePart::Day => format!("{:02}", date.day()),
            DatePart::DayOfYear => format!("{:03}", date.day_of_year()),
            DatePart::IsoWeek => format!("{:02}", week.week()),
            DatePart::IsoYear => format!("{:04}", week.year()),
            DatePart::ShortIsoYear => format!("{:02}", week.year() % CENTURY),
        }
    }
}

/// The day at `instant` where clocks differ from UTC by `zone`.
pub(super) fn day(instant: Timestamp, zone: Offset) -> Date {
    zone.to_datetime(instant).date()
}

/// `UTC`, or a fixed distance such as `+01:00`.
///
/// # Errors
/// Why it is neither.
pub(super) fn zone(text: &str) -> Result<Offset, String> {
    const SECONDS: i32 = 60;
    const LONGEST_HOURS: i32 = 14;
    if text == "UTC" {
        return Ok(Offset::UTC);
    }
    let wrong = || {
        format!(
            "`{text}` is no time zone for a date: write UTC, or a fixed distance such as +01:00, because rules for summer time change"
        )
    };
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|c| c.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|_| is_number)
    };
    let (hours, minutes) = number(hours).zip(number(minutes)).ok_or_else(wrong)?;
    if minutes >= SECONDS || hours * SECONDS + minutes > LONGEST_HOURS * SECONDS {
        return Err(wrong());
    }
    Offset::from_seconds(sign * (hours * SECONDS + minutes) * SECONDS).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, offset: &str) -> Vec<String> {
        let instant: Timestamp = text.parse().expect("a time");
        let day = day(instant, zone(offset).expect("zone"));
        DatePart::ALL.map(|(_, part)| part.of(day)).to_vec()
    }

    #[test]
    fn a_day_has_all_its_parts() {
        assert_eq!(
            parts("2026-11-23T01:37:14Z", "UTC"),
            ["2026", "26", "11", "23", "327", "48", "2026", "26"]
        );
    }

    #[test]
    fn days_at_the_turn_of_the_year_lie_in_their_iso_week_s_year() {
        let week = |day: &str| {
            let all = parts(&format!("{day}T12:00:00Z"), "UTC");
            format!("{}-W{}", all[6], all[5])
        };
        // ISO 8601 and its usual examples
        for (day, expected) in [
            ("2005-01-01", "2004-W53"),
            ("2005-01-02", "2004-W53"),
            ("2005-12-31", "2005-W52"),
            ("2007-01-01", "2007-W01"),
            ("2007-12-30", "2007-W52"),
            ("2007-12-31", "2008-W01"),
            ("2008-12-29", "2009-W01"),
            ("2009-12-31", "2009-W53"),
            ("2010-01-03", "2009-W53"),
            ("2020-12-31", "2020-W53"),
            ("2027-01-01", "2026-W53"),
        ] {
            assert_eq!(week(day), expected, "{day}");
        }
    }

    #[test]
    fn the_zone_decides_which_day_it_is() {
        let day = |text, zone| parts(text, zone)[..4].join("/");
        let late = "2026-12-31T23:30:00Z";
        assert_eq!(day(late, "UTC"), "2026/26/12/31");
        assert_eq!(day(late, "+01:00"), "2027/27/01/01");
        assert_eq!(day("2027-01-01T04:59:59Z", "-05:00"), "2026/26/12/31");
        assert_eq!(day(late, "+05:30"), "2027/27/01/01");
    }

    #[test]
    fn names_of_zones_and_nonsense_are_refused() {
        for text in [
            "Europe/Berlin",
            "utc",
            "+1:00",
            "+01:60",
            "+15:00",
            "01:00",
            "+0a:00",
            "",
            "+01:00:00",
        ] {
            assert!(zone(text).is_err(), "{text}");
        }
        assert_eq!(zone("-00:00").map(Offset::seconds), Ok(0));
    }

    #[test]
    fn a_leap_day_is_day_60() {
        assert_eq!(parts("2028-02-29T00:00:00Z", "UTC")[4], "060");
        assert_eq!(parts("2028-12-31T00:00:00Z", "UTC")[4], "366");
    }
}
