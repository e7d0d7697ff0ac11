//! What a chip was told to do with its cells and registers: from this and the state before, the state at every power cut
//! follows.

use super::operation::Operation;

/// Operations in the order in which they began. Off until [`Recorder::start`].
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    operations: Option<Vec<Operation>>,
}

impl Recorder {
    /// Begins to record, with nothing recorded.
    pub fn start(&mut self) {
        self.operations = Some(Vec::new());
    }

    /// Ends it and gives what was recorded; nothing where it was off.
    pub fn take(&mut self) -> Vec<Operation> {
        self.operations.take().unwrap_or_default()
    }

    pub(super) fn add(&mut self, operation: &Operation) {
        if let Some(operations) = &mut self.operations {
            operations.push(operation.clone());
        }
    }
}
