//! Instants as people write and read them: UTC in, UTC out, Unix milliseconds inside.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// An instant in Unix milliseconds from `2026-11-22` (midnight UTC) or RFC 3339 with an offset.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_millisecond());
    }
    let date: Date = text.parse().ok()?;
    if text.len() != 10 {
        return None;
    }
    let midnight = date.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_millisecond())
}

/// RFC 3339 in UTC, to the second; empty for 0, which means "none" wherever it stands.
#[must_use]
pub fn show(ms: i64) -> String {
    if ms == 0 {
        return String::new();
    }
    match Timestamp::from_second(ms.div_euclid(1_000)) {
        Ok(instant) => instant.to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

/// RFC 3339 in UTC to the millisecond, as [`parse`] reads it back.
#[must_use]
pub fn exact(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| show(ms), |instant| instant.to_string())
}

/// Now, in Unix milliseconds, by this machine's clock.
#[must_use]
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The UTC year of an instant; 1970 for one that no calendar holds.
#[must_use]
pub fn year(ms: i64) -> i16 {
    Timestamp::from_millisecond(ms).map_or(1970, |t| t.to_zoned(TimeZone::UTC).year())
}

/// The UTC date of an instant: year, month 1 to 12, day 1 to 31.
#[must_use]
pub fn utc_date(ms: i64) -> (i32, u8, u8) {
    Timestamp::from_millisecond(ms).map_or((1970, 1, 1), |instant| {
        let date = instant.to_zoned(TimeZone::UTC).date();
        let small = |number: i8| u8::try_from(number).unwrap_or(1);
        (
            i32::from(date.year()),
            small(date.month()),
            small(date.day()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_midnight_utc_and_offsets_count() {
        assert_eq!(parse("1970-01-02"), Some(86_400_000));
        assert_eq!(parse("2026-11-22T09:00:00+09:00"), parse("2026-11-22"));
        assert_eq!(parse("2026-11-22T00:00:00Z"), Some(1_795_305_600_000));
        for bad in [
            "",
            "tomorrow",
            "2026-13-01",
            "22.11.2026",
            "2026-11-22T00:00:00",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn instants_show_as_they_parse() {
        assert_eq!(show(1_795_305_600_999), "2026-11-22T00:00:00Z");
        assert_eq!(show(0), "");
        assert_eq!(parse(&exact(1_795_305_600_999)), Some(1_795_305_600_999));
        assert_eq!(year(1_795_305_600_000), 2026);
        assert_eq!(utc_date(1_795_305_600_000), (2026, 11, 22));
        assert!(show(i64::MAX).ends_with("ms"));
    }
}
