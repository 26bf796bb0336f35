//! A name in Latin letters.
//!
//! By tables of sounds: Cyrillic, Greek, kana, Hangul (Revised Romanization) and, character by
//! character, Chinese (pinyin). Kanji have no reading of their own: beside kana they are left
//! unread but for words that firms use; a name in Han characters alone is read as Chinese.

use any_ascii::any_ascii_char;
use unicode_normalization::UnicodeNormalization as _;

/// Writes `text` in ASCII letters, digits and separators; case stays, for words are also told apart
/// by it. What leaves no mark is dropped; confusable letters become what they look like.
pub(super) fn romanise(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        return;
    }
    let mut letters: Vec<char> = text.nfkc().take(MAX_LETTERS).collect();
    unmask(&mut letters);
    let is_japanese = letters.iter().any(|c| is_kana(*c));
    let mut rest = letters.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = match word_at(rest, is_japanese) {
            Some((taken, word)) => {
                push_word(word, out);
                rest.get(taken..).unwrap_or_default()
            }
            None => {
                let taken = push_letter(*first, rest, is_japanese, out);
                after.get(taken..).unwrap_or_default()
            }
        };
    }
}

/// Writes one letter; says how many of those behind it were read with it.
fn push_letter(letter: char, rest: &[char], is_japanese: bool, out: &mut String) -> usize {
    let next = rest.get(1).copied();
    match letter {
        _ if letter.is_ascii() => out.push(letter),
        _ if is_ignored(letter) => {}
        '\u{3041}'..='\u{30FF}' => return push_kana(letter, next, out),
        '\u{AC00}'..='\u{D7A3}' => push_hangul(letter, out),
        '\u{0370}'..='\u{03FF}' => return push_greek(letter, next, out),
        // Kanji beside kana: no table knows the reading.
        _ if is_han(letter) && is_japanese => out.push(' '),
        _ if is_han(letter) => {
            out.push(' ');
            out.push_str(any_ascii_char(letter));
            out.push(' ');
        }
        _ => match any_ascii_char(letter) {
            "" if letter.is_alphabetic() => {}
            "" => out.push(' '),
            // As the surrounding letters: a capital in the middle would begin a word.
            roman if letter.is_lowercase() || !letter.is_alphabetic() => {
                out.extend(roman.chars().map(|c| c.to_ascii_lowercase()));
            }
            roman => out.push_str(roman),
        },
    }
    0
}

/// Marks that change a sound or show nothing: dropped, never a gap between words.
fn is_ignored(letter: char) -> bool {
    matches!(letter,
        '\u{00AD}' | '\u{0300}'..='\u{036F}' | '\u{02B0}'..='\u{02FF}' | '\u{064B}'..='\u{065F}'
        | '\u{0591}'..='\u{05C7}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2018}' | '\u{2019}' | '\u{2060}'..='\u{2069}' | '\u{30FC}' | '\u{FEFF}'
        | 'ь' | 'ъ' | 'Ь' | 'Ъ')
}

const fn is_kana(letter: char) -> bool {
    // Without the middle dot and the long vowel mark, which other scripts borrow.
    matches!(letter, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}')
}

/// Whether a letter is of the scripts that are written by the syllable or the word.
pub(super) const fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3005}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3134F}')
}

/// Whether a letter is a Korean syllable.
pub(super) const fn is_hangul(letter: char) -> bool {
    matches!(letter, '\u{AC00}'..='\u{D7A3}')
}

/// Whether a letter is of a script that leaves vowels out.
pub(super) const fn is_without_vowels(letter: char) -> bool {
    matches!(letter, '\u{0590}'..='\u{06FF}' | '\u{0750}'..='\u{077F}' | '\u{FB50}'..='\u{FDFF}')
}

/// In a word of Latin and look-alike letters, the look-alikes become Latin (Unicode TR 39).
fn unmask(letters: &mut [char]) {
    for word in letters.split_mut(|c| !c.is_alphanumeric()) {
        let has_latin = word.iter().any(char::is_ascii_alphabetic);
        if !has_latin || word.iter().all(char::is_ascii) {
            continue;
        }
        for letter in word {
            if let Some((_, latin)) = LOOK_ALIKES.iter().find(|(from, _)| from == letter) {
                *letter = *latin;
            }
        }
    }
}

/// Han characters and Hangul of a name as written, without legal forms and gaps: what is compared
/// where both names have them.
pub(super) fn native(text: &str, out: &mut Vec<char>) {
    if !text.chars().any(|c| is_han(c) || is_hangul(c)) {
        return;
    }
    let letters: Vec<char> = text.nfkc().take(MAX_LETTERS).collect();
    let mut rest = letters.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let form = EAST_ASIAN_FORMS.iter().find(|(form, _)| {
            let mut theirs = rest.iter();
            form.chars().all(|c| theirs.next() == Some(&c))
        });
        if let Some((form, _)) = form {
            rest = rest.get(form.chars().count()..).unwrap_or_default();
            continue;
        }
        if is_han(*first) || is_hangul(*first) || is_kana(*first) {
            out.push(*first);
        }
        rest = after;
    }
}

/// How far apart two characters are: none, or one, or less where they are read alike, as
/// traditional and simplified forms are.
pub(super) fn differ(a: char, b: char) -> f32 {
    if a == b {
        0.0
    } else if is_han(a) && is_han(b) && any_ascii_char(a) == any_ascii_char(b) {
        0.3
    } else {
        1.0
    }
}

fn push_word(word: &str, out: &mut String) {
    out.push(' ');
    out.push_str(word);
    out.push(' ');
}

/// A word that firms use, at the start of `rest`: how many letters, and what it is read as.
fn word_at(rest: &[char], is_japanese: bool) -> Option<(usize, &'static str)> {
    let first = *rest.first()?;
    if !(is_han(first) || is_hangul(first) || first == '(') {
        return None;
    }
    let table = if is_hangul(first) || first == '(' {
        KOREAN_WORDS
    } else if is_japanese {
        JAPANESE_WORDS
    } else {
        CHINESE_WORDS
    };
    let starts = |word: &str| {
        let mut count = 0;
        let mut letters = rest.iter();
        word.chars()
            .all(|c| {
                count += 1;
                letters.next() == Some(&c)
            })
            .then_some(count)
    };
    let in_table = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find_map(|(word, read)| Some((starts(word)?, *read)))
    };
    in_table(EAST_ASIAN_FORMS).or_else(|| in_table(table))
}

fn push_hangul(letter: char, out: &mut String) {
    let code = u32::from(letter) - 0xAC00;
    let part = |table: &[&'static str], at: u32| {
        usize::try_from(at)
            .ok()
            .and_then(|at| table.get(at).copied())
            .unwrap_or_default()
    };
    out.push_str(part(&HANGUL_LEADS, code / 588));
    out.push_str(part(&HANGUL_VOWELS, code / 28 % 21));
    out.push_str(part(&HANGUL_TAILS, code % 28));
}

/// Writes a kana, with the small one behind it.
fn push_kana(letter: char, next: Option<char>, out: &mut String) -> usize {
    // Hiragana and katakana stand 96 apart.
    let katakana = |c: char| match c {
        '\u{3041}'..='\u{3096}' => char::from_u32(u32::from(c) + 96).unwrap_or(c),
        _ => c,
    };
    let (letter, next) = (katakana(letter), next.map(katakana));
    if matches!(letter, '・' | '゠' | '＝') {
        out.push(' ');
        return 0;
    }
    if letter == 'ッ' {
        return 0;
    }
    let sound = any_ascii_char(letter);
    let small = match next {
        Some('ャ') => "ya",
        Some('ュ') => "yu",
        Some('ョ') => "yo",
        Some('ァ') => "a",
        Some('ィ') => "i",
        Some('ゥ') => "u",
        Some('ェ') => "e",
        Some('ォ') => "o",
        _ => {
            out.push_str(sound);
            return 0;
        }
    };
    let stem = sound.strip_suffix(['i', 'u', 'e', 'o']).unwrap_or(sound);
    out.push_str(stem);
    // "sha", "cha", "ja", but "kya", "nyu".
    let is_soft = matches!(stem, "sh" | "ch" | "j");
    out.push_str(if is_soft {
        small.strip_prefix('y').unwrap_or(small)
    } else {
        small
    });
    1
}

/// Writes a Greek letter as passports do (ELOT 743), with the next where two are one sound.
fn push_greek(letter: char, next: Option<char>, out: &mut String) -> usize {
    let plain = |c: char| {
        c.to_lowercase()
            .next()
            .unwrap_or(c)
            .to_string()
            .nfd()
            .next()
    };
    let pair = (plain(letter), next.and_then(plain));
    let is_start = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
    let two = match pair {
        (Some('ο'), Some('υ')) => "ou",
        (Some('α'), Some('υ')) => "av",
        (Some('ε'), Some('υ')) => "ev",
        (Some('μ'), Some('π')) if is_start => "b",
        (Some('ν'), Some('τ')) if is_start => "d",
        (Some('γ'), Some('κ')) if is_start => "g",
        (Some('γ'), Some('γ')) => "ng",
        _ => {
            out.push_str(match pair.0 {
                Some('η') => "i",
                Some('υ') => "y",
                Some('φ') => "f",
                Some('χ') => "ch",
                Some('ω') => "o",
                Some('β') => "v",
                Some(c) => any_ascii_char(c),
                None => "",
            });
            return 0;
        }
    };
    out.push_str(two);
    1
}

/// Letters of a name that are read; a longer one is no name.
const MAX_LETTERS: usize = 512;

const HANGUL_LEADS: [&str; 19] = [
    "g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p",
    "h",
];
const HANGUL_VOWELS: [&str; 21] = [
    "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we",
    "wi", "yu", "eu", "ui", "i",
];
const HANGUL_TAILS: [&str; 28] = [
    "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p",
    "t", "t", "ng", "t", "t", "k", "t", "p", "t",
];

/// Cyrillic and Greek letters that look like Latin ones.
const LOOK_ALIKES: [(char, char); 44] = [
    ('а', 'a'),
    ('е', 'e'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('у', 'y'),
    ('х', 'x'),
    ('і', 'i'),
    ('ј', 'j'),
    ('ѕ', 's'),
    ('һ', 'h'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('Ѕ', 'S'),
    ('α', 'a'),
    ('ο', 'o'),
    ('ν', 'v'),
    ('ρ', 'p'),
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
];

/// Legal forms of Japan, China and Korea, the longest first, as [`super::forms`] knows them.
const EAST_ASIAN_FORMS: &[(&str, &str)] = &[
    ("유한책임회사", "yuhan hoesa"),
    ("주식회사", "jusik hoesa"),
    ("유한회사", "yuhan hoesa"),
    ("(주)", "jusik hoesa"),
    ("(유)", "yuhan hoesa"),
    ("(株)", "kabushiki kaisha"),
    ("(有)", "yugen kaisha"),
    ("株式会社", "kabushiki kaisha"),
    ("有限会社", "yugen kaisha"),
    ("合同会社", "godo kaisha"),
    ("股份有限公司", "gufen gongsi"),
    ("有限责任公司", "youxian gongsi"),
    ("有限責任公司", "youxian gongsi"),
    ("有限公司", "youxian gongsi"),
    ("公司", "gongsi"),
];

/// What firms' names are often made of, read as it is read there.
const JAPANESE_WORDS: &[(&str, &str)] = &[
    ("製作所", "seisakusho"),
    ("製造", "seizo"),
    ("工業", "kogyo"),
    ("産業", "sangyo"),
    ("電機", "denki"),
    ("電気", "denki"),
    ("電子", "denshi"),
    ("自動車", "jidosha"),
    ("商事", "shoji"),
    ("商会", "shokai"),
    ("貿易", "boeki"),
    ("銀行", "ginko"),
    ("化学", "kagaku"),
    ("建設", "kensetsu"),
    ("機械", "kikai"),
    ("精密", "seimitsu"),
    ("製薬", "seiyaku"),
    ("運輸", "unyu"),
    ("物産", "bussan"),
    ("国際", "kokusai"),
    ("日本", "nihon"),
    ("東京", "tokyo"),
    ("大阪", "osaka"),
    ("技術", "gijutsu"),
];

/// What firms' names are often made of, as their English names have it.
const CHINESE_WORDS: &[(&str, &str)] = &[
    ("进出口", "import export"),
    ("進出口", "import export"),
    ("集团", "group"),
    ("集團", "group"),
    ("银行", "bank"),
    ("銀行", "bank"),
    ("电子", "electronics"),
    ("電子", "electronics"),
    ("科技", "technology"),
    ("技术", "technology"),
    ("技術", "technology"),
    ("贸易", "trading"),
    ("貿易", "trading"),
    ("实业", "industry"),
    ("實業", "industry"),
    ("工业", "industry"),
    ("工業", "industry"),
    ("国际", "international"),
    ("國際", "international"),
    ("化工", "chemical"),
    ("汽车", "motor"),
    ("汽車", "motor"),
    ("建设", "construction"),
    ("工程", "engineering"),
    ("机械", "machinery"),
    ("机电", "machinery"),
    ("医药", "pharmaceutical"),
    ("石油", "petroleum"),
    ("物流", "logistics"),
    ("航运", "shipping"),
    ("控股", "holding"),
    ("投资", "investment"),
    ("中国", "china"),
    ("中國", "china"),
    ("香港", "hong kong"),
];

/// What firms' names are often made of, as their English names have it.
const KOREAN_WORDS: &[(&str, &str)] = &[
    ("전자", "electronics"),
    ("은행", "bank"),
    ("무역", "trading"),
    ("산업", "industry"),
    ("공업", "industry"),
    ("자동차", "motor"),
    ("화학", "chemical"),
    ("건설", "construction"),
    ("그룹", "group"),
    ("전기", "electric"),
    ("중공업", "heavy industry"),
    ("제약", "pharmaceutical"),
    ("물산", "trading"),
    ("국제", "international"),
    ("기술", "technology"),
    ("해운", "shipping"),
    ("한국", "korea"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn roman(text: &str) -> String {
        let mut out = String::new();
        romanise(text, &mut out);
        out.to_lowercase()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn every_script_is_read_by_its_own_table() {
        for (from, to) in [
            ("Владимир Путин", "vladimir putin"),
            ("Νικόλαος Παπαδόπουλος", "nikolaos papadopoulos"),
            ("バラク・オバマ", "baraku obama"),
            ("しゃちょう", "shachou"),
            ("キャノン", "kyanon"),
            ("김정은", "gimjeongeun"),
            ("삼성전자 주식회사", "samseong electronics jusik hoesa"),
            ("习近平", "xi jin ping"),
            ("上海电子有限公司", "shang hai electronics youxian gongsi"),
            ("Société Générale", "societe generale"),
            ("ბარაკ ობამა", "barak' obama"),
            ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ] {
            assert_eq!(roman(from), to, "{from}");
        }
    }

    #[test]
    fn kanji_beside_kana_are_not_read_as_chinese_but_common_words_are() {
        assert_eq!(roman("株式会社トヨタ"), "kabushiki kaisha toyota");
        assert_eq!(roman("ソニー山田工業"), "soni kogyo");
    }

    #[test]
    fn look_alikes_within_a_latin_word_become_latin() {
        // The second letter is Cyrillic.
        assert_eq!(roman("Sаmsung"), "samsung");
        assert_eq!(roman("Самсунг"), "samsung");
    }

    #[test]
    fn marks_that_show_nothing_join_no_words_and_part_none() {
        assert_eq!(roman("Sam\u{200B}sung \u{202E}Co"), "samsung co");
        assert_eq!(roman("People’s"), "peoples");
    }
}
