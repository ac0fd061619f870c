//! Values as people write them: each with its unit.

use std::time::Duration;

/// A duration with a unit.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wanted = || format!("a duration needs a unit (us, ms, s, m, h): {number}s or {number}ms?");
    let seconds = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if !number.is_empty() => return Err(wanted()),
        _ => return Err("not a duration, such as 500ms, 10s or 2m".into()),
    };
    let number: f64 = number.parse().map_err(|_| "not a duration, such as 500ms, 10s or 2m".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

/// A part of a whole: a fraction, or a percentage.
pub(super) fn part(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    number.parse().map(|part: f64| part / unit).map_err(|_| "not a part, such as 0.25 or 25%".into())
}

/// An amount of memory with a binary unit.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "not an amount of memory, such as 64KiB or 8MiB".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "" if !number.is_empty() => {
            return Err(format!("memory needs a unit (KiB, MiB, GiB): {number}KiB or {number}MiB?"));
        }
        _ => return Err(wrong()),
    };
    number.parse().ok().and_then(|number: u64| number.checked_mul(1 << shift)).ok_or_else(wrong)
}

/// A frame rate; the decimal names of the 1000/1001 rates mean those exactly.
pub(super) fn frame_rate(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "not a frame rate, such as 29.97, 25 or 30000/1001".to_owned();
    match text {
        "23.976" | "23.98" => return Ok((24_000, 1001)),
        "29.97" => return Ok((30_000, 1001)),
        "59.94" => return Ok((60_000, 1001)),
        _ => {}
    }
    let (num, den) = match text.split_once('/') {
        Some((num, den)) => (num.parse().map_err(|_| wrong())?, den.parse().map_err(|_| wrong())?),
        None => {
            let rate: f64 = text.parse().map_err(|_| wrong())?;
            if rate.fract() == 0.0 { (rate as u32, 1) } else { ((rate * 1000.0).round() as u32, 1000) }
        }
    };
    if num == 0 || den == 0 { Err(wrong()) } else { Ok((num, den)) }
}

pub(super) fn size(text: &str) -> Result<(u32, u32), String> {
    text.split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
        .ok_or_else(|| "not a size, such as 1280x720".to_owned())
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("20ms"), Ok(Duration::from_millis(20)));
        assert!(duration("20").unwrap_err().contains("20s or 20ms"));
        for bad in ["", "s", "-1s", "1.2.3s", "3 weeks", "1e99h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_part_is_a_fraction_or_a_percentage() {
        assert_eq!((part("0.25"), part("30%"), part("0")), (Ok(0.25), Ok(0.3), Ok(0.0)));
        for bad in ["", "%", "30 percent", "1/4"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn memory_needs_a_unit() {
        assert_eq!((bytes("64KiB"), bytes("8MiB"), bytes("1GiB")), (Ok(65_536), Ok(8 << 20), Ok(1 << 30)));
        assert!(bytes("8").unwrap_err().contains("8KiB or 8MiB"));
        for bad in ["", "MiB", "-1MiB", "1.5MiB", "8MB", "99999999999999999GiB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn frame_rates_are_exact() {
        assert_eq!(frame_rate("29.97"), Ok((30_000, 1001)));
        assert_eq!(frame_rate("25"), Ok((25, 1)));
        assert_eq!(frame_rate("12.5"), Ok((12_500, 1000)));
        assert_eq!(frame_rate("24000/1001"), Ok((24_000, 1001)));
        for bad in ["0", "-1", "a", "1/0", "0/1", "nan"] {
            assert!(frame_rate(bad).is_err(), "{bad}");
        }
    }
}
