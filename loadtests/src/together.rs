//! Our engine with the shop's subgraphs in the same process, behind a plain axum handler.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::post;
use federation::{Engine, Grants, RequestContext, Settings};
use tokio::net::TcpListener;

use crate::shop;

/// Serves the shop's supergraph at `/graphql`.
pub async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    let engine = Arc::new(Engine::new(&shop::supergraph(""), shop::in_process(), Settings::default())?);
    let answer = move |body: bytes::Bytes| {
        let engine = engine.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], execute(&engine, &body).await) }
    };
    Ok(axum::serve(listener, Router::new().route("/graphql", post(answer))).await?)
}

async fn execute(engine: &Arc<Engine>, body: &[u8]) -> Vec<u8> {
    #[derive(serde::Deserialize)]
    struct Asked {
        query: String,
    }
    let refused =
        |what: String| serde_json::json!({ "errors": [{ "message": what }] }).to_string().into_bytes();
    let asked: Asked = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => return refused(error.to_string()),
    };
    let Ok(document) = engine.document(&asked.query) else { return refused("no such document".to_owned()) };
    match engine.prepare(&document, None, Default::default(), &Grants::default()) {
        Ok(prepared) => engine.execute(&prepared, &RequestContext::default()).await.to_json_bytes().into(),
        Err(_) => refused("no plan".to_owned()),
    }
}
