//! Frames of synthetic groups, without colour.

use ratatui::{Terminal, backend::TestBackend};

use super::*;
use crate::cmd::top::{
    keys::Action,
    names::Known,
    order::{Order, Shape, Sort},
    synthetic,
};

/// A frame as text, after keys.
fn frame(width: u16, height: u16, order: Order, actions: &[Action]) -> String {
    let model = synthetic::model();
    let mut view = after(&model, order, actions);
    shown(width, height, &model, &mut view)
}

fn after(model: &Model, order: Order, actions: &[Action]) -> View {
    let mut view = View::new(order);
    view.arrange(model);
    for action in actions {
        view.act(*action, model);
    }
    view
}

fn shown(width: u16, height: u16, model: &Model, view: &mut View) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::plain();
    terminal.draw(|frame| draw(frame.buffer_mut(), model, view, &theme)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn the_table_fits_small_usual_and_large_terminals() {
    for (width, height) in [(80, 24), (200, 50), (40, 10)] {
        let name = format!("table_{width}x{height}");
        insta::assert_snapshot!(name, frame(width, height, Order::default(), &[]));
    }
}

#[test]
fn the_tree_the_filter_and_the_help() {
    let tree = Order { shape: Shape::Tree, sort: Sort::Cpu, ..Order::default() };
    insta::assert_snapshot!("tree_80x24", frame(80, 24, tree, &[]));
    let filter = Order { filter: "web".into(), ..Order::default() };
    insta::assert_snapshot!("filter_80x10", frame(80, 10, filter, &[Action::Filter]));
    insta::assert_snapshot!("help_80x24", frame(80, 24, Order::default(), &[Action::Help]));
}

#[test]
fn names_of_pods_in_a_list_pod_by_pod_and_over_a_group() {
    let model = synthetic::named();
    let pods = Order { shape: Shape::Pods, ..Order::default() };
    let drawn = |height, order, actions: &[Action]| {
        let mut view = after(&model, order, actions);
        shown(80, height, &model, &mut view)
    };
    insta::assert_snapshot!("named_80x24", drawn(24, Order::default(), &[]));
    insta::assert_snapshot!("pods_80x12", drawn(12, pods.clone(), &[]));
    insta::assert_snapshot!("pod_80x24", drawn(24, pods.clone(), &[Action::Down, Action::Open]));
    let mut tick = synthetic::tick(1);
    tick.look.groups.retain(|group| !group.path.starts_with("/kubepods"));
    let mut none = Model::new(true, None, cgtune_core::Micros::from_ms(1000));
    none.take(tick, &synthetic::verdicts(), &Known::new(), false);
    let mut view = after(&none, pods, &[]);
    assert!(shown(80, 12, &none, &mut view).contains("there is no pod here"));
}

#[test]
fn one_group_with_its_limits_minute_and_threads() {
    for (width, height) in [(80, 24), (200, 50), (40, 10)] {
        let name = format!("group_{width}x{height}");
        insta::assert_snapshot!(name, frame(width, height, Order::default(), &[Action::Open]));
    }
}

#[test]
fn no_size_and_no_page_panics_and_tiny_terminals_get_a_message() {
    let model = synthetic::model();
    let shapes = [Shape::List, Shape::Tree, Shape::Pods];
    let pages: [&[Action]; 4] = [&[], &[Action::Open], &[Action::Help], &[Action::Filter, Action::Down]];
    for width in (0..40).chain([80, 119, 120, 300]) {
        for height in (0..30).chain([100]) {
            for page in pages {
                let mut view =
                    after(&model, Order { shape: shapes[usize::from(width) % 3], ..Order::default() }, page);
                draw(&mut Buffer::empty(Rect::new(0, 0, width, height)), &model, &mut view, &Theme::plain());
            }
        }
    }
    let tiny = frame(20, 5, Order::default(), &[]);
    assert!(tiny.contains("cgtune top needs"), "{tiny}");
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let order = Order { filter: "system".into(), ..Order::default() };
    let frame = frame(200, 50, order, &[]);
    assert!(frame.contains(r"\x1b[31mname\x0a"), "{frame}");
    assert!(!frame.contains('\x1b'));
}

#[test]
fn before_the_first_tick_and_when_a_group_has_vanished_it_says_so() {
    let model = Model::new(true, None, cgtune_core::Micros::from_ms(1000));
    let mut view = View::new(Order::default());
    view.arrange(&model);
    assert!(shown(80, 24, &model, &mut view).contains("looking …"));
    view.page = Page::Group(1);
    assert!(shown(80, 24, &model, &mut view).contains("vanished"));
}
