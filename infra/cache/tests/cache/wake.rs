//! Wake-ups by topic.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use cache::Wake;

use crate::world::{World, facts, until};

facts!(a_listener_is_woken_for_its_topic_alone, topics_that_nobody_waits_for_are_forgotten);
mod between_processes {
    use super::*;
    facts!(shared: a_wake_up_reaches_the_other_process);

    async fn a_wake_up_reaches_the_other_process(world: World) {
        let (one, other) = (world.process(), world.process());
        let (mut near, mut far) = (one.wake.listen("a"), other.wake.listen("a"));
        // Until the connection is open, what is said is not heard.
        until("both are woken", async || {
            one.wake.wake("a");
            tokio::time::timeout(Duration::from_millis(50), far.woken()).await.is_ok()
        })
        .await;
        near.woken().await;
    }
}

async fn a_listener_is_woken_for_its_topic_alone(world: World) {
    let process = world.process();
    let (mut a, mut b) = (process.wake.listen("a"), process.wake.listen("b"));
    process.wake.wake("a");
    process.wake.wake("a");
    a.woken().await;
    if process.redis.is_none() {
        let quiet = Duration::from_millis(1);
        assert!(tokio::time::timeout(quiet, b.woken()).await.is_err());
        assert!(tokio::time::timeout(quiet, a.woken()).await.is_err(), "twice at once is once");
    }
    process.wake.wake("b");
    b.woken().await;
}

async fn topics_that_nobody_waits_for_are_forgotten(world: World) {
    let process = world.process();
    let (one, two) = (process.wake.listen("a"), process.wake.listen("a"));
    let other = process.wake.listen("b");
    assert_eq!(process.wake.topics(), 2);
    drop(one);
    assert_eq!(process.wake.topics(), 2);
    drop(two);
    drop(other);
    assert_eq!(process.wake.topics(), 0);
}

#[test]
fn listeners_that_leave_at_the_same_moment_leave_no_topic_behind() {
    let (wake, start) = (Wake::new(None), Arc::new(Barrier::new(2)));
    let leave = |wake: Wake, start: Arc<Barrier>| {
        for round in 0..2_000 {
            let listener = wake.listen(&round.to_string());
            start.wait();
            drop(listener);
        }
    };
    let other = {
        let (wake, start) = (wake.clone(), Arc::clone(&start));
        std::thread::spawn(move || leave(wake, start))
    };
    leave(wake.clone(), start);
    other.join().unwrap();
    assert_eq!(wake.topics(), 0);
}
