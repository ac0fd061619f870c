//! Which of the two formats a stream is in, from its name or its first bytes.

use std::io::{self, BufRead, Chain, Cursor};

use crate::error::{Error, Fault};

/// What is known about a stream before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Nothing: JSON is what starts as an object of JSON does, all else is YAML.
    #[default]
    Unknown,
    /// JSON, as the name of a file may say.
    Json,
    /// YAML, which may be written like JSON.
    Yaml,
}

/// How many blank bytes at the start are looked over for a brace; with more of them JSON is read by the YAML reader.
const BLANK: usize = 64 << 10;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A stream from its start, though some of it has been read.
pub(crate) type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Finds the format, and takes a byte order mark off.
pub(crate) fn detect<R: BufRead>(mut reader: R, format: Format) -> Result<(Format, Whole<R>), Error> {
    let mut seen = Vec::new();
    let mut ended = false;
    let format = loop {
        if let Some(found) = decide(&seen, ended, format) {
            break found.map_err(|fault| Error::new(1, fault))?;
        }
        match reader.fill_buf() {
            Ok(bytes) => {
                seen.extend_from_slice(bytes);
                let taken = bytes.len();
                ended = taken == 0;
                reader.consume(taken);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::new(1, Fault::Read(error))),
        }
    };
    let start = if seen.starts_with(BOM) { BOM.len() as u64 } else { 0 };
    let mut seen = Cursor::new(seen);
    seen.set_position(start);
    Ok((format, io::Read::chain(seen, reader)))
}

/// The format, or `None` where more has to be seen.
fn decide(seen: &[u8], ended: bool, format: Format) -> Option<Result<Format, Fault>> {
    if seen.len() < 4 && !ended {
        return None;
    }
    let first_two = (seen.first(), seen.get(1));
    if matches!(first_two, (Some(0xfe), Some(0xff)) | (Some(0xff), Some(0xfe)))
        || matches!(first_two, (Some(0), Some(1..)) | (Some(1..), Some(0)))
    {
        return Some(Err(Fault::Utf16));
    }
    if format != Format::Unknown {
        return Some(Ok(format));
    }
    let undecided = || (ended || seen.len() > BLANK).then_some(Ok(Format::Yaml));
    let text = seen.strip_prefix(BOM).unwrap_or(seen).trim_ascii_start();
    match text.split_first() {
        None => undecided(),
        Some((b'{', rest)) => match rest.trim_ascii_start().first() {
            None => undecided(),
            Some(b'"' | b'}') => Some(Ok(Format::Json)),
            Some(_) => Some(Ok(Format::Yaml)),
        },
        Some(_) => Some(Ok(Format::Yaml)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read as _};

    use super::*;

    fn found(bytes: &[u8]) -> Format {
        detect(BufReader::with_capacity(1, bytes), Format::Unknown).unwrap().0
    }

    #[test]
    fn an_object_of_json_is_told_by_its_brace_and_what_follows() {
        for text in ["{}", " \r\n\t{ \n \"a\": 1}", "\u{feff}{\"a\"", "{\"", "{   }"] {
            assert_eq!(found(text.as_bytes()), Format::Json, "{text}");
        }
        for text in ["", "{", "{a: b}", "{ # comment\n}", "[]", "# {}\n{}", "a: {}", "---\n{}", "\u{feff}"] {
            assert_eq!(found(text.as_bytes()), Format::Yaml, "{text}");
        }
    }

    #[test]
    fn nothing_is_lost_by_looking() {
        let text = format!("\u{feff}{}x: 1\n", "\n".repeat(100_000));
        let (format, mut whole) = detect(text.as_bytes(), Format::Unknown).unwrap();
        let mut read = String::new();
        whole.read_to_string(&mut read).unwrap();
        assert_eq!((format, &*read), (Format::Yaml, &text[3..]));
    }

    #[test]
    fn utf_16_is_refused_in_whatever_order() {
        for bytes in [b"\xff\xfea\0", b"\xfe\xff\0a", b"a\0b\0", b"\0a\0b"] {
            let error = detect(&bytes[..], Format::Unknown).err().unwrap();
            assert_eq!(error.to_string(), "line 1: this is UTF-16 text; save the file as UTF-8");
        }
    }
}
