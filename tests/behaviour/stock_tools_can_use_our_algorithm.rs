//! The generated probe-rs target lets stock probe-rs flash a board with our blob, through its CMSIS entry points.

use probe_rs::Permissions;
use probe_rs::config::Registry;
use probe_rs::flashing::DownloadOptions;
use probe_rs::probe::list::Lister;

use crate::bench;

const YAML: &str = include_str!("../../targets/probe-rs/rtflash-mimxrt1062.yaml");

#[test]
fn probe_rs_erases_programs_and_verifies_with_the_committed_blob() {
    const BASE: usize = 0x2_0000;
    let board = bench::start(bench::config());
    let old = bench::noise(3, 0x4000);
    bench::fill(&board, BASE, &old);

    let mut registry = Registry::from_builtin_families();
    registry
        .add_target_family_from_yaml(YAML)
        .expect("target description");
    let serial = board.selector().serial.expect("serial");
    let listed = Lister::new().list_all();
    let info = listed
        .iter()
        .find(|p| p.serial_number.as_ref() == Some(&serial))
        .expect("listed");
    let mut probe = info.open().expect("open");
    probe.set_speed(15_000).expect("speed");
    let mut session = probe
        .attach_with_registry("MIMXRT1062-IS25WP064", Permissions::default(), &registry)
        .expect("attach");
    let data = bench::noise(11, 0x2000 + 300);
    let mut loader = session.target().flash_loader();
    loader
        .add_data(0x6000_0000 + BASE as u64, &data)
        .expect("data");
    let mut options = DownloadOptions::new();
    options.verify = true;
    loader
        .commit(&mut session, options)
        .expect("erase, program and verify");
    drop(session);

    let flash = bench::flash_content(&board);
    assert_eq!(&flash[BASE..BASE + data.len()], &data[..]);
    assert_eq!(
        &flash[BASE + 0x3000..BASE + 0x4000],
        &old[0x3000..],
        "the next sector is untouched"
    );
    assert!(flash[..BASE].iter().all(|b| *b == 0xFF), "nothing below");
    assert_eq!(bench::violations(&board), Vec::<String>::new());
}
