//! Writing HTML that is well-formed and says what it was told: elements close themselves, and nothing becomes markup by being in
//! a record. Text has one way in, which escapes; names of elements and attributes are part of the program.

use std::fmt::Write as _;

use cgtune_chart::{
    Format, Scene,
    canvas::legible,
    paint::inline::{self, Inks, escaped},
    scene::Ink,
};

use crate::report::prose::{Span, spans};

/// An attribute and its value, which will be escaped.
pub(super) type Attribute<'a> = (&'static str, &'a str);

/// A piece of a page, and the colours that its charts use.
#[derive(Default)]
pub(super) struct Markup {
    text: String,
    inks: Inks,
}

impl Markup {
    /// An element with whatever `inside` writes.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        inside(self);
        let _ = write!(self.text, "</{name}>");
        if matches!(
            name,
            "section"
                | "figure"
                | "p"
                | "li"
                | "tr"
                | "table"
                | "div"
                | "h1"
                | "h2"
                | "h3"
                | "details"
                | "style"
                | "title"
        ) {
            self.text.push('\n');
        }
    }

    /// An element that has no inside.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        let _ = write!(self.text, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.text, " {attribute}=\"");
            self.write(value);
            self.text.push('"');
        }
        self.text.push('>');
    }

    /// An element with text.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.element(name, attributes, |m| m.write(text));
    }

    /// Text on one line: control characters, and those that reorder what stands around them, are shown as `\xNN`.
    pub(super) fn write(&mut self, text: &str) {
        self.text.push_str(&escaped(&legible(text)));
    }

    /// A sentence of ours: between a number and its unit no line breaks.
    pub(super) fn say(&mut self, text: &str) {
        let mut kept = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(' ') {
            kept.push_str(before);
            let unit = ["%", "ms", "µs", "s", "×", "CPUs", "MiB"].into_iter().any(|unit| {
                after.strip_prefix(unit).is_some_and(|next| !next.starts_with(|c: char| c.is_alphanumeric()))
            });
            kept.push(if unit && before.ends_with(|c: char| c.is_ascii_digit()) { '\u{a0}' } else { ' ' });
            rest = after;
        }
        kept.push_str(rest);
        self.write(&kept);
    }

    /// An element with a sentence of ours.
    pub(super) fn said(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.element(name, attributes, |m| m.say(text));
    }

    /// A table in a box of its own, which scrolls where the page is narrow.
    pub(super) fn table(&mut self, class: &str, caption: &str, inside: impl FnOnce(&mut Self)) {
        let scrolls = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption)];
        self.element("div", &scrolls, |m| {
            m.element("table", &[("class", class)], |m| {
                m.element("caption", &[], |m| m.leaf("span", &[], caption));
                inside(m);
            });
        });
    }

    /// Text whose lines are kept, as in a listing.
    pub(super) fn write_lines(&mut self, text: &str) {
        for (place, line) in text.lines().enumerate() {
            if place > 0 {
                self.text.push('\n');
            }
            self.write(line);
        }
    }

    /// A sentence with the marks of [`spans`].
    pub(super) fn prose(&mut self, text: &str) {
        for span in spans(text) {
            match span {
                Span::Plain(text) => self.say(text),
                Span::Strong(text) => self.leaf("strong", &[], text),
                Span::Stress(text) => self.leaf("em", &[], text),
                Span::Code(text) => self.leaf("code", &[], text),
            }
        }
    }

    /// A chart. `id` is unlike that of any other on the page.
    pub(super) fn picture(&mut self, scene: &Scene, format: Format, id: &str) {
        let svg = inline::svg(scene, format, id, &mut self.inks);
        self.text.push_str(&svg);
    }

    /// The class of a colour, as text or, where a rule says so, as background.
    pub(super) fn class(&mut self, ink: Ink) -> String {
        self.inks.class(ink)
    }

    /// Our own style sheet; there is nothing of anybody else's in it.
    pub(super) fn style(&mut self, sheet: &'static str, inks: &Inks) {
        self.element("style", &[], |m| {
            let dark = "@media screen and (prefers-color-scheme:dark){";
            let _ = write!(m.text, "{sheet}{}{}{dark}{}}}", Inks::SHAPES, inks.light(), inks.dark());
        });
    }

    /// What was written, as part of another.
    pub(super) fn append(&mut self, part: Self) {
        self.text.push_str(&part.text);
    }

    /// The colours so far.
    pub(super) fn inks(&self) -> Inks {
        self.inks.clone()
    }

    /// The page's beginning, and then the text.
    pub(super) fn into_page(self) -> String {
        format!("<!doctype html>\n{}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_and_attributes_cannot_end_what_they_are_in() {
        let mut m = Markup::default();
        m.leaf("p", &[("title", "\"><script>")], "</p><script>alert('1')</script>\u{202e}\u{0}");
        assert_eq!(
            m.text,
            "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\\xe2\\x80\\xae\\x00</p>\n"
        );
    }

    #[test]
    fn a_number_stays_with_its_unit() {
        let mut m = Markup::default();
        m.say("37 % of 420 periods; 54.2 ms, 1.08 × as much: 3 some");
        assert_eq!(m.text, "37\u{a0}% of 420 periods; 54.2\u{a0}ms, 1.08\u{a0}× as much: 3 some");
    }

    proptest! {
        #[test]
        fn text_never_becomes_markup(text in any::<String>()) {
            let mut m = Markup::default();
            m.write(&text);
            let markup = ['<', '>', '"', '\''];
            prop_assert!(!m.text.contains(markup));
            prop_assert!(!m.text.contains(char::is_control));
        }

        #[test]
        fn prose_writes_only_its_own_elements(text in "[a-z<>&*`\"]{0,30}") {
            let mut m = Markup::default();
            m.prose(&text);
            let own = ["<strong>", "</strong>", "<em>", "</em>", "<code>", "</code>"];
            let known: usize = own.iter().map(|tag| m.text.matches(tag).count()).sum();
            prop_assert_eq!(m.text.matches('<').count(), known);
        }
    }
}
