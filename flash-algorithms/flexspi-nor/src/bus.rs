//! The system bus as the algorithm uses it.

/// Accesses to peripheral registers, and the hint for a wait loop.
///
/// On the target an access that faults ends in the blob's fault handler, so there is no error here.
pub trait Bus {
    /// Reads the aligned word at a bus address.
    fn read32(&mut self, address: u32) -> u32;
    /// Writes the aligned word at a bus address.
    fn write32(&mut self, address: u32, value: u32);
    /// Reads the aligned half-word at a bus address.
    fn read16(&mut self, address: u32) -> u16;
    /// Writes the aligned half-word at a bus address.
    fn write16(&mut self, address: u32, value: u16);
    /// Nothing to do until time has passed (YIELD). Never sleeps: a sleeping core stops the debug port's AHB-AP.
    fn yield_hint(&mut self);

    /// Reads, changes and writes a word.
    fn modify32(&mut self, address: u32, clear: u32, set: u32) {
        let value = self.read32(address);
        self.write32(address, value & !clear | set);
    }
}
