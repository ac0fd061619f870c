//! The table, with what a reader must know beside its numbers.

use super::markup::Markup;
use crate::{
    chart::policy::{colour, text_colour},
    record::Records,
    study::reserved_cpus,
    summary::Summary,
    table::{self, GridRow},
};

/// What is not in the summary, and stands last but one.
const SET_ASIDE: &str = "CPUs set aside";

/// The table.
pub(super) fn table(m: &mut Markup, records: &Records, summary: &Summary, caption: &str) {
    let grid = table::whole(summary);
    let last = grid.columns.len().saturating_sub(1);
    m.table("figures", caption, |m| {
        m.element("thead", &[], |m| {
            m.element("tr", &[], |m| {
                for (place, (heading, _)) in grid.columns.iter().enumerate() {
                    if place == last {
                        m.leaf("th", &[("scope", "col")], SET_ASIDE);
                    }
                    m.leaf("th", &[("scope", "col")], heading);
                }
            });
        });
        for group in &grid.groups {
            m.element("tbody", &[], |m| {
                m.element("tr", &[("class", "group")], |m| {
                    let columns = (grid.columns.len() + 1).to_string();
                    m.element("th", &[("scope", "rowgroup"), ("colspan", &columns)], |m| {
                        m.leaf("span", &[], group.heading);
                    });
                });
                group.rows.iter().for_each(|one| row(m, one, records, last));
            });
        }
    });
}

fn row(m: &mut Markup, row: &GridRow, records: &Records, last: usize) {
    let policy = row.condition.policy;
    m.element("tr", &[], |m| {
        m.element("th", &[("scope", "row")], |m| {
            let (dot, name) = (m.class(colour(policy)), m.class(text_colour(policy)));
            m.leaf("span", &[("class", &format!("dot {dot}")), ("aria-hidden", "true")], "");
            m.leaf("span", &[("class", &name)], policy.name());
        });
        match &row.cells {
            Ok(cells) => {
                for (place, cell) in cells.iter().enumerate().skip(1) {
                    if place == last {
                        let cpus = reserved_cpus(records, row.condition);
                        number(m, &cpus.map_or_else(|| "–".into(), |cpus| format!("{cpus:.2}")), false);
                    }
                    number(m, cell, row.alarm && place == 1);
                }
            }
            Err(why) => {
                let columns = (last + 1).to_string();
                m.leaf("td", &[("class", "absent"), ("colspan", &columns)], why);
            }
        }
    });
}

/// A number, and quietly what it is out of.
fn number(m: &mut Markup, cell: &str, alarm: bool) {
    let quiet = matches!(cell, "n/a" | "–" | "no quota");
    let class = if alarm {
        "alarm"
    } else if quiet {
        "quiet"
    } else {
        ""
    };
    let attributes = [("class", class)];
    m.element("td", if class.is_empty() { &[] } else { &attributes }, |m| match cell.split_once(" of ") {
        Some((part, whole)) => {
            m.write(part);
            m.leaf("small", &[], &format!(" of {whole}"));
        }
        None => m.write(cell),
    });
}

/// The notes, as a list.
pub(super) fn notes(m: &mut Markup, summary: &Summary) {
    let notes = table::notes(summary);
    if !notes.is_empty() {
        m.element("ul", &[("class", "notes")], |m| notes.iter().for_each(|note| m.said("li", &[], note)));
    }
}
