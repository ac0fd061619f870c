//! What aliases may stand for, and how much they may ask for.

use std::collections::HashMap;

use crate::{
    error::{Error, Fault},
    limits::{MAX_ALIASED_NODES, MAX_BYTES, MAX_NODES},
    node::Node,
    tree::Extent,
};

/// The anchors of one document. The nodes are shared with the tree, so that to keep one costs nothing until its object
/// is gone.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    nodes: HashMap<usize, (Node, Extent)>,
    /// The anchor that a name stands for last; those before it nobody can ask for any more.
    names: HashMap<String, usize>,
    kept_nodes: u64,
    kept_bytes: u64,
}

impl Anchors {
    /// Keeps a complete node.
    pub(super) fn keep(&mut self, anchor: usize, node: &Node, extent: Extent) -> Result<(), Error> {
        if anchor == 0 {
            return Ok(());
        }
        self.kept_nodes = self.kept_nodes.saturating_add(extent.nodes);
        self.kept_bytes = self.kept_bytes.saturating_add(extent.bytes);
        if self.kept_nodes > MAX_NODES || self.kept_bytes > MAX_BYTES {
            return Err(Error::new(node.line, Fault::TooMuchAnchored));
        }
        self.nodes.insert(anchor, (node.clone(), extent));
        Ok(())
    }

    /// Gives an anchor its name, and lets go of the one that had it.
    pub(super) fn name(&mut self, anchor: usize, name: String) {
        let before = self.names.insert(name, anchor);
        if let Some((_, extent)) = before.and_then(|before| self.nodes.remove(&before)) {
            self.kept_nodes = self.kept_nodes.saturating_sub(extent.nodes);
            self.kept_bytes = self.kept_bytes.saturating_sub(extent.bytes);
        }
    }

    /// What an alias on this line stands for. `aliased` counts for the whole stream.
    pub(super) fn get(&self, anchor: usize, line: u64, aliased: &mut u64) -> Result<(Node, Extent), Error> {
        let (node, extent) =
            self.nodes.get(&anchor).ok_or_else(|| Error::new(line, Fault::UnfinishedAnchor))?;
        *aliased = aliased.saturating_add(extent.nodes);
        if *aliased > MAX_ALIASED_NODES {
            return Err(Error::new(line, Fault::TooManyAliased));
        }
        Ok((node.clone(), *extent))
    }
}
