//! What the timeline says of each event, in words a citizen understands.

use graphql::LocalizedText;

use super::EventKind;

/// One sentence for an event.
pub fn description(kind: EventKind) -> LocalizedText {
    let (th, en) = match kind {
        EventKind::Started => ("เริ่มร่างคำขอ", "The draft was begun."),
        EventKind::Submitted => {
            ("ยื่นคำขอแล้ว ได้รับเลขรับ", "The application was submitted and has a receipt number.")
        }
        EventKind::FeeFellDue => ("ถึงกำหนดชำระค่าธรรมเนียม", "The fee fell due."),
        EventKind::BillIssued => ("ออกใบแจ้งชำระเงินแล้ว", "The bill was issued."),
        EventKind::FeeSettled => ("ชำระค่าธรรมเนียมแล้ว", "The fee was paid."),
        EventKind::FeeRefunded => ("คืนค่าธรรมเนียมแล้ว", "The fee was paid back."),
        EventKind::PaymentReturned => (
            "คืนเงินที่ชำระซ้ำ ชำระเกิน หรือชำระไม่ตรงตามใบแจ้งแล้ว",
            "Money that was paid twice, too late or not as billed was paid back.",
        ),
        EventKind::Taken => ("เจ้าหน้าที่รับเรื่องแล้ว", "An officer took the case."),
        EventKind::DocumentsRequested => ("หน่วยงานขอเอกสารเพิ่มเติม", "The agency asked for more documents."),
        EventKind::Resubmitted => ("ส่งเอกสารเพิ่มเติมแล้ว", "The documents asked for were sent."),
        EventKind::Approved => ("อนุมัติคำขอ", "The application was approved."),
        EventKind::ApprovedAutomatically => {
            ("อนุมัติคำขอโดยอัตโนมัติตามหลักเกณฑ์", "The application was approved automatically by the rules.")
        }
        EventKind::Rejected => ("ไม่อนุมัติคำขอ", "The application was rejected."),
        EventKind::Withdrawn => ("ผู้ยื่นถอนคำขอ", "The applicant withdrew the application."),
        EventKind::Lapsed => (
            "ผู้ยื่นไม่ได้ดำเนินการภายในกำหนด จึงคืนคำขอ",
            "The applicant did not act in time, and the application was given back.",
        ),
        EventKind::DelayExplained => ("หน่วยงานแจ้งเหตุแห่งความล่าช้า", "The agency said why it takes longer."),
        EventKind::LatenessNotified => (
            "หน่วยงานพิจารณาเกินกำหนด แจ้งผู้ยื่นและหน่วยงานกำกับแล้ว",
            "The agency is past its legal time: the applicant and the supervising body were notified.",
        ),
    };
    LocalizedText::new(th, en)
}
