//! How a public answer is sent: in which encoding, for how long others may keep it, or that nothing changed.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::super::classify::{Form, Wish};
use super::Public;

/// What a client said of the answer it wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub form: Form,
    gzip: bool,
    /// For GET alone: the answer to a POST is no representation of its address, which others could keep.
    if_none_match: Option<HeaderValue>,
    get: bool,
}

impl Wanted {
    pub fn of(wish: &Wish, request: &Request) -> Self {
        let headers = request.headers();
        let get = request.method() == Method::GET;
        let if_none_match = headers.get(header::IF_NONE_MATCH).filter(|_| get).cloned();
        Self { form: wish.form, gzip: takes_gzip(headers), if_none_match, get }
    }
}

impl Public {
    /// The answer, without what every response has.
    pub fn response(self, media_type: &'static str) -> Response<Body> {
        let Self { found, policy, open, wanted, stale_while_revalidate_s } = self;
        let answer = found.value;
        let shown = open && policy.is_kept();
        let tag = answer.entity_tag.filter(|_| shown && wanted.get);
        let unchanged = match (&tag, &wanted.if_none_match) {
            (Some(tag), Some(known)) => names(known, tag),
            _ => false,
        };
        let (body, encoding) = match answer.gzip {
            _ if unchanged => (Body::empty(), None),
            Some(gzip) if wanted.gzip => (Body::from(gzip), Some("gzip")),
            _ => (Body::from(answer.plain), None),
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        if shown {
            headers.insert(header::AGE, HeaderValue::from(found.age.as_secs()));
            headers.insert(header::CACHE_CONTROL, public_for(policy.max_age_s, stale_while_revalidate_s));
        }
        if let Some(tag) = tag {
            headers.insert(header::ETAG, tag);
        }
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        response
    }
}

fn public_for(max_age_s: u32, stale_while_revalidate_s: u64) -> HeaderValue {
    let text = format!("public, max-age={max_age_s}, stale-while-revalidate={stale_while_revalidate_s}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("no-store"))
}

/// Whether `If-None-Match` names this entity tag (RFC 9110, 13.1.2: compared weakly).
fn names(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    known.trim() == "*" || known.split(',').any(|one| strong(one) == strong(tag))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut named = None;
    for coding in values.flat_map(|value| value.split(',')) {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return !refused,
            "*" => named = Some(!refused),
            _ => {}
        }
    }
    named.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepted, taken) in [
            ("gzip, br", true),
            ("br", false),
            ("GZIP;q=0.5", true),
            ("gzip;q=0, *", false),
            ("*", true),
            ("", false),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            assert_eq!(takes_gzip(&headers), taken, "{accepted}");
        }
    }

    #[test]
    fn a_known_entity_tag_is_recognized_among_others() {
        let tag = HeaderValue::from_static("W/\"abc\"");
        for (known, named) in
            [("W/\"abc\"", true), ("\"x\", \"abc\"", true), ("*", true), ("\"x\"", false), ("abc", false)]
        {
            assert_eq!(names(&HeaderValue::from_static(known), &tag), named, "{known}");
        }
    }
}
