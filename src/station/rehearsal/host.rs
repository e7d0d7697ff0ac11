//! What a rehearsal costs the host.

use std::fs;
use std::time::Duration;

/// Ticks of a second in /proc: USER_HZ, which Linux keeps at 100 for programs, whatever the kernel's own is (proc(5)).
const TICKS: u32 = 100;
/// Fields of /proc/self/stat behind the process's name, which may hold blanks: user and system time (proc(5), fields 14
/// and 15; the first behind the name is field 3).
const USER: usize = 14 - 3;
const SYSTEM: usize = 15 - 3;

/// Processor time of this process so far; none where the system does not tell it as Linux does.
pub fn cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    Some(Duration::from_secs(1) * (ticks(USER)? + ticks(SYSTEM)?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn processor_time_grows_while_the_processor_works() {
        let before = cpu_time().expect("Linux tells it");
        let mut sum = 0_u64;
        while cpu_time().expect("still") < before + Duration::from_millis(30) {
            sum = (0..100_000_u64).fold(sum, |sum, n| sum.wrapping_mul(31) ^ n);
        }
        std::hint::black_box(sum);
        assert!(cpu_time().expect("still") < before + Duration::from_secs(10));
    }
}
