//! Output against a published schema, both ways.

use serde_json::Value;

/// The schema with every object closed that lists its properties, so that an undescribed field is an error.
fn closed(schema: Value) -> Value {
    match schema {
        Value::Object(mut fields) => {
            if fields.get("type") == Some(&Value::from("object")) && fields.contains_key("properties") {
                fields.insert("additionalProperties".into(), Value::Bool(false));
            }
            fields.into_iter().map(|(name, value)| (name, closed(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(closed).collect(),
        other => other,
    }
}

/// Fails unless a document is valid and says nothing that the schema doesn't describe.
pub(crate) fn assert_describes(schema: Value, document: &Value) {
    let validator = jsonschema::validator_for(&closed(schema)).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0], "{document:#}");
}
