//! Values that are taken once.

use std::time::Duration;

use futures::future::join_all;

use crate::world::{World, facts};

const LIFE: Duration = Duration::from_secs(60);

facts!(a_value_is_taken_once);
mod between_processes {
    use super::*;
    facts!(shared: a_value_taken_by_one_process_is_not_taken_by_another);

    async fn a_value_taken_by_one_process_is_not_taken_by_another(world: World) {
        let processes: Vec<_> = (0..4).map(|_| world.process()).collect();
        for nonce in (0..20u8).map(|number| [number]) {
            let taken = processes.iter().map(|process| process.seen.first_time("nonce", &nonce, LIFE));
            let taken = join_all(taken).await.into_iter().filter(|first| *first).count();
            assert_eq!(taken, 1);
        }
    }
}

async fn a_value_is_taken_once(world: World) {
    let process = world.process();
    assert!(process.seen.first_time("nonce", b"1", LIFE).await);
    assert!(!process.seen.first_time("nonce", b"1", LIFE).await);
    assert!(process.seen.first_time("nonce", b"2", LIFE).await);
    assert!(process.seen.first_time("other", b"1", LIFE).await, "namespaces are apart");
}
