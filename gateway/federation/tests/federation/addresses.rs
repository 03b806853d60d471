//! A subgraph at several addresses: some dead, some draining, some slow; what is sent again, and what never is.

mod process;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use federation::{
    Address, Http, HttpSettings, OperationKind, RequestContext, Subgraph, SubgraphError, SubgraphOperation,
    SubgraphRequest,
};
use tokio::time::Instant;

use self::process::{Mood, Process};
use super::world::connections;

/// How long a test waits for what must come by itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// Nobody listens there.
async fn nobody() -> Address {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    Address { url: url.parse().unwrap(), ready: None }
}

fn subgraph(addresses: Vec<Address>) -> Http {
    left_alone(addresses, 20)
}

/// Signs each sending with another number. What fails is left alone for some milliseconds at first.
fn left_alone(addresses: Vec<Address>, breaker_open_ms: u64) -> Http {
    let number = AtomicUsize::new(0);
    let sign = move |_: &RequestContext, _: &[u8]| {
        let number = number.fetch_add(1, Ordering::SeqCst);
        HeaderMap::from_iter([(HeaderName::from_static("signature"), number.into())])
    };
    let deadline_header = Some(HeaderName::from_static("left-ms"));
    let settings =
        HttpSettings { deadline_header, look_every_ms: 20, breaker_open_ms, ..HttpSettings::default() };
    Http::new("numbers", connections(), addresses, Arc::new(sign), settings)
}

fn request(kind: OperationKind, within: Duration) -> SubgraphRequest {
    let operation = SubgraphOperation { text: "{ a }".to_owned(), hash: 1, kind, variables: Vec::new() };
    let limit = Instant::now() + within;
    SubgraphRequest { operation: Arc::new(operation), variables: Default::default(), limit }
}

async fn ask_within(subgraph: &Http, kind: OperationKind, within: Duration) -> Result<(), SubgraphError> {
    subgraph.execute(request(kind, within), &RequestContext::default()).await.map(drop)
}

async fn read(subgraph: &Http) -> Result<(), SubgraphError> {
    ask_within(subgraph, OperationKind::Query, PATIENCE).await
}

async fn write(subgraph: &Http) -> Result<(), SubgraphError> {
    ask_within(subgraph, OperationKind::Mutation, PATIENCE).await
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn with_one_of_two_processes_dead_nobody_notices() {
    let live = Process::start(Mood::Answers).await;
    let subgraph = subgraph(vec![nobody().await, live.address(false)]);
    for _ in 0..50 {
        read(&subgraph).await.unwrap();
        // Nothing was sent to the dead one, so a mutation may move on too.
        write(&subgraph).await.unwrap();
    }
    assert_eq!(live.asked(), 100);
    assert_eq!(subgraph.closed_for(), None);
}

#[tokio::test]
async fn a_process_that_drains_gets_nothing_new() {
    let (one, other) = (Process::start(Mood::Answers).await, Process::start(Mood::Answers).await);
    let subgraph = subgraph(vec![one.address(true), other.address(true)]);
    until("both are asked", async || {
        read(&subgraph).await.unwrap();
        one.asked() > 0 && other.asked() > 0
    })
    .await;
    one.ready.store(false, Ordering::SeqCst);
    until("it is noticed", async || {
        let before = one.asked();
        for _ in 0..10 {
            read(&subgraph).await.unwrap();
        }
        one.asked() == before
    })
    .await;
    let looked_at = one.looked_at.load(Ordering::SeqCst);
    until("it is looked at again", async || one.looked_at.load(Ordering::SeqCst) > looked_at + 1).await;
    let before = one.asked();
    for _ in 0..100 {
        write(&subgraph).await.unwrap();
    }
    assert_eq!(one.asked(), before);
    one.ready.store(true, Ordering::SeqCst);
    until("it is asked again", async || {
        read(&subgraph).await.unwrap();
        one.asked() > before
    })
    .await;
}

#[tokio::test]
async fn a_read_whose_line_breaks_is_sent_elsewhere_and_signed_anew() {
    let (broken, live) = (Process::start(Mood::HangsUp).await, Process::start(Mood::Answers).await);
    let subgraph = subgraph(vec![broken.address(false), live.address(false)]);
    until("the broken one was asked", async || {
        read(&subgraph).await.unwrap();
        broken.asked() > 0
    })
    .await;
    let mut signatures = HashSet::new();
    for process in [&broken, &live] {
        for headers in process.headers.lock().unwrap().iter() {
            assert!(signatures.insert(headers["signature"].clone()), "a signature was used twice");
        }
    }
}

#[tokio::test]
async fn a_mutation_that_may_have_been_heard_is_never_sent_twice() {
    for mood in [Mood::HangsUp, Mood::Overloaded, Mood::Late, Mood::Silent] {
        let (one, other) = (Process::start(mood).await, Process::start(mood).await);
        let subgraph = subgraph(vec![one.address(false), other.address(false)]);
        for sent in 1..=4 {
            let limit = Duration::from_millis(200);
            let written = ask_within(&subgraph, OperationKind::Mutation, limit).await;
            assert!(written.is_err());
            assert_eq!(one.asked() + other.asked(), sent, "{mood:?}");
        }
    }
}

#[tokio::test]
async fn retries_stay_within_their_budget() {
    let (one, other) = (Process::start(Mood::Busy).await, Process::start(Mood::Busy).await);
    let subgraph = subgraph(vec![one.address(false), other.address(false)]);
    let begun = Instant::now();
    for _ in 0..300 {
        let _ = read(&subgraph).await;
    }
    // Ten that were saved up, a tenth of all, one for each second.
    let most = 300 + 10 + 30 + begun.elapsed().as_secs() as usize + 1;
    let sent = one.asked() + other.asked();
    assert!((330..=most).contains(&sent), "{sent} sent");
}

#[tokio::test]
async fn what_fails_is_left_alone_at_once_and_found_again_by_a_trial() {
    let process = Process::start(Mood::Overloaded).await;
    for open_ms in [60_000, 20] {
        let subgraph = left_alone(vec![process.address(false)], open_ms);
        until("it is left alone", async || {
            let _ = read(&subgraph).await;
            subgraph.closed_for().is_some()
        })
        .await;
        if open_ms == 20 {
            process.is(Mood::Answers);
            until("it is found again", async || read(&subgraph).await.is_ok()).await;
            for _ in 0..20 {
                read(&subgraph).await.unwrap();
            }
            assert_eq!(subgraph.closed_for(), None);
        } else {
            let before = process.asked();
            for _ in 0..100 {
                read(&subgraph).await.unwrap_err();
            }
            assert_eq!(process.asked(), before);
        }
    }
}

#[tokio::test]
async fn a_dead_subgraph_is_known_at_once_and_a_new_process_at_its_address_soon() {
    let (first, life) = Process::start_at("127.0.0.1:0", Mood::Answers);
    let subgraph = subgraph(vec![first.address(true)]);
    read(&subgraph).await.unwrap();
    drop(life);
    until("it is known to be dead", async || {
        let _ = read(&subgraph).await;
        subgraph.closed_for().is_some()
    })
    .await;
    let begun = Instant::now();
    for _ in 0..100 {
        read(&subgraph).await.unwrap_err();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let address = first.url.strip_prefix("http://").unwrap();
    let (second, _life) = Process::start_at(address, Mood::Answers);
    until("it is found", async || read(&subgraph).await.is_ok()).await;
    assert!(second.asked() > 0);
}

#[tokio::test]
async fn a_read_that_waits_for_a_process_that_dies_is_sent_elsewhere() {
    let (silent, live) = (Process::start(Mood::Silent).await, Process::start(Mood::Answers).await);
    let (dying, life) = Process::start_at("127.0.0.1:0", Mood::Answers);
    // Where it says whether it is ready is a place of its own, which can be closed.
    let address = Address { ready: dying.address(true).ready, ..silent.address(false) };
    let subgraph = Arc::new(subgraph(vec![address, live.address(false)]));
    let reads: Vec<_> = (0..20)
        .map(|_| {
            let subgraph = Arc::clone(&subgraph);
            tokio::spawn(async move { read(&subgraph).await })
        })
        .collect();
    until("some wait", async || silent.asked() > 0).await;
    until("it was seen to be ready", async || dying.looked_at.load(Ordering::SeqCst) > 1).await;
    drop(life);
    for read in reads {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_time_that_is_left_is_told_and_kept() {
    let process = Process::start(Mood::Answers).await;
    let subgraph = subgraph(vec![process.address(false)]);
    ask_within(&subgraph, OperationKind::Query, Duration::from_millis(500)).await.unwrap();
    let told = process.headers.lock().unwrap()[0]["left-ms"].to_str().unwrap().parse::<u64>().unwrap();
    assert!((100..500).contains(&told), "{told}");
    process.is(Mood::Silent);
    let begun = Instant::now();
    let late = ask_within(&subgraph, OperationKind::Query, Duration::from_millis(100)).await;
    assert!(matches!(late, Err(SubgraphError::Timeout)), "{late:?}");
    assert!(begun.elapsed() < Duration::from_millis(100), "before the limit: {:?}", begun.elapsed());
    let before = process.asked();
    for within_ms in [0, 1, 3, 5, 7] {
        let within = Duration::from_millis(within_ms);
        let late = ask_within(&subgraph, OperationKind::Mutation, within).await;
        assert!(matches!(late, Err(SubgraphError::Timeout)));
    }
    // What is sent is heard before this is.
    process.is(Mood::Answers);
    read(&subgraph).await.unwrap();
    assert_eq!(process.asked(), before + 1, "nothing is sent when nobody would wait for it");
}

#[tokio::test]
async fn a_read_whose_time_is_over_is_not_sent_again() {
    let (one, other) = (Process::start(Mood::Late).await, Process::start(Mood::Late).await);
    let subgraph = subgraph(vec![one.address(false), other.address(false)]);
    for sent in 1..=4 {
        let late = read(&subgraph).await;
        assert!(matches!(late, Err(SubgraphError::Timeout)), "{late:?}");
        assert_eq!(one.asked() + other.asked(), sent);
    }
}

#[tokio::test]
async fn a_process_that_hangs_hides_nothing_of_the_others() {
    let (hangs, live) = (Process::start(Mood::Answers).await, Process::start(Mood::Answers).await);
    let nobody_answers = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ready = format!("http://{}/readyz", nobody_answers.local_addr().unwrap()).parse().ok();
    let _subgraph = subgraph(vec![Address { ready, ..hangs.address(false) }, live.address(true)]);
    // A look at the first takes two seconds, so that thirty would take a minute.
    until("the other is looked at", async || live.looked_at.load(Ordering::SeqCst) > 30).await;
}

#[tokio::test]
async fn a_forwarded_name_of_the_clients_program_stays_as_it_is() {
    let process = Process::start(Mood::Answers).await;
    for given in [None, Some("an app/1.0")] {
        let sign = move |_: &RequestContext, _: &[u8]| {
            given.map(|given| (USER_AGENT, HeaderValue::from_static(given))).into_iter().collect()
        };
        let addresses = vec![process.address(false)];
        let settings = HttpSettings::default();
        let subgraph = Http::new("numbers", connections(), addresses, Arc::new(sign), settings);
        read(&subgraph).await.unwrap();
        let headers = process.headers.lock().unwrap().pop().unwrap();
        match given {
            Some(given) => assert_eq!(headers[USER_AGENT], given),
            None => assert!(headers.contains_key(USER_AGENT)),
        }
    }
}
