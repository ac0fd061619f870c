//! What a reader needs who doubts it: method, machine, and how to do it again.

use super::markup::Markup;
use crate::{
    record::Records,
    report::{facts, method::points},
    summary::{Summary, figures::count},
};

/// How it was measured.
pub(super) fn method(m: &mut Markup, records: &Records, summary: &Summary) {
    m.element("ul", &[("class", "method")], |m| {
        for point in points(records, summary) {
            m.element("li", &[], |m| m.prose(&point));
        }
    });
}

/// On what.
pub(super) fn machine(m: &mut Markup, records: &Records) {
    m.element("dl", &[], |m| {
        for (name, value) in facts::machine(&records.machine) {
            m.element("div", &[], |m| {
                m.leaf("dt", &[], name);
                m.leaf("dd", &[], &value);
            });
        }
    });
}

/// By which command and from which plan.
pub(super) fn reproduce(m: &mut Markup, records: &Records) {
    let run = &records.run;
    m.element("pre", &[("tabindex", "0")], |m| m.leaf("code", &[], &facts::command(run)));
    m.element("p", &[], |m| {
        m.write(&format!("cgbench {}, {} s. ", run.version, count(run.seconds.max(0.0).round() as u64)));
        m.prose(
            "The raw record of each block is in `blocks/`, beside this page; the page, the charts and `summary.json` are made \
             from them by `cgbench report` at any time.",
        );
    });
    if !run.missed.is_empty() {
        m.leaf("p", &[], "Not provided here:");
        m.element("ul", &[], |m| {
            for missed in &run.missed {
                m.leaf("li", &[], &format!("{}: {}", missed.condition, missed.reason));
            }
        });
    }
    if let Ok(plan) = serde_json::to_string_pretty(&records.plan) {
        m.element("details", &[], |m| {
            m.leaf("summary", &[], "The plan as run");
            m.element("pre", &[("tabindex", "0")], |m| m.element("code", &[], |m| m.write_lines(&plan)));
        });
    }
}
