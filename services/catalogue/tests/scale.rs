//! The catalogue at four thousand services: publishing and searching stay quick.

mod setting;

use catalogue::SourceFile;
use setting::{Setting, open};
use testkit::TestDatabase;

#[tokio::test]
async fn timing() {
    let place = TestDatabase::sqlite();
    let service = open(&place).await;
    service.apply_embedded().await.unwrap();
    let setting = Setting { place, service };
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/public_services/LAO-02.toml")).unwrap();
    let words = ["เรือ", "ตลาด", "โรงแรม", "น้ำ", "ไฟฟ้า", "สวน", "วัด", "โรงเรียน", "ถนน", "ท่าเรือ"];
    let files: Vec<SourceFile> = (0..4000)
        .map(|n| SourceFile {
            path: format!("public_services/GEN-{n:04}.toml"),
            text: text.replace("ใบอนุญาตประกอบกิจการที่เป็นอันตรายต่อสุขภาพ", &format!("ใบอนุญาต{}{}{n}", words[n % 10], words[n / 10 % 10])).replace("car workshop", &format!("thing{n}")),
        })
        .collect();
    let time = |name: &str, from: std::time::Instant| println!("{name}: {:?}", from.elapsed());
    for _ in 0..2 {
        let at = std::time::Instant::now();
        for _ in 0..20 { setting.search("ขายอาหาร").await; setting.search("food").await; }
        time("40 searches", at);
        let at = std::time::Instant::now();
        for _ in 0..20 { setting.search("ใบอนุญาต").await; setting.search("โรงแรม").await; }
        time("40 broad searches", at);
        let at = std::time::Instant::now();
        println!("{:?}", setting.service.apply(&files).await.unwrap().offerings.len());
        time("apply", at);
    }
}
