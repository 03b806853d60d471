//! Whole citizens under load: they browse, log in, file, pay and track, again and again.
//!
//! A closed loop: so many people, each thinking between steps. It shows that the way as a whole holds, and fails when
//! a threshold is missed; latencies to quote come from the open-loop generator beside it.

mod citizen;
mod login;

use std::time::Duration;

use goose::prelude::*;

use crate::citizen::{browse, file, pay, track};
use crate::login::log_in;

/// What must hold, unless `--threshold` says otherwise.
const THRESHOLDS: [&str; 6] = [
    "error-rate<0.1%",
    "p95<1s",
    "p99<500ms for POST FindServices",
    "p99<500ms for POST ApplicationDetail",
    "p99<2s for POST SubmitApplication",
    "p99<2s for POST StartPayment",
];
const USERS: usize = 20;
const RUN_TIME_S: usize = 60;

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    let mut attack = GooseAttack::initialize()?
        .register_scenario(
            scenario!("Citizen")
                .set_wait_time(Duration::from_millis(200), Duration::from_millis(1_200))?
                .register_transaction(transaction!(log_in).set_name("log in").set_on_start())
                .register_transaction(transaction!(browse).set_name("browse").set_sequence(1))
                .register_transaction(transaction!(file).set_name("file").set_sequence(2))
                .register_transaction(transaction!(pay).set_name("pay").set_sequence(3))
                .register_transaction(transaction!(track).set_name("track").set_sequence(4)),
        )
        .test_start(transaction!(only_this_machine))
        .set_default(GooseDefault::Users, USERS)?
        .set_default(GooseDefault::RunTime, RUN_TIME_S)?
        .set_default(GooseDefault::Host, "http://127.0.0.1:4000")?;
    for threshold in THRESHOLDS {
        attack = attack.set_default(GooseDefault::Threshold, threshold)?;
    }
    attack.execute().await?;
    Ok(())
}

/// Load is never sent to others.
async fn only_this_machine(user: &mut GooseUser) -> TransactionResult {
    let loopback = match user.base_url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    assert!(loopback, "{} is not on this machine", user.base_url);
    Ok(())
}
