//! The report as one HTML page, to be looked at, cited and printed: everything is in it, nothing is fetched and nothing runs.
//!
//! What it says comes from where the Markdown's words come from; what it shows are the same charts, laid out for the page. Every
//! record is somebody else's text: it enters through `markup`, which escapes.

mod about;
mod charts;
mod figures;
mod markup;
mod run;
mod several;
mod steady;
mod verdicts;

use std::path::{Path, PathBuf};

use cgtune_sys::durable::Existing;
use markup::Markup;
pub use several::Run;

use crate::{
    record::{BackendKind, Records},
    store::{REPORT_PAGE, StoreError, write_file},
    summary::Summary,
    table,
};

/// Colours twice, for light and for dark pages; sizes; what of it is for paper.
const STYLE: &str = include_str!("html/style.css");

/// What a browser may do on behalf of the page: apply its own style sheet, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page of one run.
#[must_use]
pub fn page(records: &Records, summary: &Summary) -> String {
    run::page(records, summary)
}

/// One page over several runs, a section each.
#[must_use]
pub fn several(runs: &[Run]) -> String {
    several::page(runs)
}

/// Writes the page of one run into `folder`, replacing one that is there.
///
/// # Errors
/// [`StoreError::Write`]
pub fn write(records: &Records, summary: &Summary, folder: &Path) -> Result<PathBuf, StoreError> {
    put(&page(records, summary), folder)
}

/// Writes the page over several runs into the folder that holds them, replacing one that is there.
///
/// # Errors
/// [`StoreError::Write`]
pub fn write_several(runs: &[Run], folder: &Path) -> Result<PathBuf, StoreError> {
    put(&several(runs), folder)
}

fn put(page: &str, folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(REPORT_PAGE);
    write_file(&path, page.as_bytes(), Existing::Replaced)?;
    Ok(path)
}

/// What stands around the sections of any page.
struct Page {
    /// What it is about.
    title: String,
    /// What was found.
    headline: String,
    /// Who measured, on what.
    standing: String,
    /// When.
    started: String,
    /// What must not be missed.
    notices: Vec<(&'static str, String)>,
    /// Ids and names of its sections.
    contents: Vec<(String, String)>,
}

impl Page {
    fn write(self, main: Markup) -> String {
        let inks = main.inks();
        let mut page = Markup::default();
        page.element("html", &[("lang", "en")], |m| {
            m.element("head", &[], |m| {
                m.open("meta", &[("charset", "utf-8")]);
                m.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
                m.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
                m.open("meta", &[("name", "color-scheme"), ("content", "light dark")]);
                m.open("meta", &[("name", "referrer"), ("content", "no-referrer")]);
                m.leaf("title", &[], &self.title);
                m.style(STYLE, &inks);
            });
            m.element("body", &[], |m| {
                m.element("header", &[], |m| {
                    m.leaf("p", &[("class", "kicker")], &self.title);
                    m.said("h1", &[], &self.headline);
                    m.element("p", &[("class", "standing")], |m| {
                        m.write(&self.standing);
                        if let Some((day, _)) = self.started.split_once('T') {
                            m.write(", ");
                            m.leaf("time", &[("datetime", &self.started)], day);
                        }
                        m.write(".");
                    });
                    for (name, text) in &self.notices {
                        m.element("p", &[("class", "notice"), ("role", "note")], |m| {
                            m.leaf("strong", &[], name);
                            m.say(&format!(" {text}"));
                        });
                    }
                    m.element("nav", &[("aria-label", "Contents")], |m| {
                        m.element("ul", &[], |m| {
                            for (id, name) in &self.contents {
                                m.element("li", &[], |m| m.leaf("a", &[("href", &format!("#{id}"))], name));
                            }
                        });
                    });
                });
                m.element("main", &[], |m| m.append(main));
                m.element("footer", &[], |m| {
                    m.leaf(
                        "p",
                        &[],
                        &format!("Made by cgbench {} from the records beside it.", env!("CARGO_PKG_VERSION")),
                    );
                });
            });
        });
        page.into_page()
    }
}

/// What must be said before everything else.
fn notices(summary: &Summary) -> Vec<(&'static str, String)> {
    let mut notices = Vec::new();
    if summary.backend == BackendKind::Simulated {
        notices.push((table::SIMULATED, format!("{}.", table::WHAT_THAT_IS)));
    }
    if summary.partial {
        let text = format!(
            "{}: the run ended early, so what follows stands on fewer blocks than planned.",
            table::partial(summary)
        );
        notices.push(("Not complete.", text));
    }
    notices
}
