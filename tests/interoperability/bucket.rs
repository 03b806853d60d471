//! Evidence in a bucket of an S3-compatible store that other people wrote: s3rver, with signatures
//! checked by aws4.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use applications::Bucket;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::{NO_NODE, folder, installed};
use crate::filing::{MAP, attach_map, key, offering, parties, start, submitted_food_premises};
use crate::installation::{Installation, eventually};
use crate::person::Person;

const KEY: &str = "sample-key-id";
const SECRET: &str = "sample-secret";

/// A store with one bucket, as long as it is held.
struct Store {
    process: Child,
    endpoint: String,
    objects: TempDir,
}

impl Store {
    async fn start() -> Self {
        installed().await;
        let objects = TempDir::new().expect("a temporary folder can be made");
        let mut node = Command::new("node");
        node.arg("bucket.mjs").current_dir(folder()).kill_on_drop(true);
        node.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = node.spawn().unwrap_or_else(|error| panic!("node {NO_NODE}: {error}"));
        let asked = json!({
            "directory": objects.path(), "bucket": "evidence", "region": "ap-southeast-1",
            "accessKeyId": KEY, "secretAccessKey": SECRET,
        });
        let input = process.stdin.as_mut().expect("it was asked for");
        input.write_all(format!("{asked}\n").as_bytes()).await.expect("it listens");
        let mut lines = BufReader::new(process.stdout.take().expect("it was asked for")).lines();
        let said = lines.next_line().await.expect("it says its port").expect("before it ends");
        let said: Value = serde_json::from_str(&said).expect("as JSON");
        Self { process, endpoint: format!("http://127.0.0.1:{}", said["port"]), objects }
    }

    fn bucket(&self, secret: &str) -> Bucket {
        Bucket {
            endpoint: self.endpoint.clone(),
            name: "evidence".into(),
            region: "ap-southeast-1".into(),
            access_key_id: KEY.into(),
            secret_access_key: secret.into(),
            request_timeout_ms: 5_000,
        }
    }

    /// The objects as s3rver keeps them on disk, without its notes about them.
    fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(self.objects.path(), &mut found);
        found.retain(|path| path.to_string_lossy().ends_with("_object"));
        found
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

async fn upload_address(person: &Person<'_>, application: &Value) -> String {
    let input = json!({
        "idempotencyKey": key(), "applicationId": application, "evidenceCode": "map",
        "fileName": "map.png", "mediaType": "image/png", "sizeBytes": MAP.len(),
    });
    let started = person.ask("StartEvidenceUpload", json!({"input": input})).await;
    started["startEvidenceUpload"]["upload"]["url"].as_str().expect("an address").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_lies_sealed_in_a_bucket_and_is_swept_from_it() {
    let (mut place, store) = tokio::join!(Installation::start(), Store::start());
    place.restart_with(|config| config.applications.evidence_bucket = Some(store.bucket(SECRET))).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let detail = somchai.ask("ApplicationDetail", json!({"id": application})).await;
    let address = detail["application"]["evidence"][0]["url"].as_str().unwrap().to_owned();
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    for reader in [&somchai, &officer] {
        assert_eq!(reader.get(&address).await.bytes().await.unwrap(), MAP);
    }
    let malee = Person::citizen(&place, "malee", "thaid").await;
    assert_eq!(malee.get(&address).await.status(), 404);

    let objects = store.objects();
    assert_eq!(objects.len(), 1, "{objects:?}");
    let sealed = std::fs::read(&objects[0]).unwrap();
    assert!(sealed.len() > MAP.len() && !sealed.windows(4).any(|window| window == b"IHDR"));
    let mut beside = Vec::new();
    walk(&place.data().join("evidence"), &mut beside); // of its first start, before there was a bucket
    assert!(beside.is_empty(), "nothing is kept beside the bucket: {beside:?}");

    // A newer file of a draft, and a draft withdrawn: what they leave is deleted.
    let draft = start(&somchai, &offering(&place, "LAO-01", "1201").await, &me).await;
    attach_map(&somchai, &draft["id"]).await;
    attach_map(&somchai, &draft["id"]).await;
    somchai
        .ask("WithdrawApplication", json!({"input": {"idempotencyKey": key(), "applicationId": draft["id"]}}))
        .await;
    eventually("the draft's objects to go", || async { (store.objects() == objects).then_some(()) }).await;
    assert_eq!(somchai.get(&address).await.bytes().await.unwrap(), MAP);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_or_is_gone_costs_no_ticket_and_no_file() {
    let (mut place, mut store) = tokio::join!(Installation::start(), Store::start());
    place.restart_with(|config| config.applications.evidence_bucket = Some(store.bucket("wrong"))).await;
    let (draft, address) = {
        let somchai = Person::citizen(&place, "somchai", "thaid").await;
        let me = parties(&somchai).await.remove(0);
        let draft = start(&somchai, &offering(&place, "LAO-01", "1201").await, &me).await;
        let address = upload_address(&somchai, &draft["id"]).await;
        let refused = somchai.upload(&address, "image/png", MAP.to_vec()).await;
        assert_eq!((refused.as_u16(), store.objects().len()), (503, 0), "a signature of another key");
        (draft, address)
    };
    place.restart_with(|config| config.applications.evidence_bucket = Some(store.bucket(SECRET))).await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    assert!(somchai.upload(&address, "image/png", MAP.to_vec()).await.is_success(), "the same address");
    let detail = somchai.ask("ApplicationDetail", json!({"id": draft["id"]})).await;
    let file = detail["application"]["evidence"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(somchai.get(&file).await.status(), 200);

    store.process.kill().await.unwrap();
    assert_eq!(somchai.get(&file).await.status(), 503);
    let address = upload_address(&somchai, &draft["id"]).await;
    assert_eq!(somchai.upload(&address, "image/png", MAP.to_vec()).await.as_u16(), 503);
}
