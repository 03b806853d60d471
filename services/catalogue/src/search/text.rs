//! The words of a text, and what is left of it when all that people mistype alike is made alike.

use icu_segmenter::WordSegmenter;

/// Words that say nothing about which service is meant.
const STOP_WORDS: [&str; 34] = [
    "a",
    "an",
    "and",
    "for",
    "how",
    "i",
    "in",
    "my",
    "of",
    "on",
    "or",
    "the",
    "to",
    "want",
    "what",
    "where",
    "with",
    "กับ",
    "การ",
    "ขอ",
    "ของ",
    "ความ",
    "จะ",
    "ฉัน",
    "ต้อง",
    "ต้องการ",
    "ที่",
    "ทำ",
    "ผม",
    "ยังไง",
    "หรือ",
    "อยาก",
    "และ",
    "ใน",
];

/// The words of a text in small letters and in order, each once, without those that say nothing. Thai has
/// no blanks between words: a dictionary finds them.
pub fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let segmenter = WordSegmenter::new_dictionary(Default::default());
    let mut from = 0;
    let mut words: Vec<String> = Vec::new();
    for (to, kind) in segmenter.segment_str(&text).iter_with_word_type() {
        let word = &text[from..to];
        from = to;
        if kind.is_word_like() && !STOP_WORDS.contains(&word) && !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// The characters of a text that a slip of the pen leaves as they are: small letters without blanks, tone
/// marks and silencers; long vowels as their short ones; Thai letters that sound alike as one of them.
pub fn folded(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = Vec::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase).filter_map(fold) {
        match letters.last_mut() {
            // Two of the one vowel look like the other.
            Some(last) if *last == 'เ' && letter == 'เ' => *last = 'แ',
            _ => letters.push(letter),
        }
    }
    letters
}

fn fold(letter: char) -> Option<char> {
    Some(match letter {
        'ฆ' => 'ค',
        'ญ' => 'ย',
        'ฎ' => 'ด',
        'ฏ' => 'ต',
        'ฐ' => 'ถ',
        'ฑ' | 'ฒ' | 'ธ' => 'ท',
        'ณ' => 'น',
        'ภ' => 'พ',
        'ศ' | 'ษ' => 'ส',
        'ฬ' => 'ล',
        'ใ' => 'ไ',
        // Typed as one character, or as a ring and a long vowel: the ring goes, below.
        'ำ' => 'า',
        'ี' => 'ิ',
        'ื' => 'ึ',
        'ู' => 'ุ',
        '๐'..='๙' => char::from_digit(u32::from(letter) - u32::from('๐'), 10)?,
        // Marks above and below a letter are not letters to Unicode.
        'ั' | 'ิ' | 'ึ' | 'ุ' => letter,
        'ๆ' | '\u{e4d}' => return None,
        _ if letter.is_alphanumeric() => letter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thai_is_cut_into_its_words() {
        assert_eq!(words("ต่ออายุใบขับขี่รถยนต์ 5 ปี"), ["ต่อ", "อายุ", "ใบ", "ขับขี่", "รถยนต์", "5", "ปี"]);
        assert_eq!(words("อยากทำ passport กับ Passport"), ["passport"]);
    }

    #[test]
    fn what_is_mistyped_alike_is_folded_alike() {
        for (one, other) in [
            ("ใบอนุญาต", "ไบอนุยาต"),
            ("จดทะเบียนพาณิชย์", "จดทะเบียนพานิชย"),
            ("บำนาญ", "บํานาญ"),
            ("เบี้ยผู้สูงอายุ", "เบียผุ้สุงอายู"),
            ("Driving Licence", "driving-licence"),
            ("๒๐ บาท", "20บาท"),
            ("แจ้งเกิด", "เเจ้งเกิด"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("ขาย"), folded("ขาว"));
    }
}
