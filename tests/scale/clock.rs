//! CPU time, wall time and the peak of memory, as the system counts them.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Time that something took.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Took {
    /// CPU of all threads, in seconds.
    pub(crate) cpu: f64,
    /// Time on the wall, in seconds.
    pub(crate) wall: f64,
}

impl std::ops::AddAssign for Took {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.wall += other.wall;
    }
}

fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "seconds and nanoseconds of a run fit into 53 bits")]
    let seconds = now.tv_sec as f64 + now.tv_nsec as f64 / 1e9;
    seconds
}

/// Runs something and adds what it took.
pub(crate) fn time<T>(took: &mut Took, run: impl FnOnce() -> T) -> T {
    let (wall, before) = (Instant::now(), cpu());
    let done = run();
    *took += Took { cpu: cpu() - before, wall: wall.elapsed().as_secs_f64() };
    done
}

/// How often what is short is measured.
const RUNS: usize = 3;

/// The least CPU that something took, in seconds.
pub(crate) fn best(mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let mut took = Took::default();
        time(&mut took, &mut work);
        took.cpu
    };
    (0..RUNS).map(once).fold(f64::INFINITY, f64::min)
}

/// The most memory that this process has held, in MiB.
pub(crate) fn peak() -> Result<f64, std::io::Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.map(|found| found / 1024.0).ok_or_else(|| std::io::Error::other("no VmHWM"))
}
