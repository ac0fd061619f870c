//! The pages themselves, and what of them is shown apart. How they look is `render::markdown`'s business.

use cgtune_core::diagnose::Cause;

/// What there is to read about a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) cause: Cause,
    /// What stands behind the cause's name in the first heading.
    pub(crate) title: &'static str,
    /// What is going on: the first paragraph, which is one line of plain text.
    pub(crate) summary: &'static str,
    /// All of it.
    pub(crate) markdown: &'static str,
}

impl Page {
    pub(crate) fn of(cause: Cause) -> Self {
        let markdown = text(cause);
        let mut lines = markdown.lines().filter(|line| !line.is_empty());
        let heading = lines.next().unwrap_or_default();
        let title = heading.split_once(": ").map_or(heading, |(_, title)| title);
        Self { cause, title, summary: lines.next().unwrap_or_default(), markdown }
    }

    /// One for each cause, in the order in which they are documented.
    pub(crate) fn all() -> [Self; Cause::ALL.len()] {
        Cause::ALL.map(Self::of)
    }
}

macro_rules! page {
    ($name:literal) => {
        include_str!(concat!("../../../pages/explain/", $name, ".md"))
    };
}

const fn text(cause: Cause) -> &'static str {
    match cause {
        Cause::SustainedDemand => page!("sustained-demand"),
        Cause::ShortBursts => page!("short-bursts"),
        Cause::TooManyThreads => page!("too-many-threads"),
        Cause::AncestorLimit => page!("ancestor-limit"),
        Cause::PinnedAndLimited => page!("pinned-and-limited"),
        Cause::QuotaTooSmall => page!("quota-too-small"),
        Cause::Starved => page!("starved"),
        Cause::IdleClass => page!("idle-class"),
        Cause::KernelExpiryBug => page!("kernel-expiry-bug"),
        Cause::Healthy => page!("healthy"),
        Cause::Unknown => page!("unknown"),
    }
}
