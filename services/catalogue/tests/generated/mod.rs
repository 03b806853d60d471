//! A made-up catalogue of any size, the same every time: real words of public administration in every
//! combination, so that searches meet as many near misses as in a real one.

/// What is done (Thai, English).
const DEEDS: [(&str, &str); 12] = [
    ("ขอใบอนุญาต", "Licence for"),
    ("ต่ออายุใบอนุญาต", "Renewal of the licence for"),
    ("ขอใบแทนใบอนุญาต", "Replacement of the licence for"),
    ("จดทะเบียน", "Registration of"),
    ("แจ้งเลิก", "Notice of closing"),
    ("แจ้งเปลี่ยนแปลงรายการ", "Change of particulars of"),
    ("ขอหนังสือรับรอง", "Certificate of"),
    ("ขอตรวจสอบมาตรฐาน", "Inspection of the standard of"),
    ("ชำระค่าธรรมเนียมรายปี", "Yearly fee for"),
    ("ขอรับเงินช่วยเหลือ", "Aid for"),
    ("ขอโอนสิทธิ", "Transfer of the right to"),
    ("อุทธรณ์คำสั่งเกี่ยวกับ", "Appeal concerning"),
];

/// What it is done with.
const THINGS: [(&str, &str); 48] = [
    ("โรงงานแปรรูปไม้", "a wood processing factory"),
    ("เรือประมง", "a fishing boat"),
    ("รถบรรทุก", "a lorry"),
    ("รถโดยสารประจำทาง", "a public bus"),
    ("สถานพยาบาล", "a clinic"),
    ("ร้านขายยา", "a pharmacy"),
    ("โรงเรียนเอกชน", "a private school"),
    ("สถานรับเลี้ยงเด็ก", "a nursery"),
    ("หอพัก", "a dormitory"),
    ("ตลาดนัด", "a weekly market"),
    ("ฟาร์มสุกร", "a pig farm"),
    ("ฟาร์มโคนม", "a dairy farm"),
    ("บ่อเพาะเลี้ยงกุ้ง", "a shrimp pond"),
    ("บ่อบาดาล", "a groundwater well"),
    ("เหมืองหิน", "a stone quarry"),
    ("สถานีบริการน้ำมัน", "a petrol station"),
    ("คลังก๊าซ", "a gas depot"),
    ("วัตถุระเบิด", "explosives"),
    ("ปุ๋ยเคมี", "chemical fertilizer"),
    ("เมล็ดพันธุ์พืช", "plant seed"),
    ("เครื่องมือแพทย์", "a medical device"),
    ("เครื่องชั่งตวงวัด", "weights and measures"),
    ("ธุรกิจนำเที่ยว", "a tour business"),
    ("มัคคุเทศก์", "a tourist guide"),
    ("สนามกีฬา", "a sports ground"),
    ("โรงภาพยนตร์", "a cinema"),
    ("สถานบันเทิง", "a place of entertainment"),
    ("ป้ายโฆษณา", "a billboard"),
    ("อาคารสูง", "a high building"),
    ("การรื้อถอนอาคาร", "demolishing a building"),
    ("การขุดดิน", "excavation"),
    ("การจัดสรรที่ดิน", "land allotment"),
    ("บ้านจัดสรร", "a housing estate"),
    ("สหกรณ์การเกษตร", "a farm cooperative"),
    ("สมาคม", "an association"),
    ("มูลนิธิ", "a foundation"),
    ("วัด", "a temple"),
    ("สุสาน", "a cemetery"),
    ("สัตว์ป่าคุ้มครอง", "a protected animal"),
    ("ไม้หวงห้าม", "reserved timber"),
    ("ผู้ประกอบวิชาชีพบัญชี", "an accountant"),
    ("วิศวกร", "an engineer"),
    ("สถาปนิก", "an architect"),
    ("ทนายความ", "a lawyer"),
    ("แรงงานต่างด้าว", "a foreign worker"),
    ("นายหน้าประกันภัย", "an insurance broker"),
    ("โรงรับจำนำ", "a pawnshop"),
    ("เครื่องหมายการค้า", "a trade mark"),
];

/// Which kind of it.
const KINDS: [(&str, &str); 10] = [
    ("ขนาดเล็ก", "small"),
    ("ขนาดใหญ่", "large"),
    ("ชั่วคราว", "temporary"),
    ("ในเขตชุมชน", "in a residential area"),
    ("ริมทางหลวง", "beside a highway"),
    ("ริมแม่น้ำ", "beside a river"),
    ("เพื่อการส่งออก", "for export"),
    ("เพื่อการวิจัย", "for research"),
    ("ของวิสาหกิจชุมชน", "of a community enterprise"),
    ("กรณีเร่งด่วน", "in urgent cases"),
];

const AGENCIES: usize = 20;

/// `count` services and their agencies: the path of each file, and its text.
pub fn files(count: usize) -> Vec<(String, String)> {
    assert!(count <= DEEDS.len() * THINGS.len() * KINDS.len());
    (0..AGENCIES).map(agency).chain((0..count).map(service)).collect()
}

fn agency(number: usize) -> (String, String) {
    let text = format!(
        "kind = \"department\"\nname = {{ th = \"กรมจำลองที่ {number}\", en = \"Generated Department {number}\" }}\n"
    );
    (format!("agencies/generated-{number}.toml"), text)
}

/// Neighbours differ in all three words, so that any part of the catalogue is mixed.
fn service(number: usize) -> (String, String) {
    let deed = DEEDS[number % DEEDS.len()];
    let thing = THINGS[(number / DEEDS.len() + number) % THINGS.len()];
    let kind = KINDS[number / (DEEDS.len() * THINGS.len())];
    let agency = number % AGENCIES;
    let [deed_th, thing_th, kind_th] = [deed.0, thing.0, kind.0];
    let [deed_en, thing_en, kind_en] = [deed.1, thing.1, kind.1];
    let text = format!(
        r#"
title = {{ th = "{deed_th}{thing_th}{kind_th}", en = "{deed_en} {thing_en}, {kind_en}" }}
summary = {{ th = "สำหรับผู้ประสงค์{deed_th}{thing_th} {kind_th} ยื่นต่อหน่วยงานในท้องที่", en = "For those who need this: {deed_en} {thing_en}, {kind_en}." }}
agency = "generated-{agency}"
audience = ["citizen", "business"]
channels = ["web", "office"]
delivery_mode = "partly_online"
keywords = {{ th = ["{thing_th}", "{thing_th}{kind_th}", "{deed_th}"], en = ["{thing_en}", "{deed_en} {thing_en}"] }}
identity = {{ ial = "2.1", aal = "2.1", status = "sample" }}
steps = [{{ title = {{ th = "ยื่นคำขอ", en = "File the request" }} }}]
contacts = [{{ name = {{ th = "กรมจำลองที่ {agency}", en = "Generated Department {agency}" }}, status = "sample" }}]

[[offerings]]
agency = "generated-{agency}"
decision = "officer"
fee = {{ amount_baht = "100.00", due = "submission", status = "sample" }}
legal_days = {{ days = 15, status = "sample" }}
"#
    );
    (format!("public_services/GEN-{number:05}.toml"), text)
}
