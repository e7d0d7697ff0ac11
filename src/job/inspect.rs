//! `inspect`: from input files to what is told about them, without a board.

use super::load::{self, InputFile};
use crate::boot::{self, HeaderWishes};
use crate::problem::Problem;
use crate::report::Inspection;
use crate::target::Target;

/// Tells what is in the image, whether the boot ROM will start it, and if not why.
///
/// # Errors
/// Files that cannot be read, are malformed or contradict each other (exit 13); a wish without effect (exit 2). An image that would not boot is no
/// error: the verdict says so.
pub fn inspect(
    inputs: &[InputFile],
    target: &Target,
    wishes: &HeaderWishes,
) -> Result<Inspection, Problem> {
    let image = load::read(inputs, target)?;
    let judgement = boot::judge_with(&image, None, target, wishes);
    load::require_effect(wishes, &judgement)?;
    Ok(Inspection::new("inspect", &image, &judgement, target))
}
