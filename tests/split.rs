//! Every role in a process of its own, on PostgreSQL: the same journeys, over one public address.

mod doors;
pub mod processes;
mod rolling;
mod traces;
mod twins;

use std::process::Stdio;

use tokio::process::Command;

/// Journeys at the same time: each has six processes.
const AT_ONCE: &str = "2";

/// Runs the journeys of this binary once more, in a process where each [`Installation`] is split.
///
/// [`Installation`]: crate::installation::Installation
async fn journeys(filter: &str, at_least: usize) {
    if testkit::TestDatabase::postgres().await.is_none() {
        return;
    }
    let ran = Command::new(std::env::current_exe().expect("this test is a file"))
        .args([filter, "--test-threads", AT_ONCE])
        .env(processes::WANTED, "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("this test can be started again");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    // A filter that finds nothing would succeed, too.
    let passed = said.split("test result: ok. ").nth(1).and_then(|rest| rest.split(' ').next());
    let passed = passed.and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
    assert!(passed >= at_least, "{passed} journeys: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journeys_pass_with_every_role_in_a_process_of_its_own() {
    journeys("journeys::", 30).await;
}
