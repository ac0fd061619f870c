//! The keys, in one table from which input, footer and help are made.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::order::{Shape, Sort};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Quit,
    /// As Ctrl-C.
    Interrupt,
    Help,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Back,
    Filter,
    Sort(Sort),
    Reverse,
    Shape(Shape),
    Pause,
}

/// A line of the help.
#[derive(Debug)]
pub(crate) struct Key {
    codes: &'static [KeyCode],
    /// How the keys are written.
    pub(crate) shown: &'static str,
    pub(crate) action: Action,
    /// What they do, in a few words.
    pub(crate) does: &'static str,
    /// One word for the footer; `None` where the footer names them together with others.
    pub(crate) footer: Option<&'static str>,
}

use KeyCode::Char;

const fn key(
    codes: &'static [KeyCode],
    shown: &'static str,
    action: Action,
    does: &'static str,
    footer: Option<&'static str>,
) -> Key {
    Key { codes, shown, action, does, footer }
}

/// All of them, in the order of the help.
pub(crate) const KEYS: &[Key] = &[
    key(
        &[KeyCode::Enter, KeyCode::Right],
        "Enter",
        Action::Open,
        "its limits, threads, charts",
        Some("open"),
    ),
    key(
        &[KeyCode::Esc, KeyCode::Left, KeyCode::Backspace],
        "Esc",
        Action::Back,
        "back; clear the filter",
        None,
    ),
    key(&[Char('/')], "/", Action::Filter, "names or paths with a text", Some("filter")),
    key(&[Char('s')], "s", Action::Sort(Sort::Stall), "sort by stall", None),
    key(&[Char('t')], "t", Action::Sort(Sort::Throttled), "sort by throttled periods", None),
    key(&[Char('c')], "c", Action::Sort(Sort::Cpu), "sort by CPUs used", None),
    key(&[Char('u')], "u", Action::Sort(Sort::Used), "sort by use of the limit", None),
    key(&[Char('d')], "d", Action::Sort(Sort::Delay), "sort by run delay", None),
    key(&[Char('b')], "b", Action::Sort(Sort::Burst), "sort by burst use", None),
    key(&[Char('p')], "p", Action::Sort(Sort::Psi), "sort by PSI", None),
    key(&[Char('n')], "n", Action::Sort(Sort::Name), "sort by name", None),
    key(&[Char('r')], "r", Action::Reverse, "reverse the order", None),
    key(&[Char('v')], "v", Action::Shape(Shape::Tree), "tree or flat list", Some("tree")),
    key(&[Char('o')], "o", Action::Shape(Shape::Pods), "pods alone, or all", Some("pods")),
    key(&[Char(' ')], "Space", Action::Pause, "pause, and go on", Some("pause")),
    key(&[KeyCode::Up, Char('k')], "↑ k", Action::Up, "one up", None),
    key(&[KeyCode::Down, Char('j')], "↓ j", Action::Down, "one down", None),
    key(&[KeyCode::PageUp], "PgUp", Action::PageUp, "a page up", None),
    key(&[KeyCode::PageDown], "PgDn", Action::PageDown, "a page down", None),
    key(&[KeyCode::Home, Char('g')], "Home g", Action::First, "to the first", None),
    key(&[KeyCode::End, Char('G')], "End G", Action::Last, "to the last", None),
    key(&[Char('?'), Char('h')], "?", Action::Help, "this help", Some("help")),
    key(&[Char('q')], "q", Action::Quit, "quit", Some("quit")),
];

/// What a key does, if anything. Not asked while a filter is typed.
pub(crate) fn action(event: KeyEvent) -> Option<Action> {
    if event.modifiers.contains(KeyModifiers::CONTROL) {
        return (event.code == Char('c')).then_some(Action::Interrupt);
    }
    KEYS.iter().find(|key| key.codes.contains(&event.code)).map(|key| key.action)
}

/// The keys that sort, as the footer writes them.
pub(crate) fn sorts() -> String {
    let sorts = KEYS.iter().filter(|key| matches!(key.action, Action::Sort(_)));
    sorts.map(|key| key.shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings() {
        let codes: Vec<KeyCode> = KEYS.iter().flat_map(|key| key.codes).copied().collect();
        for (i, code) in codes.iter().enumerate() {
            assert!(!codes[i + 1..].contains(code), "{code:?}");
        }
    }

    #[test]
    fn control_c_interrupts_and_other_control_keys_do_nothing() {
        let press = |code, modifiers| action(KeyEvent::new(code, modifiers));
        assert_eq!(press(Char('c'), KeyModifiers::CONTROL), Some(Action::Interrupt));
        assert_eq!(press(Char('s'), KeyModifiers::CONTROL), None);
        assert_eq!(press(Char('G'), KeyModifiers::SHIFT), Some(Action::Last));
        assert_eq!(press(Char('c'), KeyModifiers::NONE), Some(Action::Sort(Sort::Cpu)));
    }
}
