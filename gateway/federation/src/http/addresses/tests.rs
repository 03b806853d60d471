//! Which address is asked next.

use super::*;

fn places(count: u16) -> Places {
    let address = |port| Address { url: format!("http://127.0.0.1:{port}/").parse().unwrap(), ready: None };
    Places::new("reviews", (1..=count).map(address).collect(), Duration::from_millis(500))
}

fn number(places: &Places, tried: Tried) -> Option<usize> {
    places.choose(tried, Instant::now()).map(|pass| pass.number)
}

#[test]
fn every_ready_address_has_its_share() {
    let places = places(3);
    let mut asked = [0; 3];
    for _ in 0..3_000 {
        asked[number(&places, Tried::default()).unwrap()] += 1;
    }
    assert!(asked.iter().all(|count| *count > 700), "{asked:?}");
}

#[test]
fn one_that_is_busy_is_spared() {
    let places = places(2);
    let busy: Vec<_> = (0..10).map(|_| places.places[0].enter(0, Instant::now()).unwrap()).collect();
    let idle = (0..1_000).filter(|_| number(&places, Tried::default()) == Some(1)).count();
    assert!(idle > 650, "{idle}");
    drop(busy);
    assert_eq!(places.places[0].on_their_way.load(Ordering::Relaxed), 0);
}

#[test]
fn one_that_drains_gets_nothing_while_another_is_ready() {
    let places = places(2);
    places.places[0].see(Seen::NotReady);
    assert!((0..100).all(|_| number(&places, Tried::default()) == Some(1)));
    places.places[1].see(Seen::Silent);
    assert_eq!(number(&places, Tried::default()), Some(0), "better than nobody");
    places.places[0].see(Seen::Silent);
    assert_eq!(number(&places, Tried::default()), None);
    assert_eq!(places.closed_for(Instant::now()), Some(SILENT_RETRY_AFTER));
}

#[test]
fn one_that_answers_is_not_silent() {
    let places = places(1);
    let (late, broken) =
        (places.places[0].enter(0, Instant::now()), places.places[0].enter(0, Instant::now()));
    places.places[0].see(Seen::Silent);
    broken.unwrap().tell(Some(&Failure::Broken(String::new())), Duration::ZERO);
    assert_eq!(number(&places, Tried::default()), None);
    late.unwrap().tell(None, Duration::ZERO);
    assert_eq!(number(&places, Tried::default()), Some(0));
}

#[test]
fn the_name_of_an_address_has_no_password() {
    let url = "https://pratu:secret@10.0.0.7:4000/graphql".parse().unwrap();
    let places = Places::new("reviews", vec![Address { url, ready: None }], Duration::ZERO);
    assert_eq!(places.places[0].name(), "10.0.0.7:4000");
}

#[test]
fn one_that_was_tried_is_not_tried_again() {
    let places = places(2);
    let mut tried = Tried::default();
    let first = places.choose(tried, Instant::now()).unwrap();
    tried.add(&first);
    assert_eq!(number(&places, tried), Some(1 - first.number));
    tried.add(&places.choose(tried, Instant::now()).unwrap());
    assert_eq!(number(&places, tried), None);
}

#[test]
fn a_trial_whose_client_leaves_does_not_keep_others_from_trying() {
    let places = places(1);
    let refused = Failure::Refused(String::new());
    places.choose(Tried::default(), Instant::now()).unwrap().tell(Some(&refused), Duration::ZERO);
    assert_eq!(number(&places, Tried::default()), None);
    let later = Instant::now() + Duration::from_secs(1);
    let trial = places.choose(Tried::default(), later).unwrap();
    assert!(places.choose(Tried::default(), later).is_none());
    drop(trial);
    assert!(places.choose(Tried::default(), later).is_some());
}

#[test]
fn a_refusal_at_a_name_says_nothing_yet_of_who_else_is_behind_it() {
    let new = |url: &str| {
        let address = Address { url: url.parse().unwrap(), ready: None };
        Places::new("reviews", vec![address], Duration::from_millis(500))
    };
    let refused = Failure::Refused(String::new());
    let now = Instant::now();
    for (url, failures_to_close) in [
        ("http://reviews:4000/", 5),
        ("http://localhost/", 5),
        ("http://10.0.0.7:4000/", 1),
        ("http://[::1]:4000/", 1),
    ] {
        let places = new(url);
        for _ in 0..failures_to_close {
            let pass = places.choose(Tried::default(), now).unwrap();
            let mut tried = Tried::default();
            tried.add(&pass);
            assert!(places.choose(tried, now).is_none());
            assert_eq!(places.choose(places.but_names(tried), now).is_some(), failures_to_close > 1, "{url}");
            pass.tell(Some(&refused), Duration::ZERO);
        }
        assert!(places.choose(Tried::default(), now).is_none(), "{url}");
    }
}
