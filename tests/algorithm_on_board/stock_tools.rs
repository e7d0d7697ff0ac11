//! Stock probe-rs flashes the board with our blob, through the generated chip family.

use probe_rs::Permissions;
use probe_rs::config::Registry;
use probe_rs::flashing::DownloadOptions;
use probe_rs::probe::list::Lister;

use crate::bench::{assert_clean, bench, flash, noise};

#[test]
fn stock_probe_rs_erases_programs_and_verifies_with_our_blob() {
    const BASE: usize = 0x2_0000;
    let old = noise(5, 0x4000);
    let before = old.clone();
    let bench = bench(move |nor| nor.content_mut()[BASE..BASE + 0x4000].copy_from_slice(&old));
    let family = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/targets/probe-rs/rtflash-mimxrt1062.yaml"));
    let mut registry = Registry::from_builtin_families();
    registry.add_target_family_from_yaml(&family.unwrap()).unwrap();
    let listed = Lister::new().list_all();
    let serial = bench.board().serial().to_owned();
    let info = listed.iter().find(|p| p.serial_number.as_deref() == Some(&serial)).unwrap();
    let mut probe = info.open().unwrap();
    probe.set_speed(15_000).unwrap();
    let mut session =
        probe.attach_with_registry("MIMXRT1062-IS25WP064", Permissions::default(), &registry).unwrap();
    let data = noise(99, 0x2000 + 300);
    let mut loader = session.target().flash_loader();
    loader.add_data(0x6000_0000 + BASE as u64, &data).unwrap();
    let mut options = DownloadOptions::new();
    options.verify = true;
    options.preverify = true;
    loader.commit(&mut session, options).unwrap();
    drop(session);
    let after = flash(&bench);
    assert!(after[BASE..BASE + data.len()] == data[..]);
    assert!(after[BASE + 0x3000..BASE + 0x4000] == before[0x3000..], "the next sector is untouched");
    assert!(after[..BASE].iter().chain(&after[BASE + 0x4000..]).all(|b| *b == 0xFF));
    assert_clean(&bench);
}
