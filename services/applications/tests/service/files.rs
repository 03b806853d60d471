//! Evidence over HTTP: what is taken, by whom it is read, and how it lies on the disk.

use auth::Principal;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value as Json, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::world::{World, worlds};

pub const PDF: &[u8] = b"%PDF-1.7\nmap of the secret shop\n%%EOF\n";

const ZIP_END: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

pub async fn send(world: &World, upload: &Json, content: &[u8]) -> StatusCode {
    let path = upload["url"].as_str().unwrap().strip_prefix("http://localhost:4000").unwrap();
    let request = Request::put(path).body(Body::from(content.to_vec())).unwrap();
    world.service.routes().oneshot(request).await.unwrap().status()
}

async fn get(world: &World, principal: &Principal, id: &Json) -> Response<Body> {
    let path = format!("/evidence/{}", id.as_str().unwrap());
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(principal.clone());
    world.service.routes().oneshot(request).await.unwrap()
}

pub async fn announce(world: &World, draft: &Json, key: &str, change: Json) -> Json {
    let mut input = json!({
        "idempotencyKey": key,
        "applicationId": draft["id"],
        "evidenceCode": "map",
        "fileName": "แผนที่ร้าน.pdf",
        "mediaType": "application/pdf",
        "sizeBytes": PDF.len(),
    });
    input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    world.change(&world.citizen, "startEvidenceUpload", input).await
}

/// Announces a map and sends it.
pub async fn attach(world: &World, application: &Json) {
    let key = format!("attach-{}", rand::random::<u64>());
    let upload = announce(world, application, &key, json!({})).await["upload"].clone();
    assert_eq!(send(world, &upload, PDF).await, StatusCode::CREATED);
}

#[tokio::test]
async fn a_file_is_kept_sealed_and_read_by_the_applicant_and_that_agency_alone() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let started = announce(&world, &draft, "k", json!({})).await;
        let upload = &started["upload"];
        assert_eq!(upload["evidence"]["status"], "AWAITING_UPLOAD", "{started}");
        assert_eq!(send(&world, upload, PDF).await, StatusCode::CREATED);
        assert_eq!(send(&world, upload, PDF).await, StatusCode::GONE, "once");
        let again = announce(&world, &draft, "k", json!({})).await["upload"].clone();
        assert_eq!((&again["url"], &again["evidence"]["status"]), (&json!(null), &json!("STORED")));

        let seen = world.see(&world.citizen, &draft).await;
        let evidence = &seen["evidence"][0];
        assert_eq!(evidence["fileName"], "แผนที่ร้าน.pdf");
        assert_eq!(
            get(&world, &world.officer, &evidence["id"]).await.status(),
            StatusCode::NOT_FOUND,
            "a draft"
        );
        world.submit(&draft, "s").await;
        for reader in [&world.citizen, &world.officer] {
            let response = get(&world, reader, &evidence["id"]).await;
            assert_eq!(response.status(), StatusCode::OK);
            let disposition = response.headers()["content-disposition"].to_str().unwrap();
            assert!(disposition.starts_with("attachment; filename*=UTF-8''%E0%B9%81"), "{disposition}");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            let content = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            assert_eq!(&content[..], PDF);
        }
        let elsewhere = testkit::officer(crate::world::id(10), "LAO-1202", world.clock.now());
        for (reader, status) in [
            (&world.stranger, StatusCode::NOT_FOUND),
            (&elsewhere, StatusCode::NOT_FOUND),
            (&Principal::Nobody, StatusCode::UNAUTHORIZED),
        ] {
            assert_eq!(get(&world, reader, &evidence["id"]).await.status(), status);
        }
        let folder = world.folder().join("evidence");
        for file in walk(&folder) {
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"secret"), "{}", file.display());
        }
    }
}

#[tokio::test]
async fn a_file_is_what_it_says_or_is_not_taken() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        for (key, content) in [
            b"MZ not a pdf".to_vec(),
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR a png, announced as pdf".to_vec(),
            [PDF, b"<script>alert(1)</script>"].concat(),
            [PDF, ZIP_END].concat(),
        ]
        .iter()
        .enumerate()
        {
            let size = json!({ "sizeBytes": content.len() });
            let upload = announce(&world, &draft, &format!("kind-{key}"), size).await["upload"].clone();
            assert_eq!(send(&world, &upload, content).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let upload = announce(&world, &draft, "k", json!({})).await["upload"].clone();
        for (content, status) in [
            (Vec::new(), StatusCode::BAD_REQUEST),
            (PDF[..PDF.len() - 1].to_vec(), StatusCode::BAD_REQUEST),
            (vec![b'x'; 2_001], StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            assert_eq!(send(&world, &upload, &content).await, status);
        }
        assert_eq!(send(&world, &upload, PDF).await, StatusCode::CREATED, "a failed try does not use it up");
        for (change, pointer) in [
            (json!({ "evidenceCode": "selfie" }), "/evidenceCode"),
            (json!({ "evidenceCode": "id-card" }), "/evidenceCode"),
            (json!({ "mediaType": "image/jpeg" }), "/mediaType"),
            (json!({ "mediaType": "text/html" }), "/mediaType"),
            (json!({ "sizeBytes": 2_001 }), "/sizeBytes"),
            (json!({ "sizeBytes": -1 }), "/sizeBytes"),
            (json!({ "fileName": "../" }), "/fileName"),
        ] {
            let refused = announce(&world, &draft, "other", change).await;
            assert_eq!(refused["fields"][0]["pointer"], pointer, "{refused}");
        }
    }
}

#[tokio::test]
async fn an_address_is_good_for_ten_minutes_and_given_anew_for_the_same_evidence() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let first = announce(&world, &draft, "k", json!({})).await["upload"].clone();
        world.clock.advance(chrono::Duration::minutes(11));
        assert_eq!(send(&world, &first, PDF).await, StatusCode::GONE);
        let again = announce(&world, &draft, "k", json!({})).await["upload"].clone();
        assert_eq!(again["evidence"]["id"], first["evidence"]["id"]);
        assert_eq!(send(&world, &first, PDF).await, StatusCode::NOT_FOUND, "the old address is forgotten");
        world.submit(&draft, "s").await;
        assert_eq!(send(&world, &again, PDF).await, StatusCode::GONE, "submitted meanwhile");
        let late = announce(&world, &draft, "late", json!({})).await;
        assert_eq!(late["__typename"], "StateProblem");
    }
}

#[tokio::test]
async fn a_newer_file_takes_the_place_of_the_older() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        for key in ["one", "two"] {
            let upload = announce(&world, &draft, key, json!({ "fileName": format!("{key}.pdf") })).await;
            assert_eq!(send(&world, &upload["upload"], PDF).await, StatusCode::CREATED);
        }
        let seen = world.see(&world.citizen, &draft).await;
        assert_eq!(seen["evidence"].as_array().unwrap().len(), 1);
        assert_eq!(seen["evidence"][0]["fileName"], "two.pdf");
    }
}

#[tokio::test]
async fn who_has_asked_for_all_addresses_there_are_can_still_send_what_the_agency_asks_for() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        for number in 0..100 {
            let started = announce(&world, &draft, &format!("{number}"), json!({})).await;
            assert_eq!(started["__typename"], "EvidenceUploadStarted", "{started}");
        }
        let refused = announce(&world, &draft, "one-more", json!({})).await;
        assert_eq!(refused["fields"][0]["pointer"], "/evidenceCode", "{refused}");
        world.submit(&draft, "s").await;
        world.officer_does("takeApplication", &draft, json!({})).await;
        let ask = json!({ "items": [{ "evidenceCode": "map" }] });
        let returned = world.officer_does("requestMoreDocuments", &draft, ask).await["application"].clone();
        attach(&world, &returned).await;
        assert_eq!(world.submit(&returned, "again").await["application"]["status"], "UNDER_REVIEW");
    }
}

#[tokio::test]
async fn an_unknown_address_takes_nothing() {
    for world in worlds().await {
        for ticket in ["x", &"y".repeat(43), &"z".repeat(5_000)] {
            let upload = json!({ "url": format!("http://localhost:4000/uploads/{ticket}") });
            assert_eq!(send(&world, &upload, PDF).await, StatusCode::NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn what_a_draft_no_longer_needs_is_swept_from_the_store() {
    for world in worlds().await {
        let folder = world.folder().join("evidence");
        let draft = world.complete_draft(5).await;
        attach(&world, &draft).await;
        let first = walk(&folder);
        attach(&world, &draft).await;
        assert_eq!(walk(&folder).len(), 2, "the older is there until it is swept");
        world.tick().await;
        let kept = walk(&folder);
        assert_eq!(kept.len(), 1);
        assert_ne!(kept, first, "the newer one stays");

        let submitted = world.complete_draft(5).await;
        attach(&world, &submitted).await;
        world.submit(&submitted, "s").await;
        let input = json!({ "idempotencyKey": "w", "applicationId": draft["id"] });
        world.change(&world.citizen, "withdrawApplication", input).await;
        world.clock.advance(chrono::Duration::hours(2));
        world.tick().await;
        let left = walk(&folder);
        assert_eq!(left.len(), 1, "the file of the withdrawn draft is gone, the submitted one's is not");
        assert!(!kept.contains(&left[0]));
        let seen = world.see(&world.citizen, &draft).await;
        assert_eq!((&seen["evidence"], &seen["answers"]), (&json!([]), &json!({})), "nothing typed is kept");
        let seen = world.see(&world.citizen, &submitted).await;
        assert_eq!(get(&world, &world.officer, &seen["evidence"][0]["id"]).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn an_upload_that_was_never_attached_is_swept_and_comes_back_to_nobody() {
    for world in worlds().await {
        let draft = world.complete_draft(5).await;
        let upload = announce(&world, &draft, "k", json!({})).await["upload"].clone();
        // A process that died between writing the object and its commit left this.
        let evidence = Uuid::parse_str(upload["evidence"]["id"].as_str().unwrap().trim_start_matches("evi_"));
        let path = "00000000-0000-0000-0000-000000000000/half";
        let sql = "insert into written_object (path, evidence_id, written_at) values ($1, $2, $3)";
        let row = database::args![path, evidence.unwrap(), world.clock.now()];
        world.service.database().execute(sql, row).await.unwrap();
        let file = world.folder().join("evidence").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, b"half a file").unwrap();
        for _ in 0..2 {
            world.hear("applications.sweep_object", json!({ "path": path })).await;
            assert!(!file.exists());
        }
        let rows =
            world.service.database().rows("select path from written_object", Vec::new()).await.unwrap();
        assert!(rows.is_empty());
        // What is attached is nobody's to sweep.
        assert_eq!(send(&world, &upload, PDF).await, StatusCode::CREATED);
        let kept = walk(&world.folder().join("evidence"));
        world.clock.advance(chrono::Duration::hours(2));
        world.tick().await;
        assert_eq!(walk(&world.folder().join("evidence")), kept);
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}
