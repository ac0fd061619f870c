//! The little markup that our own sentences carry: `**strong**` and `` `code` ``, and `*stress*`.

/// A piece of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span<'a> {
    /// As it is.
    Plain(&'a str),
    /// What it is about.
    Strong(&'a str),
    /// A word that matters.
    Stress(&'a str),
    /// What a machine reads.
    Code(&'a str),
}

/// What a mark makes of the text in it.
type Make<'a> = fn(&'a str) -> Span<'a>;

/// The pieces, in order. A mark that is not closed is text.
pub(super) fn spans<'a>(text: &'a str) -> Vec<Span<'a>> {
    let marks: [(&str, Make<'a>); 3] = [("**", Span::Strong), ("`", Span::Code), ("*", Span::Stress)];
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let next = marks
            .iter()
            .filter_map(|(mark, span)| {
                let from = rest.find(mark)?;
                let inside = &rest[from + mark.len()..];
                let length = inside.find(mark).filter(|length| *length > 0)?;
                Some((from, mark.len(), length, span))
            })
            .min_by_key(|(from, mark, ..)| (*from, usize::MAX - mark));
        let Some((from, mark, length, span)) = next else {
            found.push(Span::Plain(rest));
            break;
        };
        if from > 0 {
            found.push(Span::Plain(&rest[..from]));
        }
        found.push(span(&rest[from + mark..from + mark + length]));
        rest = &rest[from + mark + length + mark..];
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_told_from_text() {
        assert_eq!(
            spans("The **quota** is `cpu.max`, *intended* 2 * 3"),
            [
                Span::Plain("The "),
                Span::Strong("quota"),
                Span::Plain(" is "),
                Span::Code("cpu.max"),
                Span::Plain(", "),
                Span::Stress("intended"),
                Span::Plain(" 2 * 3")
            ]
        );
        assert_eq!(spans("a `b"), [Span::Plain("a `b")]);
    }

    proptest! {
        #[test]
        fn nothing_but_marks_is_lost(text in "[a-z*` ]{0,40}") {
            let kept: String = spans(&text)
                .into_iter()
                .map(|span| match span { Span::Plain(s) | Span::Strong(s) | Span::Stress(s) | Span::Code(s) => s })
                .collect();
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
            prop_assert_eq!(letters(&kept), letters(&text));
        }
    }
}
