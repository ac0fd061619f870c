//! The kubelet's command line, as far as it says something of CPUs over its file: `--flags`.

use anyhow::anyhow;
use cgtune_manifest::Flags;

use super::drop_ins::DropIns;
use crate::{failure::Hinted, streams::Streams};

/// The command line that is meant.
#[derive(Debug, clap::Args)]
pub(super) struct CommandLine {
    /// The kubelet's command line, or flags of it: they override the file
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    flags: Option<String>,
}

impl CommandLine {
    /// Whether one is given.
    pub(super) fn asked(&self) -> bool {
        self.flags.is_some()
    }

    /// What it says of CPUs.
    pub(super) fn read(&self, drop_ins: &DropIns, streams: &mut Streams<'_>) -> anyhow::Result<Flags> {
        let Some(text) = &self.flags else { return Ok(Flags::default()) };
        let words = shlex::split(text).ok_or_else(|| {
            let error = anyhow!("--flags: a quote in it is not closed");
            Hinted::new(error, "give the words as a shell reads them")
        })?;
        let flags = Flags::read(words.iter().map(String::as_str)).map_err(|error| {
            Hinted::new(anyhow!("--flags: {error}"), "the kubelet does not start with it; mend it there")
        })?;
        if let Some(folder) = flags.config_dir().filter(|folder| !folder.is_empty() && !drop_ins.asked()) {
            streams.warn(&format!(
                "the command line names --config-dir {folder}, which is not looked at: give it as well"
            ))?;
        }
        Ok(flags)
    }
}
