//! Several sites do the work of several: none waits for another, and what a rehearsal gives is the same every time.

use rtflash::station::rehearsal::{Pace, Script, labels, measure};

use crate::desk::Desk;

#[test]
fn eight_sites_do_the_work_of_eight_each_as_fast_as_one_alone() {
    let desk = Desk::new("");
    let directory = tempfile::tempdir().expect("directory");
    let measured =
        measure(desk.job(), 8, 3, Pace::default(), None, directory.path()).expect("figures");
    println!("{}", measured.text());
    assert!(measured.reaches(), "{}", measured.text());
    let ratio = measured.ratio().expect("every site has passed boards");
    assert!((0.99..=1.1).contains(&ratio), "{ratio}");
    let gain = measured.together.boards_per_hour() / measured.alone.boards_per_hour();
    assert!((7.5..=8.1).contains(&gain), "{gain}");
}

#[test]
fn the_same_seed_gives_the_same_verdicts_at_the_same_virtual_times() {
    let desk = Desk::new("");
    let run = || {
        let script = Script::drawn(5, 14, 60, &labels(3));
        desk.rehearse(desk.plan(3, script)).agrees().findings
    };
    let (first, second) = (run(), run());
    assert_eq!(first.verdicts, second.verdicts);
    let times = |findings: &rtflash::station::rehearsal::Findings| {
        let sites = findings.sites.iter();
        sites
            .map(|site| (site.until, site.cycles))
            .collect::<Vec<_>>()
    };
    assert_eq!(times(&first), times(&second));
}
