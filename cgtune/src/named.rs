//! What a person names to be read whole: a file, or `-` for standard input. No further than a bound, so that a device, or a pipe without
//! end, fills no memory. Manifests, which may be as large as a cluster, come as streams: [`crate::manifests::input`].

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context as _, anyhow};
use cgtune_core::text::Escaped;

use crate::failure::Hinted;

/// Whether somebody has read standard input: it is the process's own, and there is one.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A file, or standard input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a>(pub(crate) &'a Path);

impl Named<'_> {
    /// How it is called in messages, fit to show.
    pub(crate) fn name(self) -> String {
        match self.is_standard_input() {
            true => "standard input".to_owned(),
            false => Escaped(self.0.as_os_str().as_encoded_bytes()).to_string(),
        }
    }

    pub(crate) fn is_standard_input(self) -> bool {
        self.0.as_os_str() == "-"
    }

    /// All of it. `what` is what it should be, and as a rule far smaller than `most` bytes.
    pub(crate) fn read(self, what: &str, most: u64) -> anyhow::Result<Vec<u8>> {
        let cannot = || format!("cannot read {}", self.name());
        let reader: Box<dyn Read> = match self.is_standard_input() {
            true => Box::new(standard_input().with_context(cannot)?),
            false => Box::new(File::open(self.0).with_context(cannot)?),
        };
        match whole(reader, most).with_context(cannot)? {
            Some(bytes) => Ok(bytes),
            None => {
                let error = anyhow!("cannot read {}: it has more than {}", self.name(), size(most));
                Err(Hinted::new(error, format!("{what} is far smaller; is it the right file?")).into())
            }
        }
    }
}

/// Standard input, once: who reads it again would take its end for an answer.
///
/// # Errors
/// It was read before.
pub(crate) fn standard_input() -> io::Result<impl Read> {
    match TAKEN.swap(true, Ordering::Relaxed) {
        false => Ok(io::stdin().lock()),
        true => Err(io::Error::other("it is named twice, and can be read once")),
    }
}

/// Everything; `None` where that is more than so much.
fn whole(reader: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

fn size(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_long_as_the_bound_is_read_and_no_more_of_what_is_longer() {
        assert_eq!(whole(&b"four"[..], 4).unwrap().as_deref(), Some(&b"four"[..]));
        let mut longer = io::repeat(b'x').take(1 << 20);
        assert_eq!(whole(&mut longer, 4).unwrap(), None);
        assert_eq!(longer.limit(), (1 << 20) - 5);
    }

    #[test]
    fn a_file_without_end_is_refused_with_its_name_and_what_it_should_be() {
        let error = Named(Path::new("/dev/zero")).read("a plan", 1 << 20).unwrap_err();
        assert_eq!(crate::failure::sentence(&error), "cannot read /dev/zero: it has more than 1 MiB");
        let error = Named(Path::new("/no\x1bwhere")).read("a plan", 1 << 20).unwrap_err();
        assert!(crate::failure::sentence(&error).starts_with(r"cannot read /no\x1bwhere: No such file"));
    }
}
