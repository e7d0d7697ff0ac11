//! Barcodes: of the right form, on one board only, and never guessed onto a site.

use rtflash::records::{Attempt, VerdictKind};
use rtflash::station::{Command, Needs, What};

use crate::floor::{Floor, Setup, board, is_untouched};
use crate::hand::Step;

fn codes(sites: usize) -> Floor {
    let unit = "start = \"barcode\"\nbarcode = 'SN[0-9]{4}'";
    Floor::open(
        sites,
        Setup {
            unit,
            ..Setup::default()
        },
    )
}

fn waits(what: &What) -> bool {
    *what
        == What::Waiting {
            needs: Needs::Barcode,
        }
}

#[test]
fn a_code_of_another_form_begins_nothing() {
    let mut floor = codes(1);
    let board = board(1);
    floor.hand("A").insert(&board);
    floor.until_at("A", waits);
    floor.scan("4006381333931");
    assert!(floor.not_taken().contains("4006381333931"));
    assert!(is_untouched(&board));
    floor.scan("SN0001");
    let verdict = floor.verdict("A");
    assert_eq!(verdict.verdict, VerdictKind::Pass, "{}", floor.log());
    let (_, attempts, _) = floor.quit();
    assert_eq!(attempts[0].begin.barcode.as_deref(), Some("SN0001"));
}

#[test]
fn a_code_that_belongs_to_another_board_is_refused() {
    let mut floor = codes(1);
    floor.scan("SN0001");
    assert_eq!(floor.work("A", &board(1)).verdict, VerdictKind::Pass);
    floor.clear("A");
    let second = board(2);
    floor.scan("SN0001");
    let verdict = floor.work("A", &second);
    assert_eq!(verdict.verdict, VerdictKind::Refused, "{}", floor.log());
    assert_eq!(verdict.code.as_deref(), Some("barcode-used"));
    assert!(
        verdict.text.contains("0123456700000001"),
        "{}",
        verdict.text
    );
    assert!(is_untouched(&second));
}

#[test]
fn where_several_boards_wait_a_code_needs_its_site() {
    let mut floor = codes(2);
    let (first, second) = (board(1), board(2));
    floor.hand("A").insert(&first);
    floor.until_at("A", waits);
    floor.hand("B").insert(&second);
    floor.until_at("B", waits);
    floor.scan("SN0001");
    assert!(floor.not_taken().contains("several"));
    floor.key("B");
    floor.until_at("B", waits);
    floor.scan("SN0002");
    assert_eq!(
        floor.verdict("B").verdict,
        VerdictKind::Pass,
        "{}",
        floor.log()
    );
    // now A alone waits
    floor.scan("SN0001");
    assert_eq!(
        floor.verdict("A").verdict,
        VerdictKind::Pass,
        "{}",
        floor.log()
    );
    let (_, attempts, _) = floor.quit();
    assert_eq!(
        codes_of(&attempts),
        [("B", Some("SN0002")), ("A", Some("SN0001"))]
    );
}

fn codes_of(attempts: &[Attempt]) -> Vec<(&str, Option<&str>)> {
    let begins = attempts.iter().map(|attempt| &attempt.begin);
    begins
        .map(|begin| (begin.site.as_str(), begin.barcode.as_deref()))
        .collect()
}

#[test]
fn a_site_that_was_chosen_and_lost_its_board_gets_no_code() {
    let mut floor = codes(2);
    let [first, second] = [board(1), board(2)];
    floor.hand("A").insert(&first);
    floor.until_at("A", waits);
    floor.key("A");
    floor.until_at("A", waits);
    floor.clear("A");
    floor.hand("B").insert(&second);
    floor.until_at("B", waits);
    floor.scan("SN0002");
    let scanned = floor.until(|event| matches!(event.what, What::Scanned { .. }));
    assert_eq!(scanned.site.as_deref(), Some("B"), "{}", floor.log());
    assert_eq!(floor.verdict("B").verdict, VerdictKind::Pass);
    // neither is one kept for it
    floor.hand("A").insert(&first);
    floor.until_at("A", waits);
    floor.scan("SN0001");
    assert_eq!(floor.verdict("A").verdict, VerdictKind::Pass);
    let (_, attempts, _) = floor.quit();
    let expected = [("B", Some("SN0002")), ("A", Some("SN0001"))];
    assert_eq!(codes_of(&attempts), expected);
}

#[test]
fn a_site_that_was_chosen_and_began_by_another_way_gets_no_second_code() {
    let mut floor = codes(2);
    floor.hand("A").insert(&board(1));
    floor.until_at("A", waits);
    floor.key("A");
    floor.until_at("A", waits);
    floor.command(Command::Code {
        site: Some("A".to_owned()),
        code: "SN0001".to_owned(),
    });
    assert_eq!(floor.verdict("A").verdict, VerdictKind::Pass);
    floor.clear("A");
    floor.scan("SN0002");
    assert!(floor.not_taken().contains("no board waits"));
    floor.hand("B").insert(&board(2));
    floor.until_at("B", waits);
    floor.scan("SN0002");
    assert_eq!(floor.verdict("B").verdict, VerdictKind::Pass);
    let (_, attempts, _) = floor.quit();
    let expected = [("A", Some("SN0001")), ("B", Some("SN0002"))];
    assert_eq!(codes_of(&attempts), expected);
}

#[test]
fn a_code_for_a_board_that_is_just_taken_out_is_not_kept_for_the_next() {
    let mut floor = codes(1);
    floor.hand("A").insert(&board(1));
    floor.until_at("A", waits);
    let held = floor.hand("A").hold(Step::Look);
    let has_come = || held.recv().expect("a site that looks");
    has_come();
    floor.hand("A").remove();
    let goes_on = has_come;
    goes_on();
    has_come();
    // an empty seat was seen once, and counts when it is seen again
    floor.scan("SN0001");
    floor.has_obeyed();
    drop(held);
    floor.until_at("A", |what| *what == What::BoardRemoved);
    let told = floor.until_at("A", |_| true);
    assert!(matches!(told, What::NotTaken { .. }), "{told:?}");
    floor.hand("A").insert(&board(2));
    floor.until_at("A", waits);
    let (_, attempts, _) = floor.quit();
    assert_eq!(attempts, []);
}
