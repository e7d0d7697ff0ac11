//! Whole plans against the model: after the last step the flash holds image and header, every other byte as before, and
//! the model had nothing to refuse.

use mailbox::Request;
use mailbox::digest;
use mailbox::request::ERASE_CHECK_BLANK;
use mailbox::result::{SECTOR_WORDS, SectorRecord};
use proptest::prelude::*;
use rtflash::boot::BootImage;
use rtflash::plan::{Layout, Plan, SectorMap, SectorState, SharedSectors, Step};
use rtflash::target::FlashPart;

use crate::board::Board;
use crate::host::Session;
use crate::images::{WINDOW, before, segments, status, target};

const NONCE: u32 = 0x1234_5678;

/// The sector map as the server reports it.
fn map(session: &mut Session, layout: &Layout) -> SectorMap {
    let mut map = SectorMap::new();
    for need in layout.sectors() {
        let (address, length) = (need.offset().get(), FlashPart::SECTOR_BYTES);
        let result = session.ok(Request::Map {
            address,
            length,
            nonce: NONCE,
        });
        let words = session.reply(&result);
        let record = SectorRecord::from_words(*words.first_chunk::<SECTOR_WORDS>().unwrap());
        let state = match need.whole_content() {
            _ if record.is_blank() => SectorState::Blank,
            Some(content) if digest::digest(NONCE, content) == record.digest => SectorState::Equal,
            Some(_) => SectorState::Different,
            None => {
                let result = session.ok(Request::Read { address, length });
                let words = session.reply(&result);
                SectorState::Content(words.iter().flat_map(|word| word.to_le_bytes()).collect())
            }
        };
        map.insert(need.number(), state);
    }
    map
}

fn perform(session: &mut Session, plan: &Plan, part: &FlashPart) {
    for step in plan.steps() {
        match *step {
            Step::SetStatus { value, mask } => drop(session.ok(Request::SetStatus { value, mask })),
            Step::Erase { offset, size_bytes } => {
                let opcode = part.erase_unit(size_bytes).unwrap().opcodes[0];
                let (address, size) = (offset.get(), size_bytes);
                session.ok(Request::Erase {
                    address,
                    size,
                    opcode,
                    flags: ERASE_CHECK_BLANK,
                });
            }
            Step::Verify(_) => {}
            _ => {
                let (offset, _) = step.programs().unwrap();
                let result = session.program(offset.get(), &plan.payload(step));
                assert_eq!(result.outcome, Ok(()), "{step}");
            }
        }
    }
}

fn flash(session: &mut Session, image: &BootImage) {
    let target = target();
    let layout = Layout::new(image);
    let map = map(session, &layout);
    let status = session.board.with(|m| m.nor.status_register());
    let plan = Plan::new(
        image,
        target.flash(),
        &map,
        status.into(),
        SharedSectors::Preserve,
    )
    .unwrap();
    perform(session, &plan, target.flash());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_image_over_any_content_is_there_and_nothing_else_has_changed(
        segments in segments(),
        before in before(),
        status in status(),
    ) {
        let board = Board::new("is25wp064");
        board.with(|m| {
            before.each(|at, bytes| m.nor.content_mut()[at..at + bytes.len()].copy_from_slice(bytes));
            m.nor.set_status_register(status);
        });
        let mut expected = board.with(|m| m.nor.content().to_vec());
        let image = crate::images::image(&segments);
        for run in image.runs() {
            let at = run.offset.get() as usize;
            expected[at..at + run.bytes.len()].copy_from_slice(&run.bytes);
        }
        for (start, bytes) in &segments {
            let at = (start - WINDOW) as usize;
            prop_assert_eq!(&expected[at..at + bytes.len()], &bytes[..], "the image has its segments");
        }
        let mut session = Session::up(board);
        flash(&mut session, &image);
        let found = session.board.with(|m| m.nor.content().to_vec());
        let first = found.iter().zip(&expected).position(|(a, b)| a != b);
        prop_assert_eq!(first, None, "first differing offset");
        session.board.assert_clean();
    }
}
