//! Rehearsals: whole jobs at virtual sites, and their verdicts held against what the boards really were.

mod desk;
mod each_defect_has_its_verdict;
