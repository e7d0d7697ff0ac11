//! Names that somebody may have meant.

/// How many are told.
const TOLD: usize = 3;
/// A name with more single changes than a third of its characters is another name.
const SHARE: usize = 3;

/// The names in `all` that are nearest to `wanted`, nearest first; without regard to case.
pub(super) fn near<'n>(wanted: &str, all: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = wanted.to_ascii_lowercase();
    let limit = wanted.len().div_ceil(SHARE);
    let mut found: Vec<(usize, &str)> = all
        .filter(|name| name.len().abs_diff(wanted.len()) <= limit)
        .map(|name| (distance(&wanted, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(TOLD).map(|(_, name)| name).collect()
}

/// Characters to insert, remove or replace from one to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, of_a) in a.chars().enumerate() {
        let mut next = vec![index + 1];
        for ((of_b, above_left), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            let replaced = above_left + usize::from(of_a != *of_b);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_levenshtein_s() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn the_nearest_names_come_first_and_strangers_not_at_all() {
        let all = ["serial_number", "SERIAL_NUMBER2", "main", "serial_nunber"];
        assert_eq!(
            near("serial_numbr", all.into_iter()),
            ["serial_number", "SERIAL_NUMBER2", "serial_nunber"]
        );
        assert!(near("mac", all.into_iter()).is_empty());
    }
}
