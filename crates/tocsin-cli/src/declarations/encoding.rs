//! Which encoding a file is in, and its text as UTF-8.
//!
//! A byte order mark decides; then zeros in every other byte (UTF-16); then whether it reads as
//! UTF-8; then the statistics of what is left (chardetng), with the office's country as a hint.

use std::io::{self, Read};

use chardetng::EncodingDetector;
use encoding_rs::{Decoder, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 * 1_024;
/// Bytes with something other than ASCII in their stretch that the statistics are asked about.
const MAX_JUDGED_BYTES: usize = 512 * 1_024;

/// Detects the encoding of all that `source` gives. ASCII is skipped, however much there is: the
/// first accent of a file may stand in its last row. `country` is two letters in lower case.
///
/// # Errors
/// When it cannot be read.
pub fn detect(source: &mut impl Read, country: Option<&str>) -> io::Result<&'static Encoding> {
    let mut detector = EncodingDetector::new();
    let mut utf8 = UTF_8.new_decoder_without_bom_handling();
    let mut scratch = vec![0; CHUNK_BYTES * 3 + 16];
    let mut chunk = vec![0; CHUNK_BYTES];
    let (mut judged, mut is_utf8, mut is_first) = (0, true, true);
    loop {
        let read = fill(source, &mut chunk)?;
        let bytes = chunk.get(..read).unwrap_or_default();
        if std::mem::take(&mut is_first)
            && let Some(known) = marked(bytes).or_else(|| wide(bytes))
        {
            return Ok(known);
        }
        let is_last = read < CHUNK_BYTES;
        let (result, ..) = utf8.decode_to_utf8_without_replacement(bytes, &mut scratch, is_last);
        is_utf8 &= !matches!(result, encoding_rs::DecoderResult::Malformed(..));
        if !bytes.is_ascii() || judged > 0 {
            judged += read;
            detector.feed(bytes, is_last);
        }
        // A stretch that is sound UTF-8 and not ASCII is hardly ever anything else.
        if is_last || judged >= MAX_JUDGED_BYTES {
            break;
        }
    }
    if is_utf8 {
        return Ok(UTF_8);
    }
    let country = country.filter(|text| text.len() == 2 && text.is_ascii());
    let guessed = detector.guess(country.map(str::as_bytes), false);
    // GB18030 is GBK with all of Unicode.
    Ok(if guessed == GBK { GB18030 } else { guessed })
}

/// What a byte order mark says.
fn marked(bytes: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_bom(bytes).map(|(encoding, _)| encoding)
}

/// UTF-16 without a mark: in text with commas and digits, every other byte is a zero.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| {
        let every_other = bytes.iter().skip(from).step_by(2);
        every_other.filter(|byte| **byte == 0).count()
    };
    let (even, odd, pairs) = (zeros(0), zeros(1), bytes.len() / 2);
    let is_wide = |many: usize, few: usize| pairs >= 8 && many * 5 > pairs * 2 && few * 20 < pairs;
    if is_wide(odd, even) {
        return Some(UTF_16LE);
    }
    is_wide(even, odd).then_some(UTF_16BE)
}

/// An encoding by the name that people and mappings use.
#[must_use]
pub fn named(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label(name.trim().as_bytes())
}

/// Text of a file as UTF-8. What cannot be read becomes U+FFFD, never another text.
pub struct Text {
    source: Box<dyn Read + Send>,
    decoder: Decoder,
    chunk: Vec<u8>,
    is_done: bool,
    /// Bytes of the file taken so far.
    pub taken: u64,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text")
            .field("encoding", &self.decoder.encoding().name())
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

impl Text {
    /// Of what `source` gives, in this encoding; a byte order mark is no part of it.
    #[must_use]
    pub fn new(source: Box<dyn Read + Send>, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder_with_bom_removal(),
            chunk: vec![0; CHUNK_BYTES],
            is_done: false,
            taken: 0,
        }
    }

    /// Adds some more text to `out`; false when there is no more.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn fill(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.is_done {
            return Ok(false);
        }
        let read = fill(&mut self.source, &mut self.chunk)?;
        self.taken += read as u64;
        self.is_done = read < self.chunk.len();
        let mut bytes = self.chunk.get(..read).unwrap_or_default();
        loop {
            let from = out.len();
            let room = self.decoder.max_utf8_buffer_length(bytes.len());
            out.resize(from + room.unwrap_or(CHUNK_BYTES * 4), 0);
            let space = out.get_mut(from..).unwrap_or_default();
            let (result, used, wrote, _) = self.decoder.decode_to_utf8(bytes, space, self.is_done);
            out.truncate(from + wrote);
            bytes = bytes.get(used..).unwrap_or_default();
            if result == encoding_rs::CoderResult::InputEmpty {
                return Ok(true);
            }
        }
    }
}

/// Reads until the buffer is full or there is no more.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..).filter(|space| !space.is_empty()) {
        match source.read(space) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{EUC_KR, SHIFT_JIS, WINDOWS_1252};

    const JAPANESE: &str = "申告番号,品名,輸出者,原産国\n\
        1,充電器および部品,株式会社東京電機製作所,CN\n2,偽造防止ラベル,有限会社大阪商事,JP\n";
    const KOREAN: &str = "신고번호,품명,수출자,원산지\n\
        1,충전기 및 부품,주식회사 서울전자,CN\n2,위조방지 라벨,부산무역상사,KR\n";
    const CHINESE: &str = "申报号,商品名称,出口商,原产国\n\
        1,充电器及其零件,深圳市华强电子有限公司,CN\n2,防伪标签,上海进出口贸易公司,CN\n";
    const GERMAN: &str = "Anmeldung;Warenbezeichnung;Ausführer\n\
        1;Ladegeräte für Schlüssel;Müller & Söhne GmbH\n2;Straßenbeleuchtung;Gebrüder Groß KG\n";

    fn round(text: &str, encoding: &'static Encoding, hint: Option<&str>) {
        let (bytes, used, had_errors) = encoding.encode(text);
        assert!(!had_errors && used == encoding);
        let found = detect(&mut bytes.as_ref(), hint).unwrap();
        assert_eq!(found, encoding, "{}", encoding.name());
        let mut source = Text::new(Box::new(io::Cursor::new(bytes.into_owned())), found);
        let mut out = Vec::new();
        while source.fill(&mut out).unwrap() {}
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn the_encodings_of_customs_offices_are_told_apart() {
        for hint in [None, Some("de")] {
            round(JAPANESE, SHIFT_JIS, hint);
            round(KOREAN, EUC_KR, hint);
            round(CHINESE, GB18030, hint);
            round(GERMAN, WINDOWS_1252, hint);
            for text in [JAPANESE, KOREAN, CHINESE, GERMAN] {
                round(text, UTF_8, hint);
            }
        }
    }

    #[test]
    fn marks_and_wide_text_are_seen() {
        for text in [JAPANESE, GERMAN] {
            let text: String = format!("declaration,item,origin\n1,2,CN\n{text}");
            let units: Vec<u16> = text.encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|u| u.to_be_bytes()).collect();
            let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
            for (bytes, encoding) in [
                (marked(&[0xff, 0xfe], &little), UTF_16LE),
                (marked(&[0xfe, 0xff], &big), UTF_16BE),
                (marked(&[0xef, 0xbb, 0xbf], text.as_bytes()), UTF_8),
            ] {
                assert_eq!(detect(&mut bytes.as_slice(), None).unwrap(), encoding);
                let mut source = Text::new(Box::new(io::Cursor::new(bytes)), encoding);
                let mut out = Vec::new();
                while source.fill(&mut out).unwrap() {}
                assert_eq!(String::from_utf8(out).unwrap(), text);
            }
        }
        let units: Vec<u8> = GERMAN.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(detect(&mut units.as_slice(), None).unwrap(), UTF_16LE);
    }

    #[test]
    fn the_first_accent_may_stand_in_the_last_row() {
        let mut bytes = "1;charger;CN\n".repeat(40_000).into_bytes();
        bytes.extend_from_slice(&WINDOWS_1252.encode(GERMAN).0);
        let found = detect(&mut bytes.as_slice(), None).unwrap();
        assert_eq!(found, WINDOWS_1252);
    }

    #[test]
    fn what_cannot_be_read_is_marked_and_never_becomes_another_text() {
        let mut source = Text::new(Box::new(io::Cursor::new(b"a\xffb".to_vec())), UTF_8);
        let mut out = Vec::new();
        while source.fill(&mut out).unwrap() {}
        assert_eq!(out, "a\u{fffd}b".as_bytes());
    }
}
