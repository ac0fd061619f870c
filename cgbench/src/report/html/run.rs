//! The page of one run.

use super::{Page, about, charts, figures, markup::Markup, steady, verdicts};
use crate::{
    chart::{Gallery, NAMES},
    record::Records,
    report::{headline::headline, standing},
    summary::Summary,
};

/// The sections, in the order in which somebody asks.
const SECTIONS: [(&str, &str); 7] = [
    ("verdict", "Verdict"),
    ("figures", "Figures"),
    ("charts", "Charts"),
    ("steady", "How steady the machine was"),
    ("method", "Method"),
    ("machine", "Machine"),
    ("again", "Run it again"),
];

pub(super) fn page(records: &Records, summary: &Summary) -> String {
    let title = format!("What CPU policies do to {}: {}", summary.item.load(), summary.plan);
    let gallery = Gallery::of(records, summary);
    let mut main = Markup::default();
    for (id, heading) in SECTIONS {
        let heading_id = format!("{id}-heading");
        main.element("section", &[("id", id), ("aria-labelledby", &heading_id)], |m| {
            m.leaf("h2", &[("id", &heading_id)], heading);
            match id {
                "verdict" => verdicts::lists(m, summary, "h3"),
                "figures" => {
                    figures::table(m, records, summary, "Latency, throttling and CPU use of each policy");
                    figures::notes(m, summary);
                }
                "charts" => charts::charts(m, &gallery, &NAMES, "", "h3"),
                "steady" => steady::steady(m, records, summary),
                "method" => about::method(m, records, summary),
                "machine" => about::machine(m, records),
                _ => about::reproduce(m, records),
            }
        });
    }
    let contents: Vec<(String, String)> =
        SECTIONS.into_iter().map(|(id, heading)| (id.to_owned(), heading.to_owned())).collect();
    Page {
        title,
        headline: headline(summary),
        standing: standing(summary),
        notices: super::notices(summary),
        contents,
        started: records.run.started.clone(),
    }
    .write(main)
}
