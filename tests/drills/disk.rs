//! The disk under SQLite is full for a while: writes are refused, nothing half done is left, and it goes on.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::load::{self, Load};
use crate::kills::books;
use crate::kills::setting;
use crate::kills::world::World;
use crate::person::Person;

/// Room for the databases of a few journeys.
const DISK_MB: u32 = 96;
/// How long the disk is full, in the middle of the load.
const FULL: Duration = Duration::from_secs(6);
const CALM: Duration = Duration::from_secs(3);

/// A small disk of its own; unmounted when dropped.
struct Disk(TempDir);

impl Disk {
    /// `None` where this user may not mount.
    fn mount() -> Option<Self> {
        let at = TempDir::new().expect("a temporary folder can be made");
        let size = format!("size={DISK_MB}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at.path()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }

    /// Writes until nothing more fits; gives the file to delete.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut filler = std::fs::File::create(&path).expect("a file can be made");
        for bytes in [1 << 20, 1 << 12, 1] {
            while filler.write_all(&vec![0_u8; bytes]).is_ok() {}
        }
        path
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that still ends may have files open.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "half a minute long: make drill"]
async fn a_full_disk_refuses_writes_serves_reads_and_loses_nothing() {
    if setting("DRILL").is_some_and(|name| name != "full-disk") {
        return;
    }
    let Some(disk) = Disk::mount() else {
        println!("DRILL=full-disk: left out, this user may not mount a small disk");
        return;
    };
    let seed = setting("SEED")
        .map_or_else(|| u64::from(rand::random::<u32>()), |seed| seed.parse().expect("a number"));
    let world = World::open_at(disk.path().join("ours"), None).await;
    let load = Load { seed, per_s: 0.5, lasts: Duration::from_secs(14) };
    let full = async {
        tokio::time::sleep(CALM).await;
        let filler = disk.fill();
        tokio::time::sleep(FULL / 2).await;
        let nobody = Person::nobody(&world.place);
        let read = nobody.query("{ publicServices(first: 3) { nodes { code } } }", json!({})).await;
        assert_eq!(read["data"]["publicServices"]["nodes"].as_array().map(Vec::len), Some(3), "{read}");
        tokio::time::sleep(FULL / 2).await;
        std::fs::remove_file(filler).expect("it can be deleted");
    };
    let (done, ()) = tokio::join!(load::come(&world, load), full);
    world.drain().await;
    let faults = books::faults(&world, &done).await;
    let deaths = world.deaths();
    println!("DRILL=full-disk SEED={seed}: {} citizens through, the process died {deaths} times", done.len());
    assert!(faults.is_empty(), "DRILL=full-disk SEED={seed}\n  {}", faults.join("\n  "));
    assert_eq!(deaths, 0, "a full disk is no reason to die");
}
