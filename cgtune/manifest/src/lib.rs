//! Kubernetes objects from untrusted YAML and JSON, as trees with line numbers.
//!
//! Here live the two readers, the [`Node`]s that they make, the limits that keep a hostile text from costing more than a
//! sound one, and [`Cursor`], which takes values out of a tree and names place and line of what does not fit.
//! What a pod, its makers, a LimitRange and a KubeletConfiguration are in such a tree is here, too ([`Object`], [`KubeletFile`]).
//! Deliberately absent: what a CPU amount is, what such values lead to, files and their names.
//!
//! [`objects`] hands out one object at a time. A list goes out item by item, so that a dump of a whole cluster takes no
//! more memory than its largest object.
//!
//! ```
//! use std::ops::ControlFlow;
//! use cgtune_manifest::{Cursor, Format, objects};
//!
//! let text = "kind: PodList\nitems:\n- metadata: {name: web}\n  spec: {containers: []}\n";
//! let mut names = Vec::new();
//! objects(text.as_bytes(), Format::Unknown, &mut |_place, object| {
//!     if let Ok(node) = object {
//!         let name = Cursor::new(&node).field("metadata").and_then(|metadata| metadata.field("name"));
//!         names.push(name.and_then(|name| Ok(name.text()?.to_owned())));
//!     }
//!     ControlFlow::Continue(())
//! });
//! assert_eq!(names, [Ok("web".to_owned())]);
//! ```

mod cursor;
mod delivery;
mod entries;
mod error;
mod format;
mod json;
mod kubelet;
pub mod limits;
mod node;
mod number;
mod object;
mod place;
mod quoted;
mod source;
mod tree;
mod yaml;

use std::{io::BufRead, ops::ControlFlow};

pub use cursor::{Cursor, FieldError, Problem};
pub use error::{Error, Fault};
pub use format::Format;
pub use kubelet::{
    EditError, Edited, FlagError, Flags, KubeletFile, KubeletFileError, Layers, patch as kubeadm_patch,
};
pub use node::{Entry, List, Map, Node, Value};
pub use number::Number;
pub use object::{Object, Workload};
pub use place::{Among, Place};

use crate::{delivery::Delivery, entries::Repeats, source::Source};

/// What gets the objects of a stream, or why one could not be read; `Break` ends the reading.
pub type Visit<'v> = dyn FnMut(Place, Result<Node, Error>) -> ControlFlow<()> + 'v;

/// Reads a stream to its end, and returns how many documents were in it. Documents that hold nothing do not count.
///
/// Every document gives its object, or every item of its list an object each, or an error in their place. What is wrong
/// inside an item costs that item. A syntax error costs the rest of a YAML document, and the rest of a JSON stream; a NUL byte the rest of
/// either.
/// A list that turns out to be none after its items gives them and an error.
pub fn objects<'v>(source: impl BufRead, format: Format, visit: &'v mut Visit<'v>) -> u64 {
    objects_with(source, format, Repeats::default(), visit)
}

/// The same, with another rule for keys that stand twice.
fn objects_with<'v>(source: impl BufRead, format: Format, repeats: Repeats, visit: &'v mut Visit<'v>) -> u64 {
    let mut delivery = Delivery::new(visit, repeats);
    // Whether the visitor or the text had enough, there is no more to do.
    let _: ControlFlow<()> = match format::detect(source, format) {
        Ok((Format::Json, whole)) => json::read(Source::new(whole), &mut delivery),
        Ok((_, whole)) => yaml::read(Source::new(whole), &mut delivery),
        Err(error) => {
            delivery.documents = 1;
            delivery.give(delivery.place(None, error.line), Err(error))
        }
    };
    delivery.documents
}
