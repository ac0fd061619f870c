//! `cgtune man`: our manual pages, for packagers.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::{cli::Cli, exit::Exit, streams::Streams};

/// Write the manual pages
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder for one page a verb; without it the main page goes to stdout
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    match &args.dir {
        Some(dir) => clap_mangen::generate_to(Cli::command(), dir)
            .with_context(|| format!("cannot write manual pages to {}", dir.display()))?,
        None => clap_mangen::Man::new(Cli::command()).render(&mut streams.out)?,
    }
    Ok(Exit::Done)
}
