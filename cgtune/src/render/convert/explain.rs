//! `--explain` as text: each number, its rule, the arithmetic, and where the rule is written.

use std::io::{self, Write};

use cgtune_core::{
    convert::explain::{Step, Subject},
    text::Escaped,
};

use crate::{
    render::paragraph::{WIDTH, wrap},
    streams::HEADING,
};

/// Columns before a number's rule.
const INDENT: usize = 6;

/// Writes the steps of a pod, or of what is called so.
pub(crate) fn write(steps: &[Step], container: &str, out: &mut dyn Write) -> io::Result<()> {
    for step in steps {
        let whose = match step.of {
            Subject::Pod => " of the pod".to_owned(),
            Subject::Container if container.is_empty() => String::new(),
            Subject::Container => format!(" of {}", Escaped(container.as_bytes())),
        };
        writeln!(out, "  {HEADING}{}{whose}  {}{HEADING:#}", step.value, step.result)?;
        let by = format!("{} ({})", step.writer, step.since);
        for text in [step.formula, &step.arithmetic, &by, &step.source.to_string()] {
            for (i, line) in wrap(text, WIDTH - INDENT - 2).iter().enumerate() {
                let further = if i == 0 { "" } else { "  " };
                writeln!(out, "{:INDENT$}{further}{line}", "")?;
            }
        }
    }
    Ok(())
}
