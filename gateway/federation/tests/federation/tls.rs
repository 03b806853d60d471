//! Subgraphs over TLS: one that cannot show whose it is hears nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use federation::{
    Address, Http, HttpSettings, OperationKind, RequestContext, Subgraph, SubgraphOperation, SubgraphRequest,
};
use http::HeaderMap;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::world::connections;

/// For `localhost`, signed by nobody but itself; its key opens nothing anywhere.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUEU2RcNM2kB1F1DNRDPtYzj1RBzUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA4MTc1OVoYDzIxMjYxMDI5
MDgxNzU5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARKfQlo9HsMUv+3T+nyOhQxxannkfvBFsGXLvRkEZsCQBsWM1Tnq63o
GnepOCMmsowEZGQ+gdzwyMfXu4HxTLivo2kwZzAdBgNVHQ4EFgQUH7f7mjed9Fwn
vG3Hpnfg19yKBjEwHwYDVR0jBBgwFoAUH7f7mjed9FwnvG3Hpnfg19yKBjEwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
RwAwRAIgdxedTRvPbSm0y/s4PKsNVhGai1WniJ8jmIUrM/mZl5QCIEQksRGXdhlp
Ppr4edFcYnz0ZlGcjErQBwHZaovCCetC
-----END CERTIFICATE-----";
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPXb8lCAAFuo8cWpl
R9wPF8qBkZ5KidXUp43FBUEoJTOhRANCAARKfQlo9HsMUv+3T+nyOhQxxannkfvB
FsGXLvRkEZsCQBsWM1Tnq63oGnepOCMmsowEZGQ+gdzwyMfXu4HxTLiv
-----END PRIVATE KEY-----";

#[tokio::test]
async fn a_subgraph_whose_certificate_nobody_vouches_for_hears_nothing() {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate], key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (called, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (called.clone(), heard.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.0.fetch_add(1, Ordering::SeqCst);
            if let Ok(mut stream) = acceptor.accept(stream).await
                && stream.read_u8().await.is_ok()
            {
                counted.1.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let url = format!("https://localhost:{port}/").parse().unwrap();
    let sign = Arc::new(|_: &RequestContext, _: &[u8]| HeaderMap::new());
    let addresses = vec![Address { url, ready: None }];
    let subgraph = Http::new("numbers", connections(), addresses, sign, HttpSettings::default());
    for kind in [OperationKind::Query, OperationKind::Mutation] {
        let operation = SubgraphOperation { text: "{ a }".to_owned(), hash: 1, kind, variables: Vec::new() };
        let limit = Instant::now() + Duration::from_secs(10);
        let request =
            SubgraphRequest { operation: Arc::new(operation), variables: Default::default(), limit };
        let refused = subgraph.execute(request, &RequestContext::default()).await.unwrap_err();
        assert!(refused.to_string().contains("invalid peer certificate"), "{refused}");
    }
    assert!(called.load(Ordering::SeqCst) > 0);
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}
