//! Where one YAML document ends and the next begins, found in the text and not by the parser.
//!
//! `---` and `...` at the start of a line, followed by a blank or nothing, end whatever stands before them: YAML
//! forbids them inside every scalar (YAML 1.2.2, rule 206, `c-forbidden`). So the text of a document can be given to
//! a parser of its own, and one that is no YAML leaves the others whole.

use std::{io::BufRead, rc::Rc};

use granit_parser::ErrorKind;

use crate::{
    error::{Error, Fault},
    source::{Gauge, Source},
};

/// The characters of one document after the other; as an iterator it ends with each.
pub(super) struct Documents<R> {
    source: Source<R>,
    gauge: Rc<Gauge>,
    /// The current line with LF at its end, or a piece of it, and what of it is taken.
    piece: String,
    at: usize,
    state: State,
    /// The last line so far whose indentation has a tab.
    tab: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Comments and directives, which belong to the document that follows.
    Prefix,
    /// Behind `---`, or in a document without.
    Content,
    /// At a marker or the end.
    Ended,
    /// Behind an error, with so much padding left before the parser hears of it.
    Failed(usize),
}

/// What the parser may have buffered when the source fails (`BUFFER_LEN` in granit-parser 2.1). It drops that together
/// with the items that end there, so it gets line breaks to drop in their place. They complete nothing: what follows
/// them is an error, not the end.
const PADDING: usize = 16;

/// What a line begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// `---`
    Dashes,
    /// `...`
    Dots,
    /// Nothing, a comment or a directive.
    Other,
    Content,
}

fn start(line: &str) -> Start {
    let marker = |marker| {
        let rest = line.strip_prefix(marker);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
    };
    match line.bytes().find(|byte| !matches!(byte, b' ' | b'\t')) {
        None | Some(b'\n' | b'\r' | b'#') => Start::Other,
        _ if line.starts_with('%') => Start::Other,
        Some(b'-') if marker("---") => Start::Dashes,
        Some(b'.') if marker("...") => Start::Dots,
        Some(_) => Start::Content,
    }
}

impl<R: BufRead> Documents<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        let gauge = source.gauge();
        Self { source, gauge, piece: String::new(), at: 0, state: State::Ended, tab: None }
    }

    pub(super) fn gauge(&self) -> Rc<Gauge> {
        Rc::clone(&self.gauge)
    }

    /// The last line of the document so far whose indentation has a tab.
    pub(super) fn tab(&self) -> Option<u64> {
        self.tab
    }

    /// Begins the next document and tells the line on which it starts, or that there is none.
    pub(super) fn open(&mut self) -> Result<Option<u64>, Error> {
        self.state = State::Prefix;
        self.tab = None;
        self.gauge.begin_object();
        if self.at < self.piece.len() {
            // The marker that ended the last document is still to be read.
            self.end_line_with_lf()?;
            self.look_at_line();
        } else if !self.load()? {
            return Ok(None);
        }
        Ok(Some(self.gauge.line()))
    }

    /// Passes over what is left of the document.
    pub(super) fn leave(&mut self) {
        if self.state == State::Ended {
            return;
        }
        self.piece.clear();
        self.at = 0;
        self.state = State::Ended;
        while self.source.advance_over_faults() {
            if !self.source.starts_line() {
                continue;
            }
            match start(self.source.piece()) {
                Start::Dashes => {
                    self.piece.push_str(self.source.piece());
                    return;
                }
                Start::Dots => {
                    self.piece.push_str(self.source.piece());
                    self.at = 3;
                    return;
                }
                Start::Other | Start::Content => {}
            }
        }
    }

    /// Reads the next piece; `false` at the end of the text.
    fn load(&mut self) -> Result<bool, Error> {
        self.at = 0;
        self.piece.clear();
        if !self.source.advance()? {
            return Ok(false);
        }
        self.piece.push_str(self.source.piece());
        self.end_line_with_lf()?;
        if self.source.starts_line() {
            self.look_at_line();
        }
        Ok(true)
    }

    /// Makes LF of CRLF, and of a lone CR an error.
    fn end_line_with_lf(&mut self) -> Result<(), Error> {
        if self.piece.ends_with("\r\n") {
            self.piece.truncate(self.piece.len() - 2);
            self.piece.push('\n');
        }
        if self.piece.contains('\r') {
            self.piece.clear();
            return Err(Error::new(self.gauge.line(), Fault::CarriageReturn));
        }
        Ok(())
    }

    /// Moves on with the state at the start of a line.
    fn look_at_line(&mut self) {
        self.state = match (start(&self.piece[self.at..]), self.state) {
            (_, State::Ended | State::Failed(_)) => self.state,
            (Start::Dashes, State::Prefix) => State::Content,
            (Start::Dashes, State::Content) => State::Ended,
            (Start::Dots, State::Prefix) => {
                // The directives before it, if any, belong to nothing; what stands behind it begins a document.
                self.piece.replace_range(..3, "   ");
                if start(&self.piece) == Start::Content { State::Content } else { State::Prefix }
            }
            (Start::Dots, State::Content) => {
                self.at = 3;
                State::Ended
            }
            (Start::Other, state) => state,
            (Start::Content, _) => State::Content,
        };
        let indentation = self.piece.bytes().take_while(|byte| matches!(byte, b' ' | b'\t'));
        if indentation.into_iter().any(|byte| byte == b'\t') {
            self.tab = Some(self.gauge.line());
        }
    }
}

impl<R: BufRead> Iterator for Documents<R> {
    type Item = Result<char, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.state {
                State::Ended => return None,
                // The parser ends on any error; what it was is in the gauge.
                State::Failed(0) => return Some(Err(ErrorKind::InputDecoding { message: String::new() })),
                State::Failed(left) => {
                    self.state = State::Failed(left - 1);
                    return Some(Ok('\n'));
                }
                State::Prefix | State::Content => {}
            }
            if let Some(&byte) = self.piece.as_bytes().get(self.at) {
                if byte.is_ascii() {
                    self.at += 1;
                    return Some(Ok(char::from(byte)));
                }
                let c = self.piece.get(self.at..)?.chars().next()?;
                self.at += c.len_utf8();
                return Some(Ok(c));
            }
            match self.load() {
                Ok(true) => {}
                Ok(false) => {
                    self.state = State::Ended;
                    return None;
                }
                Err(error) => {
                    self.gauge.put_error(error);
                    self.state = State::Failed(PADDING);
                }
            }
        }
    }
}
