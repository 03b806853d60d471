//! The reader and the writer agree with serde_json on every text.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const DEPTH_MAX: usize = 32;

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Into::into),
        ".*".prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::Array),
            prop::collection::vec((".{0,6}", inner), 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn read(text: &[u8]) -> Result<Value, ReadError> {
    read_json(Bytes::copy_from_slice(text), DEPTH_MAX)
}

fn back(value: &Value) -> serde_json::Value {
    serde_json::from_slice(&to_json_bytes(value)).unwrap()
}

proptest! {
    #[test]
    fn what_is_read_is_written_unchanged(json in any_json()) {
        let text = serde_json::to_vec_pretty(&json).unwrap();
        // serde_json's own reading is the reference: floats may lose a bit in its fast parser.
        let expected: serde_json::Value = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(back(&read(&text).unwrap()), expected);
    }

    #[test]
    fn values_made_here_are_written_as_serde_json_would(json in any_json()) {
        let text = serde_json::to_vec(&json).unwrap();
        prop_assert_eq!(&to_json_bytes(&from_json(json))[..], &text[..]);
    }

    #[test]
    fn a_resolver_gets_and_gives_the_same_value(json in any_json()) {
        let value = from_json(json.clone());
        prop_assert_eq!(back(&from_resolver(to_resolver(&value))), back(&value));
    }

    #[test]
    fn any_bytes_are_judged_as_serde_json_judges_them(text in "[\\[\\]{}:,\"\\\\eEu0-9.a-f truefalsn-]{0,24}") {
        let ours = read(text.as_bytes());
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        prop_assert!(ours.is_ok() == theirs.is_ok(), "{:?} {:?}", ours, theirs);
    }
}

/// Objects whose members are of a few names, in any order, some twice and some under an escape.
fn alike_items() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "id",
        "name",
        r"i\u0064",
        r#"a\"b"#,
        "a_name_too_long_to_be_kept_by_itself",
    ]);
    let value = prop::sample::select(vec!["1", r#""x""#, r#"{"id":2}"#, r#"[{"id":1},{"name":2}]"#, "null"]);
    let member = (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let item = prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")));
    prop::collection::vec(item, 0..6).prop_map(|items| format!("[{}]", items.join(",")))
}

proptest! {
    #[test]
    fn an_item_is_read_the_same_whatever_stood_before_it(text in alike_items()) {
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(back(&read(text.as_bytes()).unwrap()), expected);
    }
}

#[test]
fn a_name_is_found_wherever_it_stands() {
    let sought = Sought::from("id");
    for (text, position) in
        [(r#"{"id":1}"#, Some(0)), (r#"{"a":1,"id":2}"#, Some(1)), ("{}", None), (r#"{"id":3}"#, Some(0))]
    {
        let value = read(text.as_bytes()).unwrap();
        assert_eq!(sought.position(value.as_object().unwrap()), position, "{text}");
    }
}

#[test]
fn a_member_stays_small() {
    assert_eq!(std::mem::size_of::<(Key, Value)>(), 48);
}

#[test]
fn nesting_beyond_the_limit_is_refused() {
    assert!(read("[".repeat(DEPTH_MAX).as_bytes()).unwrap_err().reason.contains("end"));
    let deep = "[".repeat(100_000);
    assert_eq!(read(deep.as_bytes()).unwrap_err().reason, "nested too deeply");
}

#[test]
fn more_values_than_anyone_reads_are_refused() {
    let text = format!("[{}0]", "{},".repeat(2_000_000));
    assert_eq!(read(text.as_bytes()).unwrap_err().reason, "too many values");
    let few = format!("[{}0]", "{},".repeat(1_000_000));
    assert_eq!(read(few.as_bytes()).unwrap().as_list().map(<[Value]>::len), Some(1_000_001));
}

#[test]
fn an_escaped_name_is_found_by_its_plain_form() {
    let value = read(br#"{"\u0069d": 1}"#).unwrap();
    assert!(value.as_object().unwrap().get("id").is_some());
}

#[test]
fn merging_keeps_what_stands_when_the_other_is_null() {
    let mut mine = read(br#"{"a": {"x": 1}, "l": [{"p": 1}, null]}"#).unwrap();
    mine.merge(&read(br#"{"a": null, "b": 2, "l": [{"q": 2}, {"q": 3}]}"#).unwrap());
    assert_eq!(back(&mine), serde_json::json!({"a": {"x": 1}, "l": [{"p": 1, "q": 2}, {"q": 3}], "b": 2}));
}

#[test]
fn a_huge_object_merges_as_a_small_one_does() {
    let object = |from: usize, to: usize| {
        let member = |n: usize| format!("\"m{n}\":{{\"v{from}\":{n}}}");
        read(format!("{{{}}}", (from..to).map(member).collect::<Vec<_>>().join(",")).as_bytes()).unwrap()
    };
    let mut merged = object(0, 700);
    merged.merge(&object(400, 1_000));
    assert_eq!(merged.as_object().unwrap().len(), 1_000);
    let json = back(&merged);
    assert_eq!(json["m399"], serde_json::json!({"v0": 399}));
    assert_eq!(json["m400"], serde_json::json!({"v0": 400, "v400": 400}));
    assert_eq!(json["m999"], serde_json::json!({"v400": 999}));
}
