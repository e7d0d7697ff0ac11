//! What a Winbond W25Q64JV does otherwise than the IS25WP parts, seen from its pins.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use virtual_board::nor::{Lines, Nor, Part, TimingProfile};
use virtual_board::time::Time;

mod nor_bench;
use nor_bench::{Bench, WEL, WIP, program, with_address};

/// QE and CMP in status register 2.
const QE_2: u8 = 0x02;
const CMP: u8 = 0x40;

fn winbond() -> Bench {
    Bench::with("w25q64jv", TimingProfile::Typ)
}

/// The same with registers 1, 2 and 3 as given.
fn holding(status: u8, status_2: u8, status_3: u8) -> Bench {
    let mut bench = winbond();
    let mut registers = bench.nor.registers();
    (registers.status, registers.status_2, registers.status_3) = (status, status_2, status_3);
    bench.nor.set_registers(registers);
    bench
}

impl Bench {
    fn registers(&mut self) -> [u8; 3] {
        [0x05, 0x35, 0x15].map(|opcode| self.spi(&[opcode], 1)[0])
    }
}

#[test]
fn a_new_chip_has_qe_set_in_status_register_2_and_reads_on_four_lines() {
    let mut bench = winbond();
    assert_eq!(bench.registers(), [0, QE_2, 0x60]);
    bench.nor.content_mut()[..2].copy_from_slice(&[0x12, 0x34]);
    assert_eq!(bench.quad_io_read(0, 0xF0, 4, 2), [0x12, 0x34]);
    assert!(!bench.complained());
}

#[test]
fn without_qe_no_command_on_four_lines_is_taken() {
    let mut bench = holding(0, 0, 0);
    bench.nor.content_mut()[..2].copy_from_slice(&[0x12, 0x34]);
    assert_eq!(bench.quad_io_read(0, 0xF0, 4, 2), [0xFF, 0xFF]);
    assert!(bench.complained());
    assert_eq!(bench.read(0, 2), [0x12, 0x34]);
}

#[test]
fn each_status_register_is_written_by_its_own_command() {
    let mut bench = holding(0, 0, 0);
    bench.write(&[0x31, QE_2]);
    assert_eq!(bench.registers()[0], WIP | WEL);
    bench.wait(Time::us(9_990));
    assert_eq!(bench.registers(), [WIP | WEL, 0, 0]);
    bench.wait(Time::ms(1));
    assert_eq!(bench.registers(), [0, QE_2, 0]);
    bench.write_and_wait(&[0x01, 0x1C]);
    assert_eq!(
        bench.registers(),
        [0x1C, QE_2, 0],
        "one byte leaves register 2 alone"
    );
    bench.write_and_wait(&[0x11, 0x64]);
    assert_eq!(bench.registers(), [0x1C, QE_2, 0x64]);
    bench.nor.power_cut(bench.now, 1);
    assert_eq!(bench.registers(), [0x1C, QE_2, 0x64]);
    assert!(!bench.complained());
}

#[test]
fn the_older_write_takes_two_bytes_and_an_older_die_clears_register_2_with_one() {
    let mut bench = holding(0, 0, 0);
    bench.write_and_wait(&[0x01, 0x1C, QE_2]);
    assert_eq!(bench.registers(), [0x1C, QE_2, 0]);
    bench.write_and_wait(&[0x01, 0, 0, 0]);
    assert_eq!(
        bench.registers(),
        [0x1C | WEL, QE_2, 0],
        "three are too many"
    );

    let mut part = Part::builtin("w25q64jv").unwrap();
    part.status_pair.as_mut().unwrap().one_byte_clears = true;
    part.commands.opcodes.retain(|opcode| *opcode != 0x31);
    let mut bench = winbond();
    bench.nor = Nor::new(part, TimingProfile::Typ);
    bench.write_and_wait(&[0x31, 0]);
    assert_eq!(bench.registers(), [WEL, QE_2, 0x60], "no such command");
    bench.write_and_wait(&[0x01, 0x04]);
    assert_eq!(bench.registers(), [0x04, 0, 0x60]);
}

#[test]
fn a_security_register_lock_once_set_never_falls() {
    let mut bench = winbond();
    bench.write_and_wait(&[0x31, QE_2 | 0x08]);
    bench.write_and_wait(&[0x31, QE_2]);
    assert_eq!(bench.registers()[1], QE_2 | 0x08);
}

#[test]
fn a_cut_inside_a_write_of_register_2_tears_that_register_only() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..32 {
        let mut bench = holding(0x20, 0x08, 0x60);
        bench.write(&[0x31, QE_2 | 0x08]);
        bench.wait(Time::ms(5));
        bench.nor.power_cut(bench.now, seed);
        let [first, second, third] = bench.registers();
        assert_eq!((first, third), (0x20, 0x60));
        assert_eq!(second & !(QE_2 | CMP), 0x08, "locks stay as they are");
        seen.insert(second);
    }
    assert!(seen.len() > 2, "{seen:02X?}");
}

#[test]
fn protection_follows_bp_tb_sec_and_cmp() {
    const SIZE: u32 = 8 << 20;
    let cases = [
        // BP, TB, SEC; CMP; one protected and one free address.
        (0x00, 0, None, Some(0)),
        (0x04, 0, Some(SIZE - 0x2_0000), Some(SIZE - 0x2_0001)),
        (0x18, 0, Some(SIZE / 2), Some(SIZE / 2 - 1)),
        (0x1C, 0, Some(0), None),
        (0x24, 0, Some(0x1_FFFF), Some(0x2_0000)),
        (0x44, 0, Some(SIZE - 0x1000), Some(SIZE - 0x1001)),
        (0x70, 0, Some(0x7FFF), Some(0x8000)),
        (0x00, CMP, Some(0), None),
        (0x1C, CMP, None, Some(0)),
        (0x04, CMP, Some(0), Some(SIZE - 0x2_0000)),
    ];
    for (status, status_2, protected, free) in cases {
        let mut bench = holding(status, status_2, 0);
        for (address, expected) in [(protected, 0xFF), (free, 0x00)] {
            let Some(address) = address else { continue };
            bench.write_and_wait(&program(address, &[0]));
            assert_eq!(
                bench.nor.content()[address as usize],
                expected,
                "{status:02X} {status_2:02X} {address:06X}"
            );
        }
    }
    let mut bench = holding(0, QE_2, 0x04);
    bench.write_and_wait(&program(0, &[0]));
    assert_eq!(
        bench.nor.content()[0],
        0xFF,
        "WPS: all locks closed at power-on"
    );
}

#[test]
fn srl_refuses_status_writes_until_the_power_was_off() {
    let mut bench = winbond();
    bench.write_and_wait(&[0x31, QE_2 | 0x01]);
    bench.write_and_wait(&[0x01, 0x1C]);
    assert_eq!(bench.registers()[0] & 0x1C, 0);
    bench.nor.power_cut(bench.now, 0);
    assert_eq!(bench.registers()[1], QE_2);
    bench.write_and_wait(&[0x01, 0x1C]);
    assert_eq!(bench.registers()[0], 0x1C);
}

#[test]
fn mode_bits_5_and_4_alone_keep_a_continuous_read() {
    for mode in 0..=0xFFu8 {
        let mut bench = winbond();
        bench.quad_io_read(0, mode, 4, 1);
        let keeps = mode & 0x30 == 0x20;
        assert_eq!(bench.nor.continuous_read().is_some(), keeps, "{mode:02X}");
        if keeps {
            bench.nor.content_mut()[7] = 0x77;
            bench.select();
            assert_eq!(bench.quad_io_tail(7, 0xFF, 4, 1), [0x77]);
            assert_eq!(bench.nor.continuous_read(), None);
        }
    }
}

#[test]
fn issi_s_read_parameters_function_register_and_qpi_are_not_there() {
    let mut bench = winbond();
    for bytes in [[0xC0, 0x40], [0x65, 0x40], [0x83, 0xE0], [0x42, 0xFF]] {
        let complaints = bench.trace.violations();
        bench.write_and_wait(&bytes);
        assert!(bench.trace.violations() > complaints, "{bytes:02X?}");
    }
    assert_eq!(bench.spi(&[0x61], 1), [0xFF]);
    assert_eq!(
        bench.quad_io_read(0, 0xFF, 4, 1),
        [0xFF],
        "6 clocks as ever"
    );
    assert_eq!(bench.registers()[1], QE_2, "35h reads a register");
    assert!(!bench.nor.in_qpi());
    bench.qpi(&[0xF5], 0);
    assert_eq!(bench.spi(&[0x9F], 3), [0xEF, 0x40, 0x17]);
}

#[test]
fn every_profile_takes_the_times_of_the_part_file() {
    let cases: [(TimingProfile, [u64; 4]); 2] = [
        (TimingProfile::Typ, [45, 120, 150, 20_000]),
        (TimingProfile::Max, [400, 1_600, 2_000, 100_000]),
    ];
    for (profile, times) in cases {
        for (opcode, milliseconds) in [0x20, 0x52, 0xD8, 0xC7].into_iter().zip(times) {
            let mut bench = Bench::with("w25q64jv", profile);
            bench.spi(&[0x06], 0);
            let bytes = with_address(opcode, 0);
            bench.spi(if opcode == 0xC7 { &bytes[..1] } else { &bytes }, 0);
            assert_eq!(
                bench.nor.busy_until(),
                Some(bench.now + Time::ms(milliseconds))
            );
        }
    }
}

#[test]
fn an_erase_covers_its_unit_and_d7_is_no_erase_here() {
    for (opcode, size) in [(0x20, 4096usize), (0x52, 32_768), (0xD8, 65_536)] {
        let mut bench = winbond();
        bench.nor.content_mut()[..3 * size].fill(0);
        bench.write_and_wait(&with_address(opcode, size as u32 + 17));
        let content = bench.nor.content();
        assert!(content[size..2 * size].iter().all(|byte| *byte == 0xFF));
        assert!(content[..size].iter().all(|byte| *byte == 0));
        assert!(content[2 * size..3 * size].iter().all(|byte| *byte == 0));
    }
    let mut bench = winbond();
    bench.nor.content_mut()[0] = 0;
    bench.write_and_wait(&with_address(0xD7, 0));
    assert_eq!(bench.nor.content()[0], 0);
}

#[test]
fn a_suspended_erase_shows_in_register_2_and_ends_after_resume() {
    let mut bench = winbond();
    bench.nor.content_mut()[0] = 0;
    bench.nor.content_mut()[0x10_0000] = 0x55;
    bench.write(&with_address(0xD8, 0));
    bench.wait(Time::ms(20));
    bench.spi(&[0x75], 0);
    bench.wait(Time::us(20));
    assert_eq!(bench.registers()[1], QE_2 | 0x80);
    assert_eq!(bench.read(0x10_0000, 1), [0x55]);
    bench.spi(&[0x7A], 0);
    bench.wait(Time::ms(150));
    assert_eq!((bench.registers()[1], bench.nor.content()[0]), (QE_2, 0xFF));
    assert!(!bench.complained());
}

#[test]
fn while_an_erase_is_suspended_other_sectors_can_be_programmed_and_registers_not_written() {
    let mut bench = winbond();
    bench.write(&with_address(0x20, 0));
    bench.wait(Time::us(20));
    bench.spi(&[0x75], 0);
    bench.wait(Time::us(100));
    bench.write_and_wait(&program(0x10_0000, &[0x55]));
    assert_eq!(bench.read(0x10_0000, 1), [0x55]);
    assert!(!bench.complained());
    bench.write_and_wait(&program(0, &[0x55]));
    assert!(bench.complained(), "the suspended sector");
    let told = bench.trace.violations();
    bench.write_and_wait(&[0x31, 0]);
    assert_eq!(bench.trace.violations(), told + 1);
    assert_eq!(bench.registers()[1] & QE_2, QE_2);
}

#[test]
fn reset_and_power_down_take_the_times_of_the_part() {
    let mut bench = winbond();
    bench.spi(&[0x66], 0);
    bench.spi(&[0x99], 0);
    assert_eq!(bench.spi(&[0x9F], 3), [0xFF; 3]);
    bench.wait(Time::us(30));
    assert_eq!(bench.spi(&[0x9F], 3), [0xEF, 0x40, 0x17]);
    bench.spi(&[0xB9], 0);
    bench.wait(Time::us(3));
    bench.spi(&[0xAB], 0);
    bench.wait(Time::us(3));
    assert_eq!(bench.spi(&[0xAB, 0, 0, 0], 1), [0x16]);
    assert_eq!(bench.spi(&[0x90, 0, 0, 0], 2), [0xEF, 0x16]);
    bench.nor.unique_id = *b"0123456789abcdef";
    assert_eq!(bench.spi(&[0x4B, 0, 0, 0, 0], 16), b"0123456701234567");
}

#[test]
fn ebh_reads_up_to_104_mhz_and_not_beyond() {
    for (hz, good) in [(104_000_000, true), (104_000_001, false)] {
        let mut bench = winbond();
        bench.hz = hz;
        assert_eq!(bench.quad_io_read(0, 0xFF, 4, 4) == [0xFF; 4], good);
        let _ = bench.take(0, Lines::One);
    }
}
