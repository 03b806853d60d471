//! A place is named by its line, and seen only in a drill.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use failpoint::{Drill, Point};

#[test]
fn a_journal_names_each_place_by_kind_and_line_as_often_as_it_is_reached() {
    failpoint::reach(Point::BeforeCommit);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("journal");
    let journal = Some(std::fs::File::create(&file).unwrap());
    failpoint::arm(Drill { kill: Some(("elsewhere".to_owned(), 1)), journal });
    for _ in 0..2 {
        failpoint::reach(Point::AfterCommit);
    }
    failpoint::arm(Drill::default());
    failpoint::reach(Point::AfterWrite);
    let lines = std::fs::read_to_string(&file).unwrap();
    let expected = format!("AfterCommit {}:{}\n", file!(), line!() - 5);
    assert_eq!(lines, expected.repeat(2));
}
