//! Values from and to the other two value types: serde_json's and the in-process resolvers'.

use super::{Key, Object, Value};

type ResolverValue = async_graphql::Value;

pub fn from_json(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(bool) => Value::Bool(bool),
        serde_json::Value::Number(number) => Value::Number(number),
        serde_json::Value::String(text) => Value::Text(text.into()),
        serde_json::Value::Array(items) => Value::list(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(members) => {
            let mut object = Object::with_capacity(members.len());
            for (key, value) in members {
                object.push(escaped(&key), from_json(value));
            }
            Value::object(object)
        }
    }
}

/// Takes a resolver's answer over without copying its text.
pub(crate) fn from_resolver(value: ResolverValue) -> Value {
    match value {
        ResolverValue::Null => Value::Null,
        ResolverValue::Boolean(bool) => Value::Bool(bool),
        ResolverValue::Number(number) => Value::Number(number),
        ResolverValue::String(text) => Value::Text(text.into()),
        ResolverValue::Enum(name) => Value::text(name.as_str()),
        ResolverValue::Binary(bytes) => Value::text(&String::from_utf8_lossy(&bytes)),
        ResolverValue::List(items) => Value::list(items.into_iter().map(from_resolver).collect()),
        ResolverValue::Object(members) => {
            let mut object = Object::with_capacity(members.len());
            for (key, value) in members {
                object.push(escaped(&key), from_resolver(value));
            }
            Value::object(object)
        }
    }
}

pub(crate) fn to_resolver(value: &Value) -> ResolverValue {
    match value {
        Value::Null => ResolverValue::Null,
        Value::Bool(bool) => ResolverValue::Boolean(*bool),
        Value::Number(number) => ResolverValue::Number(number.clone()),
        Value::Text(text) => ResolverValue::String(text.to_string()),
        Value::Raw(span) => match value.as_plain_str() {
            Some(text) => ResolverValue::String(text.to_owned()),
            None => serde_json::from_str(span.as_str()).unwrap_or_default(),
        },
        Value::List(items) => ResolverValue::List(items.iter().map(to_resolver).collect()),
        Value::Object(object) => ResolverValue::Object(
            object.iter().map(|(key, value)| (resolver_name(key), to_resolver(value))).collect(),
        ),
    }
}

fn resolver_name(key: &Key) -> async_graphql::Name {
    match key.as_str() {
        name if name.contains('\\') => {
            let quoted = format!("\"{name}\"");
            async_graphql::Name::new(serde_json::from_str::<String>(&quoted).unwrap_or(quoted))
        }
        name => async_graphql::Name::new(name),
    }
}

/// Custom scalars may use any text as a name; fields never need escapes.
fn escaped(name: &str) -> Key {
    if name.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        return Key::from(name);
    }
    let mut quoted = Vec::with_capacity(name.len() + 2);
    super::write_text(&mut quoted, name);
    Key::from(String::from_utf8_lossy(&quoted[1..quoted.len() - 1]).as_ref())
}
