//! Reading YUV4MPEG2 (`.y4m`): a text header, then `FRAME` lines, each followed by raw planes.
//!
//! Only 8-bit 4:2:0 is read (`C420`, `C420jpeg`, `C420mpeg2`, `C420paldv`, or no `C` at all, which
//! means 4:2:0); the variants differ in where chroma lies between luma samples, which an encoder
//! passes on. Anything else is an error that says what it is. Memory is bounded: lines by
//! 1024 bytes, a picture by 4096 samples a side, their number by the caller.

use std::io::{self, BufRead, Read};

use super::Picture;

/// No header or frame line in use is near this long.
const MAX_LINE: u64 = 1024;
/// What the encoder takes; also a bound on the memory that a header can make us allocate.
const MAX_SIDE: u32 = 4096;
/// Smaller pictures have no neighbourhood to predict from.
const MIN_SIDE: u32 = 16;

/// Why a stream is not a clip.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Y4mError {
    /// Reading failed.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// It starts with something else.
    #[error("it does not start with YUV4MPEG2")]
    NotY4m,
    /// A line without an end in sight.
    #[error("a line of the header is longer than {MAX_LINE} bytes or has no end")]
    EndlessLine,
    /// A size that is missing or not usable.
    #[error("its {0} is missing, not a number, odd, or outside {MIN_SIDE}..={MAX_SIDE}")]
    Size(&'static str),
    /// Another colour format.
    #[error("its colour format is {0}, only 8-bit 4:2:0 is supported")]
    Colour(String),
    /// Something else where a frame should begin.
    #[error("frame {0} does not start with FRAME")]
    NotFrame(u64),
    /// The end comes within a frame.
    #[error("it ends within frame {0}")]
    Truncated(u64),
    /// A header, but no frame.
    #[error("it holds no frame")]
    NoFrame,
}

/// Reads pictures one by one.
#[derive(Debug)]
pub struct Y4mReader<R> {
    reader: R,
    width: u32,
    height: u32,
    frames: u64,
}

impl<R: BufRead> Y4mReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is not the header of a clip that we support.
    pub fn new(mut reader: R) -> Result<Self, Y4mError> {
        let line = read_line(&mut reader)?.ok_or(Y4mError::NotY4m)?;
        let mut words = line.split(|&byte| byte == b' ');
        if words.next() != Some(b"YUV4MPEG2") {
            return Err(Y4mError::NotY4m);
        }
        let (mut width, mut height) = (None, None);
        for word in words {
            match word.split_first() {
                Some((b'W', value)) => width = side(value),
                Some((b'H', value)) => height = side(value),
                Some((b'C', b"420" | b"420jpeg" | b"420mpeg2" | b"420paldv")) => {}
                Some((b'C', other)) => {
                    return Err(Y4mError::Colour(
                        String::from_utf8_lossy(other).escape_default().to_string(),
                    ));
                }
                _ => {}
            }
        }
        let width = width.ok_or(Y4mError::Size("width"))?;
        let height = height.ok_or(Y4mError::Size("height"))?;
        Ok(Self { reader, width, height, frames: 0 })
    }

    /// Width in luma samples.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in luma samples.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The next picture, or `None` at the end.
    ///
    /// # Errors
    /// When something else follows, or the end comes early.
    pub fn next_picture(&mut self) -> Result<Option<Picture>, Y4mError> {
        let Some(line) = read_line(&mut self.reader)? else { return Ok(None) };
        if line != b"FRAME" && !line.starts_with(b"FRAME ") {
            return Err(Y4mError::NotFrame(self.frames));
        }
        let mut picture = Picture::new(self.width as usize, self.height as usize, 0);
        for plane in [&mut picture.luma, &mut picture.cb, &mut picture.cr] {
            self.reader.read_exact(plane.samples_mut()).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Y4mError::Truncated(self.frames),
                _ => Y4mError::Read(error),
            })?;
        }
        self.frames += 1;
        Ok(Some(picture))
    }
}

/// A line without its end, or `None` when nothing is left.
fn read_line(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, Y4mError> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(Y4mError::Read)?;
    if read == 0 {
        return Ok(None);
    }
    match line.pop() {
        Some(b'\n') => Ok(Some(line)),
        _ => Err(Y4mError::EndlessLine),
    }
}

/// A side of the picture: even, since chroma has half of it.
fn side(value: &[u8]) -> Option<u32> {
    let side: u32 = std::str::from_utf8(value).ok()?.parse().ok()?;
    (side.is_multiple_of(2) && (MIN_SIDE..=MAX_SIDE).contains(&side)).then_some(side)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(bytes: &[u8]) -> Result<Vec<Picture>, Y4mError> {
        let mut reader = Y4mReader::new(bytes)?;
        let mut pictures = Vec::new();
        while let Some(picture) = reader.next_picture()? {
            pictures.push(picture);
        }
        Ok(pictures)
    }

    fn clip(header: &str, frames: usize) -> Vec<u8> {
        let mut bytes = header.as_bytes().to_vec();
        for frame in 0..frames {
            bytes.extend(b"FRAME\n");
            bytes.extend((0..16 * 16 * 3 / 2).map(|i| (i + frame) as u8));
        }
        bytes
    }

    #[test]
    fn planes_come_in_the_order_of_the_file() {
        let bytes = clip("YUV4MPEG2 W16 H16 F30000:1001 Ip A1:1 C420mpeg2 XYSCSS=420MPEG2\n", 2);
        let pictures = read_all(&bytes).unwrap();
        assert_eq!(pictures.len(), 2);
        assert_eq!(pictures[1].to_raw(), bytes[bytes.len() - 384..]);
    }

    #[test]
    fn no_colour_word_means_4_2_0() {
        assert_eq!(read_all(&clip("YUV4MPEG2 W16 H16\n", 1)).unwrap().len(), 1);
    }

    #[test]
    fn each_defect_has_its_own_error() {
        let error = |bytes: &[u8]| read_all(bytes).unwrap_err().to_string();
        assert_eq!(error(b""), "it does not start with YUV4MPEG2");
        assert_eq!(error(b"RIFF\n"), "it does not start with YUV4MPEG2");
        assert!(error(b"YUV4MPEG2 W16 H16").contains("no end"));
        assert!(error(&[b'Y'; 5000]).contains("1024"));
        assert!(error(b"YUV4MPEG2 H16\n").contains("width"));
        assert!(error(b"YUV4MPEG2 W16 H17\n").contains("height"));
        assert!(error(b"YUV4MPEG2 W16 H99999999999999999999\n").contains("height"));
        assert!(error(b"YUV4MPEG2 W16 H16 C444\n").contains("444"));
        assert!(error(b"YUV4MPEG2 W16 H16 C420p10\n").contains("420p10"));
        assert!(error(&[&clip("YUV4MPEG2 W16 H16\n", 1)[..], b"JUNK\n"].concat()).contains("frame 1"));
        let whole = clip("YUV4MPEG2 W16 H16\n", 1);
        assert_eq!(error(&whole[..whole.len() - 1]), "it ends within frame 0");
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = read_all(&bytes);
        }

        #[test]
        fn garbage_after_a_good_start_never_panics(
            header in "YUV4MPEG2( [WHC][0-9a-z]{0,6}){0,4}\n",
            rest in prop::collection::vec(any::<u8>(), 0..1000),
        ) {
            let _ = read_all(&[header.as_bytes(), b"FRAME\n", &rest].concat());
        }

        #[test]
        fn a_damaged_clip_never_panics(at in 0usize..800, byte: u8, cut in 0usize..800) {
            let mut bytes = clip("YUV4MPEG2 W16 H16 C420\n", 2);
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            let _ = read_all(&bytes);
        }
    }
}
