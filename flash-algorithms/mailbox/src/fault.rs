//! Why a request failed: code, stage, flash offset, expected and found.

macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum $name { $($(#[$doc])* $variant = $value,)* }

        impl $name {
            /// The value of a word on the wire, if it is one this version knows.
            pub const fn from_word(word: u32) -> Option<Self> {
                match word { $($value => Some(Self::$variant),)* _ => None }
            }
            /// The word on the wire.
            pub const fn word(self) -> u32 {
                self as u32
            }
        }
    };
}
pub(crate) use wire_enum;

wire_enum! {
    /// What went wrong.
    FaultCode {
        /// The request record is damaged, of unknown kind, or its arguments contradict each other.
        BadRequest = 1,
        /// A payload chunk is damaged or is not the one the request names.
        BadPayload = 2,
        /// The range does not lie inside the flash.
        OutOfRange = 3,
        /// A wait reached its limit; `expected` is the limit in µs, `found` the last status seen.
        Timeout = 4,
        /// Not blank after an erase.
        NotBlank = 5,
        /// Read back differs from what was programmed.
        ReadBackDiffers = 6,
        /// The status register does not hold what was written.
        StatusDiffers = 7,
        /// The FlexSPI reported an error; `found` is STS1.
        Controller = 8,
        /// Refused: an earlier request failed and the fault was not cleared.
        AfterFault = 9,
        /// The host's lease ran out.
        LeaseLost = 10,
        /// The flash did not take the write enable; `found` is the status register.
        NoWriteEnable = 11,
        /// The flash ended the operation with WEL still set: protected or refused; `found` is the status register.
        Rejected = 12,
        /// The part's data does not offer what was asked (quad program without QE, say).
        Unsupported = 13,
        /// The setup block is damaged or contradicts itself.
        BadSetup = 14,
        /// A clock or PLL did not come up; `found` is its register.
        Clock = 15,
        /// The algorithm stopped in a panic or an exception: a defect in it. `found` says where.
        Defect = 16,
        /// The flash's identity changed between two reads.
        IdentityChanged = 17,
    }
}

wire_enum! {
    /// Where it went wrong.
    Stage {
        /// Before anything else.
        Entry = 1,
        /// Clock tree.
        Clocks = 2,
        /// FlexSPI set-up.
        Controller = 3,
        /// Bringing the flash into its reset state.
        Wake = 4,
        /// Reading JEDEC ID, SFDP, registers.
        Identify = 5,
        /// Write enable.
        WriteEnable = 6,
        /// Erase and its wait.
        Erase = 7,
        /// Page program and its wait.
        Program = 8,
        /// Reading back.
        ReadBack = 9,
        /// Digest or map.
        Digest = 10,
        /// Read request.
        Read = 11,
        /// Write status register.
        SetStatus = 12,
        /// Exit sequence.
        Exit = 13,
        /// Taking payload.
        Payload = 14,
        /// Taking the request.
        Request = 15,
    }
}

/// A failed request, or the reason why the server stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub code: FaultCode,
    /// Where it went wrong.
    pub stage: Stage,
    /// Flash offset concerned; 0 if none is.
    pub address: u32,
    /// What should have been there.
    pub expected: u32,
    /// What was there.
    pub found: u32,
}

impl Fault {
    /// A fault without address and values.
    pub const fn new(code: FaultCode, stage: Stage) -> Self {
        Fault {
            code,
            stage,
            address: 0,
            expected: 0,
            found: 0,
        }
    }
    /// The same fault at a flash offset.
    pub const fn at(mut self, address: u32) -> Self {
        self.address = address;
        self
    }
    /// The same fault with its values.
    pub const fn values(mut self, expected: u32, found: u32) -> Self {
        self.expected = expected;
        self.found = found;
        self
    }
}
