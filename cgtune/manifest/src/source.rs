//! Bytes from anywhere as pieces of sound text, with the number of the line that each stands on.
//!
//! A piece never spans lines, so that one number is right for all of it; a long line comes in several pieces. What an
//! object may take is counted here, before anything else holds the text.

use std::{
    cell::{Cell, RefCell},
    io::{self, BufRead},
    rc::Rc,
    str::Utf8Error,
};

use crate::{
    error::{Error, Fault},
    limits::MAX_BYTES,
};

/// Most bytes of a piece. Long enough for nearly every line, short enough to count with.
const PIECE: usize = 8 << 10;

/// What a reader of objects and the source below its parser tell each other.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    /// The line of the byte that was taken last.
    line: Cell<u64>,
    /// Bytes since the object began.
    spent: Cell<u64>,
    /// What ended the text, where the parser in between only knows that something did.
    error: RefCell<Option<Error>>,
}

impl Gauge {
    pub(crate) fn line(&self) -> u64 {
        self.line.get().max(1)
    }

    /// An object begins: its text is counted from here.
    pub(crate) fn begin_object(&self) {
        self.spent.set(0);
    }

    pub(crate) fn put_error(&self, error: Error) {
        // The first is the cause of whatever follows.
        self.error.borrow_mut().get_or_insert(error);
    }

    pub(crate) fn take_error(&self) -> Option<Error> {
        self.error.borrow_mut().take()
    }
}

/// The text and its lines.
pub(crate) struct Source<R> {
    reader: R,
    gauge: Rc<Gauge>,
    /// Sound text of the current line.
    piece: String,
    /// Bytes behind the piece that a cut in the middle of a character left over.
    rest: Vec<u8>,
    /// What is wrong behind the piece; the piece before it is still good.
    behind: Option<Fault>,
    starts_line: bool,
    /// Whether what was read last ends its line, also where its end is not sound.
    ends_line: bool,
    ended: bool,
}

impl<R: BufRead> Source<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            gauge: Rc::default(),
            piece: String::new(),
            rest: Vec::new(),
            behind: None,
            starts_line: false,
            ends_line: true,
            ended: false,
        }
    }

    pub(crate) fn gauge(&self) -> Rc<Gauge> {
        Rc::clone(&self.gauge)
    }

    /// The current piece.
    pub(crate) fn piece(&self) -> &str {
        &self.piece
    }

    /// Whether the current piece begins its line.
    pub(crate) fn starts_line(&self) -> bool {
        self.starts_line
    }

    /// Moves on to the next piece; `false` at the end. A piece is empty where nothing sound stands before a fault. After an error
    /// reading can go on behind what is wrong, unless the source itself has failed or is no text at all.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        if let Some(fault) = self.behind.take() {
            // What follows a NUL is no text either, and may have no end (a device).
            self.ended |= matches!(fault, Fault::Nul);
            self.piece.clear();
            return Err(self.error(fault));
        }
        if self.ended {
            self.piece.clear();
            return Ok(false);
        }
        // Asked before the next piece is read, so that a reader that goes on elsewhere misses none.
        if self.gauge.spent.get() > MAX_BYTES {
            return Err(self.error(Fault::TooLarge));
        }
        self.starts_line = self.ends_line;
        if self.starts_line {
            self.gauge.line.set(self.gauge.line.get() + 1);
        }

        let mut bytes = std::mem::take(&mut self.piece).into_bytes();
        bytes.clear();
        bytes.append(&mut self.rest);
        let read = self.fill(&mut bytes);
        if let Err(error) = read {
            self.ended = true;
            return Err(self.error(Fault::Read(error)));
        }
        self.ended = bytes.is_empty();
        self.ends_line = bytes.ends_with(b"\n");
        self.gauge.spent.set(self.gauge.spent.get().saturating_add(bytes.len() as u64));
        self.keep_sound(bytes);
        Ok(!self.ended)
    }

    /// Moves on without looking at what stands there, for a reader that searches where it can go on.
    pub(crate) fn advance_over_faults(&mut self) -> bool {
        loop {
            self.gauge.begin_object();
            match self.advance() {
                Ok(more) => return more,
                Err(_) if self.ended => return false,
                Err(_) => {}
            }
        }
    }

    fn error(&self, fault: Fault) -> Error {
        Error::new(self.gauge.line(), fault)
    }

    /// Appends the rest of a line, or a piece of it.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        io::Read::take(&mut self.reader, PIECE as u64).read_until(b'\n', bytes)?;
        if bytes.ends_with(b"\r") {
            // A carriage return and its line feed stay together.
            io::Read::take(&mut self.reader, 1).read_until(b'\n', bytes)?;
        }
        Ok(())
    }

    /// Makes a piece of the bytes as far as they are sound.
    fn keep_sound(&mut self, mut bytes: Vec<u8>) {
        if let Some(nul) = bytes.iter().position(|&byte| byte == 0) {
            bytes.truncate(nul);
            self.behind = Some(Fault::Nul);
        }
        self.piece = match String::from_utf8(bytes) {
            Ok(piece) => piece,
            Err(error) => {
                let fault = error.utf8_error();
                let mut bytes = error.into_bytes();
                let bad = bytes.split_off(fault.valid_up_to());
                if self.is_cut(fault, &bytes) {
                    self.rest = bad;
                } else {
                    self.behind = Some(Fault::NotUtf8);
                }
                String::from_utf8(bytes).unwrap_or_default()
            }
        };
    }

    /// Whether a character lacks its end only because the piece ends. Without anything before it nothing came after
    /// the last cut: then the text itself ends there.
    fn is_cut(&self, fault: Utf8Error, sound: &[u8]) -> bool {
        fault.error_len().is_none() && !sound.is_empty() && self.behind.is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All pieces with their lines, and the first error.
    fn pieces(bytes: &[u8], buffer: usize) -> (Vec<(u64, String)>, Option<String>) {
        let mut source = Source::new(io::BufReader::with_capacity(buffer, bytes));
        let mut pieces = Vec::new();
        loop {
            match source.advance() {
                Ok(true) if source.piece().is_empty() => {}
                Ok(true) => pieces.push((source.gauge.line(), source.piece().to_owned())),
                Ok(false) => return (pieces, None),
                Err(error) => return (pieces, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn what_stands_before_a_bad_byte_is_still_text() {
        let (pieces, error) = pieces(b"a\nb\xffc\n", 16);
        assert_eq!(pieces, [(1, "a\n".to_owned()), (2, "b".to_owned())]);
        assert_eq!(error.unwrap(), "line 2: a byte here is not UTF-8; save the file as UTF-8");
    }

    #[test]
    fn a_character_without_its_end_at_the_end_is_not_text() {
        let (pieces, error) = pieces("a\u{20ac}".as_bytes().split_last().unwrap().1, 16);
        assert_eq!(pieces, [(1, "a".to_owned())]);
        assert!(error.unwrap().contains("not UTF-8"));
    }

    #[test]
    fn a_source_that_fails_says_why_once() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no such luck"))
            }
        }
        let mut source = Source::new(io::BufReader::new(io::Read::chain(&b"a\n"[..], Broken)));
        assert!(source.advance().unwrap());
        let error = source.advance().unwrap_err();
        assert_eq!(error.to_string(), "line 2: cannot read on");
        let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap();
        assert_eq!(cause.to_string(), "no such luck");
        assert!(!source.advance().unwrap());
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(
            text in "([a-zé€😀\\r]{0,5}|[a€]{8180,8200}|\\n){0,8}",
            buffer in 1_usize..40,
        ) {
            let (pieces, error) = pieces(text.as_bytes(), buffer);
            prop_assert_eq!(error, None);
            prop_assert_eq!(pieces.iter().map(|(_, piece)| &**piece).collect::<String>(), &*text);
            let mut line = 1;
            for (at, piece) in pieces {
                prop_assert_eq!(at, line);
                prop_assert!(!piece.trim_end_matches('\n').contains('\n'));
                line += u64::from(piece.ends_with('\n'));
            }
        }
    }
}
