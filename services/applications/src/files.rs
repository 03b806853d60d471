//! Where evidence files lie: a folder, or a bucket of an S3-compatible store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::OpenError;
use crate::config::{Bucket, Config};

/// Tries of one request that failed on the way.
const RETRIES_MAX: usize = 3;

/// Opens the place for files: the bucket that is configured, or the folder `evidence` under `data`.
pub fn open(config: &Config, data: &Path) -> Result<Arc<dyn ObjectStore>, OpenError> {
    match &config.evidence_bucket {
        Some(bucket) => Ok(Arc::new(self::bucket(bucket)?)),
        None => {
            let folder = data.join("evidence");
            std::fs::create_dir_all(&folder)?;
            Ok(Arc::new(LocalFileSystem::new_with_prefix(folder)?))
        }
    }
}

fn bucket(bucket: &Bucket) -> Result<object_store::aws::AmazonS3, object_store::Error> {
    let timeout = Duration::from_millis(bucket.request_timeout_ms);
    let retry =
        RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES_MAX, retry_timeout: timeout };
    AmazonS3Builder::new()
        .with_endpoint(bucket.endpoint.trim_end_matches('/'))
        .with_allow_http(bucket.endpoint.starts_with("http://"))
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_access_key_id(&bucket.access_key_id)
        .with_secret_access_key(bucket.secret_access_key.reveal())
        .with_retry(retry)
        .with_http_connector(Connector { timeout })
        .build()
}

/// Hands our own HTTP client to the store: the crate's would be a second version of the same library.
#[derive(Debug)]
struct Connector {
    timeout: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client(chassis::http_client(self.timeout))))
    }
}

#[derive(Debug)]
struct Client(reqwest::Client);

#[async_trait::async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let request = self.0.request(head.method, head.uri.to_string()).headers(head.headers);
        let answer = request.body(reqwest::Body::wrap(body)).send().await.map_err(failure)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        // Files have 20 MiB at most, and are read whole all the same.
        let mut whole = HttpResponse::new(HttpResponseBody::from(answer.bytes().await.map_err(failure)?));
        *whole.status_mut() = status;
        *whole.headers_mut() = headers;
        Ok(whole)
    }
}

fn failure(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_body() || error.is_decode() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Request
    };
    HttpError::new(kind, error.without_url())
}
