//! The CMSIS functions against the model.

use crate::board::Board;
use crate::host::noise;
use flexspi_nor::cmsis::{FAILED, Functions, OK, WINDOW};

#[test]
fn stock_tools_can_erase_program_and_verify() {
    let board = Board::new("is25wp064");
    board.with(|m| m.nor.content_mut()[..0x4000].fill(0));
    let mut functions = Functions::init(board.clone()).unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(functions.erase_sector(WINDOW + 0x1000), OK);
    assert_eq!(functions.blank_check(WINDOW + 0x1000, 0x1000), OK);
    assert_eq!(functions.blank_check(WINDOW + 0x1000, 0x1001), FAILED);
    let data = noise(5, 0x1000);
    assert_eq!(functions.program_page(WINDOW + 0x1000, &data), OK);
    assert_eq!(functions.verify(WINDOW + 0x1000, &data), WINDOW + 0x2000);
    let mut other = data.clone();
    other[777] ^= 1;
    assert_eq!(
        functions.verify(WINDOW + 0x1000, &other),
        WINDOW + 0x1000 + 777
    );
    assert_eq!(functions.uninit(), OK);
    board.with(|m| {
        assert_eq!(&m.nor.content()[0x1000..0x2000], &data[..]);
        assert!(m.nor.content()[0x2000..0x4000].iter().all(|b| *b == 0));
        assert_eq!(m.nor.status_register(), 0);
    });
    board.assert_clean();
}

#[test]
fn a_chip_erase_fits_every_size() {
    for part in [
        "is25wp032",
        "is25wp064",
        "is25wp128",
        "is25lp064",
        "w25q64jv",
    ] {
        let board = Board::new(part);
        board.with(|m| m.nor.content_mut().fill(0));
        let mut functions =
            Functions::init(board.clone()).unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!(functions.erase_chip(), OK);
        board.with(|m| assert!(m.nor.content().iter().all(|b| *b == 0xFF)));
        board.assert_clean();
    }
}
