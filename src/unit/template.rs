//! The text around a serial number: literal characters, and parts in braces.

use super::date::DatePart;

/// A part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(char),
    Number,
    Check,
    Date(DatePart),
}

/// Takes a text apart.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (part, behind) = if let Some(behind) = rest.strip_prefix("{{") {
            (Part::Literal('{'), behind)
        } else if let Some(inside) = rest.strip_prefix('{') {
            let (name, behind) = inside
                .split_once('}')
                .ok_or("a brace is opened and not closed; a brace itself is {{")?;
            (named(name)?, behind)
        } else {
            (
                Part::Literal(c),
                rest.get(c.len_utf8()..).unwrap_or_default(),
            )
        };
        parts.push(part);
        rest = behind;
    }
    let has = |part| parts.contains(&Part::Date(part));
    let year = has(DatePart::Year) || has(DatePart::ShortYear);
    if has(DatePart::IsoWeek) && year {
        return Err(
            "{ww} belongs to the year {iyyy} or {iyy}: 1 January 2027 lies in week 53 of 2026"
                .to_owned(),
        );
    }
    let iso_year = has(DatePart::IsoYear) || has(DatePart::ShortIsoYear);
    let day = [DatePart::Month, DatePart::Day, DatePart::DayOfYear];
    if iso_year && day.into_iter().any(has) {
        return Err(
            "{iyyy} and {iyy} belong to the week {ww}, not to a day: 1 January 2027 lies in their year 2026"
                .to_owned(),
        );
    }
    Ok(parts)
}

fn named(name: &str) -> Result<Part, String> {
    let date = || {
        let mut all = DatePart::ALL.into_iter();
        all.find(|(known, _)| *known == name)
    };
    match name {
        "number" => Ok(Part::Number),
        "check" => Ok(Part::Check),
        _ => date().map(|(_, part)| Part::Date(part)).ok_or_else(|| {
            let known = DatePart::ALL.map(|(known, _)| format!("{{{known}}}"));
            format!(
                "{{{name}}} is unknown; there are {{number}}, {{check}}, {}",
                known.join(", ")
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_apart() {
        assert_eq!(
            parse("R{{{iyy}{ww}-{number}{check}"),
            Ok(vec![
                Part::Literal('R'),
                Part::Literal('{'),
                Part::Date(DatePart::ShortIsoYear),
                Part::Date(DatePart::IsoWeek),
                Part::Literal('-'),
                Part::Number,
                Part::Check,
            ])
        );
    }

    #[test]
    fn what_could_be_misread_is_refused() {
        for text in [
            "{number",
            "{nummer}",
            "{}",
            "{yy}{ww}{number}",
            "{yyyy}W{ww}",
            "{iyyy}-{mm}-{dd}",
            "{iyy}{ww}{ddd}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
