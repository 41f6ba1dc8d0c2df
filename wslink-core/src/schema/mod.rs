//! The schemas of all types in one document: as they arrive, and as they are sent.
//!
//! A type may take what it never sends, such as a field with a default. Such a type has two definitions,
//! and the one for what is sent is called `…Output`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{
    JsonSchema, Schema,
    generate::{SchemaGenerator, SchemaSettings},
};
use serde_json::{Map, Value};

mod attachment;

/// The fields of an error, with their names on the wire.
pub struct ErrorFields(pub fn(&mut Schemas) -> Vec<(&'static str, Schema)>);

/// Where definitions are in the document.
pub(crate) const DEFINITIONS: &str = "#/components/schemas/";

/// Collects the definitions of the types that it is asked for.
pub struct Schemas {
    arguments: SchemaGenerator,
    results: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft07().with(|settings| settings.definitions_path = "/components/schemas".into());
        Self { arguments: settings.clone().for_deserialize().into(), results: settings.for_serialize().into() }
    }
}

impl Schemas {
    pub(crate) fn argument<T: JsonSchema>(&mut self) -> Schema {
        subschema::<T>(&mut self.arguments)
    }

    pub(crate) fn result<T: JsonSchema>(&mut self) -> Schema {
        subschema::<T>(&mut self.results)
    }

    /// All definitions, and what refers to a definition for what is sent under another name.
    pub(crate) fn into_definitions(mut self) -> (Map<String, Value>, BTreeSet<String>) {
        let mut definitions = self.arguments.take_definitions(true);
        let results = self.results.take_definitions(true);
        let differing = differing(&definitions, &results);
        for (name, mut schema) in results {
            rename(&mut schema, &differing);
            let name = if differing.contains(&name) { output(&name) } else { name };
            definitions.insert(name, schema);
        }
        let definitions: BTreeMap<_, _> = definitions.into_iter().map(|(name, schema)| (name, sorted(schema))).collect();
        (definitions.into_iter().collect(), differing)
    }
}

fn subschema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = generator.subschema_for::<T>();
    for transform in generator.transforms_mut() {
        transform.transform(&mut schema);
    }
    schema
}

/// The types that are not sent as they arrive, or that contain one which is not.
fn differing(arguments: &Map<String, Value>, results: &Map<String, Value>) -> BTreeSet<String> {
    let shared = results.iter().filter_map(|(name, result)| Some((name, result, arguments.get(name)?)));
    let mut found: BTreeSet<String> =
        shared.clone().filter(|(_, result, argument)| result != argument).map(|(name, ..)| name.clone()).collect();
    loop {
        let more: Vec<_> = shared
            .clone()
            .filter(|(name, result, _)| !found.contains(*name) && refers(result, &found))
            .map(|(name, ..)| name.clone())
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn refers(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(target)) => target.strip_prefix(DEFINITIONS).is_some_and(|name| names.contains(name)),
            _ => refers(value, names),
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, names)),
        _ => false,
    }
}

/// Lets references to `names` lead to what is sent.
pub(crate) fn rename(schema: &mut Value, names: &BTreeSet<String>) {
    match schema {
        Value::Object(members) => members.iter_mut().for_each(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(target)) => {
                if let Some(name) = target.strip_prefix(DEFINITIONS).filter(|name| names.contains(*name)) {
                    *target = format!("{DEFINITIONS}{}", output(name));
                }
            }
            (_, value) => rename(value, names),
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        _ => {}
    }
}

/// With its keys in order: serde_json's maps lose theirs when some other crate asks for insertion order.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn output(name: &str) -> String {
    format!("{name}Output")
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Inner {
        #[serde(default)]
        quality: u8,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Outer {
        inner: Inner,
    }

    #[test]
    fn a_type_that_is_sent_otherwise_than_it_arrives_has_two_definitions_and_so_has_what_contains_it() {
        let mut schemas = Schemas::default();
        schemas.argument::<Outer>();
        let mut sent = schemas.result::<Outer>().to_value();
        let (definitions, differing) = schemas.into_definitions();
        rename(&mut sent, &differing);
        assert_eq!(definitions.keys().collect::<Vec<_>>(), ["Inner", "InnerOutput", "Outer", "OuterOutput"]);
        assert_eq!(sent["$ref"], "#/components/schemas/OuterOutput");
        assert_eq!(definitions["OuterOutput"]["properties"]["inner"]["$ref"], "#/components/schemas/InnerOutput");
        assert_eq!(definitions["InnerOutput"]["required"], serde_json::json!(["quality"]));
        assert_eq!(definitions["Inner"].get("required"), None);
    }
}
