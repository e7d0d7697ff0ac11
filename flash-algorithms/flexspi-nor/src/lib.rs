#![no_std] //! x
