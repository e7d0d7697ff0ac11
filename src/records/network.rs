//! Whether a directory is on another computer's disk.

use std::fs;
use std::path::Path;

/// File systems of the network: locks and write-ahead logging need all processes on one computer.
const NETWORK: [&str; 8] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "fuse.sshfs",
];

/// The kind of network file system that `path` is on, if so, as Linux tells it; elsewhere it is not found out.
pub(super) fn network_file_system(path: &Path) -> Option<String> {
    let directory = path.parent()?.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let (_, kind) = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(point, _)| directory.starts_with(point))
        .max_by_key(|(point, _)| point.len())?;
    NETWORK.contains(&kind).then(|| kind.to_owned())
}
