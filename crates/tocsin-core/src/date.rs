//! UTC dates from Unix milliseconds, in the proleptic Gregorian calendar.

/// Milliseconds of one UTC day; leap seconds are not counted (POSIX).
pub const DAY_MS: i64 = 86_400_000;

/// First instant that a statement may name: 1970-01-01.
pub const MIN_INSTANT_MS: i64 = 0;
/// First instant after the last that a statement may name: 10000-01-01, so that years have four
/// digits.
pub const MAX_INSTANT_MS: i64 = 253_402_300_800_000;

/// The UTC year of an instant.
#[must_use]
pub const fn year(ms: i64) -> i64 {
    civil(ms.div_euclid(DAY_MS)).0
}

/// Year, month and day of a count of days since 1970-01-01 (Hinnant, "chrono-compatible low-level
/// date algorithms"): the year is counted from March, so that the leap day is its last.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let january_or_february = if month <= 2 { 1 } else { 0 };
    (year_of_era + era * 400 + january_or_february, month, day)
}

/// Days since 1970-01-01, the inverse of [`civil`].
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Parses `2026-12-01` (its first instant) or `2026-12-01T09:30:00Z`; UTC only (RFC 3339, section
/// 5.6).
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 || !(1970..=9999).contains(&year) {
        return None;
    }
    let count = days(year, month, day);
    // A day that does not exist, such as 30 February, comes back as another one.
    (civil(count) == (year, month, day))
        .then_some(count * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000)
}

/// Writes an instant as `2026-12-01T09:30:00Z`, milliseconds cut off.
#[must_use]
pub fn display(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let seconds = ms.rem_euclid(DAY_MS) / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Exactly three groups of ASCII digits of the given widths.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut found = [0; 3];
    let mut parts = text.split(separator);
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_fall_in_their_utc_year() {
        assert_eq!(year(0), 1970);
        assert_eq!(year(-1), 1969);
        // 2026-12-31T23:59:59.999Z and one millisecond later.
        assert_eq!(year(1_798_761_599_999), 2026);
        assert_eq!(year(1_798_761_600_000), 2027);
        assert_eq!(year(MAX_INSTANT_MS - 1), 9999);
        assert_eq!(year(MAX_INSTANT_MS), 10_000);
    }

    #[test]
    fn leap_days_are_dates_in_leap_years_only() {
        assert_eq!(parse("2024-02-29"), Some(1_709_164_800_000));
        assert_eq!(parse("2000-02-29T00:00:00Z"), Some(951_782_400_000));
        assert_eq!(parse("2100-02-29"), None);
        assert_eq!(parse("2026-02-29"), None);
    }

    #[test]
    fn what_is_not_utc_or_not_a_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-00-10",
            "2026-01-32",
            "2026-1-1",
            "26-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+01:00",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "٢٠٢٦-01-01",
            "2026-01-01-01",
            "1969-12-31",
            "+026-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_displayed_parses_to_the_same_second(ms in 0..MAX_INSTANT_MS) {
            prop_assert_eq!(parse(&display(ms)), Some(ms - ms % 1_000));
        }

        #[test]
        fn no_text_or_instant_makes_it_panic(text in ".{0,40}", ms in i64::MIN + 1_000..i64::MAX) {
            let _ = parse(&text);
            let _ = year(ms);
        }
    }
}
