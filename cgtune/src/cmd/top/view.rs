//! What is shown of the model: which page, which lines, which one is selected. Pure; keys come as [`Action`]s.

use std::{path::Path, sync::Arc};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    keys::{self, Action},
    model::{Model, Row},
    order::{Line, Order},
    scanner::Wish,
};

/// How much of a filter is kept.
const LONGEST_FILTER: usize = 200;

/// What a key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    On,
    Quit,
    Interrupt,
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Table,
    /// One group, by its inode.
    Group(u64),
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) order: Order,
    pub(crate) paused: bool,
    pub(crate) help: bool,
    /// The filter is being typed.
    pub(crate) typing: bool,
    pub(crate) page: Page,
    /// The table's lines, as of the last [`View::arrange`].
    pub(crate) lines: Vec<Line>,
    /// The selected line.
    pub(crate) cursor: usize,
    /// The line at the top.
    pub(crate) top: usize,
    /// How many lines fit, as of the last time it was drawn.
    height: usize,
    /// The group that is selected, which keeps its selection wherever it moves.
    selected: Option<u64>,
}

impl View {
    pub(crate) fn new(order: Order) -> Self {
        Self {
            order,
            paused: false,
            help: false,
            typing: false,
            page: Page::Table,
            lines: Vec::new(),
            cursor: 0,
            top: 0,
            height: 1,
            selected: None,
        }
    }

    /// Follows the model: new rows, another order.
    pub(crate) fn arrange(&mut self, model: &Model) {
        self.lines = self.order.lines(model);
        let same = |line: &Line| Some(model.rows[line.row].inode) == self.selected;
        // At the top the selection is of the place (the worst, whoever that is), below it of the group.
        if self.cursor > 0
            && let Some(at) = self.lines.iter().position(same)
        {
            self.cursor = at;
        }
        self.select(self.cursor, model);
    }

    /// How many lines of the table fit on the screen.
    pub(crate) fn fit(&mut self, height: usize) {
        self.height = height.max(1);
        self.scroll();
    }

    fn select(&mut self, line: usize, model: &Model) {
        self.cursor = line.min(self.lines.len().saturating_sub(1));
        self.selected = self.lines.get(self.cursor).map(|line| model.rows[line.row].inode);
        self.scroll();
    }

    fn scroll(&mut self) {
        let lowest_top = self.lines.len().saturating_sub(self.height);
        self.top =
            self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(self.height)).min(lowest_top);
    }

    /// The lines on the screen.
    pub(crate) fn visible(&self) -> &[Line] {
        let end = (self.top + self.height).min(self.lines.len());
        self.lines.get(self.top..end).unwrap_or_default()
    }

    /// What must be read for what is on the screen.
    pub(crate) fn wish(&self, model: &Model) -> Wish {
        let path = |row: &Row| Arc::clone(&row.path);
        let mut threads: Vec<Arc<Path>> =
            self.visible().iter().filter_map(|line| model.rows.get(line.row)).map(path).collect();
        // The smallest first: a group that holds the whole node would leave nothing to the others.
        threads.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
        let opened = match self.page {
            Page::Group(inode) => model.find(inode).map(path),
            Page::Table => None,
        };
        Wish { threads, opened }
    }

    /// A key was pressed.
    pub(crate) fn press(&mut self, event: KeyEvent, model: &Model) -> Flow {
        if self.typing && !event.modifiers.contains(KeyModifiers::CONTROL) {
            self.type_filter(event.code, model);
            return Flow::On;
        }
        match keys::action(event) {
            Some(action) => self.act(action, model),
            None => {
                // Any key leaves the help, also one without a meaning.
                self.help = false;
                Flow::On
            }
        }
    }

    fn type_filter(&mut self, code: KeyCode, model: &Model) {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.order.filter.clear();
            }
            KeyCode::Backspace => {
                self.order.filter.pop();
            }
            KeyCode::Char(c) if self.order.filter.len() < LONGEST_FILTER => self.order.filter.push(c),
            _ => return,
        }
        self.arrange(model);
    }

    /// Does what a key stands for.
    pub(crate) fn act(&mut self, action: Action, model: &Model) -> Flow {
        if self.help && !matches!(action, Action::Quit | Action::Interrupt) {
            self.help = false;
            return Flow::On;
        }
        let page = self.height;
        match action {
            Action::Quit => return Flow::Quit,
            Action::Interrupt => return Flow::Interrupt,
            Action::Help => self.help = true,
            Action::Pause => self.paused = !self.paused,
            Action::Back => self.back(model),
            // A group's page has nothing to move in.
            _ if self.page != Page::Table => {}
            Action::Up => self.select(self.cursor.saturating_sub(1), model),
            Action::Down => self.select(self.cursor + 1, model),
            Action::PageUp => self.select(self.cursor.saturating_sub(page), model),
            Action::PageDown => self.select(self.cursor + page, model),
            Action::First => self.select(0, model),
            Action::Last => self.select(usize::MAX, model),
            Action::Open => {
                if let Some(inode) = self.selected {
                    self.page = Page::Group(inode);
                }
            }
            Action::Filter => self.typing = true,
            Action::Sort(sort) => {
                self.order.sort = sort;
                self.arrange(model);
            }
            Action::Reverse => {
                self.order.reversed = !self.order.reversed;
                self.arrange(model);
            }
            Action::Shape(shape) => {
                self.order.shape = shape.or_list(self.order.shape);
                self.arrange(model);
            }
        }
        Flow::On
    }

    fn back(&mut self, model: &Model) {
        if self.page == Page::Table {
            self.order.filter.clear();
            self.arrange(model);
        } else {
            self.page = Page::Table;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::top::{order::Sort, synthetic};

    fn view(model: &Model) -> View {
        let mut view = View::new(Order::default());
        view.arrange(model);
        view.fit(3);
        view
    }

    fn press(view: &mut View, model: &Model, keys: &str) {
        for c in keys.chars() {
            let code = match c {
                '\n' => KeyCode::Enter,
                '\x1b' => KeyCode::Esc,
                c => KeyCode::Char(c),
            };
            assert_eq!(view.press(KeyEvent::new(code, KeyModifiers::NONE), model), Flow::On);
        }
    }

    #[test]
    fn the_selection_follows_its_group_and_the_page_the_selection() {
        let model = synthetic::model();
        let mut view = view(&model);
        press(&mut view, &model, "jjjj");
        let selected = view.selected;
        assert_eq!((view.cursor, view.top), (4, 2));
        press(&mut view, &model, "n");
        assert_eq!(view.selected, selected, "another order, the same group");
        assert!(view.visible().iter().any(|line| Some(model.rows[line.row].inode) == selected));
        press(&mut view, &model, "G");
        assert_eq!(view.cursor, view.lines.len() - 1);
        view.fit(1000);
        assert_eq!(view.top, 0, "a taller screen leaves no gap");
    }

    #[test]
    fn a_filter_is_typed_taken_and_cleared() {
        let model = synthetic::model();
        let mut view = view(&model);
        let all = view.lines.len();
        press(&mut view, &model, "/sq");
        assert!(view.typing && view.order.filter == "sq", "keys are letters while it is typed");
        press(&mut view, &model, "\x1b");
        assert_eq!((view.typing, view.lines.len()), (false, all));
        press(&mut view, &model, "/podweb\n");
        assert!(view.lines.len() < all && !view.typing);
        press(&mut view, &model, "/zzz\n\n");
        assert_eq!((view.lines.len(), view.page), (0, Page::Table), "nothing to open");
        press(&mut view, &model, "\x1b");
        assert_eq!(view.lines.len(), all);
    }

    #[test]
    fn pages_open_and_close_and_help_goes_with_any_key() {
        let model = synthetic::model();
        let mut view = view(&model);
        press(&mut view, &model, "\n");
        assert!(matches!(view.page, Page::Group(_)));
        assert_eq!(view.wish(&model).opened.as_deref(), Some(Path::new("/kubepods/burstable/podweb/app")));
        press(&mut view, &model, "?x");
        assert!(!view.help);
        press(&mut view, &model, "?s");
        assert!(!view.help && view.order.sort == Sort::Stall);
        press(&mut view, &model, "\x1b ");
        assert!(view.page == Page::Table && view.paused);
        assert_eq!(view.press(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE), &model), Flow::Quit);
        assert_eq!(
            view.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL), &model),
            Flow::Interrupt
        );
    }
}
