//! `cgtune history` for people: the changes, the oldest first.

use std::io::{self, Write};

use cgtune_node::journal::Entry;

use super::{paragraph, plan, stat::name};
use crate::streams::HEADING;

/// How a change stands.
pub(crate) struct Now {
    pub(crate) said: String,
    /// What to type about it, where there is something to do: the end of what is said.
    pub(crate) command: Option<String>,
}

/// `lines`: each change with how it stands now.
pub(crate) fn write(lines: &[(&Entry, Now)], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return writeln!(out, "no change was made here yet");
    }
    for (entry, now) in lines {
        let at = entry.at.split('.').next().unwrap_or_default().replace('T', " ");
        writeln!(out, "{HEADING}{:>4}{HEADING:#}  {at} UTC  {}", entry.id, entry.state.name())?;
        let wrapped = match &now.command {
            Some(command) => paragraph::wrap_to_command(&now.said, command, paragraph::WIDTH - 6),
            None => paragraph::wrap(&now.said, paragraph::WIDTH - 6),
        };
        for text in wrapped {
            if !text.is_empty() {
                writeln!(out, "      {text}")?;
            }
        }
        for group in &entry.groups {
            writeln!(out, "      {}", name(&group.path))?;
            let lines = plan::journalled(&group.planned);
            // What became of each file, not each turn on the way.
            let mut files: Vec<&str> = lines.iter().map(|line| line.file).collect();
            files.sort_unstable();
            files.dedup();
            for file in files {
                let of = || lines.iter().filter(|line| line.file == file);
                let (Some(first), Some(last)) = (of().next(), of().next_back()) else { continue };
                writeln!(out, "        {file:<18}  {} → {}", first.from.as_deref().unwrap_or("?"), last.to)?;
            }
        }
    }
    Ok(())
}
