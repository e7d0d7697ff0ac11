//! The NOR chip does what the IS25WP data sheets and JESD216 say, seen from its pins.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use proptest::prelude::*;
use virtual_board::nor::{Lines, Margin, Part, TimingProfile};
use virtual_board::time::Time;

mod nor_bench;
use nor_bench::{Bench, QE, SLOW_HZ, WEL, WIP, program, with_address};

#[test]
fn every_built_in_part_can_be_read_and_shows_its_id() {
    let expected = [
        ("is25wp064", [0x9D, 0x70, 0x17], 23),
        ("is25wp032", [0x9D, 0x70, 0x16], 22),
        ("is25wp128", [0x9D, 0x70, 0x18], 24),
        ("is25lp064", [0x9D, 0x60, 0x17], 23),
        ("w25q64jv", [0xEF, 0x40, 0x17], 23),
    ];
    assert_eq!(Part::builtin_names().count(), expected.len());
    for (name, id, log2) in expected {
        let mut bench = Bench::with(name, TimingProfile::Typ);
        assert_eq!(bench.spi(&[0x9F], 3), id);
        assert_eq!(bench.nor.content().len(), 1 << log2);
        assert!(!bench.complained());
    }
}

#[test]
fn a_new_chip_is_blank_with_qe_clear() {
    let mut bench = Bench::new();
    assert_eq!(bench.status(), 0);
    assert!(bench.nor.content().iter().all(|byte| *byte == 0xFF));
}

#[test]
fn an_opcode_the_part_lacks_is_ignored_and_reported() {
    let mut bench = Bench::new();
    assert_eq!(bench.spi(&[0xB7], 1), [0xFF]);
    assert!(bench.complained());
    assert!(Part::from_toml("name = 1").is_err());
    assert!(Part::builtin("w25q64").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_program_only_clears_bits_and_wraps_inside_its_page(
        before in proptest::collection::vec(any::<u8>(), 512),
        address in 0u32..512,
        data in proptest::collection::vec(any::<u8>(), 1..600),
    ) {
        let mut bench = Bench::new();
        bench.nor.content_mut()[..512].copy_from_slice(&before);
        bench.write_and_wait(&program(address, &data));
        // The data sheet: the address counter wraps at the end of the page, and the last 256 bytes count.
        let mut expected = before.clone();
        let page = address / 256 * 256;
        let mut latch = [0xFFu8; 256];
        for (count, byte) in data.iter().enumerate() {
            latch[(address as usize + count) % 256] = *byte;
        }
        for (offset, byte) in latch.iter().enumerate() {
            expected[page as usize + offset] &= byte;
        }
        prop_assert_eq!(&bench.nor.content()[..512], &expected[..]);
        prop_assert!(bench.nor.content()[512..1024].iter().all(|byte| *byte == 0xFF));
    }

    #[test]
    fn a_cut_inside_a_program_leaves_each_bit_old_or_new(
        before in any::<[u8; 32]>(), data in any::<[u8; 32]>(), seed in any::<u64>(),
    ) {
        let mut bench = Bench::new();
        bench.nor.content_mut()[..32].copy_from_slice(&before);
        bench.write(&program(0, &data));
        bench.wait(Time::us(100));
        bench.nor.power_cut(bench.now, seed);
        for ((old, new), cell) in before.iter().zip(data).zip(bench.nor.content()) {
            prop_assert_eq!(cell & !old, 0);
            prop_assert_eq!(cell & old & new, old & new);
        }
    }
}

#[test]
fn nothing_is_written_without_write_enable() {
    let mut bench = Bench::new();
    bench.spi(&program(0, &[0]), 0);
    bench.nor.content_mut()[0x1000] = 0;
    bench.spi(&with_address(0x20, 0x1000), 0);
    bench.spi(&[0x01, QE], 0);
    bench.wait(Time::ms(500));
    assert_eq!(
        (
            bench.nor.content()[0],
            bench.nor.content()[0x1000],
            bench.status()
        ),
        (0xFF, 0, 0)
    );
    assert_eq!(bench.trace.violations(), 3);
}

#[test]
fn wip_and_wel_are_up_for_the_whole_page_program_time_and_down_after_it() {
    let mut bench = Bench::new();
    bench.write(&program(0, &[0x00]));
    assert_eq!(bench.status(), WIP | WEL);
    assert!(bench.nor.take_busy_poll());
    assert_eq!(bench.nor.content()[0], 0xFF);
    bench.wait(Time::us(190));
    assert_eq!(bench.status(), WIP | WEL);
    bench.wait(Time::us(10));
    assert_eq!(bench.status(), 0);
    assert_eq!(bench.nor.content()[0], 0x00);
    assert!(!bench.complained());
}

#[test]
fn every_profile_takes_the_times_of_the_part_file() {
    let cases: [(TimingProfile, [u64; 4]); 3] = [
        (TimingProfile::Typ, [70, 100, 150, 16_000]),
        (TimingProfile::Slow, [48, 160, 304, 15_000]),
        (TimingProfile::Max, [300, 500, 1_000, 45_000]),
    ];
    for (profile, times) in cases {
        for (opcode, milliseconds) in [0x20, 0x52, 0xD8, 0xC7].into_iter().zip(times) {
            let mut bench = Bench::with("is25wp064", profile);
            bench.spi(&[0x06], 0);
            if opcode == 0xC7 {
                bench.spi(&[opcode], 0);
            } else {
                bench.spi(&with_address(opcode, 0), 0);
            }
            assert_eq!(
                bench.nor.busy_until(),
                Some(bench.now + Time::ms(milliseconds))
            );
        }
    }
}

#[test]
fn an_erase_covers_its_aligned_area_and_no_byte_more() {
    for (opcode, size) in [
        (0x20, 4096),
        (0xD7, 4096),
        (0x52, 32_768),
        (0xD8, 65_536usize),
    ] {
        let mut bench = Bench::new();
        bench.nor.content_mut()[..3 * size].fill(0);
        bench.write_and_wait(&with_address(opcode, size as u32 + 17));
        let content = bench.nor.content();
        assert!(content[size..2 * size].iter().all(|byte| *byte == 0xFF));
        assert!(
            content[..size]
                .iter()
                .chain(&content[2 * size..3 * size])
                .all(|byte| *byte == 0)
        );
    }
    for opcode in [0xC7, 0x60] {
        let mut bench = Bench::new();
        bench.nor.content_mut().fill(0);
        bench.write_and_wait(&[opcode]);
        assert!(bench.nor.content().iter().all(|byte| *byte == 0xFF));
    }
}

#[test]
fn a_busy_chip_takes_status_reads_only() {
    let mut bench = Bench::new();
    bench.nor.content_mut()[0x2000] = 0x12;
    bench.write(&with_address(0x20, 0));
    assert_eq!(bench.read(0x2000, 1), [0xFF]);
    assert_eq!(bench.spi(&[0x9F], 3), [0xFF; 3]);
    bench.spi(&program(0x3000, &[0]), 0);
    assert_eq!(bench.trace.violations(), 3);
    bench.wait(Time::ms(70));
    assert_eq!(bench.read(0x2000, 1), [0x12]);
    assert_eq!(bench.nor.content()[0x3000], 0xFF);
}

#[test]
fn a_command_cut_inside_a_byte_or_an_address_is_ignored() {
    let mut bench = Bench::new();
    bench.spi(&[0x06], 0);
    bench.select();
    bench.out(&program(0, &[0]), Lines::One);
    bench
        .nor
        .shift_out_bits(0, 3, Lines::One, false, &mut bench.trace);
    bench.deselect();
    bench.spi(&with_address(0x20, 0)[..3], 0);
    assert_eq!(bench.status(), WEL);
    bench.wait(Time::ms(100));
    assert_eq!(bench.nor.content()[0], 0xFF);
    assert_eq!(bench.trace.violations(), 2);
}

#[test]
fn a_protected_area_stays_silently_unchanged_and_wel_stays_set() {
    let mut bench = Bench::new();
    let top = 0x7F_0000;
    bench.nor.set_status_register(0x04);
    bench.write(&program(top, &[0]));
    assert_eq!(bench.status(), 0x04 | WEL);
    bench.write(&[0xC7]);
    assert_eq!(bench.status(), 0x04 | WEL);
    bench.write_and_wait(&program(top - 1, &[0]));
    assert_eq!(
        (
            bench.nor.content()[top as usize],
            bench.nor.content()[top as usize - 1]
        ),
        (0xFF, 0)
    );
    bench.nor.set_status_register(0x3C);
    bench.write_and_wait(&program(0, &[0]));
    assert_eq!(bench.nor.content()[0], 0xFF);
    bench.write_and_wait(&[0x01, QE]);
    assert_eq!(bench.status(), QE);
    bench.write_and_wait(&program(0, &[0]));
    assert_eq!(bench.nor.content()[0], 0);
}

#[test]
fn quad_commands_need_qe() {
    let mut bench = Bench::new();
    bench.nor.content_mut()[..2].copy_from_slice(&[0x12, 0x34]);
    assert_eq!(bench.quad_io_read(0, 0, 4, 2), [0xFF, 0xFF]);
    assert!(bench.complained());
    let mut bench = Bench::new();
    bench.write_and_wait(&[0x01, QE]);
    bench.nor.content_mut()[..2].copy_from_slice(&[0x12, 0x34]);
    assert_eq!(bench.quad_io_read(0, 0, 4, 2), [0x12, 0x34]);
    bench.spi(&[0x06], 0);
    bench.select();
    bench.out(&with_address(0x32, 0x100), Lines::One);
    bench.out(&[0xA5, 0x5A], Lines::Four);
    bench.deselect();
    bench.wait(Time::ms(1));
    assert_eq!(bench.nor.content()[0x100..0x102], [0xA5, 0x5A]);
    assert!(!bench.complained());
}

#[test]
fn dual_and_quad_output_reads_give_the_array() {
    let mut bench = Bench::quad();
    bench.nor.content_mut()[0x10..0x13].copy_from_slice(&[0x81, 0x42, 0x3C]);
    for (opcode, lines) in [(0x0B, Lines::One), (0x3B, Lines::Two), (0x6B, Lines::Four)] {
        bench.select();
        bench.out(&with_address(opcode, 0x10), Lines::One);
        bench.nor.dummy(8, false, &mut bench.trace);
        assert_eq!(bench.take(3, lines), [0x81, 0x42, 0x3C]);
        bench.deselect();
    }
    bench.select();
    bench.out(&[0xBB], Lines::One);
    bench.out(&[0, 0, 0x10, 0], Lines::Two);
    assert_eq!(bench.take(3, Lines::Two), [0x81, 0x42, 0x3C]);
    bench.deselect();
    assert!(!bench.complained());
}

#[test]
fn a_wrong_dummy_count_shifts_the_data() {
    let mut bench = Bench::quad();
    bench.nor.content_mut()[..3].copy_from_slice(&[0x12, 0x34, 0x56]);
    assert_eq!(bench.quad_io_read(0, 0, 3, 2), [0xF1, 0x23]);
    assert_eq!(bench.quad_io_read(0, 0, 5, 2), [0x23, 0x45]);
}

#[test]
fn read_parameters_change_the_dummies_until_power_off_and_their_non_volatile_form_for_good() {
    let mut bench = Bench::quad();
    bench.nor.content_mut()[..2].copy_from_slice(&[0x12, 0x34]);
    bench.spi(&[0xC0, 8 << 3], 0);
    assert_eq!(bench.spi(&[0x61], 1), [8 << 3]);
    assert_eq!(bench.quad_io_read(0, 0, 6, 2), [0x12, 0x34]);
    bench.nor.power_cut(bench.now, 0);
    assert_eq!(bench.quad_io_read(0, 0, 4, 2), [0x12, 0x34]);
    bench.write_and_wait(&[0x65, 8 << 3]);
    bench.nor.power_cut(bench.now, 0);
    assert_eq!(bench.quad_io_read(0, 0, 6, 2), [0x12, 0x34]);
}

#[test]
fn a_clock_beyond_the_limit_of_the_command_gives_wrong_data() {
    let limits = [(0x03, 50_000_000, 0), (0x0B, 133_000_000, 8)];
    for (opcode, limit, dummies) in limits {
        for (hz, good) in [(limit, true), (limit + 1, false)] {
            let mut bench = Bench::new();
            bench.hz = hz;
            bench.select();
            bench.out(&with_address(opcode, 0), Lines::One);
            bench.nor.dummy(dummies, false, &mut bench.trace);
            assert_eq!(bench.take(4, Lines::One) == [0xFF; 4], good);
            bench.deselect();
            assert_eq!(bench.complained(), !good);
        }
    }
    for (hz, good) in [(104_000_000, true), (104_000_001, false)] {
        let mut bench = Bench::quad();
        bench.hz = hz;
        assert_eq!(bench.quad_io_read(0, 0, 4, 4) == [0xFF; 4], good);
        bench.hz = SLOW_HZ;
        bench.spi(&[0xC0, 8 << 3], 0);
        bench.hz = hz;
        assert_eq!(
            bench.quad_io_read(0, 0, 6, 4),
            [0xFF; 4],
            "8 dummies reach 133 MHz"
        );
    }
}

#[test]
fn the_margin_of_shipped_boards_is_for_quad_io_with_default_dummies_only() {
    let shipped = |hz| {
        let mut bench = Bench::quad();
        bench.nor.margin = Margin::AsShipped;
        bench.hz = hz;
        bench
    };
    for (hz, good) in [(133_000_000, true), (133_000_001, false)] {
        let mut bench = shipped(hz);
        assert_eq!(bench.quad_io_read(0, 0, 4, 4) == [0xFF; 4], good);
        assert_eq!(bench.complained(), !good);
    }
    let mut bench = shipped(50_000_001);
    assert_ne!(bench.spi(&with_address(0x03, 0), 4), [0xFF; 4]);
    assert!(bench.complained(), "03h keeps its 50 MHz");
    let mut bench = shipped(SLOW_HZ);
    bench.spi(&[0xC0, 6 << 3], 0);
    bench.hz = 104_000_001;
    assert_ne!(bench.quad_io_read(0, 0, 4, 4), [0xFF; 4]);
    assert!(bench.complained(), "a chosen row keeps its limit");
}

#[test]
fn a_chip_listening_on_one_line_does_not_hear_four_and_the_other_way_round() {
    let mut bench = Bench::quad();
    bench.qpi(&[0x06], 0);
    assert_eq!(bench.status() & WEL, 0);
    bench.spi(&[0x35], 0);
    assert!(bench.nor.in_qpi());
    bench.spi(&[0x06], 0);
    assert_eq!(bench.qpi(&[0x05], 1), [QE]);
    assert_eq!(bench.spi(&[0x9F], 3), [0xFF; 3]);
    assert_eq!(bench.qpi(&[0xAF], 3), [0x9D, 0x70, 0x17]);
    assert_eq!(bench.qpi(&[0x9F], 3), [0xFF; 3], "9Fh is for SPI mode");
    bench.qpi(&[0xF5], 0);
    assert_eq!(bench.spi(&[0x9F], 3), [0x9D, 0x70, 0x17]);
}

#[test]
fn a_continuous_read_lasts_until_its_mode_bits_or_ff_clocks_end_it() {
    let mut bench = Bench::quad();
    bench.nor.content_mut()[..2].copy_from_slice(&[0x12, 0x34]);
    assert_eq!(bench.quad_io_read(0, 0xA0, 4, 2), [0x12, 0x34]);
    assert_eq!(bench.nor.continuous_read(), Some(0xEB));
    // No opcode any more, and an ordinary command is not understood.
    bench.select();
    assert_eq!(bench.quad_io_tail(1, 0xA5, 4, 1), [0x34]);
    assert_ne!(bench.spi(&[0x9F], 3), [0x9D, 0x70, 0x17]);
    bench.spi(&[0xFF], 0);
    assert_eq!(bench.nor.continuous_read(), None);
    assert_eq!(bench.spi(&[0x9F], 3), [0x9D, 0x70, 0x17]);
    bench.quad_io_read(0, 0xA0, 4, 1);
    bench.select();
    assert_eq!(bench.quad_io_tail(0, 0x00, 4, 1), [0x12]);
    assert_eq!(bench.nor.continuous_read(), None);
    assert!(!bench.complained());
}

#[test]
fn deep_power_down_understands_only_its_release() {
    let mut bench = Bench::new();
    bench.spi(&[0xB9], 0);
    bench.wait(Time::us(5));
    assert_eq!(bench.spi(&[0x9F], 3), [0xFF; 3]);
    bench.spi(&[0x66], 0);
    bench.spi(&[0x99], 0);
    assert!(bench.nor.in_deep_power_down());
    bench.spi(&[0xAB], 0);
    assert_eq!(
        bench.spi(&[0x9F], 3),
        [0xFF; 3],
        "released, but still within tRES1"
    );
    bench.wait(Time::us(15));
    assert_eq!(bench.spi(&[0x9F], 3), [0x9D, 0x70, 0x17]);
    assert_eq!(bench.spi(&[0xAB, 0, 0, 0], 1), [0x16]);
    assert_eq!(bench.spi(&[0x90, 0, 0, 0], 2), [0x9D, 0x16]);
}

#[test]
fn a_software_reset_needs_both_commands_in_a_row_and_forgets_volatile_state() {
    let mut bench = Bench::quad();
    bench.spi(&[0x06], 0);
    bench.spi(&[0xC0, 0x40], 0);
    bench.spi(&[0x66], 0);
    bench.spi(&[0x05], 1);
    bench.spi(&[0x99], 0);
    assert_eq!(bench.spi(&[0x61], 1), [0x40]);
    assert_eq!(bench.trace.violations(), 1);
    bench.spi(&[0x66], 0);
    bench.spi(&[0x99], 0);
    assert_eq!(bench.spi(&[0x05], 1), [0xFF], "recovering");
    bench.wait(Time::us(100));
    assert_eq!((bench.spi(&[0x61], 1)[0], bench.status()), (0, QE));
}

#[test]
fn a_software_reset_inside_an_erase_breaks_it_off() {
    let mut bench = Bench::new();
    bench.nor.content_mut()[..4096].fill(0);
    bench.write(&with_address(0x20, 0));
    bench.spi(&[0x66], 0);
    bench.spi(&[0x99], 0);
    bench.wait(Time::ms(30));
    assert_eq!(bench.status(), 0);
    let content = &bench.nor.content()[..4096];
    assert!(content.iter().any(|byte| *byte != 0) && content.iter().any(|byte| *byte != 0xFF));
}

#[test]
fn a_cut_inside_an_erase_or_a_status_write_tears_it() {
    let mut wrecks = std::collections::BTreeSet::new();
    let mut statuses = std::collections::BTreeSet::new();
    for seed in 0..32 {
        let mut bench = Bench::new();
        bench.nor.content_mut()[..4096].fill(0x0F);
        bench.write(&with_address(0x20, 0));
        bench.wait(Time::ms(10));
        bench.nor.power_cut(bench.now, seed);
        let sector = &bench.nor.content()[..4096];
        assert!(
            sector.iter().all(|byte| byte & 0x0F == 0x0F),
            "an erase never clears a bit"
        );
        wrecks.insert(sector.to_vec());
        assert_eq!(bench.status(), 0);

        let mut bench = Bench::quad();
        bench.write(&[0x01, QE | 0x04]);
        bench.wait(Time::us(100));
        bench.nor.power_cut(bench.now, seed);
        assert_eq!(bench.status() & (WIP | WEL), 0);
        statuses.insert(bench.status());
    }
    assert!(
        wrecks.len() > 16 && statuses.len() > 4,
        "{} {}",
        wrecks.len(),
        statuses.len()
    );
}

#[test]
fn status_bits_survive_power_and_the_one_time_bits_never_fall() {
    let mut bench = Bench::new();
    bench.write_and_wait(&[0x01, QE | 0x0C]);
    bench.write_and_wait(&[0x42, 0x10]);
    bench.write_and_wait(&[0x42, 0x00]);
    bench.nor.power_cut(bench.now, 7);
    assert_eq!(
        (bench.status(), bench.spi(&[0x48], 1)[0]),
        (QE | 0x0C, 0x10)
    );
}

#[test]
fn srwd_refuses_status_writes_only_with_wp_low_and_qe_clear() {
    for (wp_low, start, refused) in [
        (true, 0x80, true),
        (false, 0x80, false),
        (true, 0xC0, false),
    ] {
        let mut bench = Bench::new();
        bench.nor.faults.write_protect_low = wp_low;
        bench.nor.set_status_register(start);
        bench.write_and_wait(&[0x01, 0x00]);
        assert_eq!(
            bench.nor.status_register() & !WEL,
            if refused { start } else { 0 }
        );
    }
}

#[test]
fn a_suspended_erase_lets_the_rest_be_read_and_ends_after_resume() {
    for (suspend, resume) in [(0x75, 0x7A), (0xB0, 0x30)] {
        let mut bench = Bench::new();
        bench.nor.content_mut()[0] = 0;
        bench.nor.content_mut()[0x10_0000] = 0x55;
        bench.write(&with_address(0xD8, 0));
        bench.wait(Time::ms(20));
        bench.spi(&[suspend], 0);
        assert_eq!(bench.status() & WIP, WIP);
        bench.wait(Time::us(100));
        assert_eq!(bench.status() & WIP, 0);
        assert_eq!(bench.spi(&[0x48], 1), [0x08]);
        assert_eq!(bench.read(0x10_0000, 1), [0x55]);
        bench.spi(&[resume], 0);
        assert_eq!(bench.status() & WIP, WIP);
        bench.wait(Time::ms(150));
        assert_eq!((bench.status(), bench.nor.content()[0]), (0, 0xFF));
        assert!(!bench.complained());
    }
}

#[test]
fn nothing_is_written_while_an_operation_is_suspended() {
    for busy in [with_address(0xD8, 0).to_vec(), program(0, &[0x12; 200])] {
        let mut bench = Bench::new();
        bench.write(&busy);
        bench.wait(Time::us(20));
        bench.spi(&[0x75], 0);
        bench.wait(Time::us(100));
        // a write enable is taken, and a read is none of this
        let changes = |bench: &Bench| {
            let counted = bench.nor.counters();
            (counted.programs, counted.erases, counted.register_writes)
        };
        let before = changes(&bench);
        for refused in [
            program(0x10_0000, &[0x55]),
            program(0, &[0x55]),
            with_address(0x20, 0x10_0000).to_vec(),
            vec![0x01, QE],
            vec![0x65, 8 << 3],
        ] {
            let told = bench.trace.violations();
            bench.write(&refused);
            assert_eq!(bench.status() & WIP, 0, "{refused:02X?}");
            assert_eq!(bench.trace.violations(), told + 1, "{refused:02X?}");
        }
        assert_eq!(changes(&bench), before);
        assert_eq!(bench.nor.content()[0x10_0000], 0xFF);
        assert_eq!(bench.nor.status_register() & QE, 0);
    }
}

#[test]
fn a_chip_erase_and_a_status_write_cannot_be_suspended() {
    for bytes in [[0xC7].as_slice(), &[0x01, QE]] {
        let mut bench = Bench::new();
        bench.write(bytes);
        let end = bench.nor.busy_until();
        bench.spi(&[0x75], 0);
        assert_eq!(bench.nor.busy_until(), end);
        assert!(bench.complained());
    }
}

#[test]
fn double_transfer_rate_is_refused_with_a_violation() {
    let mut bench = Bench::quad();
    assert_eq!(bench.spi(&with_address(0x0D, 0), 1), [0xFF]);
    bench.select();
    bench
        .nor
        .shift_out(0x9F, Lines::One, true, &mut bench.trace);
    assert_eq!(bench.take(3, Lines::One), [0xFF; 3]);
    bench.deselect();
    assert_eq!(bench.trace.violations(), 2);
}

#[test]
fn sfdp_describes_the_part() {
    for name in Part::builtin_names() {
        let mut bench = Bench::with(name, TimingProfile::Typ);
        bench.select();
        bench.out(&[0x5A, 0, 0, 0], Lines::One);
        bench.nor.dummy(8, false, &mut bench.trace);
        let area = bench.take(0x80, Lines::One);
        bench.deselect();
        assert_eq!(&area[..4], b"SFDP");
        assert_eq!((area[4], area[5], area[6]), (6, 1, 0));
        assert_eq!((area[8], area[15], area[11]), (0x00, 0xFF, 16));
        let at = usize::from(area[12]) | usize::from(area[13]) << 8;
        let dword = |n: usize| {
            let start = at + 4 * (n - 1);
            u32::from_le_bytes([
                area[start],
                area[start + 1],
                area[start + 2],
                area[start + 3],
            ])
        };
        let field = |n: usize, low: u32, bits: u32| dword(n) >> low & ((1 << bits) - 1);
        assert_eq!(
            (field(1, 0, 2), field(1, 8, 8), field(1, 17, 2)),
            (0b01, 0x20, 0b00)
        );
        assert_eq!((dword(2) + 1) / 8, bench.nor.part().size_bytes);
        assert_eq!(
            dword(3),
            0x6B08_EB44,
            "1-4-4 EBh 2 mode + 4 dummy, 1-1-4 6Bh 8 dummy"
        );
        assert_eq!((dword(8), dword(9) & 0xFFFF), (0x520F_200C, 0xD810));
        // Erase times: typical no shorter than the data sheet's, maximum covered by the multiplier.
        let part = bench.nor.part().clone();
        for (low, erase) in [4, 11, 18].into_iter().zip(&part.erases) {
            let (typ_ms, max_ms) = (
                (erase.duration.typ_us / 1_000) as u32,
                (erase.duration.max_us / 1_000) as u32,
            );
            let unit = [1, 16, 128, 1_000][field(10, low + 5, 2) as usize];
            let shown = (field(10, low, 5) + 1) * unit;
            assert!(
                shown >= typ_ms && shown * 2 * (field(10, 0, 4) + 1) >= max_ms,
                "{shown}"
            );
        }
        let page_us = (field(11, 8, 5) + 1) * [8, 64][field(11, 13, 1) as usize];
        let page_typ_us = part.page_program.duration.typ_us as u32;
        assert_eq!(field(11, 4, 4), 8);
        assert!(
            page_us >= page_typ_us && page_us < page_typ_us + 64,
            "{page_us}"
        );
        let chip =
            u64::from(field(11, 24, 5) + 1) * [16, 256, 4_000, 64_000][field(11, 29, 2) as usize];
        let chip_typ_ms = part.chip_erase.duration.typ_us / 1_000;
        assert!(chip >= chip_typ_ms && chip < chip_typ_ms * 2, "{chip}");
        assert_eq!(dword(13), 0x757A_757A);
        assert_eq!((field(14, 15, 8), field(14, 23, 8)), (0xAB, 0xB9));
        let quad_enable = if name == "w25q64jv" { 4 } else { 2 };
        assert_eq!(field(15, 20, 3), quad_enable, "quad enable requirement");
        assert_eq!(
            field(15, 0, 9) == 0,
            part.qpi.is_none(),
            "no way into QPI where there is none"
        );
        assert_eq!(field(16, 8, 6), 0b11_0000, "66h 99h, after leaving 0-4-4");
        assert!(!bench.complained());
    }
}

#[test]
fn the_unique_id_can_be_read() {
    let mut bench = Bench::new();
    bench.nor.unique_id = *b"0123456789abcdef";
    assert_eq!(bench.spi(&[0x4B, 0, 0, 0, 0xFF], 16), b"0123456789abcdef");
}

#[test]
fn faults_show_where_they_are_told_to() {
    let mut bench = Bench::new();
    bench.nor.faults.jedec_id = Some([0xEF, 0x40, 0x17]);
    bench.nor.faults.unprogrammable = vec![(3, 0x10)];
    bench.nor.faults.dropped_programs = vec![1];
    bench.nor.faults.weak_erase = vec![(5, 0x81)];
    assert_eq!(bench.spi(&[0x9F], 3), [0xEF, 0x40, 0x17]);
    bench.write_and_wait(&program(0, &[0; 8]));
    assert_eq!(bench.nor.content()[..8], [0, 0, 0, 0x10, 0, 0, 0, 0]);
    bench.write_and_wait(&program(0x100, &[0; 8]));
    assert_eq!(bench.nor.content()[0x100..0x108], [0xFF; 8]);
    bench.write_and_wait(&with_address(0x20, 0));
    assert_eq!(bench.nor.content()[4..7], [0xFF, 0x7E, 0xFF]);
    bench.nor.faults.stuck_wip = true;
    bench.write_and_wait(&program(0, &[0]));
    assert_eq!(bench.status() & WIP, WIP);
    assert_eq!(bench.nor.busy_until(), None);
    bench.nor.faults.absent = true;
    assert_eq!(bench.spi(&[0x9F], 3), [0xFF; 3]);
}

#[test]
fn the_lp064_has_two_dummy_bits_and_its_drive_strength_beside_them() {
    let mut bench = Bench::with("is25lp064", TimingProfile::Typ);
    bench.nor.set_status_register(QE);
    bench.nor.content_mut()[..2].copy_from_slice(&[0x12, 0x34]);
    assert_eq!(bench.spi(&[0x61], 1), [0xE0]);
    for (field, clocks) in [(0, 6), (1, 4), (2, 8), (3, 10)] {
        bench.spi(&[0xC0, 0xE0 | field << 3], 0);
        assert_eq!(bench.quad_io_read(0, 0, clocks - 2, 2), [0x12, 0x34]);
    }
    bench.nor.power_cut(bench.now, 0);
    assert_eq!(bench.spi(&[0x61], 1), [0xE0]);
    assert_eq!(bench.quad_io_read(0, 0, 4, 2), [0x12, 0x34]);
    assert!(!bench.complained());
}

#[test]
fn parameters_at_power_on_are_those_of_the_part_file() {
    for (name, parameters, extended) in [("is25wp064", 0x00, 0xE0), ("is25lp064", 0xE0, 0x00)] {
        let mut bench = Bench::with(name, TimingProfile::Typ);
        assert_eq!(bench.spi(&[0x61], 1), [parameters]);
        assert_eq!(bench.spi(&[0x81], 1), [extended]);
    }
}
