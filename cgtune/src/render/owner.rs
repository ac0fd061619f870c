//! What becomes of a change: who will overwrite it, and what would make it last.

use std::io::{self, Write};

use cgtune_core::{ObservedShare, plan::Goal, text::Escaped};
use cgtune_node::owner::{Lasting, Overwrite, Ownership, Touched, Wanted};

use super::paragraph;
use crate::streams::HEADING;

/// Who owns a group, who will overwrite a change there, and the owners' own commands for it.
pub(crate) struct Aftermath {
    /// Name and what speaks for it, of owners and of agents.
    pub(crate) owners: Vec<(String, String)>,
    pub(crate) overwrites: Vec<Overwrite>,
    pub(crate) lasting: Vec<Lasting>,
}

impl Aftermath {
    pub(crate) fn new(ownership: &Ownership, goal: &Goal) -> Self {
        let touched = Touched {
            share: goal.share.is_some(),
            quota: goal.bandwidth.is_some(),
            burst: goal
                .bandwidth
                .is_some_and(|bandwidth| bandwidth.burst.is_some_and(|burst| burst.get() > 0)),
            idle: goal.idle.is_some(),
            cpuset: goal.cpus.is_some() || goal.mems.is_some(),
        };
        let number = |share: Option<ObservedShare>, v1: bool| match share {
            Some(ObservedShare::Shares(n)) if v1 => Some(n),
            Some(ObservedShare::Weight(n)) if !v1 => Some(n),
            _ => None,
        };
        let wanted = Wanted {
            touched,
            shares: number(goal.share, true),
            weight: number(goal.share, false),
            quota: goal.bandwidth.map(|bandwidth| bandwidth.quota),
            period: goal.bandwidth.map(|bandwidth| bandwidth.period),
            burst: goal.bandwidth.and_then(|bandwidth| bandwidth.burst),
            idle: goal.idle,
            cpus: goal.cpus.clone(),
            mems: goal.mems.clone(),
        };
        let owners = ownership.owners.iter().map(|owner| (owner.name.clone(), owner.evidence.clone()));
        let agents = ownership.agents.iter().map(|agent| (agent.name.clone(), agent.evidence.clone()));
        Self {
            owners: owners.chain(agents).collect(),
            overwrites: ownership.overwrites(&wanted.touched),
            lasting: ownership.lasting(&wanted),
        }
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.owners.is_empty() {
            writeln!(out, "\n{HEADING}whose it is{HEADING:#}")?;
        }
        for (name, evidence) in &self.owners {
            item(&format!("{name}: {evidence}"), out)?;
        }
        if !self.overwrites.is_empty() {
            writeln!(out, "\n{HEADING}who will overwrite it{HEADING:#}")?;
        }
        for overwrite in &self.overwrites {
            item(&format!("{}: {}, {}", overwrite.who, overwrite.what.join(", "), overwrite.when), out)?;
        }
        if !self.lasting.is_empty() {
            writeln!(out, "\n{HEADING}what would make it last{HEADING:#}")?;
        }
        for lasting in &self.lasting {
            item(&lasting.owner, out)?;
            // On one line, however long: it is there to be copied.
            if let Some(command) = &lasting.command {
                writeln!(out, "    {}", Escaped(command.as_bytes()))?;
            }
            for cannot in &lasting.cannot {
                item_at(4, cannot, out)?;
            }
        }
        Ok(())
    }
}

fn item(text: &str, out: &mut dyn Write) -> io::Result<()> {
    item_at(2, text, out)
}

fn item_at(indent: usize, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = Escaped(text.as_bytes()).to_string();
    for (n, line) in paragraph::wrap(&text, paragraph::WIDTH - indent - 2).iter().enumerate() {
        writeln!(out, "{:indent$}{}{line}", "", if n == 0 { "- " } else { "  " })?;
    }
    Ok(())
}
