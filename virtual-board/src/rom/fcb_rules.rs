//! What the model cannot do with an FCB, and the points on which no source says what the RT1060's ROM does.

use super::RefusalReason;
use super::fcb::{
    COLUMN_ADDRESS_WIDTH, CONTROLLER_MISC_OPTION, CS_HOLD_TIME, CS_SETUP_TIME, DEVICE_TYPE, Fcb,
    HIGHEST_FREQUENCY_CODE, LONGEST_CS_CLOCKS, READ_SAMPLE_CLK_SRC, SERIAL_CLK_FREQ,
    SFLASH_PAD_TYPE, VERSION,
};

// Offsets (IMXRT1060MFUUG, FlexSPI NOR configuration block).
const LUT_CUSTOM_SEQ_ENABLE: u32 = 0x047;
const DATA_VALID_TIME: u32 = 0x078;
const LUT_CUSTOM_SEQ: u32 = 0x180;
const RESERVED: [std::ops::Range<u32>; 6] = [
    0x008..0x00C,
    0x02C..0x030,
    0x03C..0x040,
    0x048..0x050,
    0x1B0..0x1C0,
    0x1D4..0x200,
];

/// controllerMiscOption bits that would change what every read means.
const MISC_NOT_MODELLED: [(u32, &str); 3] = [
    (1 << 2, "parallel mode"),
    (1 << 3, "word addressing"),
    (1 << 6, "DDR mode"),
];
/// controllerMiscOption bits whose effect on a single QSPI flash no source gives for this chip.
const MISC_NOT_SETTLED: [(u32, &str); 5] = [
    (1 << 0, "differential clock: not settled"),
    (1 << 1, "CK2: not settled"),
    (1 << 5, "pad setting override: not settled"),
    (1 << 7, "dataValidTime at all frequencies: not settled"),
    (!0xFF, "unknown bits: not settled"),
];
const CUSTOM_SEQUENCES: u32 = 12;
/// Custom sequences that NXP's driver takes while it sends mode commands: read status and write enable.
const CUSTOM_IN_MODE_COMMANDS: [u32; 2] = [1, 2];
const LOOPBACK_FROM_SCK_PAD: u8 = 2;

impl Fcb {
    /// Refuses what the model lacks.
    pub(super) fn check_modelled(&self) -> Result<(), RefusalReason> {
        let not_modelled = |what: String| Err(RefusalReason::NotModelled { what });
        let misc = self.word(CONTROLLER_MISC_OPTION);
        if let Some((_, name)) = MISC_NOT_MODELLED.iter().find(|(bit, _)| misc & bit != 0) {
            return not_modelled(format!("FCB controllerMiscOption asks for {name}"));
        }
        if self.byte(COLUMN_ADDRESS_WIDTH) != 0 {
            return not_modelled("FCB columnAddressWidth splits every address".to_string());
        }
        let custom = CUSTOM_IN_MODE_COMMANDS
            .into_iter()
            .any(|index| self.custom_sequences(index) != 0);
        if custom && !self.mode_commands().is_empty() {
            return not_modelled("FCB mode commands with custom LUT sequences".to_string());
        }
        Ok(())
    }

    /// The points that no source settles: the strict reading refuses the first, the lenient one ignores them all.
    pub(super) fn unsettled(&self) -> Vec<RefusalReason> {
        let mut points = Vec::new();
        let mut point = |applies: bool, offset, field, found, why| {
            if applies {
                points.push(RefusalReason::FcbField {
                    offset,
                    field,
                    found,
                    why,
                });
            }
        };
        let version = self.word(VERSION);
        let not_v1 = version >> 16 != 0x5601;
        point(not_v1, VERSION, "version", version, "not V1.x");
        let source = self.byte(READ_SAMPLE_CLK_SRC);
        let field = "readSampleClkSrc";
        point(
            source > 3,
            READ_SAMPLE_CLK_SRC,
            field,
            source.into(),
            "above 3",
        );
        for (offset, field) in [(CS_HOLD_TIME, "csHoldTime"), (CS_SETUP_TIME, "csSetupTime")] {
            let clocks = u32::from(self.byte(offset));
            let why = "more than the register's 31 clocks";
            point(clocks > LONGEST_CS_CLOCKS, offset, field, clocks, why);
        }
        let misc = self.word(CONTROLLER_MISC_OPTION);
        for (bits, why) in MISC_NOT_SETTLED {
            let field = "controllerMiscOption";
            point(misc & bits != 0, CONTROLLER_MISC_OPTION, field, misc, why);
        }
        let device = self.byte(DEVICE_TYPE);
        point(
            device > 1,
            DEVICE_TYPE,
            "deviceType",
            device.into(),
            "not serial NOR",
        );
        let pads = self.byte(SFLASH_PAD_TYPE);
        let odd = !matches!(pads, 1 | 2 | 4);
        point(
            odd,
            SFLASH_PAD_TYPE,
            "sflashPadType",
            pads.into(),
            "not 1, 2 or 4",
        );
        let frequency = self.byte(SERIAL_CLK_FREQ);
        let odd = frequency == 0 || frequency > HIGHEST_FREQUENCY_CODE;
        let why = "not in the RT1060's table 1 to 9";
        point(odd, SERIAL_CLK_FREQ, "serialClkFreq", frequency.into(), why);
        for index in 0..CUSTOM_SEQUENCES {
            let number = self.custom_sequences(index);
            let offset = LUT_CUSTOM_SEQ + 4 * index;
            let why = "custom LUT sequences: not settled";
            point(number != 0, offset, "lutCustomSeq", number.into(), why);
        }
        for offset in RESERVED.into_iter().flat_map(|range| range.step_by(4)) {
            let found = self.word(offset);
            point(found != 0, offset, "reserved", found, "not 0");
        }
        points
    }

    /// Points that working images have and no source explains: taken in both readings, and told.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.byte(READ_SAMPLE_CLK_SRC) == LOOPBACK_FROM_SCK_PAD {
            remarks.push(
                "FCB readSampleClkSrc 2 (loopback from the SCK pad) is not settled: headers allow 0, 1 and 3, and NuttX's \
                 boards boot with 2 at 60 MHz"
                    .to_string(),
            );
        }
        if self.word(DATA_VALID_TIME) != 0 {
            remarks.push(
                "FCB dataValidTime is not settled: taken to count only for a read strobe from the flash, as in NXP's driver \
                 of the RT1050, and NuttX's image boots with it"
                    .to_string(),
            );
        }
        remarks
    }

    /// seqNum of the custom sequence `index`; 0 where they are switched off. Teensy switches an empty table on, and boots.
    fn custom_sequences(&self, index: u32) -> u8 {
        if self.byte(LUT_CUSTOM_SEQ_ENABLE) == 0 {
            0
        } else {
            self.byte(LUT_CUSTOM_SEQ + 4 * index)
        }
    }
}
