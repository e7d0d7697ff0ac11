//! Promise 3 at every power cut of one update, and the next job that finishes it.

use std::env;
use std::fmt;
use std::ops::AddAssign;

use rtflash::boot::{BootImage, Fcb, Role};
use rtflash::job::Request;
use target_side::cuts::{Cut, Kept};
use virtual_board::nor::operation::Operation;
use virtual_board::rom::{Outcome, Reading};

use crate::cut_points::Recorded;
use crate::desk::Desk;

/// Tears inside every operation, multiplied by this variable of the environment.
pub const DEPTH_VARIABLE: &str = "RTFLASH_CUTS";
const TEARS: u64 = 2;
const SECTOR: usize = 0x1000;
/// QE of the ISSI parts, on which partial images are swept.
const QUAD_ENABLE: u8 = 0x40;

/// An update to be cut.
pub struct Update<'u> {
    pub name: &'u str,
    /// What boots before, whole; none where nothing does.
    pub old: Option<&'u BootImage>,
    pub new: &'u Request,
    /// Bytes from the start of the flash in which everything happens.
    pub extent: usize,
    /// What an earlier cut took of the bytes of others stands here; none where the flash holds them all.
    pub others: Option<&'u [u8]>,
}

/// What was found.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub points: usize,
    pub old: usize,
    pub new: usize,
    pub dead: usize,
    pub recoveries: usize,
    pub kept_sectors: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.points += other.points;
        self.old += other.old;
        self.new += other.new;
        self.dead += other.dead;
        self.recoveries += other.recoveries;
        self.kept_sectors += other.kept_sectors;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            points,
            old,
            new,
            dead,
            recoveries,
            kept_sectors,
        } = self;
        write!(
            f,
            "{points} power cuts ({old} old, {new} new, {dead} dead), {recoveries} finished by the next job, which kept \
             {kept_sectors} sectors"
        )
    }
}

/// Tears per operation in this run.
pub fn tears() -> u64 {
    let depth = env::var(DEPTH_VARIABLE).map_or(1, |text| text.parse().expect("a number"));
    TEARS * depth
}

/// Whether `content` has every byte of `image`.
pub fn holds(content: &[u8], image: &BootImage) -> bool {
    image.runs().iter().all(|run| {
        let at = run.offset.get() as usize;
        content.get(at..at + run.bytes.len()) == Some(&run.bytes[..])
    })
}

/// Runs the update on the desk as it stands, and looks at every cut of it.
pub fn sweep(desk: &Desk, update: &Update<'_>) -> Counts {
    let name = update.name;
    let image = desk.judged(update.new);
    let recorded = Recorded::new(desk, update.new, update.extent);
    assert!(recorded.done.passed(), "{name}: {}", recorded.done.code());
    desk.board.assert_clean();
    let others = update.others.unwrap_or(&recorded.before.content);
    let mut expected = others.to_vec();
    for run in image.runs() {
        let at = run.offset.get() as usize;
        expected[at..at + run.bytes.len()].copy_from_slice(&run.bytes);
    }
    assert!(
        recorded.after.content == expected,
        "{name}: image and nothing else"
    );
    let bench = Bench {
        desk,
        update,
        image: &image,
        recorded: &recorded,
    };
    let mut counts = Counts::default();
    recorded.every_cut(tears(), |cut| {
        counts.points += 1;
        bench.look_at(&cut, &mut counts);
        bench.finish(&cut, &mut counts);
    });
    desk.power_up_with(&recorded.after);
    desk.set_saved(&[]);
    counts
}

struct Bench<'b> {
    desk: &'b Desk,
    update: &'b Update<'b>,
    image: &'b BootImage,
    recorded: &'b Recorded,
}

impl Bench<'_> {
    /// What the boot ROM makes of it, by both readings.
    fn look_at(&self, cut: &Cut<'_>, counts: &mut Counts) {
        let name = self.update.name;
        let content = &cut.kept.content;
        let is_old = self.update.old.is_some_and(|old| holds(content, old));
        let is_new = holds(content, self.image);
        let boots = [Reading::Strict, Reading::Lenient].map(|reading| {
            self.desk.power_up_with(cut.kept);
            match self.desk.boots(reading) {
                Outcome::Booted { .. } => true,
                Outcome::SerialDownloader(_) => false,
                other => panic!("{name}: {cut}: {reading:?}: {other:?}"),
            }
        });
        match self.image.role() {
            Role::Partial { slots, .. } => {
                self.bootloader_runs(boots, cut);
                for slot in slots {
                    self.slot_is_old_new_or_dead(slot.get() as usize, cut, counts);
                }
            }
            _ => {
                for boots in boots {
                    assert!(
                        !boots || is_old || is_new,
                        "{name}: {cut}: half an image boots"
                    );
                }
                let class = match (boots[0], is_new) {
                    (false, _) => &mut counts.dead,
                    (true, true) => &mut counts.new,
                    (true, false) => &mut counts.old,
                };
                *class += 1;
            }
        }
        self.bytes_of_others_are_untouched(cut);
        self.status_changes_below_a_dead_tag(cut);
    }

    /// QE and protection change only while the FCB's tag is dead, unless protection keeps it from dying or nothing else
    /// changes.
    fn status_changes_below_a_dead_tag(&self, cut: &Cut<'_>) {
        let Some((Operation::WriteRegisters(_), _)) = cut.inside else {
            return;
        };
        let part = self.desk.target.flash();
        let before = u32::from(self.recorded.before.registers.status);
        let is_protected = before & part.protection_mask() != 0;
        let is_alone = self.recorded.operations.len() == 1;
        let is_partial = matches!(self.image.role(), Role::Partial { .. });
        let tag_lives = cut.kept.content.starts_with(&Fcb::TAG.to_le_bytes());
        let name = self.update.name;
        assert!(
            !tag_lives || is_protected || is_alone || is_partial,
            "{name}: {cut}: the tag lives"
        );
    }

    fn bytes_of_others_are_untouched(&self, cut: &Cut<'_>) {
        let mut mine = vec![false; self.update.extent / SECTOR];
        for run in self.image.runs() {
            let from = run.offset.get() as usize;
            mine[from / SECTOR..(from + run.bytes.len()).div_ceil(SECTOR)].fill(true);
        }
        let sectors = cut.kept.content.chunks(SECTOR);
        let before = self.recorded.before.content.chunks(SECTOR);
        for (number, (now, before)) in sectors.zip(before).enumerate() {
            let name = self.update.name;
            assert!(
                mine[number] || now == before,
                "{name}: {cut}: sector {number}"
            );
        }
    }

    /// Under a partial image the ROM starts the bootloader at every moment, by both readings. The one exception is not
    /// ours to avoid: blocks that are protected can only be freed by a write of the very register that QE is in, and a cut
    /// inside of it may lose QE.
    fn bootloader_runs(&self, boots: [bool; 2], cut: &Cut<'_>) {
        let name = self.update.name;
        let quad_enabled = |kept: &Kept| kept.registers.status & QUAD_ENABLE != 0;
        let lost_qe = !quad_enabled(cut.kept);
        if lost_qe {
            let had_qe = quad_enabled(&self.recorded.before);
            let is_torn = matches!(cut.inside, Some((Operation::WriteRegisters(_), _)));
            assert!(is_torn || !had_qe, "{name}: {cut}: QE is lost");
            return;
        }
        assert_eq!(
            boots, [true; 2],
            "{name}: {cut}: the bootloader does not run"
        );
    }

    fn slot_is_old_new_or_dead(&self, slot: usize, cut: &Cut<'_>, counts: &mut Counts) {
        let name = self.update.name;
        let run = self.image.runs().iter().find(|run| {
            let start = run.offset.get() as usize;
            (start..start + run.bytes.len()).contains(&slot)
        });
        let length = run.expect("the slot's bytes").bytes.len();
        let [now, before, after] = [&cut.kept, &&self.recorded.before, &&self.recorded.after]
            .map(|kept| &kept.content[slot..slot + length]);
        // without its first word a bootloader sees no image
        let is_dead = now[..4] != before[..4] && now[..4] != after[..4]
            || now[..4] == [0xFF; 4]
            || now[..4] == [0; 4];
        let class = match (is_dead, now == before, now == after) {
            (true, false, false) => &mut counts.dead,
            (_, true, _) => &mut counts.old,
            (_, _, true) => &mut counts.new,
            (false, false, false) => panic!("{name}: {cut}: half an image in the slot"),
        };
        *class += 1;
    }

    /// The next job on this host.
    fn finish(&self, cut: &Cut<'_>, counts: &mut Counts) {
        let (desk, name) = (self.desk, self.update.name);
        desk.power_up_with(cut.kept);
        desk.set_saved(&self.recorded.done.saved);
        desk.nor(|nor| nor.recorder.start());
        let done = desk.flash(self.update.new);
        let operations = desk.nor(|nor| nor.recorder.take());
        assert!(done.passed(), "{name}: {cut}: {}", done.code());
        desk.board.assert_clean();
        let found = desk.nor(|nor| Kept::of(nor, self.update.extent));
        let first = first_difference(&found.content, &self.recorded.after.content);
        assert_eq!(first, None, "{name}: {cut}: first differing offset");
        assert_eq!(desk.saved(), Vec::new(), "{name}: {cut}: all is back");
        counts.recoveries += 1;
        counts.kept_sectors += self.right_sectors_are_kept(cut, &operations);
    }

    /// Sectors that hold their final content already are neither erased nor programmed, apart from the mark's.
    fn right_sectors_are_kept(&self, cut: &Cut<'_>, operations: &[Operation]) -> usize {
        let name = self.update.name;
        let sectors = cut.kept.content.chunks(SECTOR);
        let after = self.recorded.after.content.chunks(SECTOR);
        let is_mark = |number: usize| match self.image.role() {
            Role::Partial { slots, .. } => slots
                .iter()
                .any(|slot| slot.get() as usize / SECTOR == number),
            _ => number == 0,
        };
        let mine = |number: usize| {
            self.image.runs().iter().any(|run| {
                let from = run.offset.get() as usize;
                (from / SECTOR..(from + run.bytes.len()).div_ceil(SECTOR)).contains(&number)
            })
        };
        let blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0xFF);
        let right: Vec<usize> = sectors
            .zip(after)
            .enumerate()
            // a blank sector may lie under a larger erase: that does no harm
            .filter(|(number, (now, after))| now == after && !blank(now) && !is_mark(*number))
            .map(|(number, _)| number)
            .collect();
        for operation in operations {
            let Some((start, length)) = operation.area() else {
                continue;
            };
            let touched = start as usize / SECTOR..(start + length).div_ceil(0x1000) as usize;
            for number in touched {
                assert!(
                    !right.contains(&number),
                    "{name}: {cut}: {operation:?} though sector {number} was right"
                );
            }
        }
        right.into_iter().filter(|number| mine(*number)).count()
    }
}

fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    // whole slices compare much faster than bytes, and are almost always equal
    (a != b).then(|| a.iter().zip(b).position(|(a, b)| a != b))?
}
