//! What a figure was measured on and with: without it a figure says nothing.

use std::process::Command;

use serde::{Deserialize, Serialize};

/// A machine, the versions on it, and the command that was given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Circumstances {
    pub measured_at: String,
    pub processor: String,
    pub cores: usize,
    pub memory_gib: f64,
    pub kernel: String,
    pub commit: String,
    pub rustc: String,
    /// The build of the generator; the programs measured are named in the results.
    pub build: String,
    pub load_average: String,
    pub command: String,
}

impl Circumstances {
    pub fn now() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib: f64 = total.and_then(|kb| kb.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0);
        let changed = !said("git", &["status", "--porcelain"]).is_empty();
        let commit = said("git", &["rev-parse", "--short", "HEAD"]);
        let average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            measured_at: clock::Clock::system().now().format("%Y-%m-%d %H:%M UTC").to_string(),
            processor: model.map_or("unknown", |(_, name)| name).to_owned(),
            cores: crate::process::cores(),
            memory_gib: (kib / 1_048_576.0 * 10.0).round() / 10.0,
            kernel: said("uname", &["-sr"]),
            commit: if changed { format!("{commit} and changes") } else { commit },
            rustc: said("rustc", &["--version"]),
            build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            load_average: average.split(' ').take(3).collect::<Vec<_>>().join(" "),
            command: std::env::args().skip(1).fold("loadtests".to_owned(), |all, next| all + " " + &next),
        }
    }

    /// Name and value of each, for a table.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        vec![
            ("measured", self.measured_at.clone()),
            ("machine", format!("{} × {}, {} GiB", self.cores, self.processor, self.memory_gib)),
            ("system", format!("{}, load {} before", self.kernel, self.load_average)),
            ("built from", format!("{}, {}, {}", self.commit, self.rustc, self.build)),
            ("command", self.command.clone()),
        ]
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(crate::report::root()).output().ok();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
