//! The committed blob in the emulated core, behind the whole wire: the algorithm as production runs it.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod session;
