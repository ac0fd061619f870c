//! Which groups are shown, in which order: sorting, filtering, as a list, a tree, or pod by pod.

use std::cmp::Ordering;

use super::{
    label,
    model::{Model, Row},
};

/// What a table is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Sort {
    /// Milliseconds throttled a second
    #[default]
    Stall,
    /// Part of the active periods that ended throttled
    Throttled,
    /// CPUs used
    Cpu,
    /// CPUs used, of the limit
    Used,
    /// Milliseconds a second that threads could run and did not
    Delay,
    /// CPU time above the quota
    Burst,
    /// PSI: part of the time in which some task waited
    Psi,
    /// Name, else path
    Name,
}

/// Which groups there are, and how they hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Shape {
    /// All of them, each for itself
    #[default]
    List,
    /// All of them, each under its parent
    Tree,
    /// Pods alone, and what is in each
    Pods,
}

impl Shape {
    /// This shape, or where it is there already, the list.
    pub(crate) fn or_list(self, now: Self) -> Self {
        if self == now { Self::List } else { self }
    }
}

impl Sort {
    /// What a table sorted so is said to be sorted by.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Stall => "stall",
            Self::Throttled => "throttled",
            Self::Cpu => "CPU",
            Self::Used => "use of the limit",
            Self::Delay => "run delay",
            Self::Burst => "burst",
            Self::Psi => "PSI",
            Self::Name => "name",
        }
    }

    fn value(self, row: &Row) -> Option<f64> {
        match self {
            Self::Stall => row.stall(),
            Self::Throttled => row.throttled(),
            Self::Cpu => row.cpus(),
            Self::Used => row.used(),
            Self::Delay => row.delay(),
            Self::Burst => row.burst(),
            Self::Psi => row.pressure(),
            Self::Name => None,
        }
    }
}

/// How a table is arranged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    pub(crate) sort: Sort,
    /// Least first, or names from the end.
    pub(crate) reversed: bool,
    pub(crate) shape: Shape,
    /// Part of a name or path, in any case.
    pub(crate) filter: String,
}

/// What a row is sorted by, and its CPUs.
type Value = (Option<f64>, Option<f64>);

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its place among the model's rows.
    pub(crate) row: usize,
    /// How far it is set in.
    pub(crate) indent: usize,
}

impl Order {
    /// The lines of the table.
    pub(crate) fn lines(&self, model: &Model) -> Vec<Line> {
        let wanted = self.filter.to_lowercase();
        let matches = |row: &Row| label::contains(row, &wanted);
        if self.shape == Shape::List {
            // The machine as a whole is above every list; its figures are in the title.
            let listed = |&place: &usize| {
                let row = &model.rows[place];
                !(model.whole && row.depth == 0) && matches(row)
            };
            let mut places: Vec<usize> = (0..model.rows.len()).filter(listed).collect();
            let values = self.values(&model.rows);
            places.sort_by(|&a, &b| self.compare(&model.rows, &values, a, b));
            places.into_iter().map(|row| Line { row, indent: 0 }).collect()
        } else {
            self.as_tree(&model.rows, matches)
        }
    }

    fn values(&self, rows: &[Row]) -> Vec<Value> {
        rows.iter().map(|row| (self.sort.value(row), row.cpus())).collect()
    }

    /// By value, unknown ones last; then by CPU; then by path, in which order the rows are.
    fn compare(&self, rows: &[Row], values: &[Value], a: usize, b: usize) -> Ordering {
        let by_path = a.cmp(&b);
        if self.sort == Sort::Name {
            // Those with a name come before those that are known by their path.
            let name =
                |row: usize| rows[row].named.title.as_deref().map_or((true, ""), |title| (false, title));
            let by_name = name(a).cmp(&name(b)).then(by_path);
            return if self.reversed { by_name.reverse() } else { by_name };
        }
        let (of_a, of_b) = (values[a], values[b]);
        most_first(of_a.0, of_b.0, self.reversed)
            .then_with(|| most_first(of_a.1, of_b.1, false))
            .then(by_path)
    }

    /// Whether a row begins a tree of its own.
    fn is_top(&self, rows: &[Row], row: &Row) -> bool {
        let parent = row.parent.and_then(|parent| rows.get(parent));
        match self.shape {
            Shape::Pods => row.named.is_in_pod() && !parent.is_some_and(|parent| parent.named.is_in_pod()),
            Shape::List | Shape::Tree => parent.is_none(),
        }
    }

    /// Siblings are sorted by the best value in their subtree, so that what is wanted comes to the top with its parents.
    fn as_tree(&self, rows: &[Row], matches: impl Fn(&Row) -> bool) -> Vec<Line> {
        let mut values = self.values(rows);
        let mut keep: Vec<bool> = rows.iter().map(matches).collect();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
        let mut tops = Vec::new();
        // Parents come before children, so from the end each subtree is complete when it is met.
        for (place, row) in rows.iter().enumerate().rev() {
            match row.parent {
                _ if self.is_top(rows, row) => tops.push(place),
                Some(parent) => {
                    let better =
                        most_first(values[place].0, values[parent].0, self.reversed) == Ordering::Less;
                    if better {
                        values[parent].0 = values[place].0;
                    }
                    keep[parent] |= keep[place];
                    children[parent].push(place);
                }
                None => {}
            }
        }
        let mut lines = Vec::with_capacity(rows.len());
        let mut open: Vec<(usize, usize)> = Vec::new();
        let push = |mut places: Vec<usize>, indent: usize, open: &mut Vec<(usize, usize)>| {
            places.retain(|&place| keep[place]);
            // The first is to be popped first.
            places.sort_by(|&a, &b| self.compare(rows, &values, b, a));
            open.extend(places.into_iter().map(|place| (place, indent)));
        };
        push(tops, 0, &mut open);
        while let Some((row, indent)) = open.pop() {
            lines.push(Line { row, indent });
            push(std::mem::take(&mut children[row]), indent + 1, &mut open);
        }
        lines
    }
}

fn most_first(a: Option<f64>, b: Option<f64>, reversed: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if reversed => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::top::synthetic;

    fn shown(model: &Model, order: &Order) -> Vec<(usize, String)> {
        let lines = order.lines(model);
        lines.iter().map(|line| (line.indent, model.rows[line.row].name.to_string())).collect()
    }

    #[test]
    fn pod_by_pod_there_is_nothing_but_pods_and_the_worst_comes_first() {
        let pods = Order { shape: Shape::Pods, ..Order::default() };
        let model = synthetic::named();
        let [web, db] = ["/kubepods/burstable/podweb", "/kubepods/burstable/poddb"];
        let id = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
        assert_eq!(
            shown(&model, &pods),
            [
                (0, web.to_owned()),
                (1, format!("{web}/app")),
                (1, format!("{web}/sidecar")),
                (0, db.to_owned()),
                (1, format!("{db}/postgres")),
                (1, format!("{db}/{id}")),
            ]
        );
        let named = Order { filter: "prod/db".into(), sort: Sort::Name, ..pods };
        let names: Vec<_> = shown(&model, &named).into_iter().map(|(_, name)| name).collect();
        assert_eq!(
            names,
            [db.to_owned(), format!("{db}/{id}"), format!("{db}/postgres")],
            "by name: / before :"
        );
    }

    fn names(model: &Model, order: &Order) -> Vec<String> {
        order.lines(model).iter().map(|line| model.rows[line.row].name.to_string()).collect()
    }

    #[test]
    fn the_worst_come_first_the_unknown_last_and_ties_by_cpu_and_name() {
        let model = synthetic::model();
        let by = |sort, reversed| names(&model, &Order { sort, reversed, ..Order::default() });
        let stall = by(Sort::Stall, false);
        assert_eq!(stall[0], "/kubepods/burstable/podweb/app");
        assert!(!stall.contains(&"/".to_owned()), "the machine itself is in the title");
        let reversed = by(Sort::Stall, true);
        let unknown = |names: &[String]| names.last().cloned();
        assert_eq!(unknown(&stall), unknown(&reversed), "what is not known is last either way");
        let by_name = by(Sort::Name, false);
        assert!(by_name.is_sorted_by_key(std::path::Path::new), "{by_name:?}");
        assert_eq!(by(Sort::Name, true), by_name.into_iter().rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_filter_keeps_what_contains_it_and_in_a_tree_the_way_there() {
        let model = synthetic::model();
        let flat = Order { filter: "WEB/".into(), ..Order::default() };
        assert_eq!(
            names(&model, &flat),
            ["/kubepods/burstable/podweb/app", "/kubepods/burstable/podweb/sidecar"]
        );
        let tree = Order { shape: Shape::Tree, ..flat };
        let lines = tree.lines(&model);
        let shown: Vec<(usize, &str)> =
            lines.iter().map(|line| (line.indent, &*model.rows[line.row].name)).collect();
        assert_eq!(
            shown,
            [
                (0, "/"),
                (1, "/kubepods"),
                (2, "/kubepods/burstable"),
                (3, "/kubepods/burstable/podweb"),
                (4, "/kubepods/burstable/podweb/app"),
                (4, "/kubepods/burstable/podweb/sidecar"),
            ]
        );
    }
}
