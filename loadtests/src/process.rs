//! Processes that are measured: started on a chosen core, asked for CPU time and memory, ended with us.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// How long a program may take to open: the JavaScript gateways are slow to.
const OPEN_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a program may take to end when it is asked to.
const END_TIMEOUT: Duration = Duration::from_secs(15);

/// The cores this process was given, as `taskset` writes them.
static GIVEN: OnceLock<(usize, String)> = OnceLock::new();

fn given() -> &'static (usize, String) {
    GIVEN.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (count, list.unwrap_or("0").trim().to_owned())
    })
}

/// Cores of this machine, also after we keep to one of them.
pub fn cores() -> usize {
    given().0
}

/// Keeps this process, load and subgraphs, on one core, when there are two. What it starts from then on is there too,
/// unless it is given another.
pub fn pin_self(core: usize) {
    if cores() < 2 {
        eprintln!("There is one core: load and program share it, and CPU times tell less.");
        return;
    }
    let pid = std::process::id().to_string();
    let taskset =
        Command::new("taskset").args(["-acp", &core.to_string(), &pid]).stdout(Stdio::null()).status();
    if !taskset.is_ok_and(|status| status.success()) {
        eprintln!("The load cannot be kept to one core (taskset): it may take from the program's.");
    }
}

/// A command on all cores: what goes on after us must not keep to ours.
pub fn on_all_cores(program: &Path) -> Command {
    if cores() < 2 {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &given().1]).arg(program);
    command
}

/// A program that runs.
pub struct Process {
    pub name: String,
    child: Child,
}

impl Process {
    /// Starts `command`, on `core` alone when one is given. What it says goes to `log`.
    pub fn start(name: &str, command: &Command, core: Option<usize>, log: &Path) -> anyhow::Result<Self> {
        let mut pinned = match core {
            Some(core) if cores() > 1 => {
                let mut taskset = Command::new("taskset");
                taskset.args(["-c", &core.to_string()]).arg(command.get_program());
                taskset
            }
            _ => Command::new(command.get_program()),
        };
        pinned.args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => pinned.env(key, value),
                None => pinned.env_remove(key),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            pinned.current_dir(folder);
        }
        let said = File::options().create(true).append(true).open(log)?;
        let child = pinned.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn();
        let child = child.with_context(|| format!("{name} cannot be started: {command:?}"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its threads so far.
    pub fn cpu_s(&self) -> anyhow::Result<f64> {
        cpu_s(self.pid()).with_context(|| format!("{} has ended", self.name))
    }

    /// Memory now and at most, in MiB.
    pub fn memory_mib(&self) -> anyhow::Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1_024.0)
        };
        Ok((of("VmRSS:").context("no VmRSS")?, of("VmHWM:").context("no VmHWM")?))
    }

    /// Forgets the highest memory so far, so that it is that of what comes next.
    pub fn forget_high_water(&self) -> bool {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").is_ok()
    }

    /// Sends a signal: `STOP`, `CONT`, `TERM`, `KILL`.
    pub fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status()?;
        ensure!(sent.success(), "SIG{signal} does not reach {}", self.name);
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub fn end(mut self) -> anyhow::Result<()> {
        self.signal("TERM")?;
        let begun = Instant::now();
        while begun.elapsed() < END_TIMEOUT {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{} does not end", self.name)
    }

    /// Waits until `url` answers with success.
    pub async fn opened(
        &mut self,
        http: &reqwest::Client,
        url: &str,
        query: Option<&str>,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < OPEN_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended while it was opening: {status}", self.name);
            }
            let request = match query {
                Some(query) => http.post(url).json(&serde_json::json!({ "query": query })),
                None => http.get(url),
            };
            if request.send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{} does not answer at {url}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be stopped, or have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// CPU time of all threads of a process so far.
pub fn cpu_s(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("stat has a name")?;
    // utime and stime are fields 14 and 15; the first two are cut off.
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / ticks_per_s())
}

/// The grain of CPU times under /proc.
fn ticks_per_s() -> f64 {
    static TICKS: OnceLock<f64> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let said = Command::new("getconf").arg("CLK_TCK").output().ok();
        said.and_then(|said| String::from_utf8(said.stdout).ok()?.trim().parse().ok()).unwrap_or(100.0)
    })
}

/// The client for everything around the load: set-up, readiness, metrics.
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    Ok(client.timeout(Duration::from_secs(30)).build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_keeps_its_cores_when_the_load_keeps_to_one() {
        let before = cores();
        pin_self(0);
        assert_eq!(cores(), before);
        let allowed = || {
            let shown = on_all_cores(Path::new("cat")).arg("/proc/self/status").output().unwrap().stdout;
            let shown = String::from_utf8(shown).unwrap();
            shown.lines().find(|line| line.starts_with("Cpus_allowed_list:")).unwrap().to_owned()
        };
        assert!(allowed().ends_with(&given().1), "{}", allowed());
        let pid = std::process::id().to_string();
        on_all_cores(Path::new("taskset")).args(["-acp", &given().1, &pid]).output().unwrap();
    }
}
