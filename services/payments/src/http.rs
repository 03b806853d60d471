//! Where providers say that money came. A stranger learns nothing here.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use failpoint::Point;

use crate::Service;
use crate::provider::NotificationError;

/// A notification is a few hundred bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// `POST /callbacks/payments/{provider}`.
pub fn routes(service: Service) -> Router {
    Router::new()
        .route("/callbacks/payments/{provider}", post(notification))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(service)
}

async fn notification(
    State(service): State<Service>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(provider) = service.providers.with_code(&provider) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let evidence = match provider.parse_notification(&headers, &body, service.clock.now()) {
        Ok(evidence) => evidence,
        Err(error) => {
            tracing::warn!(provider = provider.code(), %error, "notification refused");
            return match error {
                NotificationError::Malformed => StatusCode::BAD_REQUEST,
                NotificationError::BadSignature => StatusCode::UNAUTHORIZED,
            }
            .into_response();
        }
    };
    failpoint::reach(Point::BeforeNotification);
    let taken = service.take_notification(provider.code(), &evidence).await;
    failpoint::reach(Point::BeforeAcknowledging);
    match taken {
        // The same answer whether we know the payment or not.
        Ok(()) => {
            let confirmation = service.clock.uuid().simple().to_string();
            Json(provider.acknowledgement(&evidence, &confirmation)).into_response()
        }
        Err(error) => {
            tracing::error!(provider = provider.code(), %error, "notification not recorded");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
