//! Putting a value into an experiment's table by its dotted name.

use std::str::FromStr;

use toml::{Table, Value};

/// `limit.headroom=1.2`: what to set, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Names of tables and of the value in them, with dots between.
    pub name: String,
    /// A TOML value; what is none is taken as text.
    pub value: String,
}

impl Setting {
    /// Of these.
    #[must_use]
    pub fn new(name: &str, value: impl std::fmt::Display) -> Self {
        Self { name: name.to_owned(), value: value.to_string() }
    }

    /// Puts it in. Where a list stands, text is taken apart at its commas; what is set is not varied any more.
    pub(super) fn put(&self, table: &mut Table) -> Result<(), String> {
        if let Some(varied) = self.name.strip_prefix("sweep.") {
            let list = listed(parsed(&self.value));
            let sweep = table.entry("sweep").or_insert_with(|| Value::Table(Table::new()));
            sweep.as_table_mut().ok_or("sweep is not a table")?.insert(varied.to_owned(), list);
            return Ok(());
        }
        if let Some(sweep) = table.get_mut("sweep").and_then(Value::as_table_mut) {
            sweep.remove(&self.name);
        }
        put(table, &self.name, parsed(&self.value))
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) =
            text.split_once('=').ok_or("a name, an equals sign and a value, as in limit.headroom=1.2")?;
        let (name, value) = (name.trim(), value.trim());
        let proper = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        if !name.split('.').all(proper) {
            return Err(format!("\"{name}\" is no name: letters, digits and _, with dots between"));
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// Puts a value at a dotted name.
pub(super) fn put(table: &mut Table, name: &str, value: Value) -> Result<(), String> {
    match name.split_once('.') {
        Some((outer, rest)) => {
            let inner = table.entry(outer).or_insert_with(|| Value::Table(Table::new()));
            let inner = inner.as_table_mut().ok_or_else(|| format!("{outer} is a value, not a table"))?;
            put(inner, rest, value)
        }
        None => {
            let value = match table.get(name) {
                Some(Value::Array(_)) => listed(value),
                _ => value,
            };
            table.insert(name.to_owned(), value);
            Ok(())
        }
    }
}

/// The value that a text means.
fn parsed(text: &str) -> Value {
    let line = format!("value = {text}");
    let found = line.parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    found.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A list: of one value, or of text with commas.
fn listed(value: Value) -> Value {
    match value {
        Value::Array(_) => value,
        Value::String(text) => Value::Array(text.split(',').map(|part| parsed(part.trim())).collect()),
        other => Value::Array(vec![other]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, settings: &[&str]) -> Table {
        let mut table: Table = text.parse().unwrap();
        for setting in settings {
            setting.parse::<Setting>().unwrap().put(&mut table).unwrap();
        }
        table
    }

    #[test]
    fn values_are_those_of_toml_and_else_text() {
        let table = set("", &["a=1", "b=1.5", "c=true", "limit.period=100ms", "d=[1, 2]"]);
        let expected: Table =
            "a = 1\nb = 1.5\nc = true\nd = [1, 2]\nlimit = { period = \"100ms\" }".parse().unwrap();
        assert_eq!(table, expected);
    }

    #[test]
    fn text_for_a_list_is_taken_apart() {
        let table = set("policies = [\"shares\"]", &["policies=limit,limit+burst"]);
        assert_eq!(table, "policies = [\"limit\", \"limit+burst\"]".parse::<Table>().unwrap());
    }

    #[test]
    fn what_is_set_is_not_varied_any_more() {
        let text = "[sweep]\n\"limit.headroom\" = [1, 2]\n\"load.threads\" = [1]";
        let table = set(text, &["limit.headroom=1.2", "sweep.load.threads=1,2"]);
        let expected = "limit = { headroom = 1.2 }\nsweep = { \"load.threads\" = [1, 2] }";
        assert_eq!(table, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for bad in ["a", "=1", "a..b=1", "a b=1", ".a=1"] {
            assert!(bad.parse::<Setting>().is_err(), "{bad}");
        }
        let mut table: Table = "a = 1".parse().unwrap();
        assert!("a.b=2".parse::<Setting>().unwrap().put(&mut table).is_err());
    }
}
