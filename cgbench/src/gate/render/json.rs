//! For programs: `cgbench.gate/1` and `cgbench.gate-history/1`, whose schemas are in cgbench/schemas.

use serde::Serialize;

/// A report, or a history, as JSON that ends in a newline.
///
/// # Errors
/// None that is known: both have only values with a form in JSON.
pub fn json<T: Serialize>(found: &T) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(found)? + "\n")
}
